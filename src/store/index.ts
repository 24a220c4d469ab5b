/** The store room: collections of objects changed by atomic transactions, in memory or on disk. */
export { type Disk, DiskLockedError } from "./disk/disk.ts";
export { FileDisk } from "./disk/file.ts";
export { MemoryDisk, PowerCutError } from "./disk/memory.ts";
export { DiskStore } from "./disk-store/disk-store.ts";
export { type FsckReport, fsck } from "./disk-store/fsck.ts";
export { JournalError } from "./disk-store/journal.ts";
export { type CreateOptions, createStore, type OpenOptions, openStore } from "./disk-store/open.ts";
export { StoreFormatError } from "./disk-store/superblock.ts";
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
