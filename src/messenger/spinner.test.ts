import { expect, test } from "vitest";
import { type Clock, systemClock } from "../base/index.ts";
import { Spinner } from "./spinner.ts";

/** A clock that counts what is deferred and moves by hand. */
function handClock() {
  const state = { now: 0, deferred: [] as (() => void)[] };
  const clock: Clock = {
    ...systemClock,
    monotonic: () => state.now,
    defer: (fn) => void state.deferred.push(fn),
  };
  const turn = (ms: number): number => {
    state.now += ms;
    const fns = state.deferred.splice(0);
    for (const fn of fns) fn();
    return fns.length;
  };
  return { clock, turn };
}

test("after a lone message's reply the loop is kept awake for the window, and no longer", () => {
  const { clock, turn } = handClock();
  const spinner = new Spinner(clock, 0.3);
  spinner.onMessages(1);
  spinner.onSent();
  expect([turn(0.1), turn(0.1), turn(0.1), turn(0.1)]).toEqual([1, 1, 1, 0]);
});

test("the next reply extends the window; a read that brings many ends it", () => {
  const { clock, turn } = handClock();
  const spinner = new Spinner(clock, 0.3);
  spinner.onMessages(1);
  spinner.onSent();
  turn(0.2);
  spinner.onSent();
  expect([turn(0.2), turn(0.05)]).toEqual([1, 1]);
  spinner.onMessages(16);
  expect([turn(0.01), turn(0.01)]).toEqual([1, 0]);
  spinner.onSent();
  expect(turn(0.01)).toBe(0);
});

test("without a window it never spins", () => {
  const { clock, turn } = handClock();
  const spinner = new Spinner(clock, 0);
  spinner.onMessages(1);
  spinner.onSent();
  expect(turn(0)).toBe(0);
});
