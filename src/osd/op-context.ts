/**
 * One client request on one object while it runs: what it has read, what it has staged, what should
 * happen once it is durable.
 *
 * Reads see the object as it was before the request; existence and size follow the staged changes, as in
 * upstream (a read after a write in one request returns the old bytes). Nothing here changes the object
 * context: the executor applies the new state only after the store has taken the transaction.
 * ceph: src/osd/PrimaryLogPG.h OpContext, src/osd/PrimaryLogPG.cc
 */

import type { BufferList } from "../encoding/index.ts";
import type { MOSDOp, OsdOp } from "../messages/index.ts";
import type { Connection } from "../messenger/index.ts";
import type { CollectionId, ObjectStore, StoreOp } from "../store/index.ts";
import {
  type HObject,
  IntervalSet,
  type ObjectLocator,
  type PgId,
  type SnapContext,
  type SnapSet,
  type Utime,
} from "../types/index.ts";
import type { ObjectContext } from "./object-context.ts";
import {
  copyInfo,
  isWhiteout,
  OBJECT_FLAG,
  type ObjectInfo,
  type WatchInfo,
  watchKey,
} from "./object-info.ts";
import type { CopySource, ObjectCopy } from "./ops/copy.ts";
import { kb, type PgStats, zeroStats } from "./pg-stats.ts";

type StoreSums = (StoreOp & { op: "write" })["sums"];

/** One sub-op of a request and its outcome. */
export interface OpSlot {
  readonly op: OsdOp;
  rval: number;
  out: BufferList | Promise<BufferList>;
  /** crc32c (seed 0) of `out`, where the store has it at rest. */
  crc?: number | undefined;
}

/** What operations may ask of their surroundings. */
export interface OpEnvironment {
  readonly now: Utime;
  /** Where an object of that name is; undefined if there is no such pool. */
  locate(locator: ObjectLocator, oid: string): { pg: PgId; hash: number } | undefined;
  random(bytes: number): Uint8Array;
  nextNotifyId(): bigint;
  /** Logs a class method's message. */
  log(event: string, fields?: Record<string, string | number | bigint>): void;
  readonly minAllocSize: number;
  /** No byte of an object may lie at or past this offset. */
  readonly objectSizeMax: number;
  /** Bytes of data that a request may bring. */
  readonly writeSizeMax: number;
  readonly requireOsdRelease: number;
  readonly requireMinCompatClient: number;
}

/** Side effects of a request that succeeded, run once it is durable. */
export interface OpEffects {
  readonly watchConnects: { info: WatchInfo; willPing: boolean }[];
  readonly watchDisconnects: { key: string; sendDisconnect: boolean }[];
  readonly notifies: { id: bigint; cookie: bigint; payload: Uint8Array; timeoutSeconds: number }[];
  readonly acks: { notifyId: bigint; cookie: bigint | undefined; reply: Uint8Array }[];
}

export class OpContext {
  readonly store: ObjectStore;
  readonly collection: CollectionId;
  readonly environment: OpEnvironment;
  /** The object as it was at a snapshot; undefined if it was not. */
  readonly resolveSnap: (head: ObjectContext, snap: bigint) => ObjectContext | undefined;
  readonly connection: Connection;
  readonly message: MOSDOp;
  /** The object (head or clone) as it was before. */
  readonly before: ObjectContext;
  /** Newest user version of the PG, which classes make keys of. */
  readonly lastUserVersion: number;
  /** The request may change something: reads are then served at once, not as promises. */
  readonly mayWrite: boolean;
  /** The pool's or the client's snap context, live snaps only. */
  snapContext: SnapContext = { seq: 0n, snaps: [] };

  exists: boolean;
  info: ObjectInfo;
  snapset: SnapSet;
  readonly staged: StoreOp[] = [];
  /** Ranges of the head that the request changes, for clone overlaps: kept only where there are, or will be, clones. */
  modified: IntervalSet | undefined;
  /** A change that clients can see: raises the user version. */
  userModify = false;
  /** A change without a store operation. */
  modify = false;
  /** The object's time of change is set already: it is not the request's. */
  keepsMtime = false;
  /** Sources of the request's copies that have been read, by the number of the op. */
  readonly copies: ReadonlyMap<number, ObjectCopy> | undefined;
  /** A source that has to be read before the request can go on: it is run again then, from its start. */
  awaits: { index: number; source: CopySource } | undefined;
  /** Ops of the request that have run, those that class methods have made among them.  ceph: processed_subop_count */
  opsDone = 0;
  /** The object begins with this request: until it is removed again, all that is staged is about it. */
  #isFresh = false;
  /** The store still has the object as it was before: what is made anew begins with its removal. */
  #isOldThere = false;
  readonly delta: PgStats = zeroStats();
  #effects: OpEffects | undefined;

  constructor(options: {
    store: ObjectStore;
    collection: CollectionId;
    environment: OpEnvironment;
    resolveSnap: OpContext["resolveSnap"];
    connection: Connection;
    message: MOSDOp;
    before: ObjectContext;
    lastUserVersion: number;
    mayWrite: boolean;
    copies?: ReadonlyMap<number, ObjectCopy> | undefined;
  }) {
    this.copies = options.copies;
    this.store = options.store;
    this.collection = options.collection;
    this.environment = options.environment;
    this.resolveSnap = options.resolveSnap;
    this.connection = options.connection;
    this.message = options.message;
    this.before = options.before;
    this.lastUserVersion = options.lastUserVersion;
    this.mayWrite = options.mayWrite;
    this.exists = this.before.exists;
    this.info = options.mayWrite ? copyInfo(this.before.info) : this.before.info;
    this.snapset = options.mayWrite
      ? { seq: this.before.snapset.seq, clones: this.before.snapset.clones.slice() }
      : this.before.snapset;
  }

