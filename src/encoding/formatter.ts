/**
 * JSON as Ceph's formatter writes it: compact, or with four blanks of indent and a final line end.
 * Doubles come with 17 significant digits and C's exponents, so that scripts which compare text still work.
 * A `Map` is an object whose keys must keep their order (plain objects move integer-like keys to the front).
 * ceph: src/common/Formatter.cc JSONFormatter
 */

export type Json =
  | string
  | number
  | bigint
  | boolean
  | readonly Json[]
  | ReadonlyMap<string, Json>
  | JsonObject;
/** Fields that are undefined are left out. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** A double as C++ streams print it with 17 digits: `0.070864677429199219`, `1.084785594684945e-06`. */
export function formatDouble(x: number, digits = 17): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x < 0 ? "-inf" : "inf";
  if (x === 0) return "0";
  const [mantissa = "", exponentText = "0"] = x.toExponential(digits - 1).split("e");
  const exponent = Number(exponentText);
  const trim = (text: string) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (exponent >= -4 && exponent < digits)
    return trim(x.toFixed(Math.max(0, digits - 1 - exponent)));
  const magnitude = String(Math.abs(exponent)).padStart(2, "0");
  return `${trim(mantissa)}e${exponent < 0 ? "-" : "+"}${magnitude}`;
}

function scalar(value: string | number | bigint | boolean): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" && !Number.isSafeInteger(value)) return formatDouble(value);
  return String(value);
}

function write(value: Json, pad: string, pretty: boolean): string {
  if (typeof value !== "object") return scalar(value);
  const inner = `${pad}    `;
  const wrap = (open: string, close: string, items: string[]) => {
    if (items.length === 0) return open + close;
    if (!pretty) return open + items.join(",") + close;
    return `${open}\n${items.map((item) => inner + item).join(",\n")}\n${pad}${close}`;
  };
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map((item) => write(item, inner, pretty));
    return wrap("[", "]", items);
  }
  const entries =
    value instanceof Map ? [...(value as Map<string, Json>)] : Object.entries(value as JsonObject);
  const items: string[] = [];
  for (const [key, item] of entries) {
    if (item === undefined) continue;
    items.push(`${JSON.stringify(key)}:${pretty ? " " : ""}${write(item, inner, pretty)}`);
  }
  return wrap("{", "}", items);
}

/** One line, no line end. */
export function renderJson(value: Json): string {
  return write(value, "", false);
}

/** Indented, with a line end. */
export function renderJsonPretty(value: Json): string {
  return `${write(value, "", true)}\n`;
}
