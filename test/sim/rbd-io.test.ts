/** The data path of images on the simulated server, against images that are plain memory. */
import { expect, test } from "vitest";
import { RBD_FEATURE, RBD_FEATURES_DEFAULT } from "../../src/cls/rbd/types/features.ts";
import type { CacheOptions } from "../../src/rbd/index.ts";
import { Dice } from "../harness/dice.ts";
import { Bench } from "./bench.ts";
import { ImageModel, type ModelOptions } from "./rbd-model.ts";

const { LAYERING, EXCLUSIVE_LOCK } = RBD_FEATURE;
const SIZE = 24 * 2 ** 14 + 5000;
const PLAIN = { order: 14, size: SIZE, features: RBD_FEATURES_DEFAULT };

/** More of them by hand: RBD_SEEDS=3,4,5. */
const SEEDS = (process.env["RBD_SEEDS"] ?? "1,2").split(",").map(Number);

const SHAPES: Readonly<Record<string, ModelOptions>> = {
  "with everything": PLAIN,
  "with no more than a lock": { ...PLAIN, features: LAYERING | EXCLUSIVE_LOCK },
  "with no lock": { ...PLAIN, features: LAYERING },
  "in stripes": { ...PLAIN, stripeUnit: 4096, stripeCount: 3 },
  "on the move": { ...PLAIN, migrates: true },
  "on the move without a lock": { ...PLAIN, features: LAYERING, migrates: true },
};

/** So small that writes wait for room, and that what is read again is there or not. */
const SMALL = { size: 40_000, maxDirty: 20_000, targetDirty: 12_000, maxDirtyAgeMs: 20 };
const AHEAD = { triggerRequests: 1, maxBytes: 2 ** 14 };
const BACK = { ...SMALL, policy: "writeback", readAhead: AHEAD } as const;

const CACHES: Readonly<Record<string, readonly [ModelOptions, CacheOptions]>> = {
  "written back": [PLAIN, { ...BACK, writethroughUntilFlush: false }],
  "written back by default": [PLAIN, { policy: "writeback" }],
  "written back in stripes": [{ ...PLAIN, stripeUnit: 4096, stripeCount: 3 }, BACK],
  "written back without a lock": [{ ...PLAIN, features: LAYERING }, BACK],
  "written around": [PLAIN, { ...SMALL, writethroughUntilFlush: false }],
  "written through": [PLAIN, { ...BACK, policy: "writethrough" }],
};

async function play(options: ModelOptions, seed: number, cache?: CacheOptions): Promise<void> {
  const bench = await Bench.start({ seed, osds: 1 });
  const { context, io } = await bench.client();
  const dice = new Dice(seed);
  const run = <T>(work: Promise<T>, what?: string) => bench.run(work, what);
  const model = new ImageModel({ dice, context, pool: io, run, options, cache });
  await model.start();
  for (let i = 0; i < 120; i++) await model.step();
  await model.check();
  await model.close();
  await bench.close();
  expect(model.log.length).toBeGreaterThan(50);
}

for (const seed of SEEDS) {
  for (const [shape, options] of Object.entries(SHAPES)) {
    test(`images ${shape} read as they were written (seed ${seed})`, () => play(options, seed));
  }
  for (const [how, [options, cache]] of Object.entries(CACHES)) {
    test(`images ${how} read as they were written (seed ${seed})`, () =>
      play(options, seed, cache));
  }
}
