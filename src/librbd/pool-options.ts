/** Options of images that an image or a pool has of its own, kept with it by the names `conf_rbd_…`. */

import { CephError } from "../base/index.ts";
import type { ClientConfig } from "../config/index.ts";
import { nameText } from "../encoding/index.ts";
import type { IoCtx } from "../rados/index.ts";
import { listMetadata, POOL_METADATA, type RbdContext } from "../rbd/index.ts";

const PREFIX = "conf_";

export function isPoolOption(key: string): boolean {
  return key.startsWith(PREFIX);
}

/** Options that are kept with an image or a pool: `conf_rbd_…`. */
export function ownOptions(metadata: ReadonlyMap<string, string>): [name: string, value: string][] {
  return [...metadata]
    .map(([key, value]): [string, string] => [nameText(key), nameText(value)])
    .filter(([key]) => key.startsWith(`${PREFIX}rbd_`))
    .map(([key, value]) => [key.slice(PREFIX.length), value]);
}

/**
 * The client's options, below those that the pool has of its own. A pool whose options cannot be read has none.
 * ceph: src/librbd/api/Config.cc apply_pool_overrides
 */
export async function poolConfig(
  { log }: RbdContext,
  io: IoCtx,
  config: ClientConfig,
): Promise<ClientConfig> {
  try {
    return config.with(ownOptions(await listMetadata(io.inNamespace(""), POOL_METADATA)));
  } catch (error) {
    if (!(error instanceof CephError)) throw error;
    log.warn("a pool's options cannot be read", { why: error.message });
    return config;
  }
}

/**
 * Clients that have images open hear of new options by one whose value is the time of the last change. One
 * without the right to set it makes its change all the same.
 * ceph: src/librbd/api/PoolMetadata.cc update_pool_timestamp
 */
export async function announcePoolOptions({ rados, clock, log }: RbdContext): Promise<void> {
  const { result, status } = await rados.command({
    prefix: "config set",
    who: "global",
    name: "rbd_config_pool_override_update_timestamp",
    value: String(Math.floor(clock.now() / 1000)),
  });
  if (result < 0) log.warn("clients are not told of a pool's options", { why: status });
}
