/**
 * The object store's interface: collections of objects, changed by atomic transactions.
 *
 * The contract, which every implementation's compliance suite checks:
 * - `submit` takes effect at once: every later read sees it, whether it is durable yet or not. It returns
 *   the transaction's sequence number, one more than the last.
 * - Transactions become durable in order. When `durable` has been told of sequence n, everything up to n
 *   is on stable storage, data and metadata together. A crash loses only a tail that nobody was told of.
 * - Whoever answers a client waits for the sequence number of the last change that the answer depends on.
 * - Reads are synchronous except bulk data, which may come as a promise. What a read returns is the content
 *   as of the call, whatever is submitted before the promise resolves.
 * - The data of a write is the caller's again once its transaction is durable; until then it may not change.
 * - A transaction is validated before anything is changed: a bad one throws and leaves no trace.
 * - Every byte read is checked against its checksum: a mismatch throws `CorruptionError` (EIO), never bytes.
 * ceph: src/os/ObjectStore.h, src/os/Transaction.h
 */

import type { BufferList } from "../encoding/index.ts";
import type { HObject } from "../types/index.ts";

/** A collection: one PG of one pool, or a service's own (`"meta"`). Text, e.g. `"1.2a"`. */
export type CollectionId = string;

/** Sequence number of a transaction. */
export type TransactionSeq = number;

/** What a stored object looks like from outside. */
export interface ObjectInfo {
  /** Bytes. */
  readonly size: number;
}

/** Space in bytes. */
export interface StoreStatfs {
  readonly total: number;
  readonly available: number;
  /** Allocated to objects' data. */
  readonly data: number;
  /** Taken by metadata, journal and the like. */
  readonly internal: number;
  /** Of the file system that the store shares with others. */
  readonly fileSystem: { readonly total: number; readonly available: number };
}

/** Space of one collection in bytes. */
export interface CollectionUsage {
  readonly objects: number;
  /** Allocated on disk for data, shared extents counted once. */
  readonly allocated: number;
  /** Held by the objects, each for itself: clones in full, holes not. */
  readonly stored: number;
}

/** One change. Staged in order; later ones see earlier ones. Byte strings for names. */
export type StoreOp =
  | { op: "create-collection"; collection: CollectionId }
  | { op: "remove-collection"; collection: CollectionId } // must be empty
  | { op: "touch"; object: HObject } // creates if absent
  | {
      op: "write"; // creates; extends
      object: HObject;
      offset: number;
      data: BufferList;
      /** crc32c (seed 0) of each whole 4 KiB of the data from its start, if known; may go on past its end. */
      sums?: readonly number[] | undefined;
    }
  | { op: "zero"; object: HObject; offset: number; length: number } // deallocates; never extends
  | { op: "truncate"; object: HObject; size: number } // creates; extends with a hole
  | { op: "remove"; object: HObject } // absent: refused
  | { op: "set-attr"; object: HObject; name: string; value: Uint8Array } // creates
  | { op: "remove-attr"; object: HObject; name: string }
  | { op: "omap-set"; object: HObject; entries: readonly (readonly [string, Uint8Array])[] } // creates
  | { op: "omap-remove"; object: HObject; keys: readonly string[] }
  | { op: "omap-remove-range"; object: HObject; from: string; to: string } // [from, to)
  | { op: "omap-clear"; object: HObject } // keys and header
  | { op: "omap-header"; object: HObject; header: Uint8Array } // creates
  | { op: "clone"; object: HObject; to: HObject } // data, attrs, omap; replaces `to`; extents shared
  | {
      op: "clone-range"; // data only, shared where aligned; creates `to`
      object: HObject;
      to: HObject;
      offset: number;
      length: number;
      toOffset: number;
    }
  | {
      /**
       * Into another collection, under the names they have and with all that is theirs. No block of theirs may be
       * another object's, too: clones go together. Not in a transaction that clones.
       */
      op: "move";
      objects: readonly HObject[];
      to: CollectionId;
    };

/** A list of changes to the objects of one collection (a move adds to another), applied all or nothing. */
export interface Transaction {
  readonly collection: CollectionId;
  readonly ops: readonly StoreOp[];
  /**
   * Attributes that the store's owner keeps for itself, a few bytes and always the same ones: as with what frees space,
   * what the file system has left is not asked for.
   */
  readonly isRecord?: boolean;
}

