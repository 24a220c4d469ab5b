import { expect, test } from "vitest";
import { decodeFromBytes, encodeToBytes } from "../../../encoding/index.ts";
import { MemoryObject } from "../../testing/memory-context.ts";
import { rbdClass } from "../index.ts";
import { GroupSnapListArgs, GroupSnapListReply } from "../ops/group.ts";
import { GroupSnapshot } from "../types.ts";

test("a listing of more group snapshots than one page names each of them once", () => {
  const object = new MemoryObject();
  const nobody = { id: "", name: "", state: 0, snaps: [] };
  for (let i = 100; i < 230; i++) {
    const snap = { ...nobody, id: `id${i}`, name: `name${i}` };
    const input = encodeToBytes(GroupSnapshot, snap);
    expect(object.call(rbdClass, "group_snap_set", input).errno).toBe(0);
  }
  const args = { startAfter: nobody, maxReturn: 1024n };
  const input = encodeToBytes(GroupSnapListArgs, args);
  const { output } = object.call(rbdClass, "group_snap_list", input);
  const ids = decodeFromBytes(GroupSnapListReply, output).map((s) => s.id);
  expect(ids).toEqual(Array.from({ length: 130 }, (_, i) => `id${i + 100}`));
});
