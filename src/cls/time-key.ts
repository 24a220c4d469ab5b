/**
 * Omap keys that sort by time, as the log and timeindex classes have them: `1_<seconds>.<microseconds>_…`.
 * ceph: src/cls/log/cls_log.cc, src/cls/timeindex/cls_timeindex.cc
 */

import type { Utime } from "../types/index.ts";

export const TIME_KEY_PREFIX = "1_";

/** What the keys of this microsecond begin with. */
export function timeKey({ sec, nsec }: Utime): string {
  const micros = Math.floor(nsec / 1000);
  return `${TIME_KEY_PREFIX}${digits(sec, 10)}.${digits(micros, 6)}_`;
}

/** Does the key come at or after what begins with `bound`? Past the length of the bound nothing counts. */
export function compareToBound(key: string, bound: string): number {
  const head = key.slice(0, bound.length);
  return head < bound ? -1 : head > bound ? 1 : 0;
}

function digits(n: number, width: number): string {
  return String(n).padStart(width, "0");
}
