/** The store room: collections of objects changed by atomic transactions, in memory or on disk. */
export { type Disk, DiskLockedError } from "./disk/disk.ts";
export { FileDisk } from "./disk/file.ts";
export { MemoryDisk, PowerCutError } from "./disk/memory.ts";
export type { ObjectCheck, ObjectSeen } from "./disk-store/check-state.ts";
export { DiskStore } from "./disk-store/disk-store.ts";
export { type FsckOptions, type FsckReport, fsck, lockForReading } from "./disk-store/fsck.ts";
export {
  type CollectionView,
  type ExtentView,
  inspectStore,
  type ObjectDetail,
  type ObjectView,
  type Part,
  type StoreInspection,
} from "./disk-store/inspect.ts";
export { JournalError } from "./disk-store/journal.ts";
export { type CreateOptions, createStore, type OpenOptions, openStore } from "./disk-store/open.ts";
export { NewerStoreError, readSuperblock, StoreFormatError } from "./disk-store/superblock.ts";
export { MemStore } from "./mem-store.ts";
export { formatObject, objectKey, objectOfKey } from "./object-key.ts";
export {
  type CollectionId,
  type CollectionUsage,
  CorruptionError,
  NoSpaceError,
  type ObjectInfo,
  type ObjectStore,
  type StoreOp,
  type StoreStatfs,
  TooLargeError,
  type Transaction,
  type TransactionSeq,
} from "./object-store.ts";
export { OBJECT_SIZE_MAX } from "./validate.ts";
