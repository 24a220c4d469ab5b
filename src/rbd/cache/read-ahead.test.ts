import { expect, test } from "vitest";
import { ReadAhead } from "./read-ahead.ts";

const OPTIONS = { triggerRequests: 3, maxBytes: 4096, disableAfterBytes: 0 };
const LIMIT = 1 << 20;
/** Too small to matter. */
const UNALIGNED = [1];

/** What is read ahead by requests of 100 bytes, one after the other. */
function inARow(readAhead: ReadAhead, from: number, count: number, limit = LIMIT) {
  const ranges: [number, number][] = [];
  for (let i = 0; i < count; i++) {
    const ahead = readAhead.next(from + i * 100, 100, limit);
    if (ahead !== undefined) ranges.push([ahead.offset, ahead.length]);
  }
  return ranges;
}

test("requests in a row start it; half of it used, twice as much comes, up to a bound", () => {
  const readAhead = new ReadAhead(OPTIONS, UNALIGNED);
  expect(inARow(readAhead, 0, 2)).toEqual([]);
  expect(inARow(readAhead, 200, 60)).toEqual([
    [300, 300],
    [600, 600],
    [1200, 1200],
    [2400, 2400],
    [4800, 4096],
  ]);
});

test("a request elsewhere starts anew", () => {
  const readAhead = new ReadAhead(OPTIONS, UNALIGNED);
  expect(inARow(readAhead, 0, 3)).toEqual([[300, 300]]);
  // The first one elsewhere follows none.
  expect(inARow(readAhead, 50_000, 3)).toEqual([]);
  expect(inARow(readAhead, 50_300, 1)).toEqual([[50_400, 300]]);
});

test("it ends where the image does", () => {
  const readAhead = new ReadAhead(OPTIONS, UNALIGNED);
  expect(inARow(readAhead, 0, 10, 450)).toEqual([[300, 150]]);
});

test("its end is moved to that of a stripe that is near, the largest first", () => {
  // 600 is 96 from 696, and 88 from 512.
  expect(inARow(new ReadAhead(OPTIONS, [512, 696]), 0, 3)).toEqual([[300, 212]]);
  expect(inARow(new ReadAhead(OPTIONS, [700, 64]), 0, 3)).toEqual([[300, 400]]);
  // Neither of the first's is near enough.
  expect(inARow(new ReadAhead(OPTIONS, [2000, 590]), 0, 3)).toEqual([[300, 290]]);
});

test("it is over after so many bytes, and can be turned off", () => {
  const limited = new ReadAhead({ ...OPTIONS, disableAfterBytes: 1000 }, UNALIGNED);
  expect(inARow(limited, 0, 60)).toEqual([
    [300, 300],
    [600, 600],
    [1200, 1200],
  ]);
  expect(inARow(new ReadAhead({ ...OPTIONS, maxBytes: 0 }, UNALIGNED), 0, 60)).toEqual([]);
});
