/** Signals and time-outs: who is told, once, and what is left on the signal. */
import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/harness/manual-clock.ts";
import { bounded, shared, watchLimits } from "./limits.ts";

const subject = () => ({ op: "wait", target: "a test" });
const never = () => new Promise<never>(() => {});
const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

test("a signal has one listener however many calls wait on it, and none once none does", async () => {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  const release = [1, 2, 3].map(() => watchLimits(clock, { signal }, subject, () => undefined));
  expect(listeners(signal)).toBe(1);
  release[0]?.();
  release[0]?.();
  release[1]?.();
  expect(listeners(signal)).toBe(1);
  release[2]?.();
  expect(listeners(signal)).toBe(0);
  expect(await bounded(clock, { signal }, subject, Promise.resolve("done"))).toBe("done");
  expect(listeners(signal)).toBe(0);
});

test("whoever waits on a signal is told its reason, once; who has stopped is not told", () => {
  const clock = new ManualClock();
  const controller = new AbortController();
  const told: unknown[] = [];
  const watch = (name: string) =>
    watchLimits(clock, { signal: controller.signal }, subject, (reason) => told.push(name, reason));
  watch("a");
  const release = watch("b");
  watch("c");
  release?.();
  controller.abort("why");
  controller.abort("again");
  expect(told).toEqual(["a", "why", "c", "why"]);
});

test("work that outlives its time lets go of the signal, and its failure is nobody's", async () => {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  const late = bounded(clock, { signal, timeoutMs: 10 }, subject, never());
  clock.advance(10);
  await expect(late).rejects.toMatchObject({ code: "ETIMEDOUT", op: "wait", target: "a test" });
  expect(listeners(signal)).toBe(0);
  const failing = Promise.reject(new Error("too late"));
  await expect(
    bounded(clock, { signal: AbortSignal.abort("before") }, subject, failing),
  ).rejects.toBe("before");
});

test("steps share the time of their call; without one each has its own", () => {
  const clock = new ManualClock();
  const left = shared(clock, { timeoutMs: 100 });
  clock.advance(30);
  expect(left().timeoutMs).toBe(70);
  clock.advance(100);
  expect(left().timeoutMs, "over, and not without limit").toBe(1);
  expect(shared(clock, {})().timeoutMs).toBeUndefined();
  expect(shared(clock, { timeoutMs: 0 }, 50)().timeoutMs).toBe(0);
  expect(shared(clock, {}, 50)().timeoutMs).toBe(50);
});
