/** What stands between the data of an open image and who uses it. */

import {
  CachedIo,
  type CacheOptions,
  type Image as Engine,
  type ImageData,
  ImageIo,
  LimitedIo,
  type RateLimits,
} from "../rbd/index.ts";

/** @throws CephError EINVAL: an option of the cache that cannot be */
export function imageData(
  engine: Engine,
  options: {
    readonly cache: CacheOptions | undefined;
    readonly limits: RateLimits | undefined;
  },
): ImageData {
  const { cache, limits } = options;
  const data = cache === undefined ? new ImageIo(engine) : new CachedIo(engine, cache);
  return limits === undefined ? data : new LimitedIo(data, engine.clock, limits);
}
