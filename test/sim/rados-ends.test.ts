/** How a client's waits end when the cluster does not answer: time-outs, signals, refusals. */
import { expect, test } from "vitest";
import { CephxClient, generateKey } from "../../src/auth/index.ts";
import { CephError } from "../../src/base/index.ts";
import { opAppend, opRead, opWriteFull } from "../../src/messages/index.ts";
import { Rados } from "../../src/rados/index.ts";
import { ADDR_TYPE } from "../../src/types/index.ts";
import { Bench } from "./bench.ts";

const X = Buffer.from("x");

/** What a promise rejects with. */
function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: unknown) => error,
  );
}

test("connecting to nobody ends with ETIMEDOUT when its time is over, and says what it found", async () => {
  const bench = await Bench.start();
  const { options } = bench.clientOptions();
  bench.server.kill();
  const startMs = bench.world.monotonic();
  const error = await bench.run(failure(Rados.connect({ ...options, mountTimeoutMs: 20_000 })));
  expect(bench.world.monotonic() - startMs).toBe(20_000);
  expect(error).toBeInstanceOf(CephError);
  const { code, op, target, cause } = error as CephError;
  expect([code, op]).toEqual(["ETIMEDOUT", "connect to"]);
  expect(target).toMatch(/^monitors .*:3300/);
  expect(cause).toBeInstanceOf(Error);
  await bench.startServer();
  await bench.close();
});

test("connecting is given up when its signal says so", async () => {
  const bench = await Bench.start();
  const { options } = bench.clientOptions();
  bench.server.kill();
  const abort = new AbortController();
  const connecting = failure(Rados.connect(options, { signal: abort.signal }));
  await bench.pass(5000);
  abort.abort("changed my mind");
  expect(await bench.run(connecting)).toBe("changed my mind");
  const before = failure(Rados.connect(options, { signal: AbortSignal.abort("never began") }));
  expect(await bench.run(before)).toBe("never began");
  await bench.startServer();
  await bench.close();
});

test("a wrong key and an unknown name are EACCES at once", async () => {
  const bench = await Bench.start();
  for (const id of ["admin", "nobody"]) {
    const { options } = bench.clientOptions();
    const { clock, random } = options;
    const entity = { ...options.auth.entity, id };
    const key = generateKey(random, clock.now());
    const auth = new CephxClient({ entity, key, clock, random });
    const error = await bench.run(failure(Rados.connect({ ...options, auth })));
    expect((error as CephError).code, id).toBe("EACCES");
  }
  await bench.close();
});

test("a monitor that does not answer keeps nobody from the next one", async () => {
  const bench = await Bench.start();
  for (let i = 0; i < 4; i++) {
    const { options } = bench.clientOptions();
    const silent = [{ type: ADDR_TYPE.MSGR2, nonce: 0, ip: "10.9.9.9", port: 3300 }];
    const monitors = [silent, ...options.monitors];
    const startMs = bench.world.monotonic();
    const rados = await bench.run(Rados.connect({ ...options, monitors }));
    expect(bench.world.monotonic() - startMs).toBeLessThan(5000);
    await bench.run(rados.close());
  }
  await bench.close();
});

test("requests to a server that is gone end by their time-outs and signals; others go on when it is back", async () => {
  const bench = await Bench.start();
  const { options } = bench.clientOptions();
  const timeouts = { osdOpTimeoutMs: 3000, monOpTimeoutMs: 4000 };
  const rados = await bench.run(Rados.connect({ ...options, ...timeouts }));
  const io = await bench.run(rados.openPool("rbd"));
  await bench.run(io.write("o", [opWriteFull(X)]));
  bench.server.kill();
  const startMs = bench.world.monotonic();
  const spent = () => bench.world.monotonic() - startMs;
  const abort = new AbortController();
  const { signal } = abort;
  const ends: [string, number, unknown][] = [];
  const watch = (name: string, work: Promise<unknown>) =>
    failure(work).then((error) => void ends.push([name, spent(), error]));
  const handler = { onNotify: () => X, onError: () => undefined };
  const patient = io.write("o", [opAppend(X)], { timeoutMs: 0 });
  const all = Promise.all([
    watch("write", io.write("o", [opAppend(X)])),
    watch("read, aborted", io.read("o", [opRead(0, 0)], { signal })),
    watch("command", rados.command({ prefix: "osd pool ls" })),
    watch("command, own time", rados.command({ prefix: "osd pool ls" }, { timeoutMs: 500 })),
    watch("command, aborted", rados.command({ prefix: "osd pool ls" }, { signal, timeoutMs: 0 })),
    watch("snapshot id", io.createSnapId()),
    watch("newest map", rados.latestMap()),
    watch("watch", io.watch("o", handler)),
    watch("notify, aborted", io.notify("o", X, 10_000, { signal, timeoutMs: 0 })),
    watch("listing", io.listObjects().next()),
  ]);
  await bench.pass(1000);
  abort.abort("stop");
  await bench.run(all);
  const codes = ends.map(([name, ms, error]) => [
    name,
    Math.round(ms),
    error instanceof CephError ? error.code : error,
  ]);
  const byName = codes.toSorted((a, b) => String(a[0]).localeCompare(String(b[0])));
  expect(byName).toEqual([
    ["command", 4000, "ETIMEDOUT"],
    ["command, aborted", 1000, "stop"],
    ["command, own time", 500, "ETIMEDOUT"],
    ["listing", 3000, "ETIMEDOUT"],
    ["newest map", 4000, "ETIMEDOUT"],
    ["notify, aborted", 1000, "stop"],
    ["read, aborted", 1000, "stop"],
    ["snapshot id", 4000, "ETIMEDOUT"],
    ["watch", 3000, "ETIMEDOUT"],
    ["write", 3000, "ETIMEDOUT"],
  ]);
  expect(rados.pending).toBe(1);
  await bench.startServer();
  await bench.run(patient);
  const { ops } = await bench.run(io.read("o", [opRead(0, 0)]));
  // What was given up is not sent again: "x", and one appended.
  expect(Buffer.from(ops[0]!.data).toString()).toBe("xx");
  await bench.run(rados.close());
  await bench.close();
});

test("a notification's own time ends the wait for its watchers; the client's is for the request alone", async () => {
  const bench = await Bench.start();
  const watcher = await bench.client();
  await bench.run(watcher.io.write("o", [opWriteFull(X)]));
  const onNotify = () => new Promise<Uint8Array>(() => {});
  await bench.run(watcher.io.watch("o", { onNotify, onError: () => undefined }));
  const { options } = bench.clientOptions();
  const rados = await bench.run(Rados.connect({ ...options, osdOpTimeoutMs: 2000 }));
  const io = await bench.run(rados.openPool("rbd"));
  const startMs = bench.world.monotonic();
  const patient = await bench.run(io.notify("o", X, 5000));
  expect([patient.timedOut, patient.missed.length]).toEqual([true, 1]);
  expect(bench.world.monotonic() - startMs).toBeGreaterThan(5000);
  const late = await bench.run(failure(io.notify("o", X, 5000, { timeoutMs: 2000 })));
  expect((late as CephError).code).toBe("ETIMEDOUT");
  await bench.close();
});
