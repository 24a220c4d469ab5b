import { expect, test } from "vitest";
import { DecodeError, decodeFromBytes, encodeToBytes } from "../../../encoding/index.ts";
import {
  applyTable,
  type BitVector,
  BitVectorCodec,
  emptyBitVector,
  isUniform,
  resizeBitVector,
  stateAt,
  stateTable,
} from "./bit-vector.ts";

function vectorOf(states: number[]): BitVector {
  const v = emptyBitVector();
  resizeBitVector(v, states.length);
  states.forEach((state, i) => {
    applyTable(
      v.data,
      { base: 0, start: i, end: i + 1 },
      stateTable(() => state),
    );
  });
  return v;
}

function statesOf(v: BitVector): number[] {
  return Array.from({ length: v.size }, (_, i) => stateAt(v, i));
}

test("states lie four to a byte, the first in the high bits", () => {
  expect([...vectorOf([0, 1, 2, 3, 3]).data]).toEqual([0b00011011, 0b11000000]);
});

test.each([0, 1, 4, 5, 16383, 16384, 16385, 40000])("%i states survive the wire", (count) => {
  const v = vectorOf(Array.from({ length: Math.min(count, 50) }, (_, i) => (i * 7) % 4));
  resizeBitVector(v, count);
  const back = decodeFromBytes(BitVectorCodec, encodeToBytes(BitVectorCodec, v));
  expect(back.size).toBe(count);
  expect(back.data.equals(v.data)).toBe(true);
  expect(back.crcEnabled).toBe(true);
});

test("a map without a footer is not checked", () => {
  const bytes = encodeToBytes(BitVectorCodec, { ...vectorOf([1, 2, 3]), crcEnabled: false });
  bytes[18] = 0xff;
  expect(decodeFromBytes(BitVectorCodec, bytes).crcEnabled).toBe(false);
});

test("one flipped bit anywhere under a checksum is refused", () => {
  const good = encodeToBytes(BitVectorCodec, vectorOf([1, 2, 3, 0, 1]));
  for (let i = 4; i < good.length; i++) {
    if (i >= 28 && i < 32) continue; // compat: the count of crcs, which nobody reads
    const bad = Buffer.from(good);
    bad[i] = (bad[i] ?? 0) ^ 0x10;
    expect(() => decodeFromBytes(BitVectorCodec, bad), `byte ${i}`).toThrow(DecodeError);
  }
});

test("a count of objects that the bytes cannot hold is refused before anything is allocated", () => {
  const bytes = encodeToBytes(BitVectorCodec, vectorOf([1]));
  bytes.writeBigUInt64LE(1n << 50n, 10);
  expect(() => decodeFromBytes(BitVectorCodec, bytes)).toThrow(DecodeError);
});

test("a table touches the states of its range only", () => {
  const to2 = stateTable(() => 2);
  for (let start = 0; start <= 12; start++) {
    for (let end = start; end <= 12; end++) {
      const v = vectorOf(Array.from({ length: 12 }, () => 1));
      const changed = applyTable(v.data, { base: 0, start, end }, to2);
      const expected = statesOf(v).map((_, i) => (i >= start && i < end ? 2 : 1));
      expect(statesOf(v), `${start} to ${end}`).toEqual(expected);
      expect(changed, `${start} to ${end}`).toBe(end > start);
      expect(isUniform(v, start, end, 2), `${start} to ${end}`).toBe(true);
      if (start > 0) expect(isUniform(v, start - 1, end, 2)).toBe(false);
    }
  }
});

test("a table that changes nothing says so", () => {
  const v = vectorOf([1, 1, 3]);
  const keep = stateTable((state) => (state === 2 ? 0 : state));
  expect(applyTable(v.data, { base: 0, start: 0, end: 3 }, keep)).toBe(false);
});
