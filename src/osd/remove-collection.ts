/**
 * Empties and removes the collections of PGs whose pool is gone, some objects or keys per turn, so that clients of
 * other pools do not wait for it. After a restart it simply goes on. What cannot be read stays.
 */

import type { Clock, Logger } from "../base/index.ts";
import {
  type CollectionId,
  CorruptionError,
  NoSpaceError,
  type ObjectStore,
  type StoreOp,
} from "../store/index.ts";
import { HOBJECT_MIN, type HObject } from "../types/index.ts";

/** Objects removed in one transaction, */
const BATCH = 64;
/** and keys of their omap: an image directory may have hundreds of thousands. */
const KEYS_MAX = 4096;
/** What finds no room, for a removal takes some first, or is in use is tried again after this time. */
const RETRY_MS = 5000;

export interface RemovalHost {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Asked before every step: the store may be about to close. */
  readonly isStopped: () => boolean;
  /** Asked likewise: it may have been made anew. */
  readonly isInUse: (collection: CollectionId) => boolean;
}

export class CollectionRemoval {
  readonly #host: RemovalHost;
  /** Being removed: every map asks for it again. */
  readonly #underWay = new Set<CollectionId>();

  constructor(host: RemovalHost) {
    this.#host = host;
  }

  /** Begins with it, unless that has been done. */
  begin(collection: CollectionId): void {
    if (this.#underWay.has(collection)) return;
    this.#underWay.add(collection);
    this.#host.clock.defer(() => this.#turn(collection));
  }

  #turn(collection: CollectionId): void {
    const { clock, log, isStopped, isInUse } = this.#host;
    const next = () => this.#turn(collection);
    if (isStopped()) return;
    try {
      if (isInUse(collection)) clock.after(RETRY_MS, next);
      else if (this.#step(collection)) clock.defer(next);
      else this.#underWay.delete(collection);
    } catch (error) {
      if (error instanceof NoSpaceError) {
        clock.after(RETRY_MS, next);
      } else if (error instanceof CorruptionError) {
        this.#underWay.delete(collection);
        log.error("a removed pool's objects stay", { collection, why: error.message });
      } else {
        throw error;
      }
    }
  }

  /** True: there are more. */
  #step(collection: CollectionId): boolean {
    const { store } = this.#host;
    if (!store.hasCollection(collection)) return false;
    const { objects, next } = store.list(collection, HOBJECT_MIN, BATCH);
    const ops: StoreOp[] = [];
    let keysLeft = KEYS_MAX;
    for (const object of objects) {
      const keys = this.#firstKeys(collection, object, keysLeft);
      keysLeft -= keys.count;
      if (keysLeft === 0) {
        ops.push({ op: "omap-remove-range", object, from: "", to: `${keys.last}\x00` });
        break;
      }
      ops.push({ op: "remove", object });
    }
    const isLast = next === undefined && keysLeft > 0;
    if (isLast) ops.push({ op: "remove-collection", collection });
    store.submit({ collection, ops });
    return !isLast;
  }

  #firstKeys(collection: CollectionId, object: HObject, max: number) {
    let count = 0;
    let last = "";
    for (const [key] of this.#host.store.omapEntries(collection, object)) {
      last = key;
      if (++count === max) break;
    }
    return { count, last };
  }
}
