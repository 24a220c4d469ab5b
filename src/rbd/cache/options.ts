/**
 * How an image's data is cached: librbd's options, in our words.
 * ceph: src/common/options.cc, src/librbd/image/OpenRequest.cc send_init_cache
 */

import { imageError } from "../errors.ts";
import { READ_AHEAD_DEFAULT, type ReadAheadOptions } from "./read-ahead.ts";

/**
 * - `writearound`: writes are acknowledged at once and are on their way; reads find nothing but those.
 * - `writeback`: writes are acknowledged at once and written later, together; what was read or written is kept for
 *   reads.
 * - `writethrough`: writes are acknowledged once they are stable; what was read or written is kept for reads.
 */
export type CachePolicy = "writearound" | "writeback" | "writethrough";

export interface CacheOptions {
  /** ceph: rbd_cache_policy. @default "writearound" */
  readonly policy?: CachePolicy;
  /** Bytes of memory; an extent counts for 4 KiB at least.  ceph: rbd_cache_size. @default 32 MiB */
  readonly size?: number;
  /**
   * Bytes that are acknowledged and not stable, at most: then writes wait. 0: as `writethrough`.
   * ceph: rbd_cache_max_dirty. @default 24 MiB, and never more than `size`
   */
  readonly maxDirty?: number;
  /** Bytes from which on the oldest are written.  ceph: rbd_cache_target_dirty. @default 16 MiB */
  readonly targetDirty?: number;
  /** After so long they are written anyway.  ceph: rbd_cache_max_dirty_age, in seconds. @default 1000 */
  readonly maxDirtyAgeMs?: number;
  /**
   * Writes are acknowledged once they are stable until the first `flush`: who never flushes loses nothing.
   * ceph: rbd_cache_writethrough_until_flush. @default true
   */
  readonly writethroughUntilFlush?: boolean;
  /** Not with `writearound`, which has nowhere to keep it. */
  readonly readAhead?: ReadAheadOptions;
}

export interface CacheSettings extends Required<CacheOptions> {
  readonly readAhead: Required<ReadAheadOptions>;
}

const POLICIES: readonly CachePolicy[] = ["writearound", "writeback", "writethrough"];

/** @throws CephError EINVAL: no such policy, or a number that is none of bytes, requests or milliseconds */
export function cacheSettings(options: CacheOptions, image: string): CacheSettings {
  const {
    policy = "writearound",
    size = 32 << 20,
    maxDirty = 24 << 20,
    targetDirty = 16 << 20,
    maxDirtyAgeMs = 1000,
    writethroughUntilFlush = true,
  } = options;
  const readAhead = { ...READ_AHEAD_DEFAULT, ...options.readAhead };
  const refuse = (what: string) => imageError("EINVAL", "cache", image, what);
  if (!POLICIES.includes(policy)) throw refuse(`policy ${policy}`);
  const numbers = { size, maxDirty, targetDirty, maxDirtyAgeMs, ...readAhead };
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value >= 0 && Number.isFinite(value))) throw refuse(`${name} ${value}`);
  }
  return {
    policy,
    size,
    maxDirty: Math.min(maxDirty, size),
    targetDirty: Math.min(targetDirty, maxDirty, size),
    maxDirtyAgeMs,
    writethroughUntilFlush,
    readAhead,
  };
}
