import { describe, expect, test, vi } from "vitest";
import { ERRNO } from "../base/index.ts";
import { blob, decodeFromBytes, flatten, map, str } from "../encoding/index.ts";
import {
  COPY_START,
  type CopySource,
  isCopyComplete,
  type MOSDOpReply,
  ObjectCopyData,
  OSD_FLAG,
  opAppend,
  opAssertVer,
  opCopyFrom,
  opCopyGet,
  opCreate,
  opDelete,
  opGetXattr,
  opOmapGetVals,
  opOmapSetHeader,
  opOmapSetVals,
  opRead,
  opSetXattr,
  opStat,
  opWrite,
  opWriteFull,
} from "../messages/index.ts";
import { type ObjectLocator, Utime } from "../types/index.ts";
import { POOL, type TestClient, TestOsd } from "./testing/osd-fixture.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const out = (reply: MOSDOpReply, index = 0) => flatten(reply.ops[index]?.outdata ?? []);
const text = (reply: MOSDOpReply, index = 0) => Buffer.from(out(reply, index)).toString("latin1");
const HERE: ObjectLocator = { pool: POOL, key: "", nspace: "", hash: -1 };
const from = (oid: string, rest: Partial<CopySource> = {}) =>
  opCopyFrom({ oid, locator: HERE, ...rest });

function start() {
  const osd = new TestOsd();
  return { osd, client: osd.client(4100) };
}

async function makeSource(client: TestClient, oid = "a"): Promise<MOSDOpReply> {
  await client.op(oid, [opWriteFull(bytes("some content")), opSetXattr("x", bytes("1"))]);
  return client.op(
    oid,
    [opOmapSetHeader(bytes("head")), opOmapSetVals(new Map([["k", bytes("v")]]))],
    { mtimeSec: 77 },
  );
}

/** Waits, for a while, for what has been submitted. */
async function replyTo(osd: TestOsd, client: TestClient, tid: number): Promise<MOSDOpReply> {
  for (let i = 0; i < 100; i++) {
    osd.clock.settle();
    const reply = client.reply(tid);
    if (reply !== undefined) return reply;
    await Promise.resolve();
  }
  throw new Error(`no reply to ${tid}`);
}

