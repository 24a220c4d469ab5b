/**
 * Groups of images, whose snapshots are taken together.
 *
 * A group has an entry in a directory and a header, which lists images and snapshots; an image names its
 * group. What lies in two places is first INCOMPLETE in the group's.
 * ceph: src/librbd/api/Group.cc
 */

import { type CephError, randomU32 } from "../base/index.ts";
import { GROUP_IMAGE_LINK_STATE, GROUP_SNAPSHOT_STATE } from "../cls/rbd/types/features.ts";
import type {
  GroupImageStatus,
  GroupSnapshot,
  ImageSnapshotSpec,
  SnapshotNamespace,
} from "../cls/rbd/types.ts";
import { sameNamespace } from "../cls/rbd/types.ts";
import { opCreate } from "../messages/index.ts";
import type { IoCtx } from "../rados/index.ts";
import { NOSNAP } from "../types/index.ts";
import { DIRECTORY, GROUP, HEADER } from "./calls.ts";
import { imageError, unless } from "./errors.ts";
import { NOTIFY_TIMEOUT_MS } from "./exclusive-lock.ts";
import { whileHoldingStill } from "./hold-still.ts";
import { type Image, poolOf, type RbdContext } from "./image.ts";
import { groupHeaderName, headerName, RBD_DIRECTORY, RBD_GROUP_DIRECTORY } from "./names.ts";
import { encodeHeaderNotice, SNAP_CREATE_FLAG } from "./notify.ts";
import { openImage } from "./open.ts";
import { deleteSnapshot, rollBackTo, withLock } from "./operations.ts";
import { noProgress, type Progress } from "./progress.ts";
import { createSnapshot } from "./snapshot-create.ts";

const PAGE = 1024;

/** Ids by name. */
export async function listGroups(io: IoCtx): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (let startAfter = ""; ; ) {
    const args = { startAfter, maxReturn: BigInt(PAGE) };
    const page = await unless(io.query(RBD_GROUP_DIRECTORY, GROUP.listDirectory, args), "ENOENT");
    for (const [name, id] of page ?? []) {
      all.set(name, id);
      startAfter = name;
    }
    if (page === undefined || page.size < PAGE) return all;
  }
}

/** @throws CephError ENOENT */
async function idOf(io: IoCtx, name: string): Promise<string> {
  return await io.query(RBD_GROUP_DIRECTORY, DIRECTORY.idOfName, name);
}

/** The name of the group that an image is in; undefined: none. */
export async function groupOf(
  image: Pick<Image, "io" | "group" | "target">,
): Promise<{ pool: number; name: string } | undefined> {
  if (image.group === undefined) return undefined;
  const { poolId, groupId } = image.group;
  const io = poolOf(image.io, poolId);
  if (io === undefined) throw imageError("ENOENT", "open the pool of the group of", image.target);
  const name = await io.query(RBD_GROUP_DIRECTORY, DIRECTORY.nameOfId, groupId);
  return { pool: poolId, name };
}

/** @returns its id @throws CephError EEXIST */
export async function createGroup(context: RbdContext, io: IoCtx, name: string): Promise<string> {
  const id = newId(context);
  await io.execute(RBD_GROUP_DIRECTORY, GROUP.addToDirectory, { name, id });
  try {
    await io.write(groupHeaderName(id), [opCreate(true)]);
  } catch (error) {
    await io.execute(RBD_GROUP_DIRECTORY, GROUP.removeFromDirectory, { name, id });
    throw error;
  }
  return id;
}

function newId({ rados, random }: RbdContext): string {
  return rados.globalId.toString(16) + randomU32(random).toString(16);
}

/** @throws CephError ENOENT; EEXIST: there is one of the new name */
export async function renameGroup(io: IoCtx, name: string, to: string): Promise<void> {
  const id = await idOf(io, name);
  const args = { source: name, destination: to, id };
  await io.execute(RBD_GROUP_DIRECTORY, GROUP.renameInDirectory, args);
}

