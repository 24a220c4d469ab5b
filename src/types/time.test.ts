import { expect, test } from "vitest";
import { decodeFromBytes, encodeToBytes } from "../encoding/index.ts";
import { compareUtime, formatUtime, UTIME_ZERO, Utime, utimeFromMs, utimeToMs } from "./time.ts";

const AT_MS = Date.UTC(2026, 10, 23, 4, 27, 22, 123);

test("milliseconds become seconds and nanoseconds, and come back", () => {
  expect(utimeFromMs(AT_MS)).toEqual({ sec: AT_MS / 1000 - 0.123, nsec: 123_000_000 });
  for (const ms of [0, 1, 999, 1000, 1001, AT_MS]) expect(utimeToMs(utimeFromMs(ms))).toBe(ms);
});

test("a fraction of a millisecond is kept and nanoseconds never reach a second", () => {
  expect(utimeFromMs(1500.25)).toEqual({ sec: 1, nsec: 500_250_000 });
  for (const ms of [999.999_999_9, AT_MS + 0.999_9, 1_999.999_999_999]) {
    expect(utimeFromMs(ms).nsec).toBeLessThan(1_000_000_000);
  }
});

test("on the wire: seconds, then nanoseconds", () => {
  const time = { sec: 1, nsec: 0x0203_0405 };
  expect(encodeToBytes(Utime, time).toString("hex")).toBe("0100000005040302");
  expect(decodeFromBytes(Utime, encodeToBytes(Utime, time))).toEqual(time);
});

test("order is by seconds, then nanoseconds", () => {
  const ascending = [UTIME_ZERO, { sec: 0, nsec: 9 }, { sec: 1, nsec: 0 }, { sec: 1, nsec: 1 }];
  for (const [i, a] of ascending.entries()) {
    for (const [j, b] of ascending.entries()) {
      expect(Math.sign(compareUtime(a, b))).toBe(Math.sign(i - j));
    }
  }
});

test("prints in UTC with microseconds, as Ceph does", () => {
  expect(formatUtime(utimeFromMs(AT_MS))).toBe("2026-11-23T04:27:22.123000+0000");
  expect(formatUtime({ sec: 1, nsec: 999 })).toBe("1970-01-01T00:00:01.000000+0000");
  expect(formatUtime({ sec: 0xffff_ffff, nsec: 0 })).toBe("2106-02-07T06:28:15.000000+0000");
});
