/**
 * JSON as Python writes it, of which the manager's modules and the `ceph` command are: blanks after commas and
 * colons, keys sorted and four blanks of indentation where asked for, floats with a point, nothing but ASCII.
 * compat: tools and eyes compare it, and daemons tell whole numbers from floats by it.
 */

/** A number that is a float there, whatever its value: `0.0`. */
export class PyFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export type PyJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | PyFloat
  | readonly PyJson[]
  | { readonly [key: string]: PyJson | undefined };

export interface PyJsonOptions {
  /** Blanks a level; all on one line without. */
  readonly indent?: number;
  readonly sortKeys?: boolean;
}

/** The form of most answers: json.dumps(x, indent=4, sort_keys=True). */
export const PRETTY: PyJsonOptions = { indent: 4, sortKeys: true };

function text(x: string): string {
  return JSON.stringify(x).replaceAll(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The shortest digits that are this number, with an exponent where Python has one. */
export function pythonFloat(x: number): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x < 0 ? "-inf" : "inf";
  const [mantissa = "", exponentText = "0"] = x.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) {
    const digits = String(Math.abs(exponent)).padStart(2, "0");
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${digits}`;
  }
  return Number.isInteger(x)
    ? `${Object.is(x, -0) ? "-0" : x}.0`
    : x.toFixed(Math.max(1, decimals(mantissa) - exponent));
}

/** Python's JSON has three numbers that JSON has not. */
function jsonFloat(x: number): string {
  if (Number.isFinite(x)) return pythonFloat(x);
  if (Number.isNaN(x)) return "NaN";
  return x < 0 ? "-Infinity" : "Infinity";
}

function decimals(mantissa: string): number {
  return mantissa.replace("-", "").length - (mantissa.includes(".") ? 2 : 1);
}

export function pythonJson(x: PyJson, options: PyJsonOptions = {}, depth = 0): string {
  if (x === null || typeof x === "boolean" || typeof x === "number" || typeof x === "bigint") {
    return String(x);
  }
  if (typeof x === "string") return text(x);
  if (x instanceof PyFloat) return jsonFloat(x.value);
  const inner = (value: PyJson) => pythonJson(value, options, depth + 1);
  if (Array.isArray(x)) return wrap("[", (x as readonly PyJson[]).map(inner), "]", options, depth);
  const entries = Object.entries(x as { readonly [key: string]: PyJson | undefined });
  if (options.sortKeys === true) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  // As in JSON.stringify, what is undefined is not there.
  const items = entries.flatMap(([key, value]) =>
    value === undefined ? [] : [`${text(key)}: ${inner(value)}`],
  );
  return wrap("{", items, "}", options, depth);
}

function wrap(
  open: string,
  items: readonly string[],
  close: string,
  { indent }: PyJsonOptions,
  depth: number,
): string {
  if (items.length === 0) return open + close;
  if (indent === undefined) return open + items.join(", ") + close;
  const pad = (levels: number) => `\n${" ".repeat(indent * levels)}`;
  return open + pad(depth + 1) + items.join(`,${pad(depth + 1)}`) + pad(depth) + close;
}