/** A byte of an object could not be read as written: EIO for the client, a health warning for the operator. */
export class CorruptionError extends Error {
  readonly object: string;
  constructor(object: string, why: string) {
    super(`${object}: ${why}`);
    this.name = "CorruptionError";
    this.object = object;
  }
}

/** There is no room for a transaction; nothing of it was applied. */
export class NoSpaceError extends Error {
  /** For whoever starts a server and is to be told to make room. */
  readonly code = "ENOSPC";

  constructor() {
    super("no space left in the object store");
    this.name = "NoSpaceError";
  }
}

/** A transaction, or a name in it, is larger than the store can keep; nothing of it was applied. */
export class TooLargeError extends Error {
  constructor(what: string, bytes: number, max: number) {
    super(`${what}: ${bytes} bytes, at most ${max}`);
    this.name = "TooLargeError";
  }
}

export interface ObjectStore {
  /** Told, in order, of every sequence number that has become durable (may skip to the newest). Set once. */
  onDurable: (seq: TransactionSeq) => void;
  /** The disk has failed a write or a sync: nothing more becomes durable, the owner must stop. Set once. */
  onFatal: (error: Error) => void;

  /** The store may be done being congested. Set once. */
  onRelief: () => void;
  /** Transactions with data come faster than the store can put them in their place: they had better wait. */
  readonly isCongested: boolean;
  /** Puts the index in order, so that nothing removed takes room in it any more. Rejects with NoSpaceError if it cannot. */
  compact(): Promise<void>;

  readonly lastSubmitted: TransactionSeq;
  readonly lastDurable: TransactionSeq;

  /**
   * Applies a transaction; see the contract above.
   * @throws NoSpaceError; TooLargeError; RangeError for a transaction that makes no sense (its maker's bug)
   */
  submit(transaction: Transaction): TransactionSeq;
  /** Resolves once everything submitted so far is durable. */
  flush(): Promise<void>;

  collections(): CollectionId[];
  hasCollection(collection: CollectionId): boolean;

  stat(collection: CollectionId, object: HObject): ObjectInfo | undefined;
  /**
   * Bytes of `[offset, offset + length)`, short at the object's end; holes read as zeros.
   * An absent object reads as empty. The bytes are the caller's: they may be given back to the pool that the
   * store was opened with.
   */
  read(
    collection: CollectionId,
    object: HObject,
    offset: number,
    length: number,
  ): BufferList | Promise<BufferList>;
  /** The same, at once whatever it takes: for small metadata objects. */
  readSync(collection: CollectionId, object: HObject, offset: number, length: number): BufferList;
  /**
   * The checksum (crc32c, seed 0) of what a read of the range would give now, if it is known without looking
   * at the bytes.
   */
  checksum(
    collection: CollectionId,
    object: HObject,
    offset: number,
    length: number,
  ): number | undefined;
  /** Written ranges within `[offset, offset + length)`: ascending, merged, clipped to the object's size. */
  extents(
    collection: CollectionId,
    object: HObject,
    offset: number,
    length: number,
  ): [offset: number, length: number][];

  getAttr(collection: CollectionId, object: HObject, name: string): Uint8Array | undefined;
  /** In byte order of their names. */
  getAttrs(collection: CollectionId, object: HObject): [string, Uint8Array][];

  omapHeader(collection: CollectionId, object: HObject): Uint8Array;
  omapGet(collection: CollectionId, object: HObject, key: string): Uint8Array | undefined;
  /** Entries with keys after `after` (exclusive; undefined: from the first) in byte order, read as consumed. */
  omapEntries(
    collection: CollectionId,
    object: HObject,
    after?: string,
  ): Iterable<[string, Uint8Array]>;

  /**
   * Up to `max` objects in hobject order from `from` (inclusive), clones included.
   * `next` is the object to continue at; undefined at the end of the collection.
   */
  list(
    collection: CollectionId,
    from: HObject,
    max: number,
  ): { objects: HObject[]; next: HObject | undefined };

  usage(collection: CollectionId): CollectionUsage;
  statfs(): StoreStatfs;

  /** Makes everything durable and lets go of the disk. Idempotent. */
  close(): Promise<void>;
}