/** Removes it with its snapshots; images stay. A group that is not there is no failure. */
export async function removeGroup(context: RbdContext, io: IoCtx, name: string): Promise<void> {
  const id = await unless(idOf(io, name), "ENOENT");
  if (id === undefined) return;
  for (const snapshot of await listSnapshotsOf(io, id))
    await dropSnapshot(context, io, id, snapshot);
  for (const { spec } of await listMembers(io, id)) {
    const imageIo = poolOf(io, spec.poolId);
    if (imageIo !== undefined) await unlink(io, id, imageIo, spec.imageId);
  }
  await unless(io.remove(groupHeaderName(id)), "ENOENT");
  await unless(io.execute(RBD_GROUP_DIRECTORY, GROUP.removeFromDirectory, { name, id }), "ENOENT");
}

export interface GroupImage {
  readonly poolId: number;
  readonly imageId: string;
  readonly imageName: string;
  /** GROUP_IMAGE_LINK_STATE. */
  readonly state: number;
}

/** @throws CephError ENOENT: no such group, or the name of an image in it is gone */
export async function listGroupImages(io: IoCtx, name: string): Promise<GroupImage[]> {
  const images: GroupImage[] = [];
  for (const { spec, state } of await listMembers(io, await idOf(io, name))) {
    const { poolId, imageId } = spec;
    const imageIo = poolOf(io, poolId);
    if (imageIo === undefined) throw imageError("ENOENT", "open the pool of an image in", name);
    const imageName = await imageIo.query(RBD_DIRECTORY, DIRECTORY.nameOfId, imageId);
    images.push({ poolId, imageId, imageName, state });
  }
  return images;
}

async function listMembers(io: IoCtx, id: string): Promise<GroupImageStatus[]> {
  const all: GroupImageStatus[] = [];
  let startAfter = { imageId: "", poolId: -1 };
  for (;;) {
    const args = { startAfter, maxReturn: BigInt(PAGE) };
    const page = await io.query(groupHeaderName(id), GROUP.listImages, args);
    all.push(...page);
    if (page.length < PAGE) return all;
    startAfter = page.at(-1)?.spec ?? startAfter;
  }
}

/** @throws CephError ENOENT: no such group or image; EEXIST: in one already; EINVAL: another namespace */
export async function addToGroup(
  group: { readonly io: IoCtx; readonly name: string },
  image: { readonly io: IoCtx; readonly name: string },
): Promise<void> {
  const { id, imageId } = await both(group, image);
  const { ATTACHED, INCOMPLETE } = GROUP_IMAGE_LINK_STATE;
  const spec = { imageId, poolId: image.io.pool };
  const header = groupHeaderName(id);
  await group.io.execute(header, GROUP.setImage, { spec, state: INCOMPLETE });
  try {
    const groupSpec = { poolId: group.io.pool, groupId: id };
    await image.io.execute(headerName(imageId), HEADER.addGroup, groupSpec);
  } catch (error) {
    await unless(group.io.execute(header, GROUP.removeImage, spec), "ENOENT");
    throw error;
  }
  await tell(image.io, imageId);
  await group.io.execute(header, GROUP.setImage, { spec, state: ATTACHED });
}

/** @throws CephError ENOENT: no such group or image; EINVAL: another namespace */
export async function removeFromGroup(
  group: { readonly io: IoCtx; readonly name: string },
  image: { readonly io: IoCtx; readonly name: string },
): Promise<void> {
  const { id, imageId } = await both(group, image);
  await unlink(group.io, id, image.io, imageId);
}

async function both(
  group: { readonly io: IoCtx; readonly name: string },
  image: { readonly io: IoCtx; readonly name: string },
): Promise<{ id: string; imageId: string }> {
  if (group.io.nspace !== image.io.nspace) {
    throw imageError("EINVAL", "group", image.name, "another namespace");
  }
  const id = await idOf(group.io, group.name);
  return { id, imageId: await image.io.query(RBD_DIRECTORY, DIRECTORY.idOfName, image.name) };
}

