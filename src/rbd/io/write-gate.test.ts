import { expect, test } from "vitest";
import { WriteGate } from "./write-gate.ts";

/** Something that is done when it is told to be. */
function manual() {
  let finish = () => undefined as void;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return { done, finish };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a change waits until what it needs is there, and all that wait are let in together", async () => {
  const preparing = manual();
  let isReady = false;
  let prepared = 0;
  const gate = new WriteGate(
    () => isReady,
    async () => {
      prepared++;
      await preparing.done;
      isReady = true;
    },
  );
  const order: string[] = [];
  const changes = ["a", "b", "c"].map((name) =>
    gate.pass(async () => {
      order.push(name);
    }),
  );
  await turn();
  expect(order).toEqual([]);
  preparing.finish();
  await Promise.all(changes);
  expect(order).toEqual(["a", "b", "c"]);
  expect(prepared).toBe(1);
});

test("a shut gate lets out what is in, and nobody in until it is opened as often as it was shut", async () => {
  const gate = new WriteGate(
    () => true,
    async () => undefined,
  );
  const first = manual();
  const inside = gate.pass(() => first.done);
  let isDrained = false;
  const drained = gate.block().then(() => {
    isDrained = true;
  });
  let isIn = false;
  const later = gate.pass(async () => {
    isIn = true;
  });
  await turn();
  expect([isDrained, isIn]).toEqual([false, false]);
  first.finish();
  await inside;
  await drained;
  await gate.block();
  gate.unblock();
  await turn();
  expect(isIn).toBe(false);
  gate.unblock();
  await later;
  expect(isIn).toBe(true);
});

test("what keeps the gate shut is told to all that wait, and to nobody else", async () => {
  let fails = true;
  let isReady = false;
  const gate = new WriteGate(
    () => isReady,
    async () => {
      if (fails) throw new Error("no lock");
      isReady = true;
    },
  );
  const outcomes = await Promise.allSettled([gate.pass(async () => 1), gate.pass(async () => 2)]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  fails = false;
  expect(await gate.pass(async () => 3)).toBe(3);
  expect(gate.inFlight).toBe(0);
});

test("a flush waits for what was begun before it, and not for what comes after", async () => {
  const gate = new WriteGate(
    () => true,
    async () => undefined,
  );
  const [before, after] = [manual(), manual()];
  const first = gate.pass(() => before.done);
  let isFlushed = false;
  const flushed = gate.flushed().then(() => {
    isFlushed = true;
  });
  const second = gate.pass(() => after.done);
  await turn();
  expect(isFlushed).toBe(false);
  before.finish();
  await first;
  await flushed;
  expect(gate.inFlight).toBe(1);
  after.finish();
  await second;
});

test("what is held behind the gate is written before a shut gate, or a flush, counts as such", async () => {
  const gate = new WriteGate(
    () => true,
    async () => undefined,
  );
  const order: string[] = [];
  let written = manual();
  gate.setHolder({
    async writeBack() {
      order.push("write back");
      await written.done;
    },
    invalidate: () => order.push("invalidate"),
  });
  const inside = manual();
  const change = gate.pass(() => inside.done);
  const note = (what: string) => () => order.push(what);
  const shut = gate.block().then(note("shut"));
  await turn();
  expect(order).toEqual([]);
  expect(gate.isShut).toBe(true);
  inside.finish();
  await change;
  await turn();
  expect(order).toEqual(["write back"]);
  written.finish();
  await shut;
  expect(order.splice(0)).toEqual(["write back", "invalidate", "shut"]);
  gate.unblock();
  expect(gate.isShut).toBe(false);
  written = manual();
  const flushed = gate.flushed().then(note("flushed"));
  await turn();
  expect(order).toEqual(["write back"]);
  written.finish();
  await flushed;
  // What it knows is still so.
  expect(order).toEqual(["write back", "flushed"]);
});

test("what can not be written back keeps the gate from counting as shut, and flushes from succeeding", async () => {
  const gate = new WriteGate(
    () => true,
    async () => undefined,
  );
  let isInvalid = false;
  gate.setHolder({
    writeBack: () => Promise.reject(new Error("full")),
    invalidate() {
      isInvalid = true;
    },
  });
  await expect(gate.block()).rejects.toThrow("full");
  await expect(gate.flushed()).rejects.toThrow("full");
  expect(isInvalid).toBe(false);
  gate.unblock();
  expect(await gate.pass(async () => 1)).toBe(1);
  expect(() =>
    gate.setHolder({ writeBack: async () => undefined, invalidate: () => undefined }),
  ).toThrow();
});
