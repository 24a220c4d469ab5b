/**
 * The two ends of a live migration. Each one's header names the other; the source is in the trash, under the
 * name it had, or, of format 1, in no directory.
 * ceph: src/librbd/api/Migration.cc open_images
 */

import {
  MIGRATION_HEADER_TYPE,
  MIGRATION_STATE,
  TRASH_IMAGE_SOURCE,
} from "../../cls/rbd/types/features.ts";
import type { MigrationSpec } from "../../cls/rbd/types.ts";
import { opStat } from "../../messages/index.ts";
import type { IoCtx } from "../../rados/index.ts";
import { DIRECTORY, HEADER } from "../calls.ts";
import { imageError, unless } from "../errors.ts";
import type { ImageRef } from "../find-image.ts";
import { readFixed1 } from "../format1.ts";
import { changeFormat1Directory, listFormat1 } from "../format1-directory.ts";
import { poolOf, type RbdContext } from "../image.ts";
import { headerName, idObjectName, oldHeaderName } from "../names.ts";
import { listTrash, moveToTrash, restoreFromTrash } from "../trash.ts";

export interface MigrationEnd {
  readonly io: IoCtx;
  /** "": of format 1. */
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
  /** There is an image of the destination's id, whether it knows of the migration or not. */
  readonly hasDestination: boolean;
}

export function refOfEnd({ id, name }: MigrationEnd): ImageRef {
  return id === "" ? { format1: name } : { id };
}

export function headerOfEnd({ id, name }: MigrationEnd): string {
  return id === "" ? oldHeaderName(name) : headerName(id);
}

/**
 * Finds a migration by the name of either end.
 * @throws CephError ENOENT: no such image; EINVAL: it is not migrating
 */
export async function findMigration(io: IoCtx, name: string): Promise<Migration> {
  const here = await endOfName(io, name);
  const own = await readSpec(here);
  const { state } = own;
  if (own.headerType === MIGRATION_HEADER_TYPE.DST) {
    const source = own.sourceSpec === "" ? otherEnd(here, own) : undefined;
    return { source, destination: here, spec: own, state, hasDestination: true };
  }
  const destination = otherEnd(here, own);
  // A preparation cut short leaves a source whose destination was never made.
  const spec = await unless(readSpec(destination), "ENOENT", "EINVAL");
  const hasDestination = spec !== undefined || (await hasHeader(destination));
  return { source: here, destination, spec, state, hasDestination };
}

export async function hasHeader({ io, id }: MigrationEnd): Promise<boolean> {
  return (await unless(io.read(headerName(id), [opStat()]), "ENOENT")) !== undefined;
}

/** A preparation cut short may leave a destination that does not know of it, by the name of the source. */
async function endOfName(io: IoCtx, name: string): Promise<MigrationEnd> {
  const named = await idOfName(io, name);
  const hidden = (await hiddenIn(io)).filter((entry) => entry.name === name).map(({ id }) => id);
  const ids = named === undefined ? hidden : [named, ...hidden];
  const ends = [...ids, ""].map((id): MigrationEnd => ({ io, id, name }));
  for (const end of ends) if (await knows(end)) return end;
  const source = named === undefined ? undefined : await sourceOf(io, named);
  if (source !== undefined) return source;
  if (ids.length > 0 || (await readFixed1(io, name)) !== undefined) return ends[0]!;
  throw imageError("ENOENT", "find the migration of", name);
}

/** What of a source a commit cut short has left in the same pool: its destination knows of it no longer. */
async function sourceOf(io: IoCtx, destination: string): Promise<MigrationEnd | undefined> {
  for (const { id, name } of await hiddenIn(io)) {
    const end = { io, id, name };
    if ((await unless(readSpec(end), "EINVAL", "ENOENT"))?.imageId === destination) return end;
  }
  return undefined;
}

/** Has the destination, which is there, been let go, so that only the rest of the source is to be removed? */
export function isCommitted({ spec, state, hasDestination }: Migration): boolean {
  return hasDestination && spec === undefined && state === MIGRATION_STATE.EXECUTED;
}

