/** The store room: collections of objects changed by atomic transactions, in memory or on disk. */
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
  type Transaction,
  type TransactionSeq,
} from "./object-store.ts";
export { OBJECT_SIZE_MAX } from "./validate.ts";
