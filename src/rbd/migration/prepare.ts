/**
 * Beginning to move an image to another place or layout: from here on it is used by the name of its destination,
 * which shows the source until all is copied.
 *
 *   source out of the directory -> source PREPARING -> destination, locked, with the source's snapshots and metadata
 *     -> destination PREPARING -> group -> source, destination PREPARED -> clones
 *
 * What fails is taken back; what is cut short can be given up by the name of the source.
 * ceph: src/librbd/api/Migration.cc prepare, create_dst_image, src/librbd/deep_copy/SnapshotCopyRequest.cc
 */

import {
  MIGRATION_HEADER_TYPE,
  MIGRATION_STATE,
  RBD_FEATURE,
  RBD_FEATURES_ALL,
} from "../../cls/rbd/types/features.ts";
import type { ChildImageSpec, MigrationSpec } from "../../cls/rbd/types.ts";
import type { IoCtx } from "../../rados/index.ts";
import { NOSNAP, type SnapId } from "../../types/index.ts";
import { HEADER } from "../calls.ts";
import { copyMetadata } from "../copy.ts";
import { type CreateOptions, createImage, newImageId } from "../create.ts";
import { copyHistory, protect, revisionsOf } from "../deep-copy/image-copy.ts";
import { imageError, unless } from "../errors.ts";
import { Image, poolOf, type RbdContext } from "../image.ts";
import { mirrorEntry } from "../mirror/primary-snapshot.ts";
import { headerName } from "../names.ts";
import { otherWatchers } from "../pre-remove.ts";
import { noProgress } from "../progress.ts";
import { abortFound } from "./abort.ts";
import { childrenOf, moveChildren } from "./children.ts";
import {
  type MigrationEnd,
  readSpec,
  relinkSource,
  setMigrationState,
  unlinkSource,
} from "./ends.ts";
import { addToGroup, removeFromGroup } from "./group.ts";
import { checkSnapshots } from "./restrictions.ts";

export interface PrepareOptions extends CreateOptions {
  /** The destination of a clone shows no parent in the end, but has all of it. @default false */
  readonly flatten?: boolean;
}

/**
 * @returns the destination's id
 * @throws CephError ENOENT: no such image; EBUSY: it is open elsewhere, locked, or has snapshots that no user took,
 *   or deleted ones with clones, or its parent or a clone of it is migrating; EEXIST: there is an image of the destination's name; EINVAL: it has clones, and the
 *   destination is to have no layering; EOPNOTSUPP: mirrored, or with a journal; EROFS: migrating; and
 *   those of createImage
 */
export async function prepareMigration(
  context: RbdContext,
  from: { readonly io: IoCtx; readonly name: string },
  to: { readonly io: IoCtx; readonly name: string },
  options: PrepareOptions = {},
): Promise<string> {
  const source = await Image.open(context, from.io, { name: from.name });
  try {
    const { flatten = false, ...given } = options;
    const create = layoutOfDestination(source, given);
    await checkSource(source, create);
    const destination: MigrationEnd = { io: to.io, name: to.name, id: newImageId(context) };
    await hide(context, source, destination, flatten);
    try {
      await createDestination(context, source, { destination, create, flatten });
    } catch (error) {
      await takeBack(context, source, destination);
      throw error;
    }
    return destination.id;
  } finally {
    await source.close();
  }
}

/** As the source is, unless it is said otherwise. The data is where the header is, unless said, too. */
function layoutOfDestination(source: Image, options: CreateOptions): CreateOptions {
  const { order, stripeUnit, stripeCount, features } = source;
  return { order, stripeUnit, stripeCount, features, ...options };
}

async function checkSource(source: Image, { features = 0n }: CreateOptions): Promise<void> {
  const refuse = (code: "EBUSY" | "EINVAL" | "ENOSYS" | "EOPNOTSUPP", why: string) =>
    imageError(code, "migrate", source.target, why);
  if ((await otherWatchers(source)).length > 0) throw refuse("EBUSY", "it has watchers");
  if ((features & ~RBD_FEATURES_ALL) !== 0n) throw refuse("ENOSYS", "features that there are not");
  if (source.hasFeature(RBD_FEATURE.JOURNALING)) throw refuse("EOPNOTSUPP", "it has a journal");
  if (source.dataIo === undefined) throw refuse("EBUSY", "its data pool is gone");
  checkSnapshots(source);
  if ((await mirrorEntry(source.io, source.id)) !== undefined)
    throw refuse("EOPNOTSUPP", "it is mirrored");
  const parent = source.parent?.spec;
  if (parent !== undefined && (await isMigrating(source, parent))) {
    throw refuse("EBUSY", "its parent is migrating");
  }
  for (const { id: snapId } of source.snapshots) {
    for (const child of await childrenOf({ image: source, snapId })) {
      if ((features & RBD_FEATURE.LAYERING) === 0n) {
        throw refuse("EINVAL", "it has clones, which need layering");
      }
      // Who has it open would not hear of the parent's move.
      if (await isMigrating(source, child)) throw refuse("EBUSY", "a clone of it is migrating");
    }
  }
}

