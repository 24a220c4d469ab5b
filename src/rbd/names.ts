/**
 * Names of the objects that images and their directories are made of.
 * ceph: src/include/rbd_types.h, src/librbd/Utils.cc
 */

import { NOSNAP, type SnapId } from "../types/index.ts";

export const RBD_DIRECTORY = "rbd_directory";
export const RBD_TRASH = "rbd_trash";
export const RBD_CHILDREN = "rbd_children";
export const RBD_MIRRORING = "rbd_mirroring";
export const RBD_NAMESPACE = "rbd_namespace";
export const RBD_TASK = "rbd_task";
/** Of a pool: settings, and whether it may have images. */
export const RBD_INFO = "rbd_info";
export const RBD_GROUP_DIRECTORY = "rbd_group_directory";
/** The lock of an image's header and object map. */
export const RBD_LOCK_NAME = "rbd_lock";

export function idObjectName(imageName: string): string {
  return `rbd_id.${imageName}`;
}

export function headerName(imageId: string): string {
  return `rbd_header.${imageId}`;
}

/** Header of a format 1 image. */
export function oldHeaderName(imageName: string): string {
  return `${imageName}.rbd`;
}

export function groupHeaderName(groupId: string): string {
  return `rbd_group_header.${groupId}`;
}

export function objectMapName(imageId: string, snap: SnapId = NOSNAP): string {
  return `rbd_object_map.${imageId}${snap === NOSNAP ? "" : `.${hex16(snap)}`}`;
}

/** What a primary image was like besides its data, in one or more objects. */
export function imageStateName(imageId: string, snap: SnapId, index: number): string {
  return `rbd_mirror_snapshot.${imageId}.${snap}.${index}`;
}

export function dataObjectName(objectPrefix: string, objectNo: number): string {
  return `${objectPrefix}.${hex16(objectNo)}`;
}

/** Of format 1. */
export function dataObjectName1(objectPrefix: string, objectNo: number): string {
  return `${objectPrefix}.${objectNo.toString(16).padStart(12, "0")}`;
}

export function journalHeaderName(journalId: string): string {
  return `journal.${journalId}`;
}

export function journalObjectName(poolId: number, journalId: string, objectNo: number): string {
  return `journal_data.${poolId}.${journalId}.${objectNo}`;
}

function hex16(x: number | bigint): string {
  return x.toString(16).padStart(16, "0");
}
