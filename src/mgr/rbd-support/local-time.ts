/**
 * Times in the zone of the machine, as the modules print and schedule them.
 * compat: Python's datetime.now() has no zone.
 */

/** Milliseconds of a clock on the wall that would show UTC what ours shows here. */
export function wallMs(nowMs: number): number {
  return nowMs - new Date(nowMs).getTimezoneOffset() * 60_000;
}

/** `2026-11-28T22:40:47.647002` */
export function localIso(ms: number): string {
  const micros = String(Math.floor((ms * 1000) % 1_000_000)).padStart(6, "0");
  const seconds = new Date(wallMs(ms)).toISOString().slice(0, 19);
  // Python leaves out a fraction of zero.
  return micros === "000000" ? seconds : `${seconds}.${micros}`;
}

/** `2026-11-28 22:40:00`, of wall milliseconds. */
export function formatWall(wall: number): string {
  return new Date(wall).toISOString().slice(0, 19).replace("T", " ");
}
