/**
 * Bytes that are nearly right: a sample with a few things wrong in it, as a hostile or broken peer would have.
 */
import type { seededRandom } from "../../src/base/index.ts";

export type Dice = ReturnType<typeof seededRandom>;

export function pick<T>(dice: Dice, from: readonly T[]): T {
  return from[dice.below(from.length)]!;
}

/** Numbers at which decoders go wrong: borders of integers, of sizes, and just beside the truth. */
function borderNumber(dice: Dice, truth: bigint): bigint {
  const borders = [0n, 1n, 0x7fn, 0xffn, 0x7fffn, 0xffffn, 0x7fff_ffffn, 0x8000_0000n];
  const more = [0xffff_ffffn, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, truth + 1n, truth - 1n];
  return pick(dice, [...borders, ...more]);
}

type Change = (dice: Dice, bytes: Buffer, others: readonly Uint8Array[]) => Buffer;

const CHANGES: readonly Change[] = [
  (dice, bytes) => {
    const at = dice.below(bytes.length);
    bytes[at]! ^= 1 << dice.below(8);
    return bytes;
  },
  (dice, bytes) => {
    bytes[dice.below(bytes.length)] = pick(dice, [0, 1, 0x7f, 0x80, 0xfe, 0xff]);
    return bytes;
  },
  (dice, bytes) => {
    const size = pick(dice, [1, 2, 4, 8]);
    if (bytes.length < size) return bytes;
    const at = dice.below(bytes.length - size + 1);
    const truth = bytes
      .subarray(at, at + size)
      .reduceRight((n, byte) => (n << 8n) | BigInt(byte), 0n);
    let value = BigInt.asUintN(size * 8, borderNumber(dice, truth));
    for (let i = 0; i < size; i++, value >>= 8n) bytes[at + i] = Number(value & 0xffn);
    return bytes;
  },
  (dice, bytes) => bytes.subarray(0, dice.below(bytes.length + 1)),
  (dice, bytes) => Buffer.concat([bytes, dice.bytes(1 + dice.below(16))]),
  (dice, bytes) => {
    const from = dice.below(bytes.length);
    const to = from + dice.below(Math.min(64, bytes.length - from) + 1);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  (dice, bytes) => {
    const from = dice.below(bytes.length);
    const to = from + dice.below(Math.min(64, bytes.length - from) + 1);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  (dice, bytes, others) => {
    const other = pick(dice, others);
    return Buffer.concat([
      bytes.subarray(0, dice.below(bytes.length + 1)),
      other.subarray(dice.below(other.length + 1)),
    ]);
  },
];

/**
 * @param others samples of the same kind, to be joined with
 * @returns a copy with a change, or a few
 */
export function mutated(
  dice: Dice,
  sample: Uint8Array,
  others: readonly Uint8Array[],
  changesMax = 4,
): Buffer {
  let bytes: Buffer = Buffer.from(sample);
  for (let n = 1 + dice.below(changesMax); n > 0; n--) {
    bytes =
      bytes.length === 0
        ? Buffer.from(dice.bytes(dice.below(9)))
        : pick(dice, CHANGES)(dice, bytes, others);
  }
  return bytes;
}

const DEEP = JSON.parse("[".repeat(500) + "]".repeat(500)) as unknown;
const VALUES: readonly unknown[] = [
  "",
  "-1",
  "rbd",
  "osd.0",
  "client.x",
  "*",
  "a b=c",
  "\u0000\uffff",
  "x".repeat(10_000),
  -1,
  0,
  1.5,
  2 ** 53,
  -(2 ** 63),
  1e308,
  true,
  false,
  null,
  [],
  {},
  [["x"]],
  { prefix: "x" },
  DEEP,
];

/** The same with one to three keys missing, strange, or with a value that belongs elsewhere. */
export function mutatedObject(
  dice: Dice,
  sample: Readonly<Record<string, unknown>>,
  others: readonly Readonly<Record<string, unknown>>[],
): Record<string, unknown> {
  const out: Record<string, unknown> = { ...sample };
  for (let n = 1 + dice.below(3); n > 0; n--) {
    const other = pick(dice, others);
    // The command itself is kept more often than not.
    const keys = Object.keys(out).filter((key) => key !== "prefix" || dice.below(10) === 0);
    const key = keys.length > 0 ? pick(dice, keys) : "format";
    const fate = dice.below(6);
    if (fate === 0) delete out[key];
    else if (fate === 1) Object.assign(out, { ...other, prefix: out["prefix"] });
    else if (fate === 2) out[key] = pick(dice, Object.values(other));
    else out[key] = pick(dice, VALUES);
  }
  return out;
}
