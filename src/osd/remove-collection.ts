/**
 * Empties and removes the collection of a PG whose pool is gone, some objects per turn, so that clients of
 * other pools do not wait for it. After a restart it simply goes on.
 */

import type { Clock } from "../base/index.ts";
import type { CollectionId, ObjectStore, StoreOp } from "../store/index.ts";
import { HOBJECT_MIN } from "../types/index.ts";

/** Objects removed in one transaction. */
const BATCH = 64;

/** @param isStopped asked before every step: the store may be about to close */
export function removeCollection(
  store: ObjectStore,
  collection: CollectionId,
  clock: Clock,
  isStopped: () => boolean,
): void {
  const step = () => {
    if (isStopped() || !store.hasCollection(collection)) return;
    const { objects, next } = store.list(collection, HOBJECT_MIN, BATCH);
    const ops: StoreOp[] = objects.map((object) => ({ op: "remove", object }));
    if (next === undefined) ops.push({ op: "remove-collection", collection });
    store.submit({ collection, ops });
    if (next !== undefined) clock.defer(step);
  };
  clock.defer(step);
}
