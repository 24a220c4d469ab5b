/** Objects by the client library, on the simulated server: listings, locks, attributes, what is in them. */
import { expect, test } from "vitest";
import { CephError } from "../../src/base/index.ts";
import { crc32c } from "../../src/encoding/index.ts";
import * as ops from "../../src/librados/index.ts";
import {
  OSD_FLAG,
  OSD_OP_FLAG,
  opAppend,
  opCmpXattr,
  opCreate,
  opGetXattr,
  opRead,
  opStat,
  opWriteFull,
  withFlags,
} from "../../src/messages/index.ts";
import {
  ALL_NSPACES,
  breakLock,
  enableApplication,
  type IoCtx,
  type ListedObject,
  type ListOptions,
  listLocks,
  lockInfo,
  lockObject,
  omapEntries,
  poolApplications,
  setApplicationMetadata,
  unlockObject,
} from "../../src/rados/index.ts";
import { Bench, objectNames } from "./bench.ts";

const bytes = (text: string) => Buffer.from(text);
const text = (data: Uint8Array | undefined) => Buffer.from(data ?? []).toString();
const code = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof CephError ? error.code : String(error)),
  );
const names = (objects: readonly ListedObject[]) => objects.map(({ oid }) => oid).sort();

async function listed(io: IoCtx, options: ListOptions = {}, nspace?: string) {
  const found: ListedObject[] = [];
  for await (const object of io.listing(nspace).objects(options)) found.push(object);
  return found;
}

async function fill(bench: Bench, io: IoCtx, count: number, prefix = "o"): Promise<string[]> {
  const made = Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  await bench.run(Promise.all(made.map((oid) => io.write(oid, [opCreate(true)]))));
  return made.sort();
}

test("parts of a listing are the whole of it, each object in one part; a cursor goes on where it was", async () => {
  const bench = await Bench.start({ osds: 2 });
  const { rados } = await bench.client();
  await bench.run(rados.createPool("p"));
  const io = await bench.run(rados.openPool("p"));
  const all = await fill(bench, io, 120);
  const whole = await bench.run(listed(io));
  expect(names(whole)).toEqual(all);
  for (const parts of [1, 2, 3, 7, 64]) {
    const pieces: ListedObject[] = [];
    for (const range of io.listing().split(parts))
      pieces.push(...(await bench.run(listed(io, range))));
    expect(
      pieces.map(({ oid }) => oid),
      `${parts} parts`,
    ).toEqual(whole.map(({ oid }) => oid));
  }
  const begin = io.listing().cursorOf(whole[50]!);
  expect(await bench.run(listed(io, { begin }))).toEqual(whole.slice(50));
  expect(await bench.run(listed(io, { end: begin }))).toEqual(whole.slice(0, 50));
  const none = await bench.run(io.listing().page({ begin: io.listing().end }));
  expect(none).toEqual({ objects: [], next: undefined });
  await bench.close();
});

test("all namespaces are listed at once, with keys; an object at a key is found there only", async () => {
  const bench = await Bench.start();
  const { io } = await bench.client();
  const before = await bench.run(objectNames(io));
  const there = io.inNamespace("n").atKey("k");
  await bench.run(there.write("o", [opWriteFull(bytes("keyed"))]));
  await bench.run(io.write("plain", [opWriteFull(bytes("x"))]));
  const found = await bench.run(listed(io, {}, ALL_NSPACES));
  const added = found.filter(({ oid }) => !before.includes(oid));
  expect(added.toSorted((a, b) => (a.oid < b.oid ? -1 : 1))).toEqual([
    { nspace: "n", oid: "o", key: "k" },
    { nspace: "", oid: "plain", key: "" },
  ]);
  const { ops } = await bench.run(there.read("o", [opRead(0, 0)]));
  expect(text(ops[0]?.data)).toBe("keyed");
  expect(await bench.run(code(io.read("o", [opRead(0, 0)])))).toBe("ENOENT");
  await bench.close();
});

test("a failing op is told with its fellows' results; FAILOK ones fail nothing", async () => {
  const bench = await Bench.start();
  const { io } = await bench.client();
  await bench.run(io.write("o", [opWriteFull(bytes("data"))]));
  const failed = await bench.run(
    io.operate("o", [opStat(), opGetXattr("none"), opRead(0, 0)], "read"),
  );
  expect([failed.result, failed.ops.map((op) => op.rval)]).toEqual([-61, [0, -61, 0]]);
  const lenient = [withFlags(opGetXattr("none"), OSD_OP_FLAG.FAILOK), opRead(0, 2)];
  const passed = await bench.run(io.read("o", lenient));
  expect([passed.ops[0]?.rval, text(passed.ops[1]?.data)]).toEqual([-61, "da"]);
  const guarded = [opCmpXattr("none", 1, 1, bytes("x")), opAppend(bytes("!"))];
  const refused = await bench.run(io.operate("o", guarded, "write", { flags: OSD_FLAG.RETURNVEC }));
  expect(refused.result).toBeLessThan(0);
  expect(refused.ops[0]?.rval).toBe(refused.result);
  await bench.close();
});

