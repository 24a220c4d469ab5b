/** The rbd room: images, on the rados room. */
export {
  acquireManually,
  addLock,
  breakLock,
  type Locker,
  type Locks,
  listLocks,
  releaseManually,
  removeLock,
} from "./advisory-lock.ts";
export { CachedIo } from "./cache/cached-io.ts";
export type { CacheOptions, CachePolicy } from "./cache/options.ts";
export type { ReadAheadOptions } from "./cache/read-ahead.ts";
export { type Child, listChildren } from "./children.ts";
export { type CloneOptions, cloneImage } from "./clone.ts";
export { type CopyOptions, copyImage } from "./copy.ts";
export { type CreateOptions, createImage } from "./create.ts";
export { createFormat1Image } from "./create-format1.ts";
export { type DeepCopyImageOptions, deepCopyImage } from "./deep-copy/image-copy.ts";
export {
  type DiffCallback,
  type DiffOptions,
  type DiskUsage,
  diffIterate,
  diskUsage,
} from "./diff.ts";
export { listImages } from "./directory.ts";
export { isErrno, unless } from "./errors.ts";
export { findSnapshot } from "./find-snapshot.ts";
export { flattenImage } from "./flatten.ts";
export { listFormat1 } from "./format1-directory.ts";
export {
  addToGroup,
  createGroup,
  deleteGroupSnapshot,
  type GroupImage,
  groupOf,
  listGroupImages,
  listGroupSnapshots,
  listGroups,
  removeFromGroup,
  removeGroup,
  renameGroup,
  renameGroupSnapshot,
  rollBackGroup,
  takeGroupSnapshot,
} from "./group.ts";
export {
  Image,
  type ImageParent,
  type ImageSnapshot,
  type RbdContext,
} from "./image.ts";
export type { ImageData } from "./io/image-data.ts";
export { CompareMismatch, ImageIo, type ImageIoOptions } from "./io/image-io.ts";
export {
  changeMetadata,
  getMetadata,
  listMetadata,
  POOL_METADATA,
} from "./metadata.ts";
export { abortMigration } from "./migration/abort.ts";
export { commitMigration } from "./migration/commit.ts";
export {
  findMigration,
  isExecutable,
  isExecuted,
  type Migration,
  type MigrationEnd,
} from "./migration/ends.ts";
export { executeMigration } from "./migration/execute.ts";
export { type PrepareOptions, prepareMigration } from "./migration/prepare.ts";
export { disableMirroring, enableMirroring } from "./mirror/enable.ts";
export {
  addMirrorPeer,
  listMirrorPeers,
  removeMirrorPeer,
  setMirrorMode,
} from "./mirror/pool.ts";
export {
  createMirrorSnapshot,
  isMirroredBySnapshots,
  listPrimaries,
  mirrorInfo,
  mirrorMode,
  mirrorSnapshot,
} from "./mirror/primary-snapshot.ts";
export { mirrorStatuses } from "./mirror/status.ts";
export { createNamespace, listNamespaces, namespaceExists, removeNamespace } from "./namespaces.ts";
export { SNAP_CREATE_FLAG } from "./notify.ts";
export { checkObjectMap, type MapMismatch } from "./object-map-check.ts";
export { openImage } from "./open.ts";
export {
  deleteSnapshot,
  flattenOpen,
  protectSnapshot,
  rebuildObjectMap,
  removeImageMetadata,
  renameImage,
  renameSnapshot,
  resizeImage,
  rollBackTo,
  setImageMetadata,
  setSnapshotLimit,
  snapshotLimit,
  sparsifyImage,
  takeSnapshot,
  unprotectSnapshot,
  updateFeatures,
} from "./operations.ts";
export { initPool, type PoolStats, poolStats } from "./pool.ts";
export { endedBy, noProgress, type Progress } from "./progress.ts";
export { LimitedIo, type RateLimits } from "./qos/limited-io.ts";
export type { RateLimit } from "./qos/token-bucket.ts";
export type { Quiescer } from "./quiescers.ts";
export { removeImage } from "./remove.ts";
export { getTrash, listTrash, removeTrash, restoreImage, trashImage } from "./trash.ts";
export { type PurgeOptions, purgeTrash } from "./trash-purge.ts";
export { evict, listWatchers } from "./watchers.ts";
