/** What is nearly right costs its sender an error, never the server its life. Longer: npm run test:fuzz. */
import { expect, test } from "vitest";
import { fuzz, TARGETS } from "./run.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const INPUTS = Number(process.env["FUZZ_INPUTS"] ?? 2000);
const ONLY = process.env["FUZZ_ONLY"]?.split(",");

test.each(
  TARGETS.filter(({ name }) => ONLY?.includes(name) ?? true).map(
    (each) => [each.name, each] as const,
  ),
)(
  "%s",
  async (name, target) => {
    const { inputs, peakBytes } = await fuzz(target, SEED, INPUTS);
    expect(inputs).toBe(INPUTS);
    if (INPUTS > 2000) {
      console.log(
        `${name}: ${inputs} inputs of seed ${SEED}, ${(peakBytes / 1e6).toFixed(0)} MB at most`,
      );
    }
  },
  24 * 3_600_000,
);
