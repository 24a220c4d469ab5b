/**
 * Where the acceptors get keys, caps and global ids from: the monitor's auth service implements these.
 */

import type { AuthEntity } from "../types/index.ts";
import type { EntityCaps } from "./caps.ts";
import type { CryptoKey } from "./crypto-key.ts";

/** What the monitor knows of an entity. */
export interface EntityAuth {
  readonly key: CryptoKey;
  readonly caps: EntityCaps;
}

/** The monitor's table of entities; undefined for one that does not exist. Asked anew at each use. */
export type KeyLookup = (entity: AuthEntity) => EntityAuth | undefined;

/**
 * Source of global ids. An id is given out once in the life of a cluster: image ids and the duplicate
 * table of the OSDs hang on it.
 */
export interface GlobalIds {
  /** An id never given out before, also not before a restart; undefined: there is none to be had at the moment. */
  allocate(): bigint | undefined;
  /** Was this id ever given out? */
  wasAllocated(globalId: bigint): boolean;
}

/** What method none grants, as upstream does: everything, everywhere. */
export const ALLOW_ALL_CAPS: EntityCaps = Object.freeze({
  mon: "allow *",
  osd: "allow *",
  mgr: "allow *",
  mds: "allow *",
});
