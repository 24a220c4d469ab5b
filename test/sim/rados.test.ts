/** The client library on the simulated server: what it promises when links, server and peers fail. */
import { expect, test } from "vitest";
import { CephError } from "../../src/base/index.ts";
import { opAppend, opRead, opWriteFull } from "../../src/messages/index.ts";
import { Bench, objectNames } from "./bench.ts";
import { SERVER_HOST } from "./server.ts";

const bytes = (text: string) => Buffer.from(text);
const text = (data: Uint8Array | undefined) => Buffer.from(data ?? []).toString();

test.each([1, 2, 3])(
  "seed %i: each append happens once and in order, whatever is cut or killed",
  async (seed) => {
    const bench = await Bench.start({ seed, osds: seed });
    const { io, rados } = await bench.client();
    const appends = Array.from({ length: 60 }, (_, i) =>
      io.write("log", [opAppend(bytes(`${i} `))]),
    );
    const all = Promise.all(appends);
    let cuts = 0;
    for (let round = 0; round < 4; round++) {
      await bench.pass(3);
      cuts += bench.network.cut((a) => a.host === SERVER_HOST);
      if (round % 2 === 0) continue;
      bench.server.kill();
      await bench.pass(50);
      await bench.startServer();
    }
    await bench.run(all, "all appends");
    const { ops } = await bench.run(io.read("log", [opRead(0, 0)]));
    expect(text(ops[0]?.data)).toBe(Array.from({ length: 60 }, (_, i) => `${i} `).join(""));
    expect(cuts).toBeGreaterThan(0);
    await bench.run(rados.close());
    await bench.close();
  },
);

test("a watch outlives the server; a notification reaches it, and its answer comes back", async () => {
  const bench = await Bench.start();
  const watcher = await bench.client();
  const notifier = await bench.client();
  await bench.run(watcher.io.write("o", [opWriteFull(bytes("x"))]));
  const heard: string[] = [];
  const errors: string[] = [];
  const watch = await bench.run(
    watcher.io.watch("o", {
      onNotify: ({ payload }) => {
        heard.push(text(payload));
        return bytes(`to ${text(payload)}`);
      },
      onError: (error) => errors.push(error.code),
    }),
  );
  bench.server.kill();
  await bench.pass(1000);
  await bench.startServer();
  await bench.pass(2000);
  const reply = await bench.run(notifier.io.notify("o", bytes("hello"), 5000));
  expect(heard).toEqual(["hello"]);
  expect(reply.replies.map(([, payload]) => text(payload))).toEqual(["to hello"]);
  expect(reply.missed).toEqual([]);
  const [known] = await bench.run(notifier.io.listWatchers("o"));
  expect(known?.cookie).toBe(watch.cookie);
  expect(known?.name.num).toBe(watcher.rados.globalId);
  await bench.run(watch.close());
  expect(await bench.run(notifier.io.listWatchers("o"))).toEqual([]);
  expect(errors).toEqual([]);
  await bench.close();
});

test("a watch whose registration loses its link hears notifications all the same", async () => {
  const bench = await Bench.start();
  const notifier = await bench.client();
  await bench.run(notifier.io.write("o", [opWriteFull(bytes("x"))]));
  for (let ms = 0.1; ms < 2; ms += 0.2) {
    const watcher = await bench.client();
    const heard: string[] = [];
    const handler = {
      onNotify: ({ payload }: { payload: Uint8Array }) => {
        heard.push(text(payload));
        return bytes("");
      },
      onError: (error: CephError) => heard.push(error.code),
    };
    const registered = watcher.io.watch("o", handler);
    await bench.pass(ms);
    bench.network.cut((a, b) => a.host === SERVER_HOST && b.host !== SERVER_HOST);
    const watch = await bench.run(registered);
    await bench.run(notifier.io.notify("o", bytes("hello"), 5000));
    await bench.pass(10_000);
    expect(heard, `cut after ${ms} ms`).toEqual(["hello"]);
    await bench.run(watch.close());
    await bench.run(watcher.rados.close());
  }
  await bench.close();
});

test("who is gone without a word misses the notification, and then is no watcher any more", async () => {
  const bench = await Bench.start();
  const gone = await bench.client();
  const notifier = await bench.client();
  await bench.run(gone.io.write("o", [opWriteFull(bytes("x"))]));
  const handler = { onNotify: () => bytes(""), onError: () => undefined };
  const watch = await bench.run(gone.io.watch("o", handler));
  gone.die("power");
  const reply = await bench.run(notifier.io.notify("o", bytes("?"), 2000));
  expect(reply.timedOut).toBe(true);
  expect(reply.missed).toEqual([{ gid: gone.rados.globalId, cookie: watch.cookie }]);
  await bench.pass(60_000);
  expect(await bench.run(notifier.io.listWatchers("o"))).toEqual([]);
  await bench.close();
});

