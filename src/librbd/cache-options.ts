/** How an image is cached: as a program asks for it, or as the client's options have it. */

import type { ClientConfig } from "../config/index.ts";
import type { CacheOptions, CachePolicy } from "../rbd/index.ts";

/** @returns undefined: not at all  ceph: src/librbd/image/OpenRequest.cc send_init_cache */
export function cacheOptions(
  asked: CacheOptions | boolean | undefined,
  config: ClientConfig,
): CacheOptions | undefined {
  if (asked === undefined || asked === false) return undefined;
  if (asked !== true) return asked;
  if (!config.getBoolean("rbd_cache")) return undefined;
  const number = (name: string) => config.getNumber(`rbd_${name}`);
  return {
    // The option knows its values.
    policy: config.get("rbd_cache_policy") as CachePolicy,
    size: number("cache_size"),
    maxDirty: number("cache_max_dirty"),
    targetDirty: number("cache_target_dirty"),
    maxDirtyAgeMs: number("cache_max_dirty_age") * 1000,
    writethroughUntilFlush: config.getBoolean("rbd_cache_writethrough_until_flush"),
    readAhead: {
      triggerRequests: number("readahead_trigger_requests"),
      maxBytes: number("readahead_max_bytes"),
      disableAfterBytes: number("readahead_disable_after_bytes"),
    },
  };
}