describe("copy-from", () => {
  test("the target is what the source is: data, xattrs, omap, time and user version", async () => {
    const { client } = start();
    const source = await makeSource(client);
    await client.op("b", [
      opWriteFull(bytes("something longer than that")),
      opSetXattr("y", bytes("2")),
    ]);
    const copied = await client.op("b", [from("a")], { mtimeSec: 99 });
    expect(copied.result).toBe(0);
    expect(copied.userVersion).toBe(source.userVersion);
    const reads = [opRead(0, 0), opGetXattr("x"), opOmapGetVals("", 10), opStat()];
    const [a, b] = [await client.op("a", reads), await client.op("b", reads)];
    expect(b.userVersion).toBe(a.userVersion);
    for (let i = 0; i < reads.length; i++) expect(text(b, i)).toBe(text(a, i));
    expect(decodeFromBytes(Utime, out(b, 3).subarray(8)).sec).toBe(77);
    expect((await client.op("b", [opGetXattr("y")])).result).toBe(-ERRNO.ENODATA);
  });

  test("it is one op of a request: what comes before and after it counts", async () => {
    const { client } = start();
    await makeSource(client);
    expect(
      (await client.op("b", [opCreate(true), from("a"), opSetXattr("own", bytes("z"))])).result,
    ).toBe(0);
    expect(text(await client.op("b", [opGetXattr("own")]))).toBe("z");
    expect((await client.op("b", [opCreate(true), from("a")])).result).toBe(-ERRNO.EEXIST);
    const both = await client.op("c", [from("a"), opAppend(bytes("!")), from("b")]);
    expect(both.result).toBe(0);
    expect(text(await client.op("c", [opGetXattr("own")]))).toBe("z");
  });

  test("what can not be copied leaves the target as it was", async () => {
    const { client } = start();
    const source = await makeSource(client);
    await client.op("b", [opWriteFull(bytes("old"))]);
    const nowhere = { ...HERE, pool: 7 };
    const { userVersion } = source;
    const wrong: [Partial<CopySource> & { oid: string }, number][] = [
      [{ oid: "missing" }, -ERRNO.ENOENT],
      [{ oid: "b" }, -ERRNO.EINVAL],
      [{ oid: "b", locator: { ...HERE, key: "b" } }, -ERRNO.EINVAL],
      [{ oid: "a", locator: nowhere }, -ERRNO.ENOENT],
      [{ oid: "a", version: userVersion + 1 }, -ERRNO.EOVERFLOW],
      [{ oid: "a", version: userVersion - 1 }, -ERRNO.ERANGE],
      [{ oid: "a", flags: 64, truncate: { seq: 1, size: 2 } }, -ERRNO.EINVAL],
    ];
    for (const [what, errno] of wrong) {
      expect((await client.op("b", [from(what.oid, what)])).result).toBe(errno);
    }
    expect(text(await client.op("b", [opRead(0, 0)]))).toBe("old");
    expect((await client.op("b", [from("a", { version: userVersion })])).result).toBe(0);
  });

  test("a snapshot is copied as it was, and the target's own snapshots keep its old content", async () => {
    const { client } = start();
    const snapContext = { seq: 4n, snaps: [4n] };
    await client.op("a", [opWriteFull(bytes("then"))]);
    await client.op("b", [opWriteFull(bytes("before"))]);
    await client.op("a", [opWriteFull(bytes("now"))], { snapContext });
    expect((await client.op("b", [from("a", { snapid: 4n })], { snapContext })).result).toBe(0);
    expect(text(await client.op("b", [opRead(0, 0)]))).toBe("then");
    expect(text(await client.op("b", [opRead(0, 0)], { snap: 4n }))).toBe("before");
    // A whiteout comes back to life.
    await client.op("b", [opDelete()], { snapContext });
    expect((await client.op("b", [from("a")], { snapContext })).result).toBe(0);
    expect(text(await client.op("b", [opRead(0, 0)]))).toBe("now");
  });

  test("copy-from2 may bring a truncation of its own", async () => {
    const { client } = start();
    await makeSource(client);
    const truncate = { seq: 5, size: 4 };
    expect((await client.op("b", [from("a", { truncate })])).result).toBe(0);
    const reply = await client.op("b", [opCopyGet(COPY_START, 1000)]);
    const data = decodeFromBytes(ObjectCopyData, out(reply));
    expect([data.truncateSeq, data.truncateSize]).toEqual([5, 4]);
  });

  test("the object is held meanwhile: requests wait and keep their order", async () => {
    const { osd, client } = start();
    await makeSource(client);
    const copy = client.submit("b", [from("a")]);
    const append = client.submit("b", [opAppend(bytes("+"))]);
    const read = client.submit("b", [opRead(0, 0)]);
    const elsewhere = client.submit("c", [opCreate(false)]);
    expect((await replyTo(osd, client, elsewhere)).result).toBe(0);
    expect((await replyTo(osd, client, read)).result).toBe(0);
    expect(client.reply(copy)?.result).toBe(0);
    expect(client.reply(append)?.result).toBe(0);
    expect(text(client.reply(read)!)).toBe("some content+");
  });

  test("of many at once some wait for their turn, and all are made", async () => {
    const { osd, client } = start();
    await makeSource(client);
    const reads = vi.spyOn(osd.store, "getAttrs");
    const tids = Array.from({ length: 20 }, (_, i) => client.submit(`copy${i}`, [from("a")]));
    expect(reads.mock.calls.length).toBe(4);
    for (const tid of tids) expect((await replyTo(osd, client, tid)).result).toBe(0);
  });

  test("two objects may be copied onto each other", async () => {
    const { osd, client } = start();
    await client.op("a", [opWriteFull(bytes("A"))]);
    await client.op("b", [opWriteFull(bytes("B"))]);
    const tids = [client.submit("a", [from("b")]), client.submit("b", [from("a")])];
    for (const tid of tids) expect((await replyTo(osd, client, tid)).result).toBe(0);
  });

  test("a resend while it is under way, or afterwards, gets the same answer", async () => {
    const { osd, client } = start();
    const source = await makeSource(client);
    const tid = client.submit("b", [from("a")]);
    client.submit("b", [from("a")], { tid });
    const reply = await replyTo(osd, client, tid);
    expect(reply.userVersion).toBe(source.userVersion);
    await client.op("a", [opWrite(0, bytes("other"))]);
    await client.op("b", [from("a")], { tid });
    expect(text(await client.op("b", [opRead(0, 4)]))).toBe("some");
  });

  test("whose client is gone has no effect, and nobody waits for it", async () => {
    const { osd, client } = start();
    await makeSource(client);
    const gone = osd.client(4200);
    gone.submit("b", [from("a")]);
    gone.close();
    expect((await client.op("b", [opStat()])).result).toBe(-ERRNO.ENOENT);
  });
});

describe("copy-get", () => {
  test("in a request that writes is answered as any read there: too long for a write", async () => {
    const { osd, client } = start();
    const { store } = osd;
    // As of much, on a disk.
    store.read = (...args) => Promise.resolve(store.readSync(...args));
    await client.op("a", [opWriteFull(bytes("data"))]);
    const ops = [opCopyGet(COPY_START, 100), opWrite(0, bytes("x"))];
    const reply = await client.op("a", ops, { flags: OSD_FLAG.RETURNVEC });
    expect(reply.result).toBe(-ERRNO.EOVERFLOW);
    expect((await client.op("a", ops)).result).toBe(0);
    expect(text(await client.op("a", [opRead(0, 0)]))).toBe("xata");
  });

  test("gives an object in pieces of the size asked for", async () => {
    const { client } = start();
    const omap = new Map(Array.from({ length: 50 }, (_, i) => [`k${i + 100}`, bytes(`v${i}`)]));
    await client.op("a", [opWriteFull(Buffer.alloc(10_000, 1)), opOmapSetVals(omap)]);
    await client.op("a", [opOmapSetHeader(bytes("h")), opSetXattr("x", bytes("1"))]);
    let cursor = COPY_START;
    let size = 0;
    const keys: string[] = [];
    let headers = "";
    for (let pieces = 0; !isCopyComplete(cursor); pieces++) {
      expect(pieces).toBeLessThan(50);
      const ops = [opAssertVer(2), opCopyGet(cursor, 300)];
      const reply = await client.op("a", ops);
      expect(reply.result).toBe(0);
      const piece = decodeFromBytes(ObjectCopyData, out(reply, 1));
      expect(piece.size).toBe(10_000);
      expect(piece.attrs.size).toBe(cursor.attrComplete ? 0 : 1);
      size += piece.data.length;
      headers += Buffer.from(piece.omapHeader).toString();
      if (piece.omapData.length > 0) {
        keys.push(...decodeFromBytes(map(str, blob), piece.omapData).keys());
      }
      cursor = piece.cursor;
    }
    expect(size).toBe(10_000);
    expect(keys).toEqual([...omap.keys()]);
    expect(headers).toBe("h");
  });
});
