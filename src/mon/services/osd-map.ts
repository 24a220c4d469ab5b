/**
 * The OSD map's history and the one way to change it.
 *
 * Changes that arrive while one is being written wait and share the next epoch. A mutator validates, then
 * edits the pending incremental; it sees what earlier mutators of the same epoch did. Order for each epoch:
 * encode, store (incremental, now and then the full map), durable, publish, answer. So nobody ever sees an
 * epoch that a power cut could take back.
 * The last 500 epochs are kept: a client further behind gets the newest full map. A full map is only a shortcut: one
 * that is too large for the store is left out, and older epochs are kept for as long as they are needed instead.
 * ceph: src/mon/OSDMonitor.cc
 */

import { assert, type Clock, must } from "../../base/index.ts";
import { decodeFromBytes, encodeToBytes } from "../../encoding/index.ts";
import {
  applyIncremental,
  commitIncremental,
  encodeOsdMap,
  newIncremental,
  OsdMap,
  OsdMapIncremental,
} from "../../maps/index.ts";
import { TooLargeError } from "../../store/index.ts";
import { IntervalSet, IntervalSetCodec, utimeFromMs } from "../../types/index.ts";
import { type Change, type MonStore, numberKey } from "../mon-store.ts";

/** Epochs kept. */
export const OSDMAP_EPOCHS_MAX = 500;
/** A full map is stored every so many epochs; between them incrementals are applied. */
const FULL_INTERVAL = 25;
/** Epochs let go with one that is stored: what that takes has a bound. */
const LET_GO_MAX = 1000;

export interface OsdMapUpdate {
  readonly epoch: number;
  readonly incremental: Uint8Array;
  readonly full: Uint8Array;
  readonly map: OsdMap;
}

/** Snaps by pool whose objects are all trimmed. */
type Purged = ReadonlyMap<number, IntervalSet>;

/** The next epoch while it is being put together. */
export class PendingMap {
  readonly base: OsdMap;
  readonly #inc: OsdMapIncremental;
  readonly #purged: Purged;
  /** By pool, what it has purged from this epoch on; undefined: it is gone. */
  readonly newPurged = new Map<number, IntervalSet | undefined>();
  #map: OsdMap | undefined;
  #dirty = false;

  constructor(base: OsdMap, purged: Purged) {
    this.base = base;
    this.#purged = purged;
    this.#inc = newIncremental(base);
    this.#map = base;
  }

  get isDirty(): boolean {
    return this.#dirty;
  }

  get incremental(): OsdMapIncremental {
    return this.#inc;
  }

  /** The epoch this will be. */
  get epoch(): number {
    return this.#inc.epoch;
  }

  /** The map with everything edited so far. */
  get map(): OsdMap {
    this.#map ??= applyIncremental(this.base, this.#inc);
    return this.#map;
  }

