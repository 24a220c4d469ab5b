import { expect, test } from "vitest";
import { type Clock, seededRandom, silentLogger, systemClock } from "../base/index.ts";
import { textOf } from "../encoding/index.ts";
import { newObjectStatSum } from "../maps/index.ts";
import { CLOG } from "../messages/index.ts";
import { Monitor } from "../mon/index.ts";
import { MemStore } from "../store/index.ts";
import { Manager } from "./manager.ts";

const ADDRS = [{ type: 2, ip: "127.0.0.1", port: 6800, nonce: 1 }];

/** A clock on which what is periodic runs once with every step. */
function stepClock(): Clock & { step(ms: number): void } {
  let now = 1_700_000_000_000;
  const periodic = new Set<() => void>();
  return {
    now: () => now,
    monotonic: () => now,
    after: () => ({ cancel: () => undefined }),
    every: (_ms, fn) => {
      periodic.add(fn);
      return { cancel: () => periodic.delete(fn) };
    },
    defer: (fn) => systemClock.defer(fn),
    step(ms) {
      now += ms;
      for (const fn of periodic) fn();
    },
  };
}

test("while it serves, it tells every two seconds how the groups are", async () => {
  const clock = stepClock();
  const options = {
    fsid: "00000000-1111-4222-8333-444444444444",
    name: "a",
    addrs: ADDRS,
    host: "bench",
    store: new MemStore({ clock }),
    clock,
    random: seededRandom(1),
    log: silentLogger,
    version: { version: "16.2.15", release: "pacific", text: "ceph version 16.2.15" },
  };
  const first = { pools: ["rbd"], numOsds: 1, osdBytes: 2 ** 32, pgNum: 32 };
  const monitor = await Monitor.create(options, first);
  const manager = new Manager({
    name: "x",
    monitor,
    random: seededRandom(2),
    log: silentLogger,
    connect: () => Promise.reject(new Error("no network")),
  });
  const lines = () =>
    monitor.state.log
      .last(1000, CLOG.DEBUG, "cluster")
      .filter(({ name }) => name.id === "x")
      .map(({ seq, message }) => `${seq} ${textOf(message)}`);
  clock.step(2000);
  expect(lines()).toEqual([]);
  monitor.mgrBoot(ADDRS, 4098n);
  const pg = (seed: number, numWr: number) => ({
    pgid: { pool: 1, seed },
    state: "active+clean",
    version: { version: 1, epoch: 1 },
    stats: { ...newObjectStatSum(), numObjects: 1, numBytes: 19, numWr, numWrKb: numWr * 4 },
    allocated: 4096,
    stored: 4096,
    logSize: 1,
    snapTrimQueueLength: 0,
    damaged: [],
  });
  const report = (numWr: number) =>
    monitor.osdReport(0, {
      seq: 1,
      epoch: 1,
      statfs: { total: 2 ** 32, available: 2 ** 31, data: 4096, internal: 0 },
      fullness: "none",
      pgs: [pg(0, numWr), pg(1, numWr)],
      perf: { commitLatencyMs: 0, applyLatencyMs: 0 },
    });
  report(0);
  clock.step(2000);
  const space = "38 B data, 2 GiB used, 2 GiB / 4 GiB avail";
  const groups = "32 pgs: 2 active+clean, 30 unknown";
  expect(lines()).toEqual([`1 pgmap v1: ${groups}; ${space}`]);
  report(500);
  clock.step(2000);
  expect(lines().at(-1)).toBe(`2 pgmap v2: ${groups}; ${space}; 2.0 MiB/s wr, 500 op/s`);
  manager.close();
  clock.step(2000);
  expect(lines()).toHaveLength(2);
  monitor.close();
});
