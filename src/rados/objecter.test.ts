import { expect, test } from "vitest";
import { until } from "../../test/harness/manual-clock.ts";
import { type CephError, ERRNO } from "../base/index.ts";
import { addrMapKey, OSDMAP_FLAG, POOL_FLAG, POOL_TYPE } from "../maps/index.ts";
import {
  BACKOFF_OP,
  MOSDBackoff,
  OSD_FLAG,
  opAppend,
  opRead,
  opStat,
  opWriteFull,
} from "../messages/index.ts";
import type { OpenedConnection } from "../messenger/index.ts";
import { HOBJECT_MIN, IntervalSet, NOSNAP, objectHash, utimeFromMs } from "../types/index.ts";
import { OUR_ADDR, POOL, ScriptedOsds, toIncoming } from "./testing/scripted-osds.ts";

const X = Buffer.from("x");
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A cluster with one write on its way to osd.0. */
async function withWrite(...args: ConstructorParameters<typeof ScriptedOsds>) {
  const osds = new ScriptedOsds(...args);
  const write = osds.submit("o", [opAppend(X)]);
  await until(() => osds.to(0)[0]?.requests.length === 1);
  const [link] = osds.to(0);
  return { osds, write, link: link! };
}

test("an aborted request rejects with the signal's reason, is never sent again, and a late answer is nobody's", async () => {
  const osds = new ScriptedOsds();
  const abort = new AbortController();
  const { outcome, done } = osds.submit("o", [opAppend(X)], { signal: abort.signal });
  await until(() => osds.to(0)[0]?.requests.length === 1);
  abort.abort(new RangeError("enough"));
  await done;
  expect(outcome.error).toEqual(new RangeError("enough"));
  expect(osds.objecter.pending).toBe(0);
  osds.reply(osds.to(0)[0]!, 1);
  osds.to(0)[0]!.close();
  const next = osds.submit("p", [opStat()], { flags: OSD_FLAG.READ });
  await until(() => osds.to(0)[1]?.requests.length === 1);
  expect(osds.to(0)[1]!.requests.map((r) => r.op.oid)).toEqual(["p"]);
  osds.reply(osds.to(0)[1]!, 2);
  await next.done;
  expect(next.outcome).toEqual({ result: 0 });
});

test("a signal that is aborted before sends nothing; one signal ends all that wait on it", async () => {
  const osds = new ScriptedOsds();
  const early = osds.submit("o", [opStat()], { signal: AbortSignal.abort("before") });
  await early.done;
  expect(early.outcome).toEqual({ error: "before" });
  const abort = new AbortController();
  const many = Array.from({ length: 50 }, () =>
    osds.submit("o", [opAppend(X)], { signal: abort.signal }),
  );
  await until(() => osds.to(0)[0]?.requests.length === 50);
  osds.reply(osds.to(0)[0]!, 1);
  await many[0]!.done;
  abort.abort("all");
  await Promise.all(many.map((each) => each.done));
  expect(many.map((each) => each.outcome.error ?? each.outcome.result)).toEqual([
    0,
    ...Array.from({ length: 49 }, () => "all"),
  ]);
});

test("a time-out is ETIMEDOUT and names operation and object; the request's own goes before the client's", async () => {
  const osds = new ScriptedOsds({}, { opTimeoutMs: 1000 });
  const byDefault = osds.submit("o", [opAppend(X), opStat()]);
  const own = osds.submit("p", [opStat()], { timeoutMs: 5000, flags: OSD_FLAG.READ });
  const never = osds.submit("q", [opStat()], { timeoutMs: 0, flags: OSD_FLAG.READ });
  await until(() => osds.to(0)[0]?.requests.length === 3);
  osds.clock.advance(1000);
  await byDefault.done;
  const error = byDefault.outcome.error as CephError;
  expect([error.code, error.errno, error.op, error.target]).toEqual([
    "ETIMEDOUT",
    -ERRNO.ETIMEDOUT,
    "append+stat",
    "pool 1/o",
  ]);
  expect(own.outcome).toEqual({});
  osds.clock.advance(4000);
  await own.done;
  expect((own.outcome.error as CephError).code).toBe("ETIMEDOUT");
  osds.clock.advance(1e9);
  await settle();
  expect(never.outcome).toEqual({});
  expect(osds.clock.timers).toBe(0);
});

test("a request goes again to another primary, though it was one for a single epoch only", async () => {
  const { osds, write, link } = await withWrite();
  const away = osds.commit((inc) => osds.serveBy(inc, [1, 0]));
  const back = osds.commit((inc) => osds.serveBy(inc, [0, 1]));
  osds.publish([away, back]);
  await settle();
  expect(link.requests.map((r) => r.op.retryAttempt)).toEqual([0, 1]);
  expect(link.requests[1]!.op.flags & OSD_FLAG.RETRY).toBe(OSD_FLAG.RETRY);
  // The first attempt's answer is an answer to a question that nobody asks any more.
  osds.reply(link, 1, { retryAttempt: 0 });
  await settle();
  expect(write.outcome).toEqual({});
  osds.reply(link, 1);
  await write.done;
  expect(write.outcome).toEqual({ result: 0 });
});

