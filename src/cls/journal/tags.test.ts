import { expect, test } from "vitest";
import { decodeFromBytes, encodeToBytes } from "../../encoding/index.ts";
import { MemoryObject } from "../testing/memory-context.ts";
import {
  CLIENT_STATE,
  ClientCommitArgs,
  ClientDataArgs,
  ClientListArgs,
  ClientListReply,
  ClientStateArgs,
  CreateArgs,
  journalClass,
  TagCreateArgs,
  TagListArgs,
  TagListReply,
} from "./index.ts";

const NEW_CLASS = 2n ** 64n - 1n;
const NO_DATA = new Uint8Array(0);

function journal(...clients: string[]): MemoryObject {
  const object = new MemoryObject();
  const args = { order: 24, splayWidth: 4, poolId: -1 };
  object.call(journalClass, "create", encodeToBytes(CreateArgs, args));
  for (const id of clients) {
    const input = encodeToBytes(ClientDataArgs, { id, data: NO_DATA });
    object.call(journalClass, "client_register", input);
  }
  return object;
}

function addTag(object: MemoryObject, tid: bigint, tagClass = 0n): number {
  const input = encodeToBytes(TagCreateArgs, { tid, tagClass, data: NO_DATA });
  return object.call(journalClass, "tag_create", input).errno;
}

function commit(object: MemoryObject, id: string, tagTid: bigint): void {
  const commitPosition = { objectPositions: [{ objectNumber: 0n, tagTid, entryTid: 1n }] };
  const input = encodeToBytes(ClientCommitArgs, { id, commitPosition });
  object.call(journalClass, "client_commit", input);
}

function tagsOf(object: MemoryObject, clientId: string): bigint[] {
  const args = { startAfter: 0n, maxReturn: 100n, clientId, tagClass: undefined };
  const { output } = object.call(journalClass, "tag_list", encodeToBytes(TagListArgs, args));
  return decodeFromBytes(TagListReply, output).map((tag) => tag.tid);
}

test("a tag stays while a client has yet to commit past it, and goes with the next one after that", () => {
  const object = journal("fast", "slow");
  addTag(object, 0n, NEW_CLASS);
  for (let tid = 1n; tid < 4n; tid++) addTag(object, tid);
  commit(object, "fast", 3n);
  addTag(object, 4n);
  expect(tagsOf(object, "slow")).toEqual([0n, 1n, 2n, 3n, 4n]);
  expect(tagsOf(object, "fast")).toEqual([3n, 4n]);
  commit(object, "slow", 2n);
  addTag(object, 5n);
  expect(tagsOf(object, "slow")).toEqual([2n, 3n, 4n, 5n]);
});

test("a disconnected client keeps no tag", () => {
  const object = journal("on", "off");
  addTag(object, 0n, NEW_CLASS);
  addTag(object, 1n);
  commit(object, "on", 1n);
  const state = CLIENT_STATE.DISCONNECTED;
  const input = encodeToBytes(ClientStateArgs, { id: "off", state });
  object.call(journalClass, "client_update_state", input);
  addTag(object, 2n);
  expect(tagsOf(object, "off")).toEqual([1n, 2n]);
});

test("a client that registers begins where the slowest of those that are connected is", () => {
  const object = journal("on", "off");
  commit(object, "on", 3n);
  commit(object, "off", 1n);
  const off = { id: "off", state: CLIENT_STATE.DISCONNECTED };
  object.call(journalClass, "client_update_state", encodeToBytes(ClientStateArgs, off));
  const late = { id: "late", data: NO_DATA };
  object.call(journalClass, "client_register", encodeToBytes(ClientDataArgs, late));
  const page = encodeToBytes(ClientListArgs, { startAfter: "", maxReturn: 9n });
  const clients = decodeFromBytes(
    ClientListReply,
    object.call(journalClass, "client_list", page).output,
  );
  const position = clients.find(({ id }) => id === "late")?.commitPosition;
  expect(position?.objectPositions.map(({ tagTid }) => tagTid)).toEqual([3n]);
});
