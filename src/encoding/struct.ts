/**
 * Structs as tables: the table is the documentation of the type.
 *
 *     export const ObjectLocator = struct("object_locator_t", { v: 6, oldest: 3, compat: … }, {
 *       pool: s64n,
 *       preferred: fixed(s32, -1),
 *       nspace: since(5, str, ""),
 *     });
 *     export type ObjectLocator = Infer<typeof ObjectLocator>;
 *
 * `record` is the same without the version header. A table is walked at first and compiled to
 * straight-line code once it has been used often enough to pay for it; where code generation is
 * disallowed the walk stays. A property test holds the two equal.
 */

import type { Codec } from "./codec.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** A field written since some version; an older writer's value is `absent`. */
export interface Since<T> {
  readonly kind: "since";
  readonly version: number;
  readonly codec: Codec<T>;
  readonly absent: T;
}
/** A field on the wire only, always this value; not part of the decoded object. */
export interface Fixed {
  readonly kind: "fixed";
  readonly version: number;
  readonly codec: Codec<unknown>;
  readonly value: unknown;
}

// biome-ignore lint: a table holds codecs of any type; Infer recovers them
type AnyCodec = Codec<never> | Codec<unknown>;
type Field = AnyCodec | Since<unknown> | Since<never> | Fixed;
type Fields = Record<string, unknown>;

type FieldValue<F> = F extends Since<infer T> ? T : F extends Codec<infer T> ? T : never;
type Keys<F> = { [K in keyof F]: F[K] extends Fixed ? never : K }[keyof F];
type Decoded<F> = { [K in Keys<F>]: FieldValue<F[K]> };

export function since<T>(version: number, codec: Codec<T>, absent: T): Since<T> {
  return { kind: "since", version, codec, absent };
}

export function fixed<T>(codec: Codec<T>, value: T, sinceVersion = 0): Fixed {
  return { kind: "fixed", version: sinceVersion, codec, value };
}

/** The version line of a struct. */
export interface StructVersion<T> {
  /** Version we write. */
  v: number;
  /** Oldest version accepted when reading. @default 0: upstream's readers ask for none. */
  oldest?: number;
  /** Oldest decoder that may read what we write. @default 1 */
  compat?: number | ((x: T) => number);
}

interface PlanField {
  readonly key: string | undefined;
  readonly version: number;
  readonly codec: Codec<unknown>;
  readonly value: unknown;
}

function planOf(fields: Fields): PlanField[] {
  return Object.entries(fields).map(([key, entry]) => {
    const field = entry as Field;
    if ("kind" in field) {
      return field.kind === "fixed"
        ? { key: undefined, version: field.version, codec: field.codec, value: field.value }
        : {
            key,
            version: field.version,
            codec: field.codec as unknown as Codec<unknown>,
            value: field.absent,
          };
    }
    return { key, version: 0, codec: field, value: undefined };
  });
}

type EncodeBody = (w: Writer, x: Record<string, unknown>) => void;
type DecodeBody = (r: Reader, v: number) => Record<string, unknown>;

export function walkEncode(plan: readonly PlanField[]): EncodeBody {
  return (w, x) => {
    for (const f of plan) f.codec.encode(w, f.key === undefined ? f.value : x[f.key]);
  };
}

export function walkDecode(plan: readonly PlanField[]): DecodeBody {
  return (r, v) => {
    const x: Record<string, unknown> = {};
    for (const f of plan) {
      const value = v >= f.version ? f.codec.decode(r) : f.value;
      if (f.key !== undefined) x[f.key] = value;
    }
    return x;
  };
}

/** Uses after which compiling pays (it costs about 60 microseconds a type). */
const COMPILE_AFTER = 64;

