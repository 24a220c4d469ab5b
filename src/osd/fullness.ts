/**
 * How full this OSD is: by the map's ratios for the monitor, which then tells clients to hold their writes;
 * and the failsafe, which drops the writes of clients that have not heard yet.
 *
 * A dropped write is not lost: its client resends every write once a map has said that the pool is full.
 * So the failsafe, once entered, ends only under such a map; and as some of a client's writes may have been
 * dropped, those it sent before it had that map are dropped too, or they would overtake.
 * The failsafe is entered at its ratio, and whenever the store refuses a write, whatever the ratio.
 * ceph: src/osd/OSD.cc recalc_full_state, src/osd/PrimaryLogPG.cc do_op,
 * src/osd/PeeringState.cc check_full_transition
 */

import type { Clock, Logger } from "../base/index.ts";
import { type OsdFullness, type OsdMap, type PgPool, POOL_FLAG } from "../maps/index.ts";
import type { MOSDOp } from "../messages/index.ts";
import type { ObjectStore } from "../store/index.ts";
import { hasFlag } from "./request.ts";

/** ceph: osd_failsafe_full_ratio */
const FAILSAFE_RATIO = 0.97;
/**
 * The failsafe lasts this long after a refusal, milliseconds: a store that has room again, but not as much
 * as one large write needs, must not be tried all the time.
 */
const REFUSED_MS = 2000;
/** Between two looks at the store, at least: bytes written. */
const LOOK_BYTES_MIN = 1 << 20;
/** What a request may take in the store beyond its data. */
const REQUEST_BYTES = 4096;

export interface FullnessHost {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Fullness {
  /** A monitor that hears of it in time keeps clients from writing what would have to be dropped. */
  readonly #changed: () => void;
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  #map: OsdMap;
  #byRatio: OsdFullness = "none";
  #failsafe = false;
  #refusedAt = Number.NEGATIVE_INFINITY;
  #bytesToLook = 0;
  /** Epochs in which pools became full. */
  readonly #markedFull = new Map<number, number>();

  constructor(host: FullnessHost, map: OsdMap, changed: () => void) {
    this.#changed = changed;
    this.#store = host.store;
    this.#clock = host.clock;
    this.#log = host.log;
    this.#map = map;
    // When it became full is forgotten; a client that does not know yet is behind this map in any case.
    for (const [id, pool] of map.pools) {
      if ((pool.flags & POOL_FLAG.FULL) !== 0) this.#markedFull.set(id, map.epoch);
    }
    this.look();
  }

  /** What the monitor should know. */
  get level(): OsdFullness {
    return this.#failsafe ? "full" : this.#byRatio;
  }

  /** Looks at the store. */
  look(): void {
    const { total, available } = this.#store.statfs();
    const used = total - available;
    const ratio = total === 0 ? 0 : used / total;
    const { nearfullRatio } = this.#map;
    const backfillfullRatio = Math.max(this.#map.backfillfullRatio, nearfullRatio);
    const fullRatio = Math.max(this.#map.fullRatio, backfillfullRatio);
    const failsafeRatio = Math.max(FAILSAFE_RATIO, fullRatio);
    if (ratio > fullRatio) this.#byRatio = "full";
    else if (ratio > backfillfullRatio) this.#byRatio = "backfillfull";
    else if (ratio > nearfullRatio) this.#byRatio = "nearfull";
    else this.#byRatio = "none";
    if (ratio > failsafeRatio) this.#setFailsafe(true);
    else if (this.#failsafe && this.#mayEnd) this.#setFailsafe(false);
    const next = [nearfullRatio, backfillfullRatio, fullRatio, failsafeRatio].find(
      (r) => r >= ratio,
    );
    // Halfway to the next ratio: what is written can take more room than its bytes.
    const distance = next === undefined ? 0 : (next * total - used) / 2;
    this.#bytesToLook = Math.max(LOOK_BYTES_MIN, distance);
  }

  #setFailsafe(on: boolean): void {
    if (on === this.#failsafe) return;
    this.#failsafe = on;
    this.#log.warn(on ? "no space: dropping writes" : "space again: no longer dropping writes");
  }

  get #mayEnd(): boolean {
    if (this.#clock.monotonic() - this.#refusedAt < REFUSED_MS) return false;
    for (const pool of this.#map.pools.values()) {
      if ((pool.flags & POOL_FLAG.FULL) === 0) return false;
    }
    return true;
  }

  /** A write with so much data has been taken. */
  took(bytes: number): void {
    this.#bytesToLook -= bytes + REQUEST_BYTES;
    if (this.#bytesToLook > 0) return;
    const before = this.level;
    this.look();
    if (this.level !== before) this.#changed();
  }

  /** The store had no room for a write. */
  refused(): void {
    const before = this.level;
    this.#setFailsafe(true);
    this.#refusedAt = this.#clock.monotonic();
    if (this.level !== before) this.#changed();
  }

  /** A new map. @returns whether a pool has become full */
  mapChanged(map: OsdMap): boolean {
    const before = this.#map;
    this.#map = map;
    let news = false;
    for (const [id, pool] of map.pools) {
      const wasFull = ((before.pools.get(id)?.flags ?? 0) & POOL_FLAG.FULL) !== 0;
      if (wasFull || (pool.flags & POOL_FLAG.FULL) === 0) continue;
      this.#markedFull.set(id, map.epoch);
      news = true;
    }
    for (const id of this.#markedFull.keys()) if (!map.pools.has(id)) this.#markedFull.delete(id);
    return news;
  }

  /** Is this write to be dropped? Its client resends it when there is room, and in order. */
  drops(message: MOSDOp, pool: number): boolean {
    if (hasFlag(message, "FULL_TRY")) return false;
    if (this.#failsafe) return true;
    if (hasFlag(message, "FULL_FORCE")) return false;
    return (this.#markedFull.get(pool) ?? 0) > message.mapEpoch;
  }
}

/** Does the pool take growth, and if not, why? */
export function poolFullness(pool: PgPool): "no" | "quota" | "space" {
  if ((pool.flags & POOL_FLAG.FULL) === 0) return "no";
  return (pool.flags & POOL_FLAG.FULL_QUOTA) !== 0 ? "quota" : "space";
}