test("an epoch that leaves the primary alone sends nothing again; epochs that were missed do", async () => {
  const { osds, link } = await withWrite();
  osds.change((inc) => osds.serveBy(inc, [0, 2]));
  osds.change((inc) => void (inc.newFlags = osds.map.flags | OSDMAP_FLAG.NOOUT));
  await settle();
  expect(link.requests).toHaveLength(1);
  osds.commit((inc) => void (inc.newFlags = osds.map.flags & ~OSDMAP_FLAG.NOOUT));
  const newest = osds.commit((inc) => void (inc.newFlags = osds.map.flags | OSDMAP_FLAG.NOIN));
  osds.publish([newest], "full");
  expect(link.requests).toHaveLength(2);
});

test("a split sends again what is in the groups that split, and nothing else", async () => {
  const osds = new ScriptedOsds({ pgNum: 4 });
  const names = Array.from({ length: 20 }, (_, i) => `o${i}`);
  for (const name of names) osds.submit(name, [opAppend(X)]);
  await until(() => osds.to(0)[0]?.requests.length === names.length);
  const link = osds.to(0)[0]!;
  const pool = osds.map.pools.get(POOL)!;
  osds.change((inc) => {
    // Groups 0 and 1 of 4 have children in 6: hashes that end in 100 and 101.
    inc.newPools.set(POOL, { ...pool, pgNum: 6, pgpNum: 4, pgNumTarget: 6, pgNumPending: 6 });
    osds.serveBy(inc, [0, 1]);
  });
  const again = link.requests.slice(names.length).map((r) => r.op.oid);
  expect(again).toEqual(names.filter((name) => (objectHash(name, "", "") & 3) < 2));
  expect(again.length).toBeGreaterThan(3);
  expect(again.length).toBeLessThan(names.length);
});

test("the end of a pause sends again what was sent before it", async () => {
  const { osds, link, write } = await withWrite();
  const read = osds.submit("o", [opRead(0, 0)], { flags: OSD_FLAG.READ });
  osds.change((inc) => void (inc.newFlags = osds.map.flags | OSDMAP_FLAG.PAUSEWR));
  const held = osds.submit("o", [opAppend(X)]);
  await settle();
  expect(link.requests).toHaveLength(2);
  osds.change((inc) => void (inc.newFlags = osds.map.flags & ~OSDMAP_FLAG.PAUSEWR));
  expect(link.requests.map((r) => [r.tid, r.op.retryAttempt])).toEqual([
    [1, 0],
    [2, 0],
    [1, 1],
    [3, 0],
  ]);
  for (const { tid } of link.requests.slice(1)) osds.reply(link, tid);
  await Promise.all([write.done, read.done, held.done]);
  for (const { outcome } of [write, read, held]) expect(outcome).toEqual({ result: 0 });
});

test("a write that an OSD dropped for want of space goes again; FULL_TRY is not held back", async () => {
  const { osds, link, write } = await withWrite();
  const pool = osds.map.pools.get(POOL)!;
  const setFull = (flags: number) =>
    osds.commit((inc) => void inc.newPools.set(POOL, { ...pool, flags }));
  osds.publish([setFull(pool.flags | POOL_FLAG.FULL)]);
  osds.submit("try", [opAppend(X)], { flags: OSD_FLAG.WRITE | OSD_FLAG.FULL_TRY });
  osds.submit("wait", [opAppend(X)]);
  expect(link.requests.map((r) => r.op.oid)).toEqual(["o", "try"]);
  osds.publish([setFull(pool.flags)]);
  expect(link.requests.map((r) => r.op.oid)).toEqual(["o", "try", "o", "wait"]);
  // Full for a moment, and the client hears of it when it is over.
  osds.publish([setFull(pool.flags | POOL_FLAG.FULL), setFull(pool.flags)]);
  expect(link.requests.slice(4).map((r) => r.op.oid)).toEqual(["o", "wait"]);
  osds.reply(link, 1);
  await write.done;
  expect(write.outcome).toEqual({ result: 0 });
});

test("a request in a range that its OSD holds goes again when it is given free, not before", async () => {
  const { osds, link, write } = await withWrite();
  const { pgid } = link.requests[0]!.op.pgid;
  const hash = objectHash("o", "", "");
  const object = { ...HOBJECT_MIN, pool: BigInt(POOL), hash, oid: "o", snap: NOSNAP };
  const backoff = (op: number) =>
    osds.objecter.onBackoff(
      link as unknown as OpenedConnection,
      toIncoming(
        MOSDBackoff.encode({
          pgid: { pgid, shard: -1 },
          mapEpoch: osds.map.epoch,
          op,
          id: 1n,
          begin: object,
          end: object,
        }),
      ),
    );
  backoff(BACKOFF_OP.BLOCK);
  osds.change((inc) => osds.serveBy(inc, [0, 2]));
  expect(link.requests).toHaveLength(1);
  backoff(BACKOFF_OP.UNBLOCK);
  expect(link.requests).toHaveLength(2);
  osds.reply(link, 1);
  await write.done;
});

