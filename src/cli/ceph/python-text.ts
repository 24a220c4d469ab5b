/**
 * Numbers and lists in words, read and shown as Python does it: the original is a Python program, and what it
 * takes for a number is part of its command line.
 */

import { pythonFloat } from "../../base/index.ts";

/** A whole number, decimal or with a prefix: `-5`, `0x1f`, `1_000`; undefined if it is none. */
export function pythonInt(word: string): bigint | undefined {
  const text = word.trim();
  const forms =
    /^([+-]?)(0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|[1-9](?:_?\d)*|0(?:_?0)*)$/;
  const match = forms.exec(text);
  return match === null ? undefined : signed(match[1], match[2]);
}

/** A whole number in decimal digits, zeros in front allowed. */
export function pythonDecimal(word: string): bigint | undefined {
  const match = /^([+-]?)(\d(?:_?\d)*)$/.exec(word.trim());
  return match === null ? undefined : signed(match[1], match[2]);
}

export function isPythonHex(word: string): boolean {
  return /^[+-]?(?:0[xX]_?)?[\da-fA-F](?:_?[\da-fA-F])*$/.test(word.trim());
}

function signed(sign: string | undefined, digits: string | undefined): bigint {
  const value = BigInt((digits ?? "0").replaceAll("_", ""));
  return sign === "-" ? -value : value;
}

/** A number with or without a point and an exponent, `inf` or `nan`; undefined if it is none. */
export function pythonNumber(word: string): number | undefined {
  const text = word.trim().toLowerCase();
  const special = /^([+-]?)(inf|infinity|nan)$/.exec(text);
  if (special !== null) {
    if (special[2] === "nan") return Number.NaN;
    return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const digits = "\\d(?:_?\\d)*";
  const form = new RegExp(
    `^[+-]?(?:${digits}\\.?(?:${digits})?|\\.${digits})(?:e[+-]?${digits})?$`,
  );
  return form.test(text) ? Number(text.replaceAll("_", "")) : undefined;
}

/** `'it''s'` the way Python shows a string in a list. */
export function pythonQuoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll(/[\\'"\p{Cc}]/gu, (char) => {
    if (char === "\\") return "\\\\";
    if (char === "'" || char === '"') return char === quote ? `\\${char}` : char;
    const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[char];
    return short ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return `${quote}${escaped}${quote}`;
}

export function pythonList(items: readonly string[]): string {
  return `[${items.join(", ")}]`;
}

export { pythonFloat };
