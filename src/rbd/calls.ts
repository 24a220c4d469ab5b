/**
 * The methods of the classes that images are kept with, from the caller's end.
 * ceph: src/cls/rbd/cls_rbd_client.cc, src/cls/lock/cls_lock_client.cc
 */

import {
  AssertLockedArgs,
  BreakLockArgs,
  GetInfoArgs,
  GetInfoReply,
  LockArgs,
  SetCookieArgs,
  UnlockArgs,
} from "../cls/lock/ops.ts";
import { AssertSnapcSeqArgs, SparseCopyupArgs, SparsifyArgs } from "../cls/rbd/ops/data-path.ts";
import {
  DirListReply,
  MetadataEntries,
  NameIdArgs,
  NamespaceListReply,
  PageArgs,
  RenameArgs,
  TrashAddArgs,
  TrashListReply,
  TrashStateSetArgs,
} from "../cls/rbd/ops/directory.ts";
import { Format1AddArgs, Format1ListReply, Format1RenameArgs } from "../cls/rbd/ops/format1.ts";
import {
  GroupImageListArgs,
  GroupImageListReply,
  GroupSnapListArgs,
  GroupSnapListReply,
} from "../cls/rbd/ops/group.ts";
import {
  CreateArgs,
  GetFeaturesArgs,
  GetFeaturesReply,
  GetSizeReply,
  MaskedArgs,
  SetFlagsArgs,
  SetSizeArgs,
  SnapContextReply,
  SnapIdArgs,
  StripeArgs,
} from "../cls/rbd/ops/image.ts";
import { MigrationSetStateArgs } from "../cls/rbd/ops/migration.ts";
import {
  CopyProgressArgs,
  ImageListReply,
  ImageSetArgs,
  PeerList,
  UnlinkPeerArgs,
} from "../cls/rbd/ops/mirror.ts";
import { ObjectMapResizeArgs, ObjectMapUpdateArgs } from "../cls/rbd/ops/object-map.ts";
import {
  ChildArgs,
  ParentAttachArgs,
  ParentChildArgs,
  ParentKey,
} from "../cls/rbd/ops/parent-child.ts";
import {
  ProtectionArgs,
  SnapshotAddArgs,
  SnapshotLimit,
  SnapshotRenameArgs,
} from "../cls/rbd/ops/snapshot.ts";
import { BitVectorCodec } from "../cls/rbd/types/bit-vector.ts";
import { MirrorImage, MirrorImageStatus, MirrorPeer } from "../cls/rbd/types/mirror.ts";
import {
  ChildImageSpecs,
  GroupImageSpec,
  GroupImageStatus,
  GroupSnapshot,
  GroupSpec,
  MigrationSpec,
  ParentImageSpec,
  SnapshotInfo,
  TrashImageSpec,
} from "../cls/rbd/types.ts";
import { blob, optional, s64n, set, str, u8, u32, u64, u64n } from "../encoding/index.ts";
import { classCalls, nothing } from "../rados/index.ts";
import { Utime } from "../types/index.ts";

const rbd = classCalls("rbd");
const lock = classCalls("lock");
const journal = classCalls("journal");

