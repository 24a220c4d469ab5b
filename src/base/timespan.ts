/**
 * Spans of time in words, as Ceph prints and reads them.
 * ceph: src/common/ceph_time.cc timespan_str, parse_timespan
 */

/** How long ago, coarse: `0.5s`, `90s`, `4m`, `3h`, `2d`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 2) return `${Number(seconds.toPrecision(6))}s`;
  const whole = Math.floor(seconds);
  if (whole < 120) return `${whole}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 14) return `${days}d`;
  if (days < 7 * 12) return `${Math.floor(days / 7)}w`;
  if (days < 30 * 24) return `${Math.floor(days / 30)}M`;
  return `${Math.floor(days / 365)}y`;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Seconds by every name of a unit. */
const UNITS: ReadonlyMap<string, number> = new Map(
  (
    [
      [1, "s sec second seconds"],
      [MINUTE, "m min minute minutes"],
      [HOUR, "h hr hour hours"],
      [DAY, "d day days"],
      [7 * DAY, "w wk week weeks"],
      [30 * DAY, "mo month months"],
      [365 * DAY, "y yr year years"],
    ] as const
  ).flatMap(([seconds, names]) => names.split(" ").map((name) => [name, seconds])),
);

/** Seconds of `90`, `1h30m`, `2 hours 5 min`, or why they are none. */
export function parseTimespan(text: string): number | { error: string } {
  let seconds = 0;
  let rest = text.trimStart();
  while (rest !== "") {
    const [all, digits, unit] = /^(\d+)\s*([A-Za-z]*)/.exec(rest) ?? [];
    if (all === undefined) return { error: "expected digit" };
    rest = rest.slice(all.length);
    const factor = unit === "" ? 1 : UNITS.get(unit ?? "");
    if (unit === "" && rest !== "") return { error: `unexpected trailing '${rest}'` };
    // compat: upstream's spelling.
    if (factor === undefined) return { error: `unrecogized unit '${unit}'` };
    seconds += Number(digits) * factor;
    rest = rest.trimStart();
  }
  return seconds;
}
