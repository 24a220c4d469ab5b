/**
 * The numops class: arithmetic on numbers kept as text in omap.
 * ceph: src/cls/numops/cls_numops.cc
 */

import { fail, isFailure, type Result } from "../../base/index.ts";
import { byteStringOf, bytesOf, type Infer, record, str } from "../../encoding/index.ts";
import { type ClassContext, defineClass, method, none } from "../objclass.ts";

const NumopsArgs = record("numops", { key: str, operand: str });

export const numopsClass = defineClass("numops", {
  add: method("rw", NumopsArgs, none, (context, args) => apply(context, args, (a, b) => a + b)),
  mul: method("rw", NumopsArgs, none, (context, args) => apply(context, args, (a, b) => a * b)),
});

const PRECISION = 10;
const DECIMAL = /^[ \t\n\v\f\r]*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i;
const HEX = /^[ \t\n\v\f\r]*([+-]?)0x([0-9a-f]+)$/i;
const WORD = /^[ \t\n\v\f\r]*([+-]?)(inf|infinity|nan)$/i;

/** The number that strtod reads, if it reads it all; the empty text is 0, as there. */
function parse(text: string): number | undefined {
  if (text === "") return 0;
  const decimal = DECIMAL.exec(text);
  if (decimal !== null) return Number(decimal[1]);
  const sign = (s: string | undefined) => (s === "-" ? -1 : 1);
  const hex = HEX.exec(text);
  if (hex !== null) return sign(hex[1]) * Number(`0x${hex[2]}`);
  const word = WORD.exec(text);
  if (word === null) return undefined;
  return sign(word[1]) * (word[2]?.toLowerCase() === "nan" ? Number.NaN : Number.POSITIVE_INFINITY);
}

/**
 * What is no number has a sign that shows: that of the first operand which is none.
 * compat: one that comes of infinities has the sign set, as x86 makes it.
 */
function formatNan(operands: readonly string[]): string {
  const first = operands.find((text) => Number.isNaN(parse(text)));
  return first === undefined || first.trimStart().startsWith("-") ? "-nan" : "nan";
}

/** As a C++ stream of that precision prints it. */
function format(x: number): string {
  if (!Number.isFinite(x)) return x < 0 ? "-inf" : "inf";
  if (x === 0) return Object.is(x, -0) ? "-0" : "0";
  const [digits = "", exponentText = "0"] = x.toExponential(PRECISION - 1).split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < PRECISION) {
    const fixed = x.toFixed(PRECISION - 1 - exponent);
    return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed;
  }
  const mantissa = digits.replace(/\.?0+$/, "");
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${size}`;
}

/** EINVAL: the operand is no number; EBADMSG: what is stored is none. A missing or empty value is 0. */
function apply(
  context: ClassContext,
  args: Infer<typeof NumopsArgs>,
  operation: (value: number, operand: number) => number,
): Result<void> {
  const operand = parse(args.operand);
  if (operand === undefined) return fail("EINVAL");
  const stored = context.omapGet(args.key);
  // compat: whatever keeps the value from being read, it counts as empty.
  const text = isFailure(stored) ? "" : byteStringOf(stored);
  const value = parse(text);
  if (value === undefined) return fail("EBADMSG");
  const result = operation(value, operand);
  const shown = Number.isNaN(result) ? formatNan([text, args.operand]) : format(result);
  return context.omapSet([[args.key, bytesOf(shown)]]);
}
