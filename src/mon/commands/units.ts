/**
 * Parts and sizes in words, as Ceph prints and reads them.
 * ceph: src/common/strtol.cc
 */

export { formatAge, formatBytes, formatCount } from "../../base/index.ts";

/** A part of one in percent: `0` below a hundredth of a percent. */
export function formatPercent(part: number): string {
  const percent = part * 100;
  return percent < 0.01 ? "0" : percent.toFixed(2);
}

/** Powers by their letters. */
const UNITS = "BKMGTPE";

/**
 * A count with an optional unit, or why it is none: `10`, `10K` in thousands; in powers of 1024 `10Ki` and `10B`, too.
 * ceph: strict_iec_cast, strict_si_cast
 */
export function parseSize(text: string, base: 1000 | 1024): number | { error: string } {
  const name = base === 1024 ? "strict_iecstrtoll" : "strict_sistrtoll";
  if (text === "") return { error: `${name}: value not specified` };
  const [, digits = "", unit = ""] = /^([0-9+-]*)(.*)$/s.exec(text) ?? [];
  const letter = base === 1024 ? unit.slice(0, 1) : unit.slice(-1);
  const power = UNITS.indexOf(letter);
  if (base === 1024 && unit.startsWith("B") && unit.endsWith("i")) {
    return { error: `${name}: illegal prefix "Bi"` };
  }
  if (base === 1024 && unit.length > 2) return { error: `${name}: illegal prefix (length > 2)` };
  if (power < 0) {
    const who = base === 1024 ? name : "strict_si_cast";
    return { error: `${who}: unit prefix not recognized` };
  }
  // compat: of thousands only the last letter is a unit, and B is none.
  const number = base === 1024 || unit === "" ? digits : power > 0 ? text.slice(0, -1) : text;
  if (!/^[+-]?\d+$/.test(number)) {
    return { error: `Expected option value to be integer, got '${number}'` };
  }
  const value = Number(number) * base ** power;
  if (!Number.isSafeInteger(value)) return { error: `${name}: value seems to be too large` };
  return value;
}
