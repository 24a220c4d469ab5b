/**
 * Structs for arbitrary tables and values: compiled bodies equal walked ones, byte for byte and value for
 * value, and decoding what was encoded gives it back.
 */
import {
  type Arbitrary,
  array,
  bigInt,
  boolean,
  constant,
  constantFrom,
  double,
  float,
  assert as holds,
  integer,
  maxSafeInteger,
  maxSafeNat,
  oneof,
  option,
  property,
  tuple,
  uint8Array,
} from "fast-check";
import { describe, expect, test } from "vitest";
import {
  blob,
  bool,
  boxed,
  bytes,
  type Codec,
  decodeFromBytes,
  encodeToBytes,
  f32,
  f64,
  fixed,
  list,
  map,
  optional,
  Reader,
  record,
  s8,
  s16,
  s32,
  s64,
  s64n,
  set,
  since,
  str,
  struct,
  u8,
  u16,
  u32,
  u64,
  u64n,
  versionByte,
  Writer,
} from "../../src/encoding/index.ts";
import { compileBodies, walkDecode, walkEncode } from "../../src/encoding/struct.ts";

/** A codec and values it takes. */
interface Kind {
  codec: Codec<unknown>;
  values: Arbitrary<unknown>;
}

function kind<T>(codec: Codec<T>, values: Arbitrary<T>): Kind {
  return { codec, values };
}

const U32_MAX = 0xffff_ffff;
const byteStrings = array(integer({ min: 0, max: 255 }), { maxLength: 40 }).map((codes) =>
  String.fromCharCode(...codes),
);
// Buffers, as the reader's views are.
const buffers = uint8Array({ maxLength: 40 }).map((x) => Buffer.from(x));

