/** The librbd room: what programs use of images (`spirula/rbd`). */

export type { CallOptions } from "../librados/index.ts";
export type {
  CacheOptions,
  CachePolicy,
  PoolStats,
  RateLimit,
  RateLimits,
  ReadAheadOptions,
} from "../rbd/index.ts";
export type { BlockDevice } from "./block-device.ts";
export type { CreateOptions, NewImageOptions } from "./create-options.ts";
export { FEATURE_NAMES, featureBits, featureNames } from "./features.ts";
export { Image } from "./image.ts";
export type {
  ChildInfo,
  DiffOptions,
  Extent,
  ImageLocks,
  ImageWatcher,
  OwnedSnapshot,
  ParentSnapshot,
  SnapshotInfo,
  SnapshotOwner,
} from "./image-details.ts";
export type { ImageInfo, ParentInfo } from "./image-info.ts";
export type { ReadableOptions, WritableOptions } from "./image-streams.ts";
export type { ProgressOptions } from "./limits.ts";
export type { MigrationPlace, MigrationState, MigrationStatus } from "./migration-status.ts";
export {
  ImageMirroring,
  type MirrorDirection,
  type MirrorInfo,
  type MirrorMode,
  type MirrorPeer,
  type MirrorSiteStatus,
  type MirrorStatus,
  PoolMirroring,
} from "./mirroring.ts";
export type {
  CloneOptions,
  GroupMember,
  MigrationOptions,
  OpenOptions,
  TrashEntry,
  TrashSource,
} from "./pool-details.ts";
export { Rbd } from "./rbd.ts";
export { RECORD_KEY, type TransferProgress } from "./transfer/transfer-image.ts";
export { type TransferOptions, transferPool } from "./transfer/transfer-pool.ts";
