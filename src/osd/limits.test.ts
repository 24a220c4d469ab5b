/** What a client may ask of an OSD at most: at each bound, and one past it. */

import { describe, expect, test } from "vitest";
import { ERRNO } from "../base/index.ts";
import { flatten, Reader } from "../encoding/index.ts";
import {
  CHECKSUM_TYPE,
  type MOSDOpReply,
  type OsdOp,
  opChecksum,
  opCmpExt,
  opCreate,
  opGetXattr,
  opOmapGetKeys,
  opOmapGetVals,
  opOmapSetVals,
  opPgnls,
  opRead,
  opSetXattr,
  opTruncate,
  opWrite,
  opWriteFull,
  opWriteSame,
} from "../messages/index.ts";
import { HOBJECT_MIN, HObject, objectHash } from "../types/index.ts";
import {
  BULK_READ_BYTES_MAX,
  CHECKSUM_BYTES_MAX,
  NAMESPACE_MAX,
  OBJECT_NAME_MAX,
  OBJECT_SIZE_MAX,
  OMAP_BYTES_MAX,
  OMAP_ENTRIES_MAX,
  PGLS_MAX,
  REQUEST_READ_MAX,
  WRITE_SIZE_MAX,
  XATTR_NAME_MAX,
  XATTR_SIZE_MAX,
} from "./limits.ts";
import { type OpOptions, PG_NUM, TestOsd } from "./testing/osd-fixture.ts";

const MIB = 1024 * 1024;
const client = () => new TestOsd().client(4100);
const x = (length: number) => "x".repeat(length);
const reader = (reply: MOSDOpReply) => new Reader(flatten(reply.ops[0]?.outdata ?? []));

interface Bound {
  readonly what: string;
  readonly max: number;
  readonly errno: number;
  readonly request: (size: number) => readonly [oid: string, op: OsdOp, options?: OpOptions];
}

const BOUNDS: readonly Bound[] = [
  {
    what: "a truncation",
    // A place in the object, as upstream takes it: its end is not one.
    max: OBJECT_SIZE_MAX - 1,
    errno: ERRNO.EFBIG,
    request: (size) => ["a", opTruncate(size)],
  },
  {
    what: "the end of a write",
    max: OBJECT_SIZE_MAX,
    errno: ERRNO.EFBIG,
    request: (size) => ["a", opWrite(size - 1, Buffer.alloc(1))],
  },
  {
    what: "the data of a write",
    max: WRITE_SIZE_MAX,
    errno: ERRNO.EMSGSIZE,
    request: (size) => ["a", opWriteFull(Buffer.alloc(size))],
  },
  {
    what: "an object's name",
    max: OBJECT_NAME_MAX,
    errno: ERRNO.ENAMETOOLONG,
    request: (size) => [x(size), opCreate(false)],
  },
  {
    what: "a locator key",
    max: OBJECT_NAME_MAX,
    errno: ERRNO.ENAMETOOLONG,
    request: (size) => ["a", opCreate(false), { key: x(size) }],
  },
  {
    what: "a namespace",
    max: NAMESPACE_MAX,
    errno: ERRNO.ENAMETOOLONG,
    request: (size) => ["a", opCreate(false), { nspace: x(size) }],
  },
  {
    what: "an attribute",
    max: XATTR_SIZE_MAX,
    errno: ERRNO.EFBIG,
    request: (size) => ["a", opSetXattr("k", Buffer.alloc(size))],
  },
  {
    what: "an attribute's name",
    max: XATTR_NAME_MAX,
    errno: ERRNO.ENAMETOOLONG,
    request: (size) => ["a", opSetXattr(x(size), Buffer.alloc(1))],
  },
];

test.each(BOUNDS)("$what of $max is taken, one more is not", async ({ max, errno, request }) => {
  const c = client();
  const ask = async (size: number) => {
    const [oid, op, options] = request(size);
    return (await c.op(oid, [op], options)).result;
  };
  await c.op("a", [opCreate(false)]);
  expect(await ask(max + 1)).toBe(-errno);
  expect(await ask(max)).toBe(0);
});

test.each([
  [1, 4 * MIB],
  [3, 200_001],
  [1000, 1000],
  [100_000, 300_000],
])(
  "a pattern of %i bytes over %i is written whole, in pieces of a useful length",
  async (pattern, length) => {
    const osd = new TestOsd();
    const c = osd.client(4100);
    const pieces: number[] = [];
    const submit = osd.store.submit.bind(osd.store);
    osd.store.submit = (transaction) => {
      for (const op of transaction.ops) {
        if (op.op === "write") pieces.push(...op.data.map((piece) => piece.length));
      }
      return submit(transaction);
    };
    const data = Buffer.alloc(pattern, "0123456");
    expect((await c.op("a", [opWriteSame(0, length, data)])).result).toBe(0);
    expect(pieces.length).toBeLessThanOrEqual(Math.ceil(length / 50_000));
    const { ops } = await c.op("a", [opRead(0, 0)]);
    expect(Buffer.alloc(length, data).equals(flatten(ops[0]!.outdata))).toBe(true);
  },
);

