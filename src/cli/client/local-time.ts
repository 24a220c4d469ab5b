/**
 * Times as Ceph's tools print them, in the user's own zone.
 * ceph: src/include/utime.h localtime
 */

/** Shorter times are spans, not dates. */
const YEARS_10_SECONDS = 10 * 365 * 24 * 60 * 60;

const digits = (x: number, count = 2) => String(x).padStart(count, "0");

/** `2026-11-29T14:57:00.123456+0000`; of a span `12.500000`. */
export function formatLocalTime({ sec, nsec }: { readonly sec: number; readonly nsec: number }) {
  const micros = digits(Math.floor(nsec / 1000), 6);
  if (sec < YEARS_10_SECONDS) return `${sec}.${micros}`;
  const t = new Date(sec * 1000);
  const date = `${digits(t.getFullYear(), 4)}-${digits(t.getMonth() + 1)}-${digits(t.getDate())}`;
  const time = `${digits(t.getHours())}:${digits(t.getMinutes())}:${digits(t.getSeconds())}`;
  const east = -t.getTimezoneOffset();
  const zone = digits(Math.floor(Math.abs(east) / 60)) + digits(Math.abs(east) % 60);
  return `${date}T${time}.${micros}${east < 0 ? "-" : "+"}${zone}`;
}

/** `2026.11.29 14:57:00`. ceph: src/tools/rados/rados.cc lssnap */
export function formatDottedTime(ms: number): string {
  const t = new Date(ms);
  const date = `${digits(t.getFullYear(), 4)}.${digits(t.getMonth() + 1)}.${digits(t.getDate())}`;
  return `${date} ${digits(t.getHours())}:${digits(t.getMinutes())}:${digits(t.getSeconds())}`;
}
