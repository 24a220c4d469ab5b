import { expect, test } from "vitest";
import { ManualClock } from "../../../test/harness/manual-clock.ts";
import { type RateLimit, TokenBucket } from "./token-bucket.ts";

const WORKERS = 16;

/** Lets time pass, and who waited for it go on. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 10) {
    clock.advance(10);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** How much goes through in so many seconds, second by second, if so many want `size` at a time, always. */
async function through(rate: RateLimit, seconds: number, size = 1): Promise<number[]> {
  const clock = new ManualClock();
  const bucket = new TokenBucket(clock, rate);
  let taken = 0;
  const run = { isOver: false };
  const work = async () => {
    while (!run.isOver) {
      await bucket.take(size);
      taken += size;
    }
  };
  const workers = Array.from({ length: WORKERS }, work);
  const each: number[] = [];
  for (let second = 0; second < seconds; second++) {
    const before = taken;
    await pass(clock, 1000);
    each.push(taken - before);
  }
  run.isOver = true;
  await pass(clock, (WORKERS * size * 1000) / rate.limit + 1000);
  await Promise.all(workers);
  return each;
}

test("no more goes through in a second than the limit says, and no less", async () => {
  for (const limit of [3, 20, 100, 950]) {
    const each = await through({ limit }, 10);
    const sum = each.reduce((a, b) => a + b, 0);
    expect(sum, `${limit} a second`).toBeGreaterThanOrEqual(limit * 9);
    // The bucket is full at first.
    expect(sum, `${limit} a second`).toBeLessThanOrEqual(limit * 11);
    expect(Math.max(...each.slice(2)), `${limit} a second`).toBeLessThanOrEqual(limit * 1.1);
  }
});

test("a request of more than fits into the bucket is let through in its time", async () => {
  const each = await through({ limit: 4096 }, 12, 8192);
  const sum = each.reduce((a, b) => a + b, 0);
  expect(sum).toBeGreaterThanOrEqual(4096 * 10);
  expect(sum).toBeLessThanOrEqual(4096 * 14);
});

test("what was saved up goes at the burst's rate, as long as it may", async () => {
  const each = await through({ limit: 100, burst: 200, burstSeconds: 4 }, 20);
  // 800 are saved up: at 200 a second, with 100 coming meanwhile, for about eight seconds.
  expect(each[2]).toBeGreaterThan(150);
  expect(Math.max(...each)).toBeLessThanOrEqual(220);
  for (const last of each.slice(12)) expect(last).toBeLessThanOrEqual(110);
});

test("who comes first is served first, and who gives up is not in the way", async () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(clock, { limit: 1000 });
  const order: string[] = [];
  const end = new AbortController();
  const large = bucket.take(900).then(() => order.push("large"));
  const aborted = bucket.take(5000, end.signal);
  const small = bucket.take(1).then(() => order.push("small"));
  end.abort(new Error("enough"));
  await expect(aborted).rejects.toThrow("enough");
  await pass(clock, 5_000);
  await Promise.all([large, small]);
  expect(order).toEqual(["large", "small"]);
});
