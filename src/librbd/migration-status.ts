/** How far the migration of an image is. ceph: src/librbd/api/Migration.cc status */

import { CephError } from "../base/index.ts";
import { MIGRATION_STATE } from "../cls/rbd/types/features.ts";
import { nameText } from "../encoding/index.ts";
import type { IoCtx } from "../rados/index.ts";
import { findMigration, type MigrationEnd } from "../rbd/index.ts";

/** In the order of their numbers. ceph: src/cls/rbd/cls_rbd_types.h MigrationState */
const STATES = {
  [MIGRATION_STATE.ERROR]: "error",
  [MIGRATION_STATE.PREPARING]: "preparing",
  [MIGRATION_STATE.PREPARED]: "prepared",
  [MIGRATION_STATE.EXECUTING]: "executing",
  [MIGRATION_STATE.EXECUTED]: "executed",
  [MIGRATION_STATE.ABORTING]: "aborting",
} as const;

export type MigrationState = (typeof STATES)[keyof typeof STATES] | "unknown";

export interface MigrationPlace {
  /** "" where the pool is gone. */
  readonly pool: string;
  readonly poolId: number;
  readonly namespace: string;
  readonly image: string;
  readonly imageId: string;
}

export interface MigrationStatus {
  /** undefined: it comes from outside of the cluster. */
  readonly source: MigrationPlace | undefined;
  /** What describes a source outside of the cluster, JSON; "" if it is an image. */
  readonly sourceSpec: string;
  readonly destination: MigrationPlace;
  readonly state: MigrationState;
  /** How far it is: `42% complete`; "" if nothing is known of that. */
  readonly description: string;
}

/** @throws CephError ENOENT: no such image; EINVAL: it is not migrating */
export async function migrationStatus(io: IoCtx, name: string): Promise<MigrationStatus> {
  const { source, destination, spec, state } = await findMigration(io, name);
  return {
    source: source && placeOf(source),
    sourceSpec: nameText(spec?.sourceSpec ?? ""),
    destination: placeOf(destination),
    state: Object.hasOwn(STATES, state) ? STATES[state as keyof typeof STATES] : "unknown",
    description: nameText(spec?.stateDescription ?? ""),
  };
}

function placeOf({ io, id, name }: MigrationEnd): MigrationPlace {
  return {
    pool: poolName(io),
    poolId: io.pool,
    namespace: nameText(io.nspace),
    image: nameText(name),
    imageId: nameText(id),
  };
}

function poolName(io: IoCtx): string {
  try {
    return nameText(io.poolName);
  } catch (error) {
    if (error instanceof CephError) return "";
    throw error;
  }
}
