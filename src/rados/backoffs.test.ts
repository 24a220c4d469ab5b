import { expect, test } from "vitest";
import { BACKOFF_OP, MOSDBackoff } from "../messages/index.ts";
import type { Connection } from "../messenger/index.ts";
import { HOBJECT_MIN, type HObject, NOSNAP, type OutgoingMessage } from "../types/index.ts";
import { Backoffs } from "./backoffs.ts";

const PG = { pool: 2, seed: 5 };
const object = (hash: number, oid = "o"): HObject => ({
  ...HOBJECT_MIN,
  pool: 2n,
  hash,
  oid,
  snap: NOSNAP,
});

function fixture() {
  const sent: OutgoingMessage[] = [];
  const connection = { send: (m: OutgoingMessage) => void sent.push(m) } as unknown as Connection;
  const backoffs = new Backoffs();
  const handle = (op: number, id: bigint, begin: HObject, end: HObject, pg = PG) =>
    backoffs.handle(connection, {
      pgid: { pgid: pg, shard: -1 },
      mapEpoch: 7,
      op,
      id,
      begin,
      end,
    });
  return { backoffs, handle, sent };
}

test("a range waits from its begin up to its end, in its group, until it is given free", () => {
  const { backoffs, handle } = fixture();
  // Hashes are ordered by their bits from the lowest on.
  const [low, middle, high] = [object(0), object(0x40000000), object(0x80000000)];
  expect(handle(BACKOFF_OP.BLOCK, 1n, low, high)).toBe("block");
  expect(backoffs.blocks(PG, low)).toBe(true);
  expect(backoffs.blocks(PG, object(0x80000000))).toBe(false);
  expect(backoffs.blocks({ ...PG, seed: 6 }, low)).toBe(false);
  expect(backoffs.blocks(PG, middle)).toBe(false);
  expect(handle(BACKOFF_OP.UNBLOCK, 1n, low, high)).toBe("unblock");
  expect(backoffs.blocks(PG, low)).toBe(false);
});

test("a range that ends where it begins is one object", () => {
  const { backoffs, handle } = fixture();
  handle(BACKOFF_OP.BLOCK, 1n, object(5, "a"), object(5, "a"));
  expect(backoffs.blocks(PG, object(5, "a"))).toBe(true);
  expect(backoffs.blocks(PG, object(5, "b"))).toBe(false);
});

test("each is acknowledged by its id, and ends by its own", () => {
  const { backoffs, handle, sent } = fixture();
  handle(BACKOFF_OP.BLOCK, 1n, object(5), object(5));
  handle(BACKOFF_OP.BLOCK, 2n, object(5), object(5));
  handle(BACKOFF_OP.UNBLOCK, 1n, object(5), object(5));
  expect(backoffs.blocks(PG, object(5))).toBe(true);
  const [first, second, ...rest] = sent.map((m) =>
    MOSDBackoff.decode({ ...m, priority: 0, seq: 0, tid: 0, middle: m.front, data: m.front }),
  );
  expect([first?.op, second?.op]).toEqual([BACKOFF_OP.ACK_BLOCK, BACKOFF_OP.ACK_BLOCK]);
  expect([first?.id, second?.id]).toEqual([1n, 2n]);
  expect(rest).toEqual([]);
});
