/** What is nearly right costs its sender an error, never the server its life. Longer: npm run test:fuzz. */
import { expect, test } from "vitest";
import { fuzz, TARGETS } from "./run.ts";
import type { Target } from "./target.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
/** Of all targets together; not given: a short run, as many of each. */
const TOTAL = process.env["FUZZ_INPUTS"];
const SHORT = 2000;
const ONLY = new RegExp(process.env["FUZZ_ONLY"] ?? "");

const targets = TARGETS.filter(({ name }) => ONLY.test(name));
const shares = targets.reduce((sum, { share = 1 }) => sum + share, 0);
const inputsOf = ({ share = 1 }: Target) =>
  TOTAL === undefined ? SHORT : Math.ceil((Number(TOTAL) * share) / shares);

test.each(targets.map((each) => [each.name, each] as const))(
  "%s",
  async (name, target) => {
    const wanted = inputsOf(target);
    const { inputs, peakBytes } = await fuzz(target, SEED, wanted);
    expect(inputs).toBe(wanted);
    if (TOTAL !== undefined) {
      const megabytes = (peakBytes / 1e6).toFixed(0);
      console.log(`${name}: ${inputs} inputs of seed ${SEED}, ${megabytes} MB at most`);
    }
  },
  24 * 3_600_000,
);