/** On an image's header. */
export const HEADER = {
  getSize: rbd("get_size", SnapIdArgs, GetSizeReply),
  getFeatures: rbd("get_features", GetFeaturesArgs, GetFeaturesReply),
  getFlags: rbd("get_flags", SnapIdArgs, u64),
  setFlags: rbd("set_flags", SetFlagsArgs),
  getSnapContext: rbd("get_snapcontext", nothing, SnapContextReply),
  getObjectPrefix: rbd("get_object_prefix", nothing, str),
  getStripes: rbd("get_stripe_unit_count", nothing, StripeArgs),
  getDataPool: rbd("get_data_pool", nothing, s64n),
  getOpFeatures: rbd("op_features_get", nothing, u64),
  getCreateTime: rbd("get_create_timestamp", nothing, Utime),
  getAccessTime: rbd("get_access_timestamp", nothing, Utime),
  getModifyTime: rbd("get_modify_timestamp", nothing, Utime),
  setAccessTime: rbd("set_access_timestamp", nothing),
  setModifyTime: rbd("set_modify_timestamp", nothing),
  getParent: rbd("parent_get", nothing, ParentImageSpec),
  getParentOverlap: rbd("parent_overlap_get", SnapIdArgs, optional(u64n)),
  detachParent: rbd("parent_detach", nothing),
  getSnapshot: rbd("snapshot_get", SnapIdArgs, SnapshotInfo),
  getProtection: rbd("get_protection_status", SnapIdArgs, u8),
  addSnapshot: rbd("snapshot_add", SnapshotAddArgs),
  removeSnapshot: rbd("snapshot_remove", SnapIdArgs),
  getSnapshotLimit: rbd("snapshot_get_limit", nothing, SnapshotLimit),
  setCopyProgress: rbd("mirror_image_snapshot_set_copy_progress", CopyProgressArgs),
  unlinkMirrorPeer: rbd("mirror_image_snapshot_unlink_peer", UnlinkPeerArgs),
  create: rbd("create", CreateArgs),
  setSize: rbd("set_size", SetSizeArgs),
  setFeatures: rbd("set_features", MaskedArgs),
  setStripes: rbd("set_stripe_unit_count", StripeArgs),
  renameSnapshot: rbd("snapshot_rename", SnapshotRenameArgs),
  setSnapshotLimit: rbd("snapshot_set_limit", SnapshotLimit),
  listMetadata: rbd("metadata_list", PageArgs, MetadataEntries),
  getMetadata: rbd("metadata_get", str, blob),
  setMetadata: rbd("metadata_set", MetadataEntries),
  removeMetadata: rbd("metadata_remove", str),
  trashSnapshot: rbd("snapshot_trash_add", SnapIdArgs),
  listChildren: rbd("children_list", SnapIdArgs, ChildImageSpecs),
  detachChild: rbd("child_detach", ChildArgs),
  attachParent: rbd("parent_attach", ParentAttachArgs),
  attachChild: rbd("child_attach", ChildArgs),
  setOpFeatures: rbd("op_features_set", MaskedArgs),
  setProtection: rbd("set_protection_status", ProtectionArgs),
  getGroup: rbd("image_group_get", nothing, GroupSpec),
  addGroup: rbd("image_group_add", GroupSpec),
  removeGroup: rbd("image_group_remove", GroupSpec),
  setMigration: rbd("migration_set", MigrationSpec),
  getMigration: rbd("migration_get", nothing, MigrationSpec),
  setMigrationState: rbd("migration_set_state", MigrationSetStateArgs),
  removeMigration: rbd("migration_remove", nothing),
} as const;

/** On the header of an image of format 1. */
export const FORMAT1 = {
  listSnapshots: rbd("snap_list", nothing, Format1ListReply),
  addSnapshot: rbd("snap_add", Format1AddArgs),
  renameSnapshot: rbd("snap_rename", Format1RenameArgs),
  removeSnapshot: rbd("snap_remove", str),
} as const;