test("EAGAIN is asked anew as another request, from the primary; a redirect is followed", async () => {
  const osds = new ScriptedOsds();
  const flags = OSD_FLAG.READ | OSD_FLAG.BALANCE_READS;
  const read = osds.submit("o", [opStat()], { flags });
  await until(() => osds.to(0)[0]?.requests.length === 1);
  const link = osds.to(0)[0]!;
  osds.reply(link, 1, { result: -ERRNO.EAGAIN });
  const second = link.requests[1]!;
  expect(second.tid).toBe(2);
  expect(second.op.flags & OSD_FLAG.BALANCE_READS).toBe(0);
  const locator = { pool: POOL, key: "", nspace: "n", hash: -1 };
  osds.reply(link, 2, { redirect: { locator, object: "there" } });
  const third = link.requests[2]!;
  expect([third.tid, third.op.oid, third.op.locator.nspace]).toEqual([3, "there", "n"]);
  expect(third.op.hash).toBe(objectHash("there", "n", ""));
  osds.reply(link, 3);
  await read.done;
  expect(read.outcome).toEqual({ result: 0 });
});

test("a request of an erasure-coded pool names its primary's shard", async () => {
  const osds = new ScriptedOsds({ type: POOL_TYPE.ERASURE, size: 3 });
  osds.change((inc) => osds.serveBy(inc, [2, 0, 1]));
  osds.change((inc) => inc.newPrimaryTemp.set(`${POOL}.0`, 0));
  const name = Array.from({ length: 50 }, (_, i) => `o${i}`).find(
    (each) => (objectHash(each, "", "") & 3) === 0,
  )!;
  osds.submit(name, [opWriteFull(X)]);
  await until(() => osds.to(0)[0]?.requests.length === 1);
  expect(osds.to(0)[0]!.requests[0]!.op.pgid).toEqual({
    pgid: { pool: POOL, seed: 0 },
    shard: 1,
  });
});

test("a primary that becomes another shard of its group is asked again, in order", async () => {
  // Found by the client test on a real cluster: what the old shard had dropped went again behind what came later.
  const osds = new ScriptedOsds({ type: POOL_TYPE.ERASURE, size: 3 });
  osds.change((inc) => osds.serveBy(inc, [0, 1, 2]));
  osds.submit("o", [opAppend(X)]);
  await until(() => osds.to(0)[0]?.requests.length === 1);
  osds.change((inc) => {
    osds.serveBy(inc, [1, 0, 2]);
    for (let seed = 0; seed < 4; seed++) inc.newPrimaryTemp.set(`${POOL}.${seed}`, 0);
  });
  osds.submit("o", [opAppend(X)]);
  const sent = osds.to(0)[0]!.requests.map(({ tid, op }) => [tid, op.pgid.shard]);
  expect(sent).toEqual([
    [1, 0],
    [1, 1],
    [2, 1],
  ]);
});

test("a snapshot that is removed while a write waits is not in what is sent", async () => {
  const osds = new ScriptedOsds();
  osds.change((inc) => void (inc.newFlags = osds.map.flags | OSDMAP_FLAG.PAUSEWR));
  osds.submit("o", [opAppend(X)], { snapContext: { seq: 9n, snaps: [9n, 8n, 7n] } });
  osds.change((inc) => void inc.newRemovedSnaps.set(POOL, IntervalSet.of(8, 1)));
  osds.change((inc) => void (inc.newFlags = osds.map.flags & ~OSDMAP_FLAG.PAUSEWR));
  await until(() => osds.to(0)[0]?.requests.length === 1);
  expect(osds.to(0)[0]!.requests[0]!.op.snaps).toEqual([9n, 7n]);
});

test("who is locked out hears ESHUTDOWN of all that is pending and of all that is new, until it is let in", async () => {
  const { osds, write } = await withWrite();
  const addr = { ...OUR_ADDR };
  osds.change((inc) => {
    inc.newBlocklist.set(addrMapKey(addr), { addr, until: utimeFromMs(9e12) });
  });
  await write.done;
  expect((write.outcome.error as CephError).code).toBe("ESHUTDOWN");
  expect((write.outcome.error as CephError).cause).toBe("this client is blocklisted");
  expect(osds.blocklisted.map((error) => error.code)).toEqual(["ESHUTDOWN"]);
  const next = osds.submit("p", [opStat()], { flags: OSD_FLAG.READ });
  await next.done;
  expect((next.outcome.error as CephError).code).toBe("ESHUTDOWN");
  osds.change((inc) => void inc.oldBlocklist.push(addr));
  osds.submit("q", [opStat()], { flags: OSD_FLAG.READ });
  await until(() => osds.to(0)[0]?.requests.length === 2);
});

test("a pool that goes takes its requests along with ENOENT", async () => {
  const { osds, write } = await withWrite();
  osds.change((inc) => void inc.oldPools.add(POOL));
  await write.done;
  expect((write.outcome.error as CephError).code).toBe("ENOENT");
});