test("a flush waits for the writes before it, well or not, and for none after it", async () => {
  const bench = await Bench.start();
  const { io } = await bench.client();
  const ended: string[] = [];
  const write = (oid: string, exclusive: boolean) =>
    code(io.write(oid, [opCreate(exclusive)])).then((how) => void ended.push(`${oid} ${how}`));
  const first = [write("a", true), write("a", true), write("b", true)];
  const flushed = io.flush().then(() => void ended.push("flushed"));
  bench.server.kill();
  const late = write("c", true);
  await bench.startServer();
  await bench.run(Promise.all([...first, flushed, late]));
  expect(ended.filter((each) => each !== "c done").at(-1)).toBe("flushed");
  expect(ended.slice(0, -1).toSorted()).toContain("a EEXIST");
  await bench.run(io.flush());
  await bench.close();
});

test("sizes, sparse reads, checksums and comparisons are the OSD's own", async () => {
  const bench = await Bench.start();
  const { io } = await bench.client();
  const objects = new ops.IoCtx(io);
  await bench.run(objects.write("o", [ops.write(0, "abcd"), ops.write(65536, "efgh")]));
  const stat = await bench.run(objects.stat("o"));
  expect([stat.size, stat.mtimeMs > 1.7e12]).toEqual([65540, true]);
  const [sparse] = await bench.run(objects.read("o", [ops.sparseRead(0, 65540)]));
  const whole = Buffer.alloc(65540);
  let at = 0;
  for (const { offset, length } of sparse.extents) {
    whole.set(sparse.data.subarray(at, at + length), offset);
    at += length;
  }
  expect([text(whole.subarray(0, 4)), text(whole.subarray(65536))]).toEqual(["abcd", "efgh"]);
  await bench.run(objects.write("s", [ops.writeSame(0, 12, "1234"), ops.truncate(9)]));
  const crc = ops.checksumCrc32c({ offset: 0, length: 8, chunkSize: 4 });
  const [sums] = await bench.run(objects.read("s", [crc]));
  const sum = crc32c(0xffff_ffff, bytes("1234"), 0, 4);
  expect(sums).toEqual([sum, sum]);
  const compareAndWrite = (expected: string) =>
    objects.write("s", [ops.compareExtent(4, expected), ops.write(4, "****")]);
  // -4095, and where the first difference is.
  await expect(bench.run(compareAndWrite("12x4"))).rejects.toMatchObject({ errno: -4095 - 2 });
  await bench.run(compareAndWrite("1234"));
  expect(text(await bench.run(objects.readObject("s")))).toBe("1234****1");
  expect(await bench.run(code(objects.stat("none")))).toBe("ENOENT");
  await bench.close();
});

test("a read into memory that is there leaves the rest of it alone, and what was read before", async () => {
  const bench = await Bench.start();
  const { io } = await bench.client();
  const objects = new ops.IoCtx(io);
  const large = (letter: string) => Buffer.alloc(200_000, letter);
  for (const letter of ["a", "b"]) await bench.run(objects.writeObject(letter, large(letter)));
  // Received into the same memory, one after the other.
  const [a, b] = [Buffer.alloc(300_000, "-"), Buffer.alloc(100_000, "-")];
  expect(await bench.run(objects.readInto("a", 50_000, a))).toBe(150_000);
  expect(await bench.run(objects.readInto("b", 0, b))).toBe(100_000);
  expect(a.equals(Buffer.concat([large("a").subarray(50_000), Buffer.alloc(150_000, "-")]))).toBe(
    true,
  );
  expect(b.equals(large("b").subarray(100_000))).toBe(true);
  expect(await bench.run(objects.readInto("a", 200_000, a))).toBe(0);
  expect(await bench.run(objects.readInto("a", 0, Buffer.alloc(0)))).toBe(0);
  expect(await bench.run(code(objects.readInto("none", 0, a)))).toBe("ENOENT");
  await bench.close();
});

