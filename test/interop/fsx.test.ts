/** A short round of `npm run test:fsx`: whatever is done to two images, librbd reads what was written. */
import { expect, test } from "vitest";
import { fsxTest } from "../fsx/fsx.ts";

const OPS = 400;

test("random operations of every kind leave in two images what a model says", async () => {
  const { ops } = await fsxTest({ seed: 1, seeds: 2, ops: OPS });
  expect(ops).toBeGreaterThanOrEqual(2 * OPS);
});

test("and so they do with our own client", async () => {
  const { ops } = await fsxTest({ seed: 1, ops: OPS, own: true });
  expect(ops).toBeGreaterThanOrEqual(OPS);
});
