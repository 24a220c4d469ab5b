/**
 * Image features, operation features and the small enumerations of rbd. Features are what a client must
 * understand to open an image; operation features what it must understand to change one.
 * ceph: src/include/rbd/features.h, src/include/rbd_types.h, src/cls/rbd/cls_rbd_types.h
 */

export const RBD_FEATURE = {
  LAYERING: 1n << 0n,
  STRIPINGV2: 1n << 1n,
  EXCLUSIVE_LOCK: 1n << 2n,
  OBJECT_MAP: 1n << 3n,
  FAST_DIFF: 1n << 4n,
  DEEP_FLATTEN: 1n << 5n,
  JOURNALING: 1n << 6n,
  DATA_POOL: 1n << 7n,
  OPERATIONS: 1n << 8n,
  MIGRATING: 1n << 9n,
  NON_PRIMARY: 1n << 10n,
  DIRTY_CACHE: 1n << 11n,
} as const;

/** Names as the tools print them, in bit order. */
export const RBD_FEATURE_NAMES: readonly string[] = [
  "layering",
  "striping",
  "exclusive-lock",
  "object-map",
  "fast-diff",
  "deep-flatten",
  "journaling",
  "data-pool",
  "operations",
  "migrating",
  "non-primary",
  "dirty-cache",
];

const F = RBD_FEATURE;

export const RBD_FEATURES_ALL = 0xfffn;
/** What an image gets unless told otherwise (61). */
export const RBD_FEATURES_DEFAULT =
  F.LAYERING | F.EXCLUSIVE_LOCK | F.OBJECT_MAP | F.FAST_DIFF | F.DEEP_FLATTEN;
/** A client that does not know these may not even read. */
export const RBD_FEATURES_INCOMPATIBLE = F.LAYERING | F.STRIPINGV2 | F.DATA_POOL | F.DIRTY_CACHE;
/** A client that does not know these may not write. */
export const RBD_FEATURES_RW_INCOMPATIBLE =
  RBD_FEATURES_INCOMPATIBLE |
  F.EXCLUSIVE_LOCK |
  F.OBJECT_MAP |
  F.FAST_DIFF |
  F.DEEP_FLATTEN |
  F.JOURNALING |
  F.OPERATIONS |
  F.MIGRATING |
  F.NON_PRIMARY;
/** May be turned on and off on a living image. */
export const RBD_FEATURES_MUTABLE =
  F.EXCLUSIVE_LOCK | F.OBJECT_MAP | F.FAST_DIFF | F.JOURNALING | F.NON_PRIMARY | F.DIRTY_CACHE;
/** May only be turned off. */
export const RBD_FEATURES_DISABLE_ONLY = F.DEEP_FLATTEN;
/** Kept by the class itself, never set by a user. */
export const RBD_FEATURES_INTERNAL = F.OPERATIONS | F.MIGRATING;

export const RBD_OPERATION_FEATURE = {
  CLONE_PARENT: 1n << 0n,
  CLONE_CHILD: 1n << 1n,
  GROUP: 1n << 2n,
  SNAP_TRASH: 1n << 3n,
} as const;

export const RBD_OPERATION_FEATURE_NAMES: readonly string[] = [
  "clone-parent",
  "clone-child",
  "group",
  "snap-trash",
];
export const RBD_OPERATION_FEATURES_ALL = 0xfn;

/** Features that follow from others, or from what is done.  ceph: RBD_FEATURES_IMPLICIT_ENABLE */
export const RBD_FEATURES_IMPLICIT_ENABLE =
  RBD_FEATURE.STRIPINGV2 |
  RBD_FEATURE.DATA_POOL |
  RBD_FEATURE.FAST_DIFF |
  RBD_FEATURE.OPERATIONS |
  RBD_FEATURE.MIGRATING |
  RBD_FEATURE.NON_PRIMARY |
  RBD_FEATURE.DIRTY_CACHE;

export const RBD_PROTECTION_STATUS = { UNPROTECTED: 0, UNPROTECTING: 1, PROTECTED: 2 } as const;

/** States of an object in the object map. ceph: src/include/rbd/object_map_types.h */
export const OBJECT_STATE = { NONEXISTENT: 0, EXISTS: 1, PENDING: 2, EXISTS_CLEAN: 3 } as const;
/** Largest object map: 64 MB of states. */
export const OBJECT_MAP_COUNT_MAX = 256_000_000;

export const DIRECTORY_STATE = { READY: 0, ADD_DISABLED: 1 } as const;
export const SNAPSHOT_NAMESPACE = { USER: 0, GROUP: 1, TRASH: 2, MIRROR: 3 } as const;
export const MIRROR_SNAPSHOT_STATE = {
  PRIMARY: 0,
  PRIMARY_DEMOTED: 1,
  NON_PRIMARY: 2,
  NON_PRIMARY_DEMOTED: 3,
} as const;
export const GROUP_IMAGE_LINK_STATE = { ATTACHED: 0, INCOMPLETE: 1 } as const;
export const GROUP_SNAPSHOT_STATE = { INCOMPLETE: 0, COMPLETE: 1 } as const;
export const TRASH_IMAGE_SOURCE = {
  USER: 0,
  MIRRORING: 1,
  MIGRATION: 2,
  REMOVING: 3,
  USER_PARENT: 4,
} as const;
export const TRASH_IMAGE_STATE = { NORMAL: 0, MOVING: 1, REMOVING: 2, RESTORING: 3 } as const;
export const MIGRATION_HEADER_TYPE = { SRC: 1, DST: 2 } as const;
export const MIGRATION_STATE = {
  ERROR: 0,
  PREPARING: 1,
  PREPARED: 2,
  EXECUTING: 3,
  EXECUTED: 4,
  ABORTING: 5,
} as const;
export const ASSERT_SNAPC_SEQ = { GT_SNAPSET_SEQ: 0, LE_SNAPSET_SEQ: 1 } as const;

export const MIRROR_MODE = { DISABLED: 0, IMAGE: 1, POOL: 2 } as const;
export const MIRROR_PEER_DIRECTION = { RX: 0, TX: 1, RX_TX: 2 } as const;
export const MIRROR_IMAGE_MODE = { JOURNAL: 0, SNAPSHOT: 1 } as const;
export const MIRROR_IMAGE_STATE = { DISABLING: 0, ENABLED: 1, DISABLED: 2, CREATING: 3 } as const;
export const MIRROR_IMAGE_STATUS_STATE = {
  UNKNOWN: 0,
  ERROR: 1,
  SYNCING: 2,
  STARTING_REPLAY: 3,
  REPLAYING: 4,
  STOPPING_REPLAY: 5,
  STOPPED: 6,
} as const;
