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

const PREFIXES = "KMGTPE";

/** A count with an optional unit (`10`, `10K`, `10Ki`, `10M`), or why it is none. */
export function parseSize(text: string, base: 1000 | 1024): number | { error: string } {
  const name = base === 1024 ? "strict_iecstrtoll" : "strict_sistrtoll";
  const match = /^\s*([+-]?\d+)\s*([A-Za-z]*)\s*$/.exec(text);
  if (match === null) {
    return {
      error: /^\s*[+-]?\d/.test(text)
        ? `${name}: illegal unit prefix`
        : `${name}: unit prefix not recognized`,
    };
  }
  const unit = match[2] ?? "";
  const power =
    unit === "" || unit === "B" ? 0 : PREFIXES.indexOf(unit[0]?.toUpperCase() ?? "") + 1;
  if (power === 0 && unit !== "" && unit !== "B") {
    return { error: `${name}: unit prefix not recognized` };
  }
  if (unit.length > 1 && unit[1] !== "i" && unit[1] !== "B") {
    return { error: `${name}: illegal unit prefix` };
  }
  const value = Number(match[1]) * base ** power;
  if (!Number.isSafeInteger(value)) return { error: "value seems to be too large" };
  return value;
}