test("attributes and omap entries are set, read in pages and removed", async () => {
  const bench = await Bench.start();
  const { io } = await bench.client();
  const objects = new ops.IoCtx(io);
  await bench.run(objects.write("o", [ops.setXattr("a", "1")]));
  await bench.run(objects.write("o", [ops.setXattr("b", "2")]));
  const [a, all] = await bench.run(objects.read("o", [ops.getXattr("a"), ops.getXattrs()]));
  expect([text(a), ...all.keys()]).toEqual(["1", "a", "b"]);
  await bench.run(objects.write("o", [ops.removeXattr("a")]));
  expect(await bench.run(code(objects.read("o", [ops.getXattr("a")])))).toBe("ENODATA");
  const entries = new Map(
    Array.from({ length: 25 }, (_, i) => [`k${String(i).padStart(2, "0")}`, `v${i}`]),
  );
  await bench.run(objects.write("o", [ops.omapSet(entries)]));
  const collect = async <T>(from: AsyncGenerator<T>) => {
    const found: T[] = [];
    for await (const each of from) found.push(each);
    return found;
  };
  const keys = [...entries.keys()];
  for (const pageSize of [1, 7, 25, 1000]) {
    const found = await bench.run(collect(omapEntries(io, "o", { pageSize })));
    expect(
      found.map(([key, value]) => `${key}=${text(value)}`),
      `pages of ${pageSize}`,
    ).toEqual(keys.map((key, i) => `${key}=v${i}`));
    const behind = await bench.run(collect(omapEntries(io, "o", { pageSize, after: "k04" })));
    expect(behind.map(([key]) => key)).toEqual(keys.slice(5));
  }
  const [page] = await bench.run(objects.read("o", [ops.omapGetKeys({ after: "k04", max: 7 })]));
  expect(page).toEqual({ keys: keys.slice(5, 12), more: true });
  const ones = await bench.run(collect(omapEntries(io, "o", { prefix: "k1", pageSize: 3 })));
  expect(ones.map(([key]) => key)).toEqual(keys.slice(10, 20));
  const whole = await bench.run(collect(objects.omap("o", { after: "k20" })));
  expect(whole.map(([key, value]) => `${key}=${text(value)}`)).toEqual(
    keys.slice(21).map((key, i) => `${key}=v${i + 21}`),
  );
  await bench.run(objects.write("o", [ops.omapRemove(keys.slice(1))]));
  const [left] = await bench.run(objects.read("o", [ops.omapGetByKeys(["k00", "k01"])]));
  expect([...left].map(([key, value]) => `${key}=${text(value)}`)).toEqual(["k00=v0"]);
  await bench.close();
});

test("locks are exclusive or shared, told of, given back and broken", async () => {
  const bench = await Bench.start();
  const a = await bench.client();
  const b = await bench.client();
  const mine = { name: "l", type: "exclusive", cookie: "c" } as const;
  await bench.run(lockObject(a.io, "o", { ...mine, description: "mine" }));
  expect(await bench.run(code(lockObject(a.io, "o", mine)))).toBe("EEXIST");
  await bench.run(lockObject(a.io, "o", { ...mine, mayRenew: true }));
  expect(await bench.run(code(lockObject(b.io, "o", mine)))).toBe("EBUSY");
  const { type, lockers } = await bench.run(lockInfo(b.io, "o", "l"));
  expect([type, lockers[0]?.locker.num, lockers[0]?.cookie]).toEqual([
    "exclusive",
    a.rados.globalId,
    "c",
  ]);
  expect(await bench.run(listLocks(b.io, "o"))).toEqual(["l"]);
  const { locker, cookie } = lockers[0]!;
  await bench.run(breakLock(b.io, "o", { name: "l", locker, cookie }));
  expect(await bench.run(code(unlockObject(a.io, "o", { name: "l", cookie: "c" })))).toBe("ENOENT");
  const shared = { name: "l", type: "shared", cookie: "c", tag: "t" } as const;
  for (const { io } of [a, b]) await bench.run(lockObject(io, "o", shared));
  const both = await bench.run(lockInfo(a.io, "o", "l"));
  expect([both.type, both.tag, both.lockers.length]).toEqual(["shared", "t", 2]);
  expect(await bench.run(code(lockObject(a.io, "o", { ...shared, tag: "u" })))).toBe("EBUSY");
  for (const { io } of [a, b]) await bench.run(unlockObject(io, "o", shared));
  const short = { ...mine, durationMs: 5000 };
  await bench.run(lockObject(a.io, "o", short));
  await bench.pass(6000);
  await bench.run(lockObject(b.io, "o", mine));
  await bench.close();
});

test("a pool says what it is used for", async () => {
  const bench = await Bench.start();
  const { rados } = await bench.client();
  const pool = await bench.run(rados.createPool("p"));
  await bench.run(enableApplication(rados, pool, "mine"));
  await bench.run(setApplicationMetadata(rados, pool, { app: "mine", key: "k", value: "v" }));
  expect(poolApplications(rados, pool)).toEqual(new Map([["mine", new Map([["k", "v"]])]]));
  expect(await bench.run(code(enableApplication(rados, pool, "other")))).toBe("EPERM");
  await bench.close();
});