test("what patterns are repeated to takes its turn as bulk reads do, and is bounded in one request", async () => {
  const osd = new TestOsd();
  const c = osd.client(4100);
  const size = 4 * MIB;
  const same = (length: number) => opWriteSame(0, length, Buffer.from("x"));
  const tids = Array.from({ length: 20 }, (_, i) => c.submit(`o${i}`, [same(size)]));
  expect(osd.store.statfs().data).toBeLessThanOrEqual(BULK_READ_BYTES_MAX);
  for (let i = 0; i < 500; i++) {
    osd.clock.settle();
    await Promise.resolve();
  }
  expect(tids.map((tid) => c.reply(tid)?.result)).toEqual(tids.map(() => 0));
  const half = OBJECT_SIZE_MAX / 2;
  expect((await c.op("a", [same(half), same(half + 1)])).result).toBe(-ERRNO.EMSGSIZE);
  expect((await c.op("a", [opRead(0, 1)])).result).toBe(-ERRNO.ENOENT);
  expect((await c.op("a", [same(MIB), same(MIB)])).result).toBe(0);
});

test("what the ops of one request read, or give, together is bounded: EOVERFLOW", async () => {
  const c = client();
  const size = XATTR_SIZE_MAX;
  await c.op("a", [opSetXattr("x", Buffer.alloc(size)), opTruncate(size)]);
  const enough = REQUEST_READ_MAX / size;
  const ask = async (count: number, op: OsdOp) => {
    const ops = Array.from({ length: count }, () => ({ ...op }));
    return (await c.op("a", ops)).result;
  };
  // Reads all of it and gives nothing.
  const compare = { ...opCmpExt(0, Buffer.alloc(1)), args: opRead(0, size).args };
  expect(await ask(enough, compare)).toBe(0);
  expect(await ask(enough + 2, compare)).toBe(-ERRNO.EOVERFLOW);
  expect(await ask(enough + 2, opGetXattr("x"))).toBe(-ERRNO.EOVERFLOW);
}, 60_000);

test("checksums that make too long an answer are EOVERFLOW", async () => {
  const c = client();
  const [long, short] = [CHECKSUM_TYPE.XXHASH64, CHECKSUM_TYPE.XXHASH32];
  const max = CHECKSUM_BYTES_MAX / 8;
  await c.op("a", [opWrite(max, Buffer.alloc(1))]);
  const ask = async (type: number, length: number) => {
    const reply = await c.op("a", [opChecksum(type, 0, length, 1, Buffer.alloc(8))]);
    return reply.result < 0 ? reply.result : reader(reply).u32();
  };
  expect(await ask(long, max + 1)).toBe(-ERRNO.EOVERFLOW);
  expect(await ask(long, max)).toBe(max);
  expect(await ask(short, max + 1)).toBe(max + 1);
});

describe("a list that is longer than its bound comes in parts", () => {
  const keys = (count: number) =>
    Array.from({ length: count }, (_, i) => `k${String(i).padStart(6, "0")}`);

  test.each([
    [OMAP_ENTRIES_MAX, false],
    [OMAP_ENTRIES_MAX + 1, true],
  ])("%i keys of an omap", async (count, more) => {
    const c = client();
    await c.op("a", [opOmapSetVals(new Map(keys(count).map((k) => [k, Buffer.alloc(1)])))]);
    const r = reader(await c.op("a", [opOmapGetKeys("", 2 ** 40)]));
    const got = Array.from({ length: r.u32() }, () => r.str());
    expect([got, r.bool()]).toEqual([keys(OMAP_ENTRIES_MAX), more]);
  });

  test("values of an omap by their bytes", async () => {
    const c = client();
    const value = Buffer.alloc(8 * MIB, 7);
    // A write has a bound of its own.
    for (const key of keys(5)) await c.op("a", [opOmapSetVals(new Map([[key, value]]))]);
    const list = async (after: string) => {
      const r = reader(await c.op("a", [opOmapGetVals(after, 100, "")]));
      const got = Array.from({ length: r.u32() }, () => {
        const key = r.str();
        expect(value.equals(r.blob())).toBe(true);
        return key;
      });
      return { got, more: r.bool() };
    };
    // Four of them fill it.
    expect(OMAP_BYTES_MAX).toBe(4 * value.length);
    expect(await list("")).toEqual({ got: keys(4), more: true });
    expect(await list(keys(4)[3]!)).toEqual({ got: keys(5).slice(4), more: false });
  });

  test("objects of a PG", async () => {
    const c = client();
    // The locator key alone says which PG.
    const options = { key: "all in one" };
    for (const oid of keys(PGLS_MAX + 1)) await c.op(oid, [opCreate(false)], options);
    const seed = objectHash("", "", options.key) & (PG_NUM - 1);
    const page = async (from: HObject) => {
      const reply = await c.list(seed, opPgnls(2 ** 31, 0, from));
      const r = reader(reply);
      r.begin("pg_nls_response_t", 1);
      return { result: reply.result, next: HObject.decode(r), count: r.u32() };
    };
    // The PG's own object takes a place in the first.
    const first = await page(HOBJECT_MIN);
    expect(first).toMatchObject({ result: 0, count: PGLS_MAX - 1 });
    expect(await page(first.next)).toMatchObject({ result: 1, count: 2 });
  });
});