/** On a pool's directories. */
export const DIRECTORY = {
  getId: rbd("get_id", nothing, str),
  setId: rbd("set_id", str),
  idOfName: rbd("dir_get_id", str, str),
  nameOfId: rbd("dir_get_name", str, str),
  add: rbd("dir_add_image", NameIdArgs),
  remove: rbd("dir_remove_image", NameIdArgs),
  /** compat: clones made before Mimic, or asked to be of the old kind. */
  removeChild: rbd("remove_child", ParentChildArgs),
  addChild: rbd("add_child", ParentChildArgs),
  listChildren: rbd("get_children", ParentKey, set(str)),
  rename: rbd("dir_rename_image", RenameArgs),
  assertState: rbd("dir_state_assert", u8),
  setState: rbd("dir_state_set", u8),
  getAllFeatures: rbd("get_all_features", nothing, u64),
  addNamespace: rbd("namespace_add", str),
  removeNamespace: rbd("namespace_remove", str),
  listNamespaces: rbd("namespace_list", PageArgs, NamespaceListReply),
  list: rbd("dir_list", PageArgs, DirListReply),
  listMirrorPeers: rbd("mirror_peer_list", nothing, PeerList),
  /** Image ids, and the ids that peers know the images by. */
  listMirrored: rbd("mirror_image_list", PageArgs, ImageListReply),
  addMirrorPeer: rbd("mirror_peer_add", MirrorPeer),
  removeMirrorPeer: rbd("mirror_peer_remove", str),
  getMirrorMode: rbd("mirror_mode_get", nothing, u32),
  setMirrorMode: rbd("mirror_mode_set", u32),
  getMirrorUuid: rbd("mirror_uuid_get", nothing, str),
  setMirrorUuid: rbd("mirror_uuid_set", str),
  getMirrorStatus: rbd("mirror_image_status_get", str, MirrorImageStatus),
  setMirror: rbd("mirror_image_set", ImageSetArgs),
  getMirror: rbd("mirror_image_get", str, MirrorImage),
  removeMirror: rbd("mirror_image_remove", str),
} as const;

export const TRASH = {
  add: rbd("trash_add", TrashAddArgs),
  get: rbd("trash_get", str, TrashImageSpec),
  remove: rbd("trash_remove", str),
  list: rbd("trash_list", PageArgs, TrashListReply),
  setState: rbd("trash_state_set", TrashStateSetArgs),
} as const;

export const OBJECT_MAP = {
  load: rbd("object_map_load", nothing, BitVectorCodec),
  save: rbd("object_map_save", BitVectorCodec),
  update: rbd("object_map_update", ObjectMapUpdateArgs),
  resize: rbd("object_map_resize", ObjectMapResizeArgs),
  addSnapshot: rbd("object_map_snap_add", nothing),
  removeSnapshot: rbd("object_map_snap_remove", BitVectorCodec),
} as const;

/** On a group's header, and on the directory of groups. */
export const GROUP = {
  listDirectory: rbd("group_dir_list", PageArgs, DirListReply),
  addToDirectory: rbd("group_dir_add", NameIdArgs),
  removeFromDirectory: rbd("group_dir_remove", NameIdArgs),
  renameInDirectory: rbd("group_dir_rename", RenameArgs),
  listImages: rbd("group_image_list", GroupImageListArgs, GroupImageListReply),
  setSnapshot: rbd("group_snap_set", GroupSnapshot),
  removeSnapshot: rbd("group_snap_remove", str),
  getSnapshot: rbd("group_snap_get_by_id", str, GroupSnapshot),
  listSnapshots: rbd("group_snap_list", GroupSnapListArgs, GroupSnapListReply),
  setImage: rbd("group_image_set", GroupImageStatus),
  removeImage: rbd("group_image_remove", GroupImageSpec),
} as const;

export const DATA = {
  assertSnapcSeq: rbd("assert_snapc_seq", AssertSnapcSeqArgs),
  sparseCopyup: rbd("sparse_copyup", SparseCopyupArgs),
  sparsify: rbd("sparsify", SparsifyArgs),
} as const;

export const LOCK = {
  lock: lock("lock", LockArgs),
  unlock: lock("unlock", UnlockArgs),
  breakLock: lock("break_lock", BreakLockArgs),
  getInfo: lock("get_info", GetInfoArgs, GetInfoReply),
  assertLocked: lock("assert_locked", AssertLockedArgs),
  setCookie: lock("set_cookie", SetCookieArgs),
} as const;

export const JOURNAL = {
  getSplayWidth: journal("get_splay_width", nothing, u8),
  getPoolId: journal("get_pool_id", nothing, s64n),
  getMinimumSet: journal("get_minimum_set", nothing, u64n),
  getActiveSet: journal("get_active_set", nothing, u64n),
} as const;
