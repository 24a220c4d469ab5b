/** Nothing that was told durable is lost, whenever the power goes. `npm run test:crash` runs more seeds. */
import { expect, test } from "vitest";
import { crashSeed } from "./crash.ts";

const SEEDS = Number(process.env["CRASH_SEEDS"] ?? 30);
const CUTS = 8;

test(`${SEEDS} seeds of ${CUTS} power cuts lose nothing`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    await crashSeed({ seed, cuts: CUTS, moves: seed % 2 === 0 });
  }
}, 3_600_000);

test.each([
  [102343, "clone-range of what the same transaction has written, on a nearly full store"],
  [702396, "a batch left behind the journal's end, seen again when the journal has grown past it"],
])("seed %i loses nothing any more: %s", async (seed) => {
  await crashSeed({ seed, cuts: CUTS });
});

test("a disk that does not keep what it promised is noticed", async () => {
  let noticed = 0;
  for (let seed = 1; seed <= 10; seed++) {
    try {
      await crashSeed({ seed, cuts: CUTS, sabotage: (disk) => disk.lie() });
    } catch {
      noticed++;
    }
  }
  expect(noticed).toBeGreaterThan(5);
});
