import { expect, test, vi } from "vitest";
import { type Clock, sleep, systemClock } from "./clock.ts";

test("deferred work runs after the turn that asked for it, in the order asked", async () => {
  const seen: string[] = [];
  systemClock.defer(() => seen.push("first"));
  systemClock.defer(() => seen.push("second"));
  seen.push("now");
  await new Promise<void>((resolve) => systemClock.defer(resolve));
  expect(seen).toEqual(["now", "first", "second"]);
});

test("a cancelled timer does not fire, another one does", async () => {
  const seen: string[] = [];
  systemClock.after(1, () => seen.push("cancelled")).cancel();
  systemClock.every(1, () => seen.push("cancelled")).cancel();
  const holder = setTimeout(() => undefined, 1000); // these timers do not keep a process alive
  await new Promise<void>((resolve) => systemClock.after(5, resolve));
  clearTimeout(holder);
  expect(seen).toEqual([]);
});

test("a timer may take months, or for ever, and be cancelled on the way", () => {
  vi.useFakeTimers();
  try {
    const day = 86_400_000;
    const fired: string[] = [];
    systemClock.after(60 * day, () => fired.push("after two months"));
    systemClock.after(Number.POSITIVE_INFINITY, () => fired.push("never"));
    const cancelled = systemClock.after(60 * day, () => fired.push("cancelled"));
    vi.advanceTimersByTime(59 * day);
    expect(fired).toEqual([]);
    cancelled.cancel();
    vi.advanceTimersByTime(2 * day);
    expect(fired).toEqual(["after two months"]);
  } finally {
    vi.useRealTimers();
  }
});

test("sleep waits for the clock it is given, not for real time", async () => {
  let wake: (() => void) | undefined;
  const clock: Clock = {
    ...systemClock,
    after: (delayMs, fn) => {
      expect(delayMs).toBe(3_600_000);
      wake = fn;
      return { cancel: () => undefined };
    },
  };
  const slept = sleep(clock, 3_600_000).then(() => "awake");
  expect(wake).toBeDefined();
  wake?.();
  expect(await slept).toBe("awake");
});