const SCALARS: Kind[] = [
  kind(u8, integer({ min: 0, max: 0xff })),
  kind(bool, boolean()),
  kind(u16, integer({ min: 0, max: 0xffff })),
  kind(u32, integer({ min: 0, max: U32_MAX })),
  kind(s8, integer({ min: -0x80, max: 0x7f })),
  kind(s16, integer({ min: -0x8000, max: 0x7fff })),
  kind(s32, integer({ min: -0x8000_0000, max: 0x7fff_ffff })),
  kind(f32, float()),
  kind(f64, double()),
  kind(u64, bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  kind(s64, bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  kind(u64n, maxSafeNat()),
  kind(s64n, maxSafeInteger()),
  kind(str, byteStrings),
  kind(blob, buffers),
];

const scalars: Arbitrary<Kind> = constantFrom(...SCALARS);

/** Scalars, and containers and structs of them. */
const kinds: Arbitrary<Kind> = oneof(
  { weight: 4, arbitrary: scalars },
  scalars.map(({ codec, values }) => kind(list(codec), array(values, { maxLength: 4 }))),
  scalars.map(({ codec, values }) => kind(optional(codec), option(values, { nil: undefined }))),
  scalars.map(({ codec, values }) => kind(boxed(codec), values)),
  constant(
    kind(
      map(str, u32),
      array(tuple(byteStrings, integer({ min: 0, max: U32_MAX })), { maxLength: 4 }).map(
        (entries) => new Map(entries),
      ),
    ),
  ),
  constant(
    kind(
      set(u64),
      array(bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 4 }).map((x) => new Set(x)),
    ),
  ),
  constant(
    kind(
      bytes(3),
      uint8Array({ minLength: 3, maxLength: 3 }).map((x) => Buffer.from(x)),
    ),
  ),
  scalars.map(({ codec, values }) =>
    kind(
      struct("inner_t", { v: 1 }, { inside: codec }),
      values.map((inside) => ({ inside })),
    ),
  ),
);

const NEWEST = 5;

interface Row {
  key: string;
  kind: Kind;
  role: "plain" | "since" | "fixed";
  version: number;
  /** The fixed value, or the one of an absent field. */
  value: unknown;
  /** What the struct holds here. */
  held: unknown;
}

// Names that a generator of code could trip over.
const KEYS = ["a", "b2", "with space", "w", "r", "v", "x", "c0", "f0", 'q"', "class", "values"];

const rows: Arbitrary<Row[]> = array(
  kinds.chain((kind) =>
    tuple(
      constantFrom("plain" as const, "since" as const, "fixed" as const),
      integer({ min: 2, max: NEWEST }),
      kind.values,
      kind.values,
    ).map(([role, version, value, held]) => ({ kind, role, version, value, held })),
  ),
  { minLength: 1, maxLength: 10 },
).map((found) =>
  // Later fields come last, as in every real type.
  found
    .sort((a, b) => Number(a.role === "since") - Number(b.role === "since"))
    .map((row, i) => ({ ...row, key: KEYS[i]! })),
);

function tableOf(found: Row[]): Record<string, unknown> {
  return Object.fromEntries(
    found.map(({ key, kind, role, version, value }) => [
      key,
      role === "plain"
        ? kind.codec
        : role === "since"
          ? since(version, kind.codec, value)
          : fixed(kind.codec, value),
    ]),
  );
}

function valueOf(found: Row[]): Record<string, unknown> {
  return Object.fromEntries(
    found.filter((row) => row.role !== "fixed").map((row) => [row.key, row.held]),
  );
}

/** The same table as the bodies' generator wants it. */
function planOf(found: Row[]) {
  return found.map(({ key, kind, role, version, value }) => ({
    key: role === "fixed" ? undefined : key,
    version: role === "since" ? version : 0,
    codec: kind.codec,
    value: role === "plain" ? undefined : value,
  }));
}

function encodedBy(encode: (w: Writer, x: Record<string, unknown>) => void, found: Row[]): Buffer {
  const w = new Writer();
  encode(w, valueOf(found));
  return w.finish();
}

/** What a writer of version `v` would have sent. */
function writtenAt(v: number, found: Row[]): Buffer {
  const w = new Writer();
  for (const row of found) {
    if (row.role === "since" && row.version > v) continue;
    row.kind.codec.encode(w, row.role === "fixed" ? row.value : row.held);
  }
  return w.finish();
}

describe("compiled bodies", () => {
  test("write the bytes that walked ones write", () => {
    holds(
      property(rows, (found) => {
        const compiled = compileBodies(planOf(found))!;
        expect(compiled).toBeDefined();
        const walked = encodedBy(walkEncode(planOf(found)), found);
        expect(encodedBy(compiled.encode, found)).toEqual(walked);
      }),
    );
  });

  test("read the value that walked ones read, keys in the same order, at every version", () => {
    holds(
      property(rows, integer({ min: 1, max: NEWEST }), (found, v) => {
        const compiled = compileBodies(planOf(found))!;
        const wire = writtenAt(v, found);
        const byWalk = new Reader(wire);
        const byCode = new Reader(wire);
        const walked = walkDecode(planOf(found))(byWalk, v);
        const value = compiled.decode(byCode, v);
        expect(value).toEqual(walked);
        expect(Object.keys(value)).toEqual(Object.keys(walked));
        expect(byCode.offset).toBe(byWalk.offset);
        expect(byCode.remaining).toBe(0);
      }),
    );
  });

  test("refuse what walked ones refuse", () => {
    holds(
      property(rows, maxSafeNat(), (found, cut) => {
        const wire = writtenAt(NEWEST, found);
        if (wire.length === 0) return;
        const short = wire.subarray(0, cut % wire.length);
        const message = (decode: (r: Reader, v: number) => unknown) => {
          try {
            decode(new Reader(short), NEWEST);
            return "decoded";
          } catch (error) {
            return String(error);
          }
        };
        const walked = message(walkDecode(planOf(found)));
        expect(walked).toMatch(/^DecodeError/);
        expect(message(compileBodies(planOf(found))!.decode)).toBe(walked);
      }),
    );
  });
});

describe("decode(encode(x)) is x", () => {
  test.each([
    ["struct", (table: Record<string, unknown>) => struct("any_t", { v: NEWEST }, table)],
    ["record", (table: Record<string, unknown>) => record("any_t", table)],
    ["versionByte", (table: Record<string, unknown>) => versionByte("any_t", NEWEST, table)],
  ])("for a %s of any fields, before and after it is compiled", (_, make) => {
    holds(
      property(rows, (found) => {
        const codec = make(tableOf(found)) as Codec<unknown>;
        const value = valueOf(found);
        const first = encodeToBytes(codec, value);
        expect(first.length).toBeGreaterThanOrEqual(codec.minSize);
        // Each round is two uses; the body is compiled at the 64th.
        for (let round = 0; round < 40; round++) {
          const wire = encodeToBytes(codec, value);
          if (!wire.equals(first)) expect(wire, `round ${round}`).toEqual(first);
          const back = decodeFromBytes(codec, wire);
          if (round === 0 || round === 39) expect(back).toEqual(value);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("an older writer's fields are there and the others absent", () => {
    holds(
      property(rows, integer({ min: 1, max: NEWEST }), (found, v) => {
        const codec = struct("any_t", { v: NEWEST }, tableOf(found));
        const w = new Writer();
        const mark = w.begin(v, 1);
        w.bytes(writtenAt(v, found));
        w.end(mark);
        const expected = Object.fromEntries(
          found
            .filter((row) => row.role !== "fixed")
            .map((row) => [
              row.key,
              row.role === "since" && row.version > v ? row.value : row.held,
            ]),
        );
        expect(decodeFromBytes(codec, w.finish())).toEqual(expected);
      }),
    );
  });
});
