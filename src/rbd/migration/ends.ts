/**
 * The two ends of a live migration. Each one's header names the other; the source is in the trash, under the
 * name it had.
 * ceph: src/librbd/api/Migration.cc open_images
 */

import {
  MIGRATION_HEADER_TYPE,
  MIGRATION_STATE,
  TRASH_IMAGE_SOURCE,
} from "../../cls/rbd/types/features.ts";
import type { MigrationSpec } from "../../cls/rbd/types.ts";
import type { IoCtx } from "../../rados/index.ts";
import { DIRECTORY, HEADER } from "../calls.ts";
import { imageError, unless } from "../errors.ts";
import { poolOf } from "../image.ts";
import { headerName, idObjectName } from "../names.ts";
import { listTrash } from "../trash.ts";

export interface MigrationEnd {
  readonly io: IoCtx;
  readonly id: string;
  readonly name: string;
}

export interface Migration {
  /** undefined: the source is no image of this cluster. */
  readonly source: MigrationEnd | undefined;
  readonly destination: MigrationEnd;
  /** As the destination's header has it, once it has; before, only the source's. */
  readonly spec: MigrationSpec | undefined;
  /** MIGRATION_STATE. */
  readonly state: number;
}

/**
 * Finds a migration by the name of either end.
 * @throws CephError ENOENT: no such image; EINVAL: it is not migrating; EOPNOTSUPP: format 1
 */
export async function findMigration(io: IoCtx, name: string): Promise<Migration> {
  const named = await idOfName(io, name);
  // A preparation cut short may leave a destination that does not know of it, by the name of the source.
  const isMigrating = named === undefined ? undefined : await knows(io, named);
  const id = isMigrating === true ? named : ((await idInTrash(io, name)) ?? named);
  if (id === undefined) throw imageError("ENOENT", "find the migration of", name);
  const here: MigrationEnd = { io, id, name };
  const own = await readSpec(here);
  const { state } = own;
  if (own.headerType === MIGRATION_HEADER_TYPE.DST) {
    const source = own.sourceSpec === "" ? otherEnd(here, own) : undefined;
    return { source, destination: here, spec: own, state };
  }
  const destination = otherEnd(here, own);
  // A preparation cut short leaves a source whose destination was never made.
  const spec = await unless(readSpec(destination), "ENOENT", "EINVAL");
  return { source: here, destination, spec, state };
}

async function knows(io: IoCtx, id: string): Promise<boolean> {
  return (await unless(readSpec({ io, id, name: "" }), "EINVAL", "ENOENT")) !== undefined;
}

async function readSpec({ io, id }: MigrationEnd): Promise<MigrationSpec> {
  return await io.query(headerName(id), HEADER.getMigration, undefined);
}

async function idOfName(io: IoCtx, name: string): Promise<string | undefined> {
  return await unless(io.query(idObjectName(name), DIRECTORY.getId, undefined), "ENOENT");
}

async function idInTrash(io: IoCtx, name: string): Promise<string | undefined> {
  for (const [id, spec] of await listTrash(io)) {
    if (spec.source === TRASH_IMAGE_SOURCE.MIGRATION && spec.name === name) return id;
  }
  return undefined;
}

function otherEnd({ io, name }: MigrationEnd, spec: MigrationSpec): MigrationEnd {
  const { poolId, poolNamespace, imageName, imageId } = spec;
  const other = poolOf(io, poolId, poolNamespace);
  if (other === undefined) throw imageError("ENOENT", "open the other end of", name);
  if (imageId === "") throw imageError("EOPNOTSUPP", "migrate from format 1 to", name);
  return { io: other, id: imageId, name: imageName };
}

/** Both headers have a state: who opens either end has to know. */
export async function setMigrationState(
  { source, destination }: Migration,
  state: number,
  description = "",
): Promise<void> {
  for (const end of source === undefined ? [destination] : [source, destination]) {
    await end.io.execute(headerName(end.id), HEADER.setMigrationState, { state, description });
  }
}

/** May it be executed: has it been prepared, and not been executed to the end? */
export function isExecutable({ state }: Migration): boolean {
  return state === MIGRATION_STATE.PREPARED || state === MIGRATION_STATE.EXECUTING;
}

export function isExecuted({ state }: Migration): boolean {
  return state === MIGRATION_STATE.EXECUTED;
}
