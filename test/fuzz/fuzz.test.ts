/** What is nearly right costs its sender an error, never the server its life. Longer: npm run test:fuzz. */
import { expect, test } from "vitest";
import { fuzz, TARGETS } from "./run.ts";

const SEED = 1;
const INPUTS = 2000;

test.each(TARGETS.map((each) => [each.name, each] as const))(
  "%s",
  async (_, target) => {
    expect((await fuzz(target, SEED, INPUTS)).inputs).toBe(INPUTS);
  },
  600_000,
);
