import { describe, expect, test } from "vitest";
import { seededRandom } from "../base/index.ts";
import { crc32c, crc32cCombine, crc32cTable, crc32cWithSums, crc32cZeros } from "./crc32c.ts";

const ONES = 0xffff_ffff;
const random = seededRandom(32);
const noise = random.bytes(2048);

/** The usual CRC-32C: register all ones at first, inverted at the end. */
function standard(data: Uint8Array, of = crc32c): number {
  return ~of(ONES, data) >>> 0;
}

describe("known answers", () => {
  test.each([
    ["RFC 3720 B.4, 32 zeros", new Uint8Array(32), 0x8a9136aa],
    ["RFC 3720 B.4, 32 times ff", new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ["RFC 3720 B.4, counting up", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ["RFC 3720 B.4, counting down", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ["the check value", Buffer.from("123456789"), 0xe3069283],
    ["nothing", new Uint8Array(0), 0],
  ])("%s", (_, data, crc) => {
    expect(standard(data)).toBe(crc);
    expect(standard(data, crc32cTable)).toBe(crc);
  });

  test("Ceph's own convention: the seed is the register, nothing is inverted", () => {
    // ceph: src/test/common/test_crc32c.cc Small
    const a = Buffer.from("foo bar baz");
    const b = Buffer.from("whiz bang boom");
    expect(crc32c(0, a)).toBe(4119623852);
    expect(crc32c(1234, a)).toBe(881700046);
    expect(crc32c(0, b)).toBe(2360230088);
    expect(crc32c(5678, b)).toBe(3743019208);
  });
});

test("with the sums of the blocks on the way the checksum is the same", () => {
  const data = random.bytes(5 * 4096 + 100);
  for (const [start, end] of [
    [0, 0],
    [0, 4095],
    [0, 4096],
    [7, 4103],
    [100, 5 * 4096],
    [3, data.length],
  ] as const) {
    const sums: number[] = [];
    expect(crc32cWithSums(ONES, data, start, end, sums)).toBe(crc32c(ONES, data, start, end));
    const blocks = Math.floor((end - start) / 4096);
    const from = (i: number) => start + i * 4096;
    expect(sums).toEqual(
      Array.from({ length: blocks }, (_, i) => crc32c(0, data, from(i), from(i + 1))),
    );
  }
});

test("tables and processor agree at every small length and offset, and past the switch between them", () => {
  const lengths = [...Array.from({ length: 300 }, (_, i) => i), 511, 512, 513, 1024, 1999];
  for (const seed of [0, 1, ONES]) {
    for (const length of lengths) {
      for (let start = 0; start < 9; start++) {
        const end = start + length;
        const one = crc32c(seed, noise, start, end);
        const byTable = crc32cTable(seed, noise, start, end);
        if (one !== byTable) expect.unreachable(`seed ${seed} [${start}, ${end})`);
      }
    }
  }
});

test("the tables agree with one bit at a time", () => {
  const bitwise = (seed: number, data: Uint8Array) => {
    let c = seed;
    for (const byte of data) {
      c ^= byte;
      for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
    }
    return c >>> 0;
  };
  for (let length = 0; length < 64; length++) {
    const data = noise.subarray(length, 2 * length);
    expect(crc32cTable(0xdeadbeef, data), `length ${length}`).toBe(bitwise(0xdeadbeef, data));
  }
});

test("a range is the same as a copy of the range", () => {
  for (const [start, end] of [
    [3, 3],
    [3, 100],
    [17, 1500],
  ] as const) {
    expect(crc32c(5, noise, start, end)).toBe(crc32c(5, noise.slice(start, end)));
  }
});

describe("laws", () => {
  const LENGTHS = [0, 1, 2, 7, 8, 9, 255, 256, 257, 1000];

  test("the register goes on where it stopped", () => {
    for (const cut of LENGTHS) {
      const whole = crc32c(77, noise);
      expect(crc32c(crc32c(77, noise, 0, cut), noise, cut), `cut at ${cut}`).toBe(whole);
    }
  });

  test("zeros(seed, n) is the register over n zero bytes, without the bytes", () => {
    for (const seed of [0, 1, 0x12345678, ONES]) {
      for (const length of LENGTHS) {
        const walked = crc32cTable(seed, new Uint8Array(length));
        expect(crc32cZeros(seed, length), `${length} zeros`).toBe(walked);
      }
    }
  });

  test("zeros add up, also beyond 32 bits of length", () => {
    for (const [n, m] of [
      [5, 9],
      [2 ** 31, 2 ** 31],
      [2 ** 40, 12_345],
    ] as const) {
      expect(crc32cZeros(crc32cZeros(99, n), m)).toBe(crc32cZeros(99, n + m));
    }
  });

  test("combine joins a head's register and a tail's, whatever the head was seeded with", () => {
    for (const seed of [0, ONES, 0xabcdef01]) {
      for (const cut of LENGTHS) {
        const head = crc32c(seed, noise, 0, cut);
        const tail = crc32c(0, noise, cut);
        const whole = crc32c(seed, noise);
        expect(crc32cCombine(head, tail, noise.length - cut), `cut at ${cut}`).toBe(whole);
      }
    }
  });
});
