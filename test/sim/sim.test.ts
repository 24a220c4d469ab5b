/** A handful of seeds of the whole server in simulation; long: npm run test:sim -- --seeds N. */
import { describe, expect, test } from "vitest";
import { SimulationError, simulate } from "./run.ts";

const MINUTES = 0.1;
const SEEDS = [1, 2, 3, 5, 8, 13, 21, 34];

describe("every answer is right, and all comes to an end, whatever fails", () => {
  test.each(SEEDS)("seed %i", async (seed) => {
    const result = await simulate({ seed, minutes: MINUTES });
    expect(result.answers).toBeGreaterThan(10);
  });

  test("one after the other: kill, power cut, restart", async () => {
    const faults = ["kill", "power cut", "orderly restart"];
    const result = await simulate({ seed: 3, minutes: MINUTES, faults });
    expect(result.starts).toBeGreaterThan(2);
  });
});

test("a seed gives the same run again, event by event; another one gives another", async () => {
  const run = async (seed: number) => (await simulate({ seed, minutes: MINUTES })).traceHash;
  const first = await run(7);
  expect(await run(7)).toBe(first);
  expect(await run(6)).not.toBe(first);
});

test("disks that lose what they promised are noticed", async () => {
  const found: string[] = [];
  for (let seed = 1; seed <= 3; seed++) {
    try {
      await simulate({ seed, minutes: MINUTES, faults: ["power cut"], disksLie: true });
    } catch (error) {
      if (!(error instanceof SimulationError)) throw error;
      expect(error.message).toContain(`seed ${seed} at`);
      expect(error.lines.length).toBeGreaterThan(0);
      found.push(error.message);
    }
  }
  expect(found.length).toBeGreaterThan(0);
});
