import { expect, test } from "vitest";
import { ManualClock } from "../../../test/harness/manual-clock.ts";
import type { ImageData } from "../io/image-data.ts";
import { LimitedIo, type RateLimits } from "./limited-io.ts";

/** An image that notes what is done with it. */
function noting(done: string[]): ImageData {
  const note = async <T>(what: string, value: T): Promise<T> => {
    done.push(what);
    return value;
  };
  return {
    read: (_, length) => note("read", Buffer.alloc(length)),
    readInto: (_, into) => note("read", into.length),
    readSparse: () => note("read", []),
    write: (_, data) => note("write", data.length),
    discard: (_, length) => note("discard", length),
    writeZeroes: (_, length) => note("zeroes", length),
    compareAndWrite: (_, data) => note("compare", data.length),
    flush: () => note("flush", undefined),
    close: () => note("close", undefined),
  };
}

async function pass(clock: ManualClock, seconds: number): Promise<void> {
  for (let second = 0; second <= seconds; second++) {
    if (second > 0) clock.advance(1000);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

function withLimits(limits: RateLimits) {
  const clock = new ManualClock();
  const done: string[] = [];
  return { clock, done, io: new LimitedIo(noting(done), clock, limits) };
}

const kinds = [
  ["iops", ["read", "write"]],
  ["bps", ["read", "write"]],
  ["readIops", ["read"]],
  ["readBps", ["read"]],
  ["writeIops", ["write"]],
  ["writeBps", ["write"]],
] as const;

test.each(kinds)("%s holds back %j, and nothing else", async (kind, held) => {
  const { clock, done, io } = withLimits({ [kind]: { limit: 1 } });
  const reads = Promise.all([io.read(0, 4), io.readInto(0, Buffer.alloc(4)), io.readSparse(0, 4)]);
  const writes = Promise.all([
    io.write(0, Buffer.alloc(4)),
    io.discard(0, 4),
    io.writeZeroes(0, 4),
    io.compareAndWrite(0, Buffer.alloc(4), Buffer.alloc(4)),
  ]);
  await pass(clock, 0);
  const isHeld = (what: "read" | "write") => (held as readonly string[]).includes(what);
  expect(done.filter((what) => what === "read")).toHaveLength(isHeld("read") ? 0 : 3);
  expect(done.filter((what) => what !== "read")).toHaveLength(isHeld("write") ? 0 : 4);
  await pass(clock, 60);
  await Promise.all([reads, writes]);
  expect(done).toHaveLength(7);
});

test("a flush and a close wait for the changes that wait", async () => {
  const { clock, done, io } = withLimits({ writeIops: { limit: 1 } });
  const write = io.write(0, Buffer.alloc(1));
  const flush = io.flush();
  const discard = io.discard(0, 1);
  const close = io.close();
  await pass(clock, 0);
  expect(done).toEqual([]);
  await pass(clock, 5);
  await Promise.all([write, flush, discard, close]);
  expect(done.indexOf("write")).toBeLessThan(done.indexOf("flush"));
  expect(done.indexOf("discard")).toBeLessThan(done.indexOf("close"));
});

test("what is given up while it waits is not done", async () => {
  const { clock, done, io } = withLimits({ iops: { limit: 1 } });
  const end = new AbortController();
  const write = io.write(0, Buffer.alloc(1), end.signal);
  end.abort(new Error("enough"));
  await expect(write).rejects.toThrow("enough");
  await pass(clock, 10);
  expect(done).toEqual([]);
});
