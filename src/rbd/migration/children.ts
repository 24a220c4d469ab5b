/**
 * Clones of an image that begins to migrate go with it, and back to the source if that is given up. Parent and
 * clone each name the other, and a relinking may have been cut short between the two: so the clones of both ends
 * are looked at on the way back.
 * ceph: src/librbd/api/Migration.cc relink_children, relink_child, src/librbd/image/AttachChildRequest.cc
 */

import { RBD_OPERATION_FEATURE } from "../../cls/rbd/types/features.ts";
import { type ChildImageSpec, Parent, type ParentImageSpec } from "../../cls/rbd/types.ts";
import type { SnapId } from "../../types/index.ts";
import { DIRECTORY, HEADER } from "../calls.ts";
import { imageError, unless } from "../errors.ts";
import { changeHeaderValue } from "../header-value.ts";
import { Image, poolOf, type RbdContext } from "../image.ts";
import { RBD_CHILDREN } from "../names.ts";

/** With how much of it the head shows. ceph: src/cls/rbd/cls_rbd.cc image::parent::attach */
const PARENT = { key: "parent", codec: Parent };

interface SnapshotOf {
  readonly image: Image;
  readonly snapId: SnapId;
}

/**
 * @param from the source @param to the destination, which has all its snapshots
 * @throws CephError ESTALE: a clone has another parent by now
 */
export async function moveChildren(context: RbdContext, from: Image, to: Image): Promise<void> {
  for (const { id, name } of from.snapshots) {
    const given: SnapshotOf = { image: from, snapId: id };
    const snapId = to.snapshots.find((snapshot) => snapshot.name === name)?.id;
    const children = await childrenOf(given);
    if (children.length === 0) continue;
    if (snapId === undefined) throw imageError("ENOENT", "find a snapshot of", to.name);
    const target: SnapshotOf = { image: to, snapId };
    for (const child of children) await relink(context, child, { given, target, isListed: true });
  }
}

/** @param from the end that is given up @param to the one that the clones had before */
export async function returnChildren(context: RbdContext, from: Image, to: Image): Promise<void> {
  for (const { id, name } of to.snapshots) {
    const target: SnapshotOf = { image: to, snapId: id };
    const snapId = from.snapshots.find((snapshot) => snapshot.name === name)?.id;
    if (snapId === undefined) continue;
    const given: SnapshotOf = { image: from, snapId };
    const moved = await childrenOf(given);
    for (const child of moved) await relink(context, child, { given, target, isListed: true });
    const isMoved = ({ poolId, poolNamespace, imageId }: ChildImageSpec) =>
      moved.some(
        (child) =>
          child.poolId === poolId &&
          child.poolNamespace === poolNamespace &&
          child.imageId === imageId,
      );
    const left = (await childrenOf(target)).filter((child) => !isMoved(child));
    for (const child of left) await relink(context, child, { given, target, isListed: false });
  }
}

/** Clones of a snapshot, of the new kind and of the old, which are listed in the pools, and the namespace, they are in. */
export async function childrenOf({ image, snapId }: SnapshotOf): Promise<ChildImageSpec[]> {
  const { io, headerOid, id, rados } = image;
  const listed = unless(io.query(headerOid, HEADER.listChildren, { snapId }), "ENOENT");
  const children = [...((await listed) ?? [])];
  const parent = { poolId: io.pool, imageId: id, snapId };
  for (const poolId of (await rados.latestMap()).pools.keys()) {
    const poolIo = poolOf(io, poolId);
    if (poolIo === undefined) continue;
    const old = await unless(poolIo.query(RBD_CHILDREN, DIRECTORY.listChildren, parent), "ENOENT");
    for (const imageId of old ?? []) children.push({ poolId, poolNamespace: io.nspace, imageId });
  }
  return children;
}

async function relink(
  context: RbdContext,
  spec: ChildImageSpec,
  { given, target, isListed }: { given: SnapshotOf; target: SnapshotOf; isListed: boolean },
): Promise<void> {
  const io = poolOf(target.image.io, spec.poolId, spec.poolNamespace);
  if (io === undefined) throw imageError("ENOENT", "open the pool of a clone of", given.image.name);
  const opening = Image.open(context, io, { id: spec.imageId }, { isMigrationStep: true });
  const child = await unless(opening, "ENOENT");
  // Cloning or flattening was cut short, and has left the entry: it goes with its snapshot.
  if (child === undefined) return;
  try {
    const parent = child.parent?.spec;
    if (parent === undefined) return;
    if (!isOf(parent, target)) {
      if (!isOf(parent, given)) {
        throw imageError("ESTALE", "relink the clone", child.name);
      }
      // The method for it gives a head that was flattened, or smaller once, what its oldest snapshot shows.
      await changeHeaderValue(io, child.headerOid, PARENT, (known) =>
        isOf(known, given) ? { ...known, ...specOf(target) } : undefined,
      );
    }
    if (isListed) await relist(child, given, target);
    await child.notifyUpdate();
  } finally {
    await child.close();
  }
}

async function relist(child: Image, given: SnapshotOf, target: SnapshotOf): Promise<void> {
  const { io, id, headerOid, opFeatures } = child;
  const { CLONE_CHILD } = RBD_OPERATION_FEATURE;
  if ((opFeatures & CLONE_CHILD) === 0n) {
    const entry = ({ image, snapId }: SnapshotOf) => ({
      poolId: image.io.pool,
      imageId: image.id,
      snapId,
      childId: id,
    });
    await unless(io.execute(RBD_CHILDREN, DIRECTORY.addChild, entry(target)), "EEXIST");
    await unless(io.execute(RBD_CHILDREN, DIRECTORY.removeChild, entry(given)), "ENOENT");
    return;
  }
  await io.execute(headerOid, HEADER.setOpFeatures, { value: CLONE_CHILD, mask: CLONE_CHILD });
  const spec = { poolId: io.pool, poolNamespace: io.nspace, imageId: id };
  const at = ({ image, snapId }: SnapshotOf) => [image, { snapId, child: spec }] as const;
  const [to, attached] = at(target);
  await unless(to.io.execute(to.headerOid, HEADER.attachChild, attached), "EEXIST");
  const [from, detached] = at(given);
  await unless(from.io.execute(from.headerOid, HEADER.detachChild, detached), "ENOENT");
}

function specOf({ image, snapId }: SnapshotOf): ParentImageSpec {
  const { io, id } = image;
  return { poolId: io.pool, poolNamespace: io.nspace, imageId: id, snapId };
}

function isOf(spec: ParentImageSpec, { image, snapId }: SnapshotOf): boolean {
  return (
    spec.poolId === image.io.pool &&
    spec.poolNamespace === image.io.nspace &&
    spec.imageId === image.id &&
    spec.snapId === snapId
  );
}
