/**
 * Empties and removes the collection of a PG whose pool is gone, some objects per turn, so that clients of
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
import { HOBJECT_MIN } from "../types/index.ts";

/** Objects removed in one transaction. */
const BATCH = 64;
/** What finds no room, for a removal takes some first, is tried again after this time. */
const RETRY_MS = 5000;

/** @param isStopped asked before every step: the store may be about to close */
export function removeCollection(
  store: ObjectStore,
  collection: CollectionId,
  clock: Clock,
  log: Logger,
  isStopped: () => boolean,
): void {
  const next = () => {
    if (isStopped() || !store.hasCollection(collection)) return;
    try {
      if (step()) clock.defer(next);
    } catch (error) {
      if (error instanceof NoSpaceError) {
        clock.after(RETRY_MS, next);
      } else if (error instanceof CorruptionError) {
        log.error("a removed pool's objects stay", { collection, why: error.message });
      } else {
        throw error;
      }
    }
  };
  /** True: there are more. */
  const step = () => {
    const { objects, next } = store.list(collection, HOBJECT_MIN, BATCH);
    const ops: StoreOp[] = objects.map((object) => ({ op: "remove", object }));
    if (next === undefined) ops.push({ op: "remove-collection", collection });
    store.submit({ collection, ops });
    return next !== undefined;
  };
  clock.defer(next);
}