async function unlink(io: IoCtx, id: string, imageIo: IoCtx, imageId: string): Promise<void> {
  const header = groupHeaderName(id);
  const spec = { imageId, poolId: imageIo.pool };
  const state = GROUP_IMAGE_LINK_STATE.INCOMPLETE;
  await io.execute(header, GROUP.setImage, { spec, state });
  const groupSpec = { poolId: io.pool, groupId: id };
  await unless(imageIo.execute(headerName(imageId), HEADER.removeGroup, groupSpec), "ENOENT");
  await tell(imageIo, imageId);
  await io.execute(header, GROUP.removeImage, spec);
}

async function tell(io: IoCtx, imageId: string): Promise<void> {
  const notice = encodeHeaderNotice({ op: "update" });
  await unless(io.notify(headerName(imageId), notice, NOTIFY_TIMEOUT_MS), "ENOENT");
}

// --- Snapshots ----------------------------------------------------------------------------------

/** @throws CephError ENOENT: no such group */
export async function listGroupSnapshots(io: IoCtx, name: string): Promise<GroupSnapshot[]> {
  return await listSnapshotsOf(io, await idOf(io, name));
}

async function listSnapshotsOf(io: IoCtx, id: string): Promise<GroupSnapshot[]> {
  const all: GroupSnapshot[] = [];
  let startAfter: GroupSnapshot = { id: "", name: "", state: 0, snaps: [] };
  for (;;) {
    const args = { startAfter, maxReturn: BigInt(PAGE) };
    const page = await unless(io.query(groupHeaderName(id), GROUP.listSnapshots, args), "ENOENT");
    all.push(...(page ?? []));
    if (page === undefined || page.length < PAGE) return all;
    startAfter = page.at(-1) ?? startAfter;
  }
}

/**
 * Takes a snapshot of every image of a group, with nobody writing to any of them.
 * @throws CephError ENOENT: no such group; EEXIST: there is one of the name; of an image: its own. Then none
 *   of them has one.
 */
export async function takeGroupSnapshot(
  context: RbdContext,
  io: IoCtx,
  groupName: string,
  name: string,
): Promise<void> {
  const id = await idOf(io, groupName);
  const members = await listMembers(io, id);
  const snapshotId = newId(context);
  const header = groupHeaderName(id);
  const namespace = namespaceOf(io, id, snapshotId);
  const { INCOMPLETE, COMPLETE } = GROUP_SNAPSHOT_STATE;
  const snaps = members.map(({ spec }) => ({
    pool: spec.poolId,
    imageId: spec.imageId,
    snapId: NOSNAP,
  }));
  const record = { id: snapshotId, name, state: INCOMPLETE, snaps };
  await io.execute(header, GROUP.setSnapshot, record);
  const images: Image[] = [];
  try {
    for (const { pool, imageId } of snaps)
      images.push(await openMember(context, io, pool, imageId));
    const taken = await whileHoldingStill(images, 0n, () =>
      takeTogether(images, `.group.${io.pool.toString(16)}_${id}_${snapshotId}`, namespace),
    );
    const complete = { ...record, state: COMPLETE, snaps: taken };
    await io.execute(header, GROUP.setSnapshot, complete);
  } catch (error) {
    await takeBack(context, images, namespace);
    await unless(io.execute(header, GROUP.removeSnapshot, snapshotId), "ENOENT");
    throw error;
  } finally {
    for (const image of images) await image.close();
  }
}

/** Each keeps its lock, and what is written to it waits, until all have their snapshot: who uses them holds still. */
async function takeTogether(
  images: readonly Image[],
  name: string,
  namespace: SnapshotNamespace,
): Promise<ImageSnapshotSpec[]> {
  const [image, ...rest] = images;
  if (image === undefined) return [];
  return await withLock(image, async () => {
    const drained = image.gate.block();
    try {
      await drained;
      const others = await takeTogether(rest, name, namespace);
      await createSnapshot(image, name, namespace, SNAP_CREATE_FLAG.SKIP_QUIESCE);
      const snapId = snapshotIn(image, namespace)?.id;
      if (snapId === undefined) throw imageError("ENOENT", "find a snapshot of", image.target);
      return [{ pool: image.io.pool, imageId: image.id, snapId }, ...others];
    } finally {
      image.gate.unblock();
    }
  });
}

