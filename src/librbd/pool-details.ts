/** What is said to a pool of images, and what it says of them: see `Rbd`. */

import type { CallOptions } from "../librados/index.ts";
import type { CacheOptions, RateLimits } from "../rbd/index.ts";
import type { CreateOptions } from "./create-options.ts";

export interface OpenOptions extends CallOptions {
  /** No lock, no watch, and nothing is written. @default false */
  readonly readOnly?: boolean;
  /** Reads as it was then; read-only. */
  readonly snapshot?: string;
  /**
   * How fast it may be read and written; true: as the options `rbd_qos_…` have it that are the client's, the pool's and
   * the image's own. @default as fast as it goes
   */
  readonly limits?: RateLimits | boolean;
  /** How its data is cached; true: as the client's options have it (`rbd_cache` and what begins so). @default false */
  readonly cache?: CacheOptions | boolean;
}

export interface CloneOptions extends CreateOptions {
  /** 1: of a protected snapshot, the old kind. @default 2 where all clients of the cluster know it */
  readonly format?: 1 | 2;
}

export interface MigrationOptions extends CreateOptions {
  /** The destination of a clone shows no parent in the end, but has all of it. @default false */
  readonly flatten?: boolean;
}

export interface TrashEntry {
  readonly id: string;
  readonly name: string;
  readonly source: TrashSource;
  /** Milliseconds since 1970. */
  readonly deletedMs: number;
  /** Not to be removed before, milliseconds since 1970. */
  readonly keptUntilMs: number;
}

/** Who has put an image into the trash; "" if that is nobody we know. In the order of their numbers. */
export const TRASH_SOURCES = ["user", "mirroring", "migration", "removing", "user-parent"] as const;
export type TrashSource = (typeof TRASH_SOURCES)[number] | "";

export interface GroupMember {
  readonly pool: string;
  readonly image: string;
  /** It is wholly in the group; if not, somebody is adding or removing it. */
  readonly isAttached: boolean;
}
