/**
 * Emptying the trash of pools and namespaces on schedule.
 * ceph: src/pybind/mgr/rbd_support/trash_purge_schedule.py
 */

import { byteString, textOf } from "../../encoding/index.ts";
import { listNamespaces, purgeTrash } from "../../rbd/index.ts";
import { isRefusal } from "./errors.ts";
import type { ModuleHost } from "./host.ts";
import { type Place, Scheduler } from "./scheduler.ts";

/** Of a pool and namespace. */
export interface Trash extends Place {
  readonly poolName: string;
}

export function trashPurge(host: ModuleHost): Scheduler<Trash> {
  return new Scheduler<Trash>(host, {
    kind: {
      oid: "rbd_trash_purge_schedule",
      option: "trash_purge_schedule",
      rules: { images: false },
    },
    list: async (io, poolName) => {
      const namespaces = ["", ...(await listNamespaces(io))];
      const poolId = String(io.pool);
      return namespaces.map((nspace) => ({ poolId, poolName, nspace: textOf(nspace) }));
    },
    run: (trash) => purge(host, trash),
    listName: "scheduled",
    describe: ({ poolId, poolName, nspace }) => ({
      pool_id: poolId,
      pool_name: poolName,
      namespace: nspace,
    }),
  });
}

async function purge(host: ModuleHost, { poolId, poolName, nspace }: Trash): Promise<void> {
  const context = await host.rbd();
  try {
    const io = await context.rados.openPool(Number(poolId), byteString(nspace));
    await purgeTrash(context, io);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    host.log.error("trash not purged", { pool: poolName, nspace, why: error.message });
  }
}