async function takeBack(
  { log }: RbdContext,
  images: readonly Image[],
  namespace: SnapshotNamespace,
): Promise<void> {
  for (const image of images) {
    const snapshot = snapshotIn(image, namespace);
    if (snapshot === undefined) continue;
    try {
      await deleteSnapshot(image, snapshot.name, { namespace });
    } catch (error) {
      log.warn("snapshot of a group not taken back", {
        image: image.id,
        why: (error as CephError).message,
      });
    }
  }
}

/** @throws CephError ENOENT: no such group or snapshot; EBUSY: an image's is in use */
export async function deleteGroupSnapshot(
  context: RbdContext,
  io: IoCtx,
  groupName: string,
  name: string,
): Promise<void> {
  const id = await idOf(io, groupName);
  await dropSnapshot(context, io, id, await find(io, id, name));
}

/** @throws CephError ENOENT: no such group or snapshot; EEXIST: there is one of the new name */
export async function renameGroupSnapshot(
  io: IoCtx,
  groupName: string,
  name: string,
  to: string,
): Promise<void> {
  const id = await idOf(io, groupName);
  const snapshot = await find(io, id, name);
  await io.execute(groupHeaderName(id), GROUP.setSnapshot, { ...snapshot, name: to });
}

/** Makes every image what it was. @throws CephError ENOENT: no such group or snapshot */
export async function rollBackGroup(
  context: RbdContext,
  io: IoCtx,
  groupName: string,
  name: string,
  progress: Progress = noProgress,
): Promise<void> {
  const id = await idOf(io, groupName);
  const { id: snapshotId, snaps } = await find(io, id, name);
  const namespace = namespaceOf(io, id, snapshotId);
  for (const { pool, imageId } of snaps) {
    const image = await openMember(context, io, pool, imageId);
    try {
      const snapshot = snapshotIn(image, namespace);
      if (snapshot === undefined) throw imageError("ENOENT", "roll back", image.target);
      await rollBackTo(image, snapshot.name, { namespace, progress });
    } finally {
      await image.close();
    }
  }
}

async function find(io: IoCtx, id: string, name: string): Promise<GroupSnapshot> {
  const found = (await listSnapshotsOf(io, id)).find((snapshot) => snapshot.name === name);
  if (found === undefined) throw imageError("ENOENT", "find the snapshot of a group", name);
  return found;
}

async function dropSnapshot(
  context: RbdContext,
  io: IoCtx,
  id: string,
  { id: snapshotId, snaps }: GroupSnapshot,
): Promise<void> {
  const namespace = namespaceOf(io, id, snapshotId);
  for (const { pool, imageId } of snaps) {
    const image = await openMember(context, io, pool, imageId);
    try {
      // One that was never completed may lack it.
      const snapshot = snapshotIn(image, namespace);
      if (snapshot !== undefined) {
        await unless(deleteSnapshot(image, snapshot.name, { namespace }), "ENOENT");
      }
    } finally {
      await image.close();
    }
  }
  await io.execute(groupHeaderName(id), GROUP.removeSnapshot, snapshotId);
}

async function openMember(context: RbdContext, io: IoCtx, pool: number, id: string) {
  const imageIo = poolOf(io, pool);
  if (imageIo === undefined) throw imageError("ENOENT", "open the pool of", id);
  return await openImage(context, imageIo, { id });
}

function namespaceOf(io: IoCtx, groupId: string, groupSnapshotId: string): SnapshotNamespace {
  return { type: "group", groupPool: io.pool, groupId, groupSnapshotId };
}

function snapshotIn(image: Image, namespace: SnapshotNamespace) {
  return image.snapshots.find((snapshot) => sameNamespace(snapshot.namespace, namespace));
}
