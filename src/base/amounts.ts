/**
 * Sizes and counts in words, as Ceph prints them.
 * ceph: src/include/types.h byte_u_t, si_u_t
 */

/** At most seven characters, unit included: `290 MiB`, `3.7 GiB`, `19 B`. */
function scaled(x: number, base: number, units: readonly string[]): string {
  let index = 0;
  let rest = Math.floor(x);
  while (rest >= base && index < units.length - 1) {
    rest = Math.floor(rest / base);
    index++;
  }
  const unit = units[index] ?? "";
  const divisor = base ** index;
  if (index === 0 || x % divisor === 0) return `${rest}${unit}`;
  for (let precision = 2; precision > 0; precision--) {
    const text = `${(x / divisor).toFixed(precision)}${unit}`;
    if (text.length <= 7) return text;
  }
  return `${(x / divisor).toFixed(0)}${unit}`;
}

/** Bytes with binary units. */
export function formatBytes(x: number): string {
  return scaled(x, 1024, [" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"]);
}

/** Counts with decimal units: `1.23k`. */
export function formatCount(x: number): string {
  return scaled(x, 1000, ["", "k", "M", "G", "T", "P", "E"]);
}