async function isMigrating(
  { io }: Image,
  relative: Pick<ChildImageSpec, "poolId" | "poolNamespace" | "imageId">,
): Promise<boolean> {
  const relativeIo = poolOf(io, relative.poolId, relative.poolNamespace);
  const query = relativeIo?.query(headerName(relative.imageId), HEADER.getMigration, undefined);
  return query !== undefined && (await unless(query, "ENOENT", "EINVAL")) !== undefined;
}

/** Nobody finds the source by its name any more, nor may write to it. */
async function hide(
  context: RbdContext,
  source: Image,
  destination: MigrationEnd,
  flatten: boolean,
): Promise<void> {
  const { io, headerOid } = source;
  await unlinkSource(context, source);
  try {
    const spec = specOf(MIGRATION_HEADER_TYPE.SRC, destination, flatten);
    await io.execute(headerOid, HEADER.setMigration, spec);
  } catch (error) {
    await relinkSource(source);
    throw error;
  }
  await source.notifyUpdate();
}

/** @param other end */
function specOf(headerType: number, other: MigrationEnd, flatten: boolean): MigrationSpec {
  return {
    headerType,
    poolId: other.io.pool,
    poolNamespace: other.io.nspace,
    imageName: other.name,
    imageId: other.id,
    snapSeqs: new Map<SnapId, SnapId>(),
    overlap: 0,
    flatten,
    mirroring: false,
    state: MIGRATION_STATE.PREPARING,
    stateDescription: "",
    mirrorImageMode: 0,
    sourceSpec: "",
  };
}

interface Plan {
  readonly destination: MigrationEnd;
  readonly create: CreateOptions;
  readonly flatten: boolean;
}

async function createDestination(
  context: RbdContext,
  source: Image,
  { destination, create, flatten }: Plan,
): Promise<void> {
  const { io, id, name } = destination;
  const { size } = source;
  // Of another image of format 1 the name is not free.
  const isSameName =
    io.pool === source.io.pool && io.nspace === source.io.nspace && name === source.name;
  const besideFormat1 = source.format.version === 1 && isSameName;
  await createImage(context, io, name, size, { ...create, id, besideFormat1 });
  const target = await Image.open(context, io, { id }, { isMigrationStep: true });
  try {
    // Whoever finds its name already is not to write to it.
    await target.acquireLock("refuse");
    const revisions = revisionsOf(source, NOSNAP, flatten);
    const pairs = await copyHistory(source, target, revisions, NOSNAP);
    await protect(target, revisions, pairs);
    await copyMetadata(source, target);
    const here: MigrationEnd = { io: source.io, id: source.id, name: source.name };
    const spec = {
      ...specOf(MIGRATION_HEADER_TYPE.DST, here, flatten),
      snapSeqs: new Map(pairs.filter(([snap]) => snap !== NOSNAP)),
      overlap: size,
    };
    await io.execute(target.headerOid, HEADER.setMigration, spec);
    await addToGroup(target, await removeFromGroup(source));
    const state = MIGRATION_STATE.PREPARED;
    await setMigrationState({ source: here, destination }, state);
    await target.refresh();
    await moveChildren(context, source, target);
  } finally {
    await target.close();
  }
}

/** Best effort: why it could not be prepared is what the caller has to hear. */
async function takeBack(
  context: RbdContext,
  { io, id, name }: Image,
  destination: MigrationEnd,
): Promise<void> {
  const source: MigrationEnd = { io, id, name };
  try {
    const spec = await unless(readSpec(destination), "ENOENT", "EINVAL");
    const state = spec?.state ?? MIGRATION_STATE.PREPARING;
    await abortFound(context, { source, destination, spec, state }, name, noProgress);
  } catch (error) {
    context.log.warn("migration not taken back", { image: name, why: String(error) });
  }
}