  get object(): HObject {
    return this.before.object;
  }

  /** Exists and is no whiteout: what a client calls existing. */
  get isVisible(): boolean {
    return this.exists && !isWhiteout(this.info);
  }

  get hasEffects(): boolean {
    return this.#effects !== undefined;
  }

  get effects(): OpEffects {
    this.#effects ??= { watchConnects: [], watchDisconnects: [], notifies: [], acks: [] };
    return this.#effects;
  }

  /** Makes sure the object exists before something is put into it. */
  create(): void {
    if (!this.exists) {
      this.exists = true;
      this.delta.objects++;
      this.stageFresh({ op: "touch", object: this.object });
    } else if (isWhiteout(this.info)) {
      this.info.flags &= ~OBJECT_FLAG.WHITEOUT;
      this.delta.whiteouts--;
    }
  }

  touched(offset: number, length: number): void {
    if (this.before.snapset.clones.length === 0 && this.snapContext.snaps.length === 0) return;
    this.modified ??= new IntervalSet();
    this.modified.insert(offset, length);
  }

  resize(size: number): void {
    this.delta.bytes += size - this.info.size;
    this.info.size = size;
  }

  /**
   * Stages bytes at an offset; the caller has checked the bounds and created the object.
   * @param sums of the data's blocks, if known: see StoreOp
   */
  write(offset: number, length: number, data: BufferList, sums?: StoreSums): void {
    if (length === 0) {
      if (offset > this.info.size) {
        this.staged.push({ op: "truncate", object: this.object, size: offset });
        this.resize(offset);
      } else {
        this.modify = true;
      }
    } else {
      this.staged.push({ op: "write", object: this.object, offset, data, sums });
      this.touched(offset, length);
      if (offset + length > this.info.size) this.resize(offset + length);
    }
    this.countWrite(length);
  }

  /**
   * Replaces the whole content; attributes and omap stay.
   * compat: nothing in place of nothing is no change, so that not even a whiteout becomes an object by it.
   */
  writeFull(length: number, data: BufferList, sums?: StoreSums): void {
    if (length < this.info.size) {
      this.staged.push({ op: "truncate", object: this.object, size: length });
    }
    if (length > 0) this.staged.push({ op: "write", object: this.object, offset: 0, data, sums });
    this.touched(0, this.info.size);
    this.resize(length);
    this.countWrite(length);
  }

  truncate(size: number): void {
    this.staged.push({ op: "truncate", object: this.object, size });
    if (this.info.size > size) this.touched(size, this.info.size - size);
    this.resize(size);
    this.countWrite(0);
  }

  zero(offset: number, length: number): void {
    this.staged.push({ op: "zero", object: this.object, offset, length });
    this.touched(offset, length);
    this.countWrite(0);
  }

  /** Removes the head; it stays as a whiteout while it has, or is about to get, clones. */
  remove(): boolean {
    const newestSnap = this.snapContext.snaps[0];
    const whiteout =
      this.snapset.clones.length > 0 || (newestSnap !== undefined && newestSnap > this.snapset.seq);
    if (!this.exists || (whiteout && isWhiteout(this.info))) return false;
    if (this.#isFresh) {
      // compat: what began with this request vanishes without a trace, and with it a removal before it.
      this.staged.length = 0;
      this.modify = false;
      this.#isFresh = false;
      this.#isOldThere = this.before.exists;
    } else {
      this.staged.push({ op: "remove", object: this.object });
    }
    this.touched(0, this.info.size);
    this.countWrite(0);
    this.resize(0);
    for (const watcher of this.info.watchers) {
      this.effects.watchDisconnects.push({
        key: watchKey(watcher.entity, watcher.cookie),
        sendDisconnect: true,
      });
    }
    // compat: truncation and the mark of an omap stay with a whiteout, and with what the request makes anew.
    this.info.watchers = [];
    if (whiteout) {
      this.info.flags |= OBJECT_FLAG.WHITEOUT;
      this.delta.whiteouts++;
      this.stageFresh({ op: "touch", object: this.object });
    } else {
      this.delta.objects--;
      if (isWhiteout(this.info)) this.delta.whiteouts--;
      this.info.flags &= ~OBJECT_FLAG.WHITEOUT;
      this.exists = false;
    }
    return true;
  }

  /** Stages what makes the object anew. ceph: src/osd/PGTransaction.h is_fresh_object */
  stageFresh(op: StoreOp): void {
    if (this.#isOldThere) this.staged.push({ op: "remove", object: this.object });
    this.#isOldThere = false;
    this.staged.push(op);
    this.#isFresh = true;
  }

  markOmap(present: boolean): void {
    if (present) this.info.flags |= OBJECT_FLAG.OMAP;
    else this.info.flags &= ~OBJECT_FLAG.OMAP;
  }

  countRead(bytes: number): void {
    this.delta.reads++;
    this.delta.readKb += kb(bytes);
  }

  countWrite(bytes: number): void {
    this.delta.writes++;
    this.delta.writeKb += kb(bytes);
  }
}
