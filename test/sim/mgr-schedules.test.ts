/** The manager's schedules, when they change or cannot be read while something is due. */
import { expect, test } from "vitest";
import { must } from "../../src/base/index.ts";
import { MIRROR_MODE, MIRROR_PEER_DIRECTION } from "../../src/cls/rbd/types/features.ts";
import { MirrorSnapshots } from "../../src/mgr/rbd-support/mirror-snapshots.ts";
import { Scheduler, type Work } from "../../src/mgr/rbd-support/scheduler.ts";
import { RbdSupport } from "../../src/mgr/rbd-support/support.ts";
import { Rados } from "../../src/rados/index.ts";
import {
  addMirrorPeer,
  createImage,
  createNamespace,
  enableMirroring,
  openImage,
  setMirrorMode,
} from "../../src/rbd/index.ts";
import { Bench } from "./bench.ts";
import { failingIo } from "./failing-io.ts";
import { moduleHost, moduleState } from "./mgr-host.ts";

const MINUTE = 60_000;
/** None that the server's own manager has. */
const OID = "test_schedule";
const LEVELS = ["rbd//", "rbd/n/"];

interface Place {
  readonly poolId: string;
  readonly nspace: string;
}

const WORK: Omit<Work<Place>, "run"> = {
  kind: { oid: OID, option: "test_schedule", rules: { images: false } },
  list: async (io) => ["", "n"].map((nspace) => ({ poolId: String(io.pool), nspace })),
  listName: "scheduled",
  describe: () => ({}),
};

/** Schedules for two namespaces, every minute; one of them cannot be read for want of the list of namespaces. */
async function start(run: (place: Place) => Promise<void>) {
  const bench = await Bench.start();
  const client = await bench.client();
  const { rados } = client.context;
  const state = { isUnreadable: false };
  const openPool = (...args: Parameters<typeof rados.openPool>) =>
    rados
      .openPool(...args)
      .then((io) =>
        failingIo(io, ({ oid }) =>
          state.isUnreadable && oid === "rbd_namespace" ? "EIO" : undefined,
        ),
      );
  const through = new Proxy(rados, {
    get: (target, key) => {
      if (key === "openPool") return openPool;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const context = { ...client.context, rados: through };
  const { host } = moduleHost({ ...client, context });
  const scheduler = new Scheduler<Place>(host, { ...WORK, run });
  const running = scheduler.run();
  await bench.run(createNamespace(client.io, "n"));
  for (const level of LEVELS) await bench.run(scheduler.add(level, "1m", undefined));
  const stop = async () => {
    scheduler.close();
    await bench.run(running);
    await bench.close();
  };
  return { bench, scheduler, state, stop };
}

test("a schedule that could not be read when it was its turn goes on once it can be", async () => {
  const done: string[] = [];
  const { bench, state, stop } = await start(async ({ nspace }) => {
    done.push(nspace);
  });
  await bench.pass(3 * MINUTE);
  expect(new Set(done)).toEqual(new Set(["", "n"]));
  state.isUnreadable = true;
  await bench.pass(3 * MINUTE);
  state.isUnreadable = false;
  done.length = 0;
  await bench.pass(4 * MINUTE);
  expect(new Set(done)).toEqual(new Set(["", "n"]));
  await stop();
});

test("what is due when its schedule is removed is not done any more", async () => {
  const done: string[] = [];
  let goOn = () => {};
  const { bench, scheduler, stop } = await start(async ({ nspace }) => {
    done.push(nspace);
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
  });
  await bench.until(() => done.length === 1, "the first run");
  for (const level of LEVELS) await bench.run(scheduler.remove(level, undefined, undefined));
  goOn();
  await bench.pass(2 * MINUTE);
  expect(done).toHaveLength(1);
  await stop();
});

test("a manager whose client was locked out goes on with another one", async () => {
  const bench = await Bench.start();
  const user = await bench.client();
  const clients: Rados[] = [];
  const support = new RbdSupport({
    ...moduleState(user),
    connect: async () => {
      const rados = await Rados.connect(bench.clientOptions().options);
      clients.push(rados);
      return rados;
    },
  });
  let runs = 0;
  const scheduler = new Scheduler<Place>(support, {
    ...WORK,
    run: async () => {
      runs++;
    },
  });
  support.start();
  const running = scheduler.run();
  await bench.run(scheduler.add("rbd/", "1m", undefined));
  await bench.pass(2 * MINUTE);
  await bench.run(user.rados.blocklist(must(clients[0]?.addrs[0], "its address")));
  await bench.pass(2 * MINUTE);
  const before = runs;
  await bench.pass(2 * MINUTE);
  expect(runs).toBeGreaterThan(before);
  expect(clients).toHaveLength(2);
  scheduler.close();
  await bench.run(running);
  await bench.run(support.close());
  await bench.close();
});

test("no mirror snapshots at a time is not for ever", async () => {
  const bench = await Bench.start();
  const { context, io } = await bench.client();
  const direction = MIRROR_PEER_DIRECTION.RX_TX;
  await bench.run(setMirrorMode(context, io, MIRROR_MODE.IMAGE));
  await bench.run(addMirrorPeer(context, io, { siteName: "b", clientName: "client.b", direction }));
  await bench.run(createImage(context, io, "a", 2 ** 22));
  const image = await bench.run(openImage(context, io, { name: "a" }));
  await bench.run(enableMirroring(image));
  const { host } = moduleHost(await bench.client());
  let limit = "0";
  // The server's own manager has not been told of it.
  const everything = '[{"interval": "1m", "start_time": null}]';
  const option = (name: string) =>
    name === "mgr/rbd_support/mirror_snapshot_schedule" ? everything : limit;
  const mirror = new MirrorSnapshots({ ...host, option });
  const running = mirror.run();
  await bench.pass(3 * MINUTE);
  limit = "10";
  await bench.run(image.refresh());
  const before = image.snapshots.map(({ id }) => id);
  await bench.pass(3 * MINUTE);
  await bench.run(image.refresh());
  expect(image.snapshots.map(({ id }) => id)).not.toEqual(before);
  await bench.run(image.close());
  mirror.close();
  await bench.run(running);
  await bench.close();
});