  edit(fn: (inc: OsdMapIncremental) => void): void {
    this.#dirty = true;
    this.#map = undefined;
    fn(this.#inc);
  }

  /** Snaps of a pool whose objects are all trimmed. */
  purgedSnaps(pool: number): IntervalSet {
    const purged = this.newPurged.has(pool) ? this.newPurged.get(pool) : this.#purged.get(pool);
    return purged ?? new IntervalSet();
  }
}

/** Thrown by a change that has edited nothing: it cannot share the epoch with those before it, and is made on the next. */
export class NextEpoch extends Error {}

interface Queued {
  readonly mutate: (pending: PendingMap) => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class OsdMapService {
  readonly #store: MonStore;
  readonly #clock: Clock;
  readonly #listeners = new Set<(update: OsdMapUpdate) => void>();
  readonly #queue: Queued[] = [];
  readonly #purged = new Map<number, IntervalSet>();
  #map: OsdMap;
  #full: Uint8Array;
  /** Epochs whose full maps are stored, ascending, without those that are being let go. */
  #fulls: readonly number[];
  /** The first of which anything is stored. */
  #first: number;
  #scheduled = false;

  /** Reads the newest map back; there must be one (see `create`). */
  constructor(store: MonStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    const fulls = [...store.entries("osdmap", "f/")].filter(([key]) => key.startsWith("f/"));
    const last = fulls.at(-1);
    assert(last !== undefined, "no osdmap in the monitor's store");
    const epochOf = ([key]: [string, Uint8Array]) => Number.parseInt(key.slice(2), 16);
    this.#fulls = fulls.map(epochOf);
    this.#first = this.oldestEpoch;
    for (const entry of store.entries("osdmap", "i/")) {
      if (entry[0].startsWith("i/")) this.#first = Math.min(this.#first, epochOf(entry));
      break;
    }
    let map = decodeFromBytes(OsdMap, Uint8Array.from(last[1]));
    for (;;) {
      const bytes = this.incremental(map.epoch + 1);
      if (bytes === undefined) break;
      map = applyIncremental(map, decodeFromBytes(OsdMapIncremental, bytes));
    }
    this.#map = map;
    this.#full = encodeOsdMap(map).bytes;
    for (const [key, value] of store.entries("osdmap", "p/")) {
      if (!key.startsWith("p/")) continue;
      this.#purged.set(Number(key.slice(2)), decodeFromBytes(IntervalSetCodec, value));
    }
  }

  static hasMap(store: MonStore): boolean {
    for (const [key] of store.entries("osdmap")) if (key.startsWith("f/")) return true;
    return false;
  }

  /** Stores the first map. */
  static async create(store: MonStore, map: OsdMap): Promise<void> {
    const { bytes } = encodeOsdMap(map);
    await store.commit([{ service: "osdmap", key: numberKey("f/", map.epoch), value: bytes }]);
  }

  get map(): OsdMap {
    return this.#map;
  }

  /** The newest map's bytes. */
  get full(): Uint8Array {
    return this.#full;
  }

  /** The first that can be shown; what leads to it is not kept. */
  get oldestEpoch(): number {
    return must(this.#fulls[0], "a full map");
  }

  onMap(listener: (update: OsdMapUpdate) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The change that led to `epoch`; undefined if it is not kept. */
  incremental(epoch: number): Uint8Array | undefined {
    const value = this.#store.get("osdmap", numberKey("i/", epoch));
    return value === undefined ? undefined : Uint8Array.from(value);
  }

  /** The full map of an epoch; undefined if it is not kept. */
  mapAt(epoch: number): OsdMap | undefined {
    if (epoch === this.#map.epoch) return this.#map;
    if (epoch < this.oldestEpoch || epoch > this.#map.epoch) return undefined;
    for (let at = epoch; at >= this.oldestEpoch; at--) {
      const bytes = this.#store.get("osdmap", numberKey("f/", at));
      if (bytes === undefined) continue;
      let map = decodeFromBytes(OsdMap, Uint8Array.from(bytes));
      while (map.epoch < epoch) {
        const inc = this.incremental(map.epoch + 1);
        if (inc === undefined) return undefined;
        map = applyIncremental(map, decodeFromBytes(OsdMapIncremental, inc));
      }
      return map;
    }
    return undefined;
  }

  /** Incrementals after `epoch`, oldest first; undefined if some are gone. */
  since(epoch: number): Uint8Array[] | undefined {
    const out: Uint8Array[] = [];
    for (let at = epoch + 1; at <= this.#map.epoch; at++) {
      const inc = this.incremental(at);
      if (inc === undefined) return undefined;
      out.push(inc);
    }
    return out;
  }

  /**
   * Runs `mutate` on the next epoch and resolves with its result once that epoch is durable and published;
   * if nothing was edited, once everything before is. A `NextEpoch` that it throws has it run again.
   */
  change<T>(mutate: (pending: PendingMap) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ mutate, resolve: resolve as (result: unknown) => void, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      this.#clock.defer(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0);
      const pending = new PendingMap(this.#map, this.#purged);
      const made: { queued: Queued; result: unknown }[] = [];
      for (const [i, queued] of batch.entries()) {
        try {
          made.push({ queued, result: queued.mutate(pending) });
        } catch (error) {
          if (error instanceof NextEpoch && pending.isDirty) {
            // With all that come after it: they may build on it.
            this.#queue.unshift(...batch.slice(i));
            break;
          }
          queued.reject(error);
        }
      }
      try {
        if (pending.isDirty) await this.#commit(pending);
        for (const { queued, result } of made) queued.resolve(result);
      } catch (error) {
        for (const { queued } of made) queued.reject(error);
      }
    }
    this.#scheduled = false;
  }

  async #commit(pending: PendingMap): Promise<void> {
    const inc = pending.incremental;
    inc.modified = utimeFromMs(this.#clock.now());
    const { map, full, incremental } = commitIncremental(pending.base, inc);
    const changes: Change[] = [
      ...[...pending.newPurged].map(([pool, purged]): Change => {
        const value = purged === undefined ? undefined : encodeToBytes(IntervalSetCodec, purged);
        return { service: "osdmap", key: `p/${pool}`, value };
      }),
      { service: "osdmap", key: numberKey("i/", map.epoch), value: incremental },
    ];
    const keepFrom = map.epoch - OSDMAP_EPOCHS_MAX;
    const fulls = this.#fulls.slice(
      Math.max(
        0,
        this.#fulls.findLastIndex((at) => at <= keepFrom),
      ),
    );
    const first = Math.min(fulls[0] ?? this.#first, this.#first + LET_GO_MAX);
    for (let at = this.#first; at < first; at++) {
      changes.push({ service: "osdmap", key: numberKey("f/", at), value: undefined });
      changes.push({ service: "osdmap", key: numberKey("i/", at), value: undefined });
    }
    const isFullStored = await this.#save(changes, map.epoch, full);
    this.#fulls = isFullStored ? [...fulls, map.epoch] : fulls;
    this.#first = first;
    this.#map = map;
    this.#full = full;
    for (const [pool, purged] of pending.newPurged) {
      if (purged === undefined) this.#purged.delete(pool);
      else this.#purged.set(pool, purged);
    }
    const update: OsdMapUpdate = { epoch: map.epoch, incremental, full, map };
    for (const listener of this.#listeners) listener(update);
  }

  /** Makes changes durable, with the epoch's full map if one is due. @returns whether that is stored */
  async #save(changes: readonly Change[], epoch: number, full: Uint8Array): Promise<boolean> {
    if (epoch % FULL_INTERVAL === 0) {
      try {
        const key = numberKey("f/", epoch);
        await this.#store.commit([...changes, { service: "osdmap", key, value: full }]);
        return true;
      } catch (error) {
        if (!(error instanceof TooLargeError)) throw error;
      }
    }
    await this.#store.commit(changes);
    return false;
  }
}
