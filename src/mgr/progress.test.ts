import { expect, test } from "vitest";
import { seededRandom, silentLogger } from "../base/index.ts";
import { type ClusterState, Monitor } from "../mon/index.ts";
import { MemStore } from "../store/index.ts";
import { ProgressModule, prettyDuration } from "./progress.ts";

const REFS = { origin: "rbd_support", action: "remove" };

async function openState(): Promise<{ state: ClusterState; pass: (ms: number) => void }> {
  let now = 1_700_000_000_000;
  const clock = {
    now: () => now,
    monotonic: () => now,
    after: () => ({ cancel: () => undefined }),
    every: () => ({ cancel: () => undefined }),
    defer: (fn: () => void) => queueMicrotask(fn),
  };
  const monitor = await Monitor.create(
    {
      fsid: "00000000-1111-4222-8333-444444444444",
      name: "a",
      addrs: [{ type: 2, ip: "127.0.0.1", port: 3300, nonce: 0 }],
      host: "bench",
      store: new MemStore({ clock }),
      clock,
      random: seededRandom(1),
      log: silentLogger,
      version: { version: "16.2.15", release: "pacific", text: "ceph version 16.2.15" },
    },
    { pools: ["rbd"], numOsds: 1, osdBytes: 2 ** 32 },
  );
  return { state: monitor.state, pass: (ms) => (now += ms) };
}

test.each([
  [85, "85s"],
  [120, "2m"],
  [7_199, "119m"],
  [7_200, "2h"],
  [172_800, "2d"],
  [14 * 86_400, "2w"],
  [90 * 86_400, "3M"],
  [3 * 365 * 86_400, "3y"],
])("%i seconds are told as %s", (seconds, text) => {
  expect(prettyDuration(seconds)).toBe(text);
});

test("what runs is shown with how far it is and how long it will take", async () => {
  const { state, pass } = await openState();
  const progress = new ProgressModule(state, silentLogger);
  expect(progress.text()).toBeUndefined();
  progress.update("1", "Removing image rbd/a", 0, REFS);
  expect(progress.text()).toBe(`Removing image rbd/a (0s)\n    [${".".repeat(28)}] \n`);
  pass(30_000);
  progress.update("1", "Removing image rbd/a", 0.25, REFS);
  const bar = "=".repeat(7) + ".".repeat(21);
  expect(progress.text()).toBe(`Removing image rbd/a (30s)\n    [${bar}] (remaining: 90s)\n`);
  expect(JSON.parse(progress.json()).events[0]).toMatchObject({
    progress: 0.25,
    time_remaining: 90,
  });
});

test("what has ended is kept over a restart, the failed with the reason; clearing forgets it", async () => {
  const { state } = await openState();
  const progress = new ProgressModule(state, silentLogger);
  for (const id of ["1", "2"]) progress.update(id, `task ${id}`, 0, REFS);
  progress.complete("1");
  progress.fail("2", "Operation canceled");
  progress.complete("never begun");
  // Kept in the background: two writes of a memory store.
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  const again = new ProgressModule(state, silentLogger);
  expect(again.json()).toBe(progress.json());
  expect(again.text()).toContain("[Complete]: task 1 ");
  expect(again.text()).toContain("[Failed]: task 2 ");
  expect(again.json()).toContain('"failure_message": "Operation canceled"');
  await again.clear();
  expect(new ProgressModule(state, silentLogger).text()).toBeUndefined();
});

test("what is stored and can not be read is left out", async () => {
  const { state } = await openState();
  await state.configKey.set("mgr/progress/completed", Buffer.from("{"));
  expect(new ProgressModule(state, silentLogger).text()).toBeUndefined();
});
