/**
 * Sizes as Ceph's command lines take them: `4096`, `64K`, `4M`, `4Mi`.
 * ceph: src/common/strtol.cc strict_iec_cast
 */

const SHIFTS: Readonly<Record<string, number>> = {
  B: 0,
  K: 10,
  M: 20,
  G: 30,
  T: 40,
  P: 50,
  E: 60,
};

/** @returns the number, or what is wrong in the original's words */
export function parseIecSize(text: string): number | { readonly error: string } {
  const wrong = (what: string) => ({ error: `strict_iecstrtoll: ${what}` });
  if (text === "") return wrong("value not specified");
  const [, digits = "", unit = ""] = /^([0-9+-]*)(.*)$/s.exec(text) ?? [];
  if (unit.endsWith("i") && unit.startsWith("B")) return wrong('illegal prefix "Bi"');
  if (unit.length > 2) return wrong("illegal prefix (length > 2)");
  const shift = unit === "" ? 0 : SHIFTS[unit.charAt(0)];
  if (shift === undefined) return wrong("unit prefix not recognized");
  if (!/^[+-]?\d+$/.test(digits)) {
    return { error: `Expected option value to be integer, got '${digits}'` };
  }
  const value = Number(digits);
  if (value < 0) return wrong("value should not be negative");
  if (value * 2 ** shift >= 2 ** 64) return wrong("value seems to be too large");
  return value * 2 ** shift;
}
