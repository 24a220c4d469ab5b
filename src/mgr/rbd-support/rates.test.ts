import { expect, test } from "vitest";
import { PyFloat } from "../../base/index.ts";
import type { ImageIo } from "../../maps/index.ts";
import { COUNTERS, ImageRates } from "./rates.ts";

const IO: ImageIo = {
  pool: 3,
  nspace: "",
  imagePool: undefined,
  imageId: "10abc",
  writeOps: 50,
  readOps: 0,
  writeBytes: 204_800,
  readBytes: 0,
  writeLatencyNs: 100_000_000,
  readLatencyNs: 0,
};
const KEY = "3//10abc";
const rates = (of: ImageRates) =>
  COUNTERS.map((_, i) => {
    const rate = of.rate(KEY, i);
    return rate instanceof PyFloat ? rate.value : rate;
  });
const sums = (of: ImageRates) => COUNTERS.map((_, i) => of.sum(KEY, i));

test("two takes make a rate: what came in between, a second; of a latency, an operation", () => {
  const images = new ImageRates();
  images.add(IO);
  images.take(100_000);
  expect(rates(images)).toEqual([0, 0, 0, 0, 0, 0]);
  images.add(IO);
  images.add({ ...IO, readOps: 5, readBytes: 512, readLatencyNs: 10 });
  images.take(105_000);
  expect(rates(images)).toEqual([20, 1, 81_920, 102.4, 2_000_000, 2]);
  expect(sums(images)).toEqual([150, 5, 614_400, 512, 300_000_000, 10]);
});

test("an image that rests has a rate of zero, and its sum stays", () => {
  const images = new ImageRates();
  images.add(IO);
  for (const at of [100_000, 105_000, 110_000]) images.take(at);
  expect(rates(images)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(sums(images)[0]).toBe(50);
});

test("takes too far apart make no rate, and two at one time are one", () => {
  const images = new ImageRates();
  images.add(IO);
  images.take(100_000);
  images.add(IO);
  images.take(161_000);
  expect(rates(images)[0]).toBe(0);
  images.add(IO);
  images.take(161_000);
  expect(sums(images)[0]).toBe(100);
  images.take(166_000);
  expect(rates(images)[0]).toBe(10);
});

test("an image is counted in the pool its header is in; one that is gone is dropped", () => {
  const images = new ImageRates();
  images.add({ ...IO, imagePool: 9 });
  images.add({ ...IO, pool: 9 });
  images.take(1_000);
  expect(images.images()).toEqual([expect.objectContaining({ key: "9//10abc", pool: 9 })]);
  expect(images.sum("9//10abc", 0)).toBe(100);
  images.drop(({ id }) => id === "10abc");
  expect(images.images()).toEqual([]);
});
