/** utime_t: seconds and nanoseconds.  ceph: src/include/utime.h */

import { type Codec, type Infer, record, u32 } from "../encoding/index.ts";

export const Utime = record("utime_t", { sec: u32, nsec: u32 });
export type Utime = Infer<typeof Utime>;

export const UTIME_ZERO: Utime = Object.freeze({ sec: 0, nsec: 0 });

/** From milliseconds since 1970, as a Clock gives them. */
export function utimeFromMs(ms: number): Utime {
  const sec = Math.floor(ms / 1000);
  return { sec, nsec: Math.floor((ms - sec * 1000) * 1_000_000) };
}

/** Milliseconds since 1970. */
export function utimeToMs(t: Utime): number {
  return t.sec * 1000 + t.nsec / 1_000_000;
}

export function compareUtime(a: Utime, b: Utime): number {
  return a.sec - b.sec || a.nsec - b.nsec;
}

/** `2026-11-23T04:27:22.123456+0000`, as Ceph prints it in UTC. */
export function formatUtime(t: Utime): string {
  const date = new Date(t.sec * 1000).toISOString().slice(0, 19);
  return `${date}.${String(Math.floor(t.nsec / 1000)).padStart(6, "0")}+0000`;
}

/** A ceph::real_time has the same layout as utime_t. */
export const RealTime: Codec<Utime> = Utime;
