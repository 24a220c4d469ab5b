/**
 * Membership of an image in a group: an entry in the group's header, and a reference in the image's.
 * ceph: src/librbd/api/Group.cc image_add, group_image_remove
 */

import { GROUP_IMAGE_LINK_STATE } from "../../cls/rbd/types/features.ts";
import type { GroupSpec } from "../../cls/rbd/types.ts";
import { GROUP, HEADER } from "../calls.ts";
import { imageError, unless } from "../errors.ts";
import { type Image, poolOf } from "../image.ts";
import { groupHeaderName } from "../names.ts";

const { ATTACHED, INCOMPLETE } = GROUP_IMAGE_LINK_STATE;

function placeOf(image: Image, { poolId, groupId }: GroupSpec) {
  const io = poolOf(image.io, poolId);
  if (io === undefined) throw imageError("ENOENT", "open the group of", image.name);
  return { io, oid: groupHeaderName(groupId), spec: { imageId: image.id, poolId: image.io.pool } };
}

/** @returns the group that the image was in */
export async function removeFromGroup(image: Image): Promise<GroupSpec | undefined> {
  const { group } = image;
  if (group === undefined) return undefined;
  const { io, oid, spec } = placeOf(image, group);
  await io.execute(oid, GROUP.setImage, { spec, state: INCOMPLETE });
  await unless(image.io.execute(image.headerOid, HEADER.removeGroup, group), "ENOENT");
  await image.notifyUpdate();
  await io.execute(oid, GROUP.removeImage, spec);
  image.group = undefined;
  return group;
}

export async function addToGroup(image: Image, group: GroupSpec | undefined): Promise<void> {
  if (group === undefined) return;
  const { io, oid, spec } = placeOf(image, group);
  await io.execute(oid, GROUP.setImage, { spec, state: INCOMPLETE });
  await image.io.execute(image.headerOid, HEADER.addGroup, group);
  await image.notifyUpdate();
  await io.execute(oid, GROUP.setImage, { spec, state: ATTACHED });
  image.group = group;
}
