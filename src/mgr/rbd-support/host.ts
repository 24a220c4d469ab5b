/**
 * What the parts of the rbd_support module have in common.
 * ceph: src/pybind/mgr/rbd_support/common.py
 */

import type { Clock, Logger, Random } from "../../base/index.ts";
import { textOf } from "../../encoding/index.ts";
import type { OsdMap } from "../../maps/index.ts";
import type { ClusterState } from "../../mon/index.ts";
import type { IoCtx } from "../../rados/index.ts";
import type { RbdContext } from "../../rbd/index.ts";
import type { ProgressModule } from "../progress.ts";
import { ModuleError } from "./errors.ts";

/** May the one who asks do this to a pool and namespace? */
export type Authorized = (pool: string, nspace: string) => boolean;

/** What the parts of the module work with. */
export interface ModuleHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly state: ClusterState;
  readonly progress: ProgressModule;
  /** A configured option of the manager, if it is set. */
  option(name: string): string | undefined;
  /** Sets it for all managers, or removes it. */
  setOption(name: string, value: string | undefined): Promise<void>;
  /** The cluster's client. Waits until there is one. */
  rbd(): Promise<RbdContext>;
  /** @throws ModuleError ENOENT */
  openPool(name: string, nspace: string): Promise<IoCtx>;
}

/** Pools that are for images, by id.  ceph: rbd_support/common.py get_rbd_pools */
export function rbdPools(map: OsdMap): Map<number, string> {
  const pools = new Map<number, string>();
  for (const [id, pool] of map.pools) {
    if (pool.applicationMetadata.has("rbd")) pools.set(id, textOf(map.poolNames.get(id) ?? ""));
  }
  return pools;
}

/** @throws ModuleError EACCES */
export function authorize(authorized: Authorized, pool: string, nspace: string): void {
  if (authorized(pool, nspace)) return;
  throw new ModuleError("EACCES", `not authorized on pool=${pool}, namespace=${nspace}`);
}