/** Generates the two bodies; undefined where the host forbids `new Function`. */
export function compileBodies(
  plan: readonly PlanField[],
): { encode: EncodeBody; decode: DecodeBody } | undefined {
  const codecs = plan.map((f) => f.codec);
  const values = plan.map((f) => f.value);
  const encode = plan.map((f, i) => {
    const x = f.key === undefined ? `values[${i}]` : `x[${JSON.stringify(f.key)}]`;
    return `${f.codec.inline?.encode("w", x) ?? `c${i}.encode(w, ${x})`};`;
  });
  const decode = plan.map((f, i) => {
    const read = f.codec.inline?.decode("r") ?? `c${i}.decode(r)`;
    return `const f${i} = ${f.version > 0 ? `v >= ${f.version} ? ${read} : values[${i}]` : read};`;
  });
  const literal = plan.flatMap((f, i) =>
    f.key === undefined ? [] : [`${JSON.stringify(f.key)}: f${i}`],
  );
  const bind = codecs.map((_, i) => `const c${i} = codecs[${i}];`).join("");
  try {
    const make = new Function(
      "codecs",
      "values",
      `${bind} return {
        encode: (w, x) => { ${encode.join("\n")} },
        decode: (r, v) => { ${decode.join("\n")} return { ${literal.join(", ")} }; },
      };`,
    ) as (c: unknown, v: unknown) => { encode: EncodeBody; decode: DecodeBody };
    return make(codecs, values);
  } catch {
    return undefined; // a content policy without code generation: the walk gives the same bytes
  }
}

class Body {
  readonly #plan: readonly PlanField[];
  #uses = 0;
  encode: EncodeBody;
  decode: DecodeBody;

  constructor(fields: Fields) {
    this.#plan = planOf(fields);
    const encode = walkEncode(this.#plan);
    const decode = walkDecode(this.#plan);
    this.encode = (w, x) => {
      this.#used();
      encode(w, x);
    };
    this.decode = (r, v) => {
      this.#used();
      return decode(r, v);
    };
  }

  get plan(): readonly PlanField[] {
    return this.#plan;
  }

  /** Fewest bytes of the body as version `v` wrote it. */
  minSize(v: number): number {
    return this.#plan.reduce((n, f) => (f.version <= v ? n + f.codec.minSize : n), 0);
  }

  #used(): void {
    if (++this.#uses !== COMPILE_AFTER) return;
    const compiled = compileBodies(this.#plan);
    if (compiled === undefined) return;
    this.encode = compiled.encode;
    this.decode = compiled.decode;
  }
}

/** A struct with Ceph's version header (u8 version, u8 compat, u32 length). */
export function struct<F extends Fields>(
  name: string,
  version: StructVersion<Decoded<F>>,
  fields: F,
): Codec<Decoded<F>> {
  const body = new Body(fields);
  const { v, oldest = 0, compat = 1 } = version;
  return {
    name,
    minSize: 6,
    encode(w, x) {
      const mark = w.begin(v, typeof compat === "function" ? compat(x) : compat);
      body.encode(w, x);
      w.end(mark);
    },
    decode(r) {
      const written = r.begin(name, v);
      if (written < oldest) throw r.fail(`version ${written} is older than ${oldest}`);
      const x = body.decode(r, written);
      r.finish();
      return x as Decoded<F>;
    },
  };
}

/** Fields one after the other, no version header. */
export function record<F extends Fields>(name: string, fields: F): Codec<Decoded<F>> {
  const body = new Body(fields);
  return {
    name,
    minSize: body.minSize(Number.POSITIVE_INFINITY),
    encode: (w, x) => body.encode(w, x),
    decode: (r) => body.decode(r, Number.POSITIVE_INFINITY) as Decoded<F>,
  };
}

/** A struct with only a leading version byte, as a few old types have. */
export function versionByte<F extends Fields>(
  name: string,
  v: number,
  fields: F,
): Codec<Decoded<F>> {
  const body = new Body(fields);
  return {
    name,
    minSize: 1 + body.minSize(1),
    encode(w, x) {
      w.u8(v);
      body.encode(w, x);
    },
    decode(r) {
      const written = r.u8();
      if (written === 0) throw r.fail(`${name} of version 0`);
      return body.decode(r, written) as Decoded<F>;
    },
  };
}
