import { expect, test } from "vitest";
import { until } from "../../test/harness/manual-clock.ts";
import { type CephError, ERRNO, seededRandom, silentLogger } from "../base/index.ts";
import { OSD_OP, WATCH_OP, watchOf } from "../messages/index.ts";
import { objectHash } from "../types/index.ts";
import { Lingers } from "./linger.ts";
import { POOL, ScriptedOsds } from "./testing/scripted-osds.ts";

const PLACE = { pool: POOL, nspace: "", oid: "o", hash: objectHash("o", "", "") };
const settle = () => new Promise((resolve) => setImmediate(resolve));

function fixture() {
  let lingers: Lingers | undefined;
  const osds = new ScriptedOsds(
    {},
    { onEpoch: (skipped) => lingers?.onEpoch(skipped), onChange: () => lingers?.onChange() },
  );
  const { objecter, clock } = osds;
  lingers = new Lingers({ objecter, clock, random: seededRandom(1), log: silentLogger });
  const errors: string[] = [];
  const handler = {
    onNotify: () => new Uint8Array(0),
    onError: (error: CephError) => void errors.push(error.code),
  };
  /** Sub-ops of the watch requests to osd.0. */
  const watchOps = () =>
    osds
      .to(0)
      .flatMap((link) => link.requests)
      .filter(({ op }) => op.ops[0]!.code === OSD_OP.WATCH)
      .map(({ op }) => watchOf(op.ops[0]!).op);
  return { osds, lingers, handler, errors, watchOps };
}

/** Another primary for one epoch, and the client hears of it when it is over. */
function awayAndBack(osds: ScriptedOsds): void {
  const away = osds.commit((inc) => osds.serveBy(inc, [1, 0]));
  const back = osds.commit((inc) => osds.serveBy(inc, [0, 1]));
  osds.publish([away, back]);
}

test("a watch is registered again after an interval that was over before the client heard of it", async () => {
  // Found by the client test on a real cluster: an OSD was out and in, and the watch heard nothing any more.
  const { osds, lingers, handler, errors, watchOps } = fixture();
  const watching = lingers.watch(PLACE, handler);
  await until(() => watchOps().length === 1);
  const link = osds.to(0)[0]!;
  osds.reply(link, 1);
  await watching;
  awayAndBack(osds);
  await settle();
  expect(watchOps()).toEqual([WATCH_OP.WATCH, WATCH_OP.RECONNECT]);
  osds.reply(link, 2);
  await settle();
  // Replicas alone make an interval, too; what leaves the group alone does not.
  osds.change((inc) => osds.serveBy(inc, [0, 2]));
  await until(() => watchOps().length === 3);
  osds.reply(link, 3);
  await settle();
  osds.change((inc) => void (inc.newFlags = osds.map.flags | 0x80));
  await settle();
  expect(watchOps()).toHaveLength(3);
  expect(errors).toEqual([]);
  lingers.close();
});

test("a registration that an interval overtakes is made once more", async () => {
  const { osds, lingers, handler, watchOps } = fixture();
  const watching = lingers.watch(PLACE, handler);
  await until(() => watchOps().length === 1);
  const link = osds.to(0)[0]!;
  // Another replica: the request stays where it is, and may have been done before or after.
  osds.change((inc) => osds.serveBy(inc, [0, 2]));
  osds.change((inc) => osds.serveBy(inc, [0, 1]));
  osds.reply(link, 1);
  await watching;
  await until(() => watchOps().length === 2);
  expect(watchOps()).toEqual([WATCH_OP.WATCH, WATCH_OP.RECONNECT]);
  lingers.close();
});

test("a notification that an interval overtakes is made once more, as another request", async () => {
  const { osds, lingers } = fixture();
  const abort = new AbortController();
  const { signal } = abort;
  const notifying = lingers
    .notify(PLACE, Buffer.from("x"), 5000, { signal })
    .catch((e: unknown) => e);
  await until(() => osds.to(0)[0]?.requests.length === 1);
  const link = osds.to(0)[0]!;
  osds.reply(link, 1);
  await settle();
  awayAndBack(osds);
  await until(() => link.requests.length === 2);
  expect(link.requests.map(({ tid }) => tid)).toEqual([1, 2]);
  abort.abort("enough");
  expect(await notifying).toBe("enough");
  lingers.close();
});

test("a watch whose OSD has lost sight of us is registered again; one that it has let go is lost", async () => {
  // Found by the client test on a real 20.2: the OSD was an interval ahead of the client's map at a ping.
  const { osds, lingers, handler, errors, watchOps } = fixture();
  const watching = lingers.watch(PLACE, handler);
  await until(() => watchOps().length === 1);
  const link = osds.to(0)[0]!;
  osds.reply(link, 1);
  const watch = await watching;
  osds.clock.advance(5000);
  await until(() => watchOps().length === 2);
  osds.reply(link, 2, { result: -ERRNO.ETIMEDOUT });
  await until(() => watchOps().length === 3);
  expect(watchOps().slice(1)).toEqual([WATCH_OP.PING, WATCH_OP.RECONNECT]);
  osds.reply(link, 3);
  await settle();
  expect([watch.isAlive, errors]).toEqual([true, []]);
  osds.clock.advance(5000);
  await until(() => watchOps().length === 4);
  osds.reply(link, 4, { result: -ERRNO.ENOTCONN });
  await settle();
  expect([watch.isAlive, errors]).toEqual([false, ["ENOTCONN"]]);
  lingers.close();
});

test("a watch in a pool that is deleted is lost, and a notification there fails", async () => {
  const { osds, lingers, handler, errors } = fixture();
  const watching = lingers.watch(PLACE, handler);
  await until(() => osds.to(0)[0]?.requests.length === 1);
  const link = osds.to(0)[0]!;
  osds.reply(link, 1);
  const watch = await watching;
  const notifying = lingers
    .notify(PLACE, Buffer.from("x"), 5000)
    .catch((error: CephError) => error.code);
  await until(() => link.requests.length === 2);
  osds.reply(link, 2);
  await settle();
  osds.change((inc) => void inc.oldPools.add(POOL));
  await settle();
  expect([watch.isAlive, errors]).toEqual([false, ["ENOENT"]]);
  expect(await notifying).toBe("ENOENT");
  lingers.close();
});

test("a watch is lost with its pool, too, if that is deleted while it is registered again", async () => {
  const { osds, lingers, handler, errors, watchOps } = fixture();
  const watching = lingers.watch(PLACE, handler);
  await until(() => watchOps().length === 1);
  osds.reply(osds.to(0)[0]!, 1);
  const watch = await watching;
  awayAndBack(osds);
  await until(() => watchOps().length === 2);
  osds.change((inc) => void inc.oldPools.add(POOL));
  await settle();
  expect([watch.isAlive, errors]).toEqual([false, ["ENOENT"]]);
  lingers.close();
});
