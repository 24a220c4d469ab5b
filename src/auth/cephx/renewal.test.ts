import { expect, test } from "vitest";
import { seededRandom, systemClock } from "../../base/index.ts";
import { Reader } from "../../encoding/index.ts";
import { ENTITY_TYPE } from "../../types/index.ts";
import { decrypt, generateKey } from "../crypto-key.ts";
import { CephxMonAcceptor } from "./mon-acceptor.ts";
import { KEY_USAGE, NoRotatingSecrets, ResponseHeader } from "./protocol.ts";
import { renewTickets } from "./renewal.ts";
import { RotatingSecrets } from "./rotating-secrets.ts";

const GET_ROTATING_KEY = Uint8Array.of(0, 4);

test("who has a daemon's name is told that there are no rotating secrets for it, a client nothing", () => {
  const random = seededRandom(7);
  const clock = { ...systemClock, now: () => 1_700_000_000_000 };
  const key = generateKey(random, clock.now());
  const context = {
    keys: ({ id }: { id: string }) => (id === "a" ? { key, caps: { mon: "allow r" } } : undefined),
    secrets: new RotatingSecrets({ clock, random }),
    globalIds: { allocate: () => 1n, wasAllocated: () => true },
    clock,
    random,
  };
  const ask = (type: number, id: string) =>
    renewTickets(
      context,
      new CephxMonAcceptor(context, 1),
      { entity: { type, id }, globalId: 1n, caps: {} },
      GET_ROTATING_KEY,
    );
  const { errno, blob } = ask(ENTITY_TYPE.MGR, "a");
  expect(errno).toBe(0);
  const r = new Reader(blob);
  expect(ResponseHeader.decode(r)).toEqual({ requestType: 0x400, status: 0 });
  expect(decrypt(NoRotatingSecrets, r.blob(), key, KEY_USAGE.ROTATING_SECRET)).toEqual({
    count: 0,
    newest: 0n,
  });
  expect(r.remaining).toBe(0);
  expect(ask(ENTITY_TYPE.CLIENT, "a").errno).toBe(-13);
  expect(ask(ENTITY_TYPE.MGR, "b").errno).toBe(-13);
});