test("a watch of an object that is deleted ends, and its owner is told once", async () => {
  const bench = await Bench.start();
  const { io } = await bench.client();
  await bench.run(io.write("o", [opWriteFull(bytes("x"))]));
  const errors: string[] = [];
  const handler = { onNotify: () => bytes(""), onError: (e: CephError) => errors.push(e.code) };
  const watch = await bench.run(io.watch("o", handler));
  await bench.run(io.remove("o"));
  await bench.pass(30_000);
  expect(errors).toEqual(["ENOTCONN"]);
  expect(watch.isAlive).toBe(false);
  await bench.close();
});

test("what is not there is ENOENT: objects, watched ones, pools", async () => {
  const bench = await Bench.start();
  const { io, rados } = await bench.client();
  const handler = { onNotify: () => bytes(""), onError: () => undefined };
  for (const begin of [
    () => io.read("none", [opRead(0, 0)]),
    () => io.remove("none"),
    () => io.watch("none", handler),
    () => io.notify("none", bytes(""), 1000),
    () => rados.openPool("none"),
    () => rados.openPool(77),
  ]) {
    const error = await bench.run(
      begin().then(
        () => undefined,
        (e: unknown) => e,
      ),
    );
    expect(error).toBeInstanceOf(CephError);
    expect((error as CephError).code).toBe("ENOENT");
  }
  await bench.close();
});

test("a listing names the objects of its namespace, each once, and no others", async () => {
  const bench = await Bench.start({ osds: 2 });
  const { io } = await bench.client();
  const names = Array.from({ length: 40 }, (_, i) => `object ${i}`).sort();
  const elsewhere = io.inNamespace("elsewhere");
  await bench.run(Promise.all(names.map((name) => io.write(name, [opWriteFull(bytes(name))]))));
  await bench.run(elsewhere.write("hidden", [opWriteFull(bytes("x"))]));
  const found = await bench.run(objectNames(io));
  expect(found.filter((name) => name.startsWith("object "))).toEqual(names);
  expect(found).not.toContain("hidden");
  expect(await bench.run(objectNames(elsewhere))).toEqual(["hidden"]);
  await bench.close();
});

test("closing ends what is pending with ESHUTDOWN", async () => {
  const bench = await Bench.start();
  const { io, rados } = await bench.client();
  bench.server.kill();
  const pending = io.write("o", [opWriteFull(bytes("x"))]).then(
    () => "done",
    (error: CephError) => error.code,
  );
  await bench.pass(100);
  await bench.run(rados.close());
  expect(await bench.run(pending)).toBe("ESHUTDOWN");
  await bench.startServer();
  await bench.close();
});

test.each([1, 2, 3, 4])(
  "seed %i: pools that are removed under their clients take nothing along but themselves",
  async (seed) => {
    // Found by the differential test: the end of a watch in a pool that was gone ended the server.
    const bench = await Bench.start({ seed, osds: 1 + (seed % 2) });
    const stays = await bench.client();
    await bench.run(stays.io.write("o", [opWriteFull(bytes("stays"))]));
    const admin = (command: object) =>
      bench.run(stays.rados.command({ ...command }), JSON.stringify(command));
    for (let round = 0; round < 6; round++) {
      const pool = `p${round}`;
      expect(await admin({ prefix: "osd pool create", pool, pg_num: 4 })).toMatchObject({
        result: 0,
      });
      const client = await bench.client();
      const { rados } = client;
      const io = await bench.run(rados.openPool(pool));
      const names = Array.from({ length: 8 }, (_, i) => `o${i}`);
      await bench.run(Promise.all(names.map((oid) => io.write(oid, [opWriteFull(bytes("gone"))]))));
      const handler = { onNotify: () => bytes(""), onError: () => undefined };
      await bench.run(Promise.all(names.map((oid) => io.watch(oid, handler))));
      // Some of it is under way when the pool goes.
      const work = [
        ...names.map((oid) => io.write(oid, [opAppend(bytes("x"))])),
        ...names.map((oid) => io.notify(oid, bytes("?"), 5000)),
        io.createSnapId().then((snap) => io.removeSnapId(snap)),
      ].map((each) => each.catch(() => undefined));
      await bench.pass(round * 0.4);
      if (round % 2 === 0) client.die("power");
      const gone = { prefix: "osd pool rm", pool, pool2: pool, yes_i_really_really_mean_it: true };
      expect(await admin(gone)).toMatchObject({ result: 0 });
      if (round % 2 === 1) await bench.run(Promise.all(work), "all answers");
      await bench.pass(100_000);
    }
    const { ops } = await bench.run(stays.io.read("o", [opRead(0, 0)]));
    expect(text(ops[0]?.data)).toBe("stays");
    await bench.close();
  },
);
