/**
 * The clones of an image's snapshots, wherever they are.
 * ceph: src/librbd/api/Image.cc list_children, list_descendants
 */

import type { ChildImageSpec } from "../cls/rbd/types.ts";
import type { IoCtx, Rados } from "../rados/index.ts";
import { type SnapId } from "../types/index.ts";
import { DIRECTORY, HEADER, TRASH } from "./calls.ts";
import { unless } from "./errors.ts";
import { type Image, poolOf } from "./image.ts";
import { RBD_CHILDREN, RBD_DIRECTORY, RBD_TRASH } from "./names.ts";

export interface Child {
  readonly poolId: number;
  readonly poolNamespace: string;
  readonly imageId: string;
  /** "" if it has none any more. */
  readonly imageName: string;
  /** It is in the trash, where a user has put it. */
  readonly inTrash: boolean;
  /** Of which snapshot. */
  readonly snapId: SnapId;
}

/** @param snap of which snapshot @default all */
export async function listChildren(image: Image, snap?: SnapId): Promise<Child[]> {
  if (!image.format.hasClones) return [];
  const snapIds = snap === undefined ? image.snapshots.map(({ id }) => id) : [snap];
  const children: Child[] = [];
  for (const snapId of snapIds) {
    const specs = await childrenOf(image, snapId);
    for (const spec of specs) {
      const io = poolOf(image.io, spec.poolId, spec.poolNamespace);
      if (io === undefined) continue;
      children.push({ ...spec, snapId, ...(await nameOf(io, spec.imageId)) });
    }
  }
  return children;
}

async function childrenOf(image: Image, snapId: SnapId): Promise<ChildImageSpec[]> {
  const { io, id, rados, headerOid } = image;
  const found = new Map<string, ChildImageSpec>();
  const add = (spec: ChildImageSpec) =>
    found.set(`${spec.poolId}/${spec.poolNamespace}/${spec.imageId}`, spec);
  for (const spec of await oldChildren(rados, io, { imageId: id, snapId })) add(spec);
  const own = await unless(io.query(headerOid, HEADER.listChildren, { snapId }), "ENOENT");
  for (const spec of own ?? []) add(spec);
  return [...found.values()];
}

/** compat: clones of the old kind are in a list of their pools. */
async function oldChildren(
  rados: Rados,
  io: IoCtx,
  of: { imageId: string; snapId: SnapId },
): Promise<ChildImageSpec[]> {
  const children: ChildImageSpec[] = [];
  for (const poolId of (await rados.latestMap()).pools.keys()) {
    const pool = poolOf(io, poolId);
    const asked = pool?.query(RBD_CHILDREN, DIRECTORY.listChildren, { poolId: io.pool, ...of });
    const ids = asked === undefined ? undefined : await unless(asked, "ENOENT", "EPERM");
    for (const imageId of ids ?? []) {
      children.push({ poolId, poolNamespace: io.nspace, imageId });
    }
  }
  return children;
}

async function nameOf(io: IoCtx, id: string): Promise<{ imageName: string; inTrash: boolean }> {
  const name = await unless(io.query(RBD_DIRECTORY, DIRECTORY.nameOfId, id), "ENOENT");
  if (name !== undefined) return { imageName: name, inTrash: false };
  const trashed = await unless(io.query(RBD_TRASH, TRASH.get, id), "ENOENT", "EOPNOTSUPP");
  return { imageName: trashed?.name ?? "", inTrash: trashed !== undefined };
}
