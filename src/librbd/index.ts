/** The librbd room: what programs use of images (`spirula/rbd`). */

export type { CallOptions } from "../librados/index.ts";
export type { CacheOptions, CachePolicy, PoolStats, ReadAheadOptions } from "../rbd/index.ts";
export type { BlockDevice } from "./block-device.ts";
export type { CreateOptions } from "./create-options.ts";
export { FEATURE_NAMES, featureBits, featureNames } from "./features.ts";
export {
  type DiffOptions,
  type Extent,
  Image,
  type ImageWatcher,
} from "./image.ts";
export type {
  ImageLocks,
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
  type CloneOptions,
  type GroupMember,
  type MigrationOptions,
  type OpenOptions,
  Rbd,
  type TrashEntry,
  type TrashSource,
} from "./rbd.ts";
export { RECORD_KEY, type TransferProgress } from "./transfer/transfer-image.ts";
export { type TransferOptions, transferPool } from "./transfer/transfer-pool.ts";