/**
 * May the destination have what the source has not, though it does not know of the migration? Before it was prepared
 * nobody has written to it; later only a commit makes it forget.
 */
export function isOnItsOwn({ spec, state, hasDestination }: Migration): boolean {
  if (spec !== undefined || state === MIGRATION_STATE.PREPARING) return false;
  return hasDestination || state === MIGRATION_STATE.EXECUTED;
}

/**
 * An image that nobody finds by its name and that nothing says of that it migrates: a preparation was cut short
 * when it had hidden it, or a commit when it had removed its header.
 */
export async function findHidden(
  io: IoCtx,
  name: string,
): Promise<{ readonly end: MigrationEnd; readonly hasHeader: boolean } | undefined> {
  for (const { id, name: its } of await hiddenIn(io)) {
    const end = { io, id, name };
    if (its !== name || (await knows(end))) continue;
    return { end, hasHeader: await hasHeader(end) };
  }
  const end = { io, id: "", name };
  if ((await readFixed1(io, name)) === undefined || (await knows(end))) return undefined;
  return (await listFormat1(io)).includes(name) ? undefined : { end, hasHeader: true };
}

async function knows(end: MigrationEnd): Promise<boolean> {
  return (await unless(readSpec(end), "EINVAL", "ENOENT")) !== undefined;
}

export async function readSpec(end: MigrationEnd): Promise<MigrationSpec> {
  return await end.io.query(headerOfEnd(end), HEADER.getMigration, undefined);
}

async function idOfName(io: IoCtx, name: string): Promise<string | undefined> {
  return await unless(io.query(idObjectName(name), DIRECTORY.getId, undefined), "ENOENT");
}

/** Images in the trash because they migrate. */
async function hiddenIn(io: IoCtx): Promise<{ id: string; name: string }[]> {
  const hidden: { id: string; name: string }[] = [];
  for (const [id, { source, name }] of await listTrash(io)) {
    if (source === TRASH_IMAGE_SOURCE.MIGRATION) hidden.push({ id, name });
  }
  return hidden;
}

function otherEnd({ io, name }: MigrationEnd, spec: MigrationSpec): MigrationEnd {
  const { poolId, poolNamespace, imageName, imageId } = spec;
  const other = poolOf(io, poolId, poolNamespace);
  if (other === undefined) throw imageError("ENOENT", "open the other end of", name);
  return { io: other, id: imageId, name: imageName };
}

/** Nobody finds the source by its name any more. */
export async function unlinkSource(
  context: RbdContext,
  { io, id, name }: MigrationEnd,
): Promise<void> {
  if (id === "") await changeFormat1Directory(io, { remove: name });
  else await moveToTrash(context, io, { name, id, source: TRASH_IMAGE_SOURCE.MIGRATION });
}

/** Gives it its name back. */
export async function relinkSource({ io, id, name }: MigrationEnd): Promise<void> {
  if (id === "") return await changeFormat1Directory(io, { add: name });
  const restoring = restoreFromTrash(io, { id, name, source: TRASH_IMAGE_SOURCE.MIGRATION });
  await unless(restoring, "ENOENT");
}

/** Both headers have a state: who opens either end has to know. */
export async function setMigrationState(
  { source, destination }: Pick<Migration, "source" | "destination">,
  state: number,
  description = "",
): Promise<void> {
  for (const end of source === undefined ? [destination] : [source, destination]) {
    await end.io.execute(headerOfEnd(end), HEADER.setMigrationState, { state, description });
  }
}

/** May it be executed: has it been prepared, and not been executed to the end? */
export function isExecutable({ state }: Migration): boolean {
  return state === MIGRATION_STATE.PREPARED || state === MIGRATION_STATE.EXECUTING;
}

export function isExecuted({ state }: Migration): boolean {
  return state === MIGRATION_STATE.EXECUTED;
}
