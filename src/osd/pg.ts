/**
 * One placement group: its objects, its log, its counters, and the life of a request on one of them.
 *
 * A request runs to completion in one call: checks, duplicate detection, the ops in order, the clone that
 * a snapshot needs, one store transaction with the log entry in it. Replies and side effects wait in the
 * commit queue. The collection is made by the first write to it.
 * ceph: src/osd/PrimaryLogPG.cc do_op, execute_ctx, prepare_transaction, finish_ctx
 */

import type { Clock, Logger } from "../base/index.ts";
import { decodeFromBytes, encodeToBytes } from "../encoding/index.ts";
import {
  type CollectionId,
  type CollectionUsage,
  CorruptionError,
  NoSpaceError,
  type ObjectStore,
  type StoreOp,
  type TransactionSeq,
} from "../store/index.ts";
import {
  type EVersion,
  formatPgId,
  HOBJECT_MIN,
  type HObject,
  IntervalSet,
  NOSNAP,
  type OsdReqId,
  type PgId,
  SNAPDIR,
  SnapSet,
  type Utime,
} from "../types/index.ts";
import type { CommitQueue } from "./commit-queue.ts";
import { NO_WATCHES, type ObjectContext, ObjectContexts } from "./object-context.ts";
import { INFO_ATTR, NO_OBJECT, ObjectInfo, SNAPSET_ATTR, watchKey } from "./object-info.ts";
import type { OpContext } from "./op-context.ts";
import { metaObject, newPgInfo, PG_INFO, PgInfo } from "./pg-info.ts";
import { LOG_KEY_PREFIX, type LogEntry, type OpReturns, PgLog } from "./pg-log.ts";
import { addStats, copyStats, kb, type PgStats, zeroStats } from "./pg-stats.ts";
import { snapIndexChanges, snapIndexKey } from "./snap-index.ts";
import { makeWriteable, resolveSnap } from "./snapshots.ts";
import { Notify, Watch } from "./watch.ts";

/** What a PG needs of its OSD. */
export interface PgHost {
  readonly store: ObjectStore;
  readonly commits: CommitQueue;
  readonly clock: Clock;
  readonly log: Logger;
  /** Epoch of the newest map here. */
  epoch(): number;
  /** Object contexts that a PG may keep. */
  contextsMax(): number;
  /** Snaps of the pool that are removed and not yet purged everywhere. */
  removedSnaps(pool: number): IntervalSet;
  /** Nothing may be written any more. */
  isStopped(): boolean;
}

/** Intervals of purged snaps, of 16 bytes each. */
const PURGED_KEPT = 100;

/** What became of a write, for its reply. */
export interface Committed {
  readonly seq: TransactionSeq;
  readonly version: EVersion;
  readonly userVersion: number;
}

export class Pg {
  readonly id: PgId;
  readonly collection: CollectionId;
  readonly objects: ObjectContexts;
  readonly info: PgInfo;
  #log: PgLog | undefined;
  readonly #host: PgHost;
  readonly #meta: HObject;
  #hasCollection: boolean;
  /** Keys of the omap that an older format has left: the next transaction puts the present one in their place. */
  #oldKeys: string[] = [];
  #isRetired = false;
  /** Its objects are on their way to others: nothing may change. */
  #isSplitting = false;
  /** Its record does not read as it was written: nobody knows where it stands, so it neither gives nor takes. */
  damage: CorruptionError | undefined;

  constructor(host: PgHost, id: PgId) {
    this.#host = host;
    this.id = id;
    this.collection = formatPgId(id);
    this.#meta = metaObject(id);
    this.objects = new ObjectContexts(
      host.store,
      this.collection,
      () => host.contextsMax(),
      (context) => this.#reviveWatches(context),
    );
    this.#hasCollection = host.store.hasCollection(this.collection);
    try {
      this.info = this.#load();
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.damage = error;
      this.info = newPgInfo();
    }
  }

  #load(): PgInfo {
    const { store } = this.#host;
    let encoded: Uint8Array | undefined;
    if (this.#hasCollection) {
      encoded = store.getAttr(this.collection, this.#meta, PG_INFO);
      if (encoded === undefined) {
        encoded = store.omapGet(this.collection, this.#meta, PG_INFO);
        if (encoded !== undefined) this.#oldKeys.push(PG_INFO);
      }
    }
    return encoded === undefined ? newPgInfo() : decodeFromBytes(PgInfo, encoded);
  }

  /** Read back at the first write: a restart must not pay for PGs that nobody writes to. */
  get log(): PgLog {
    if (this.damage !== undefined) throw this.damage;
    if (this.#log !== undefined) return this.#log;
    const log = new PgLog();
    const { store } = this.#host;
    if (this.#hasCollection) {
      const stored = store.omapEntries(this.collection, this.#meta, LOG_KEY_PREFIX);
      this.#oldKeys.push(...log.load(stored, store.lastSubmitted));
    }
    this.#log = log;
    return log;
  }

  get meta(): HObject {
    return this.#meta;
  }

  /** Its space in the store. */
  get usage(): CollectionUsage {
    return this.#host.store.usage(this.collection);
  }

  /** Log entries in memory: none until the first write since the start. */
  get logSize(): number {
    return this.#log?.length ?? 0;
  }

  #nextVersion(): EVersion {
    return { version: this.info.lastUpdate.version + 1, epoch: this.#host.epoch() };
  }

  /**
   * The object a request is about: the head, or what a snap maps to; undefined if there is nothing.
   * @throws CorruptionError
   */
  find(head: HObject, snap: bigint): ObjectContext | undefined {
    if (this.damage !== undefined) throw this.damage;
    const context = this.objects.head(head);
    if (snap === NOSNAP || snap === SNAPDIR) return context;
    return this.resolveSnap(context, snap);
  }

  resolveSnap(head: ObjectContext, snap: bigint): ObjectContext | undefined {
    const removed = this.#host.removedSnaps(this.id.pool);
    const target = resolveSnap(head.snapset, snap, (s) => removed.has(Number(s)));
    if (target.at === "nothing") return undefined;
    return target.at === "head" ? head : this.objects.clone(head, target.id);
  }

  /** The context's snaps without those that are gone. */
  liveSnaps(snaps: readonly bigint[]): bigint[] {
    const removed = this.#host.removedSnaps(this.id.pool);
    const purged = this.info.purgedSnaps;
    return snaps.filter((s) => !removed.has(Number(s)) && !purged.has(Number(s)));
  }

  /**
   * Puts a request's changes into the store with its log entry.
   * @param result what a resend of the same request should be told
   * @throws NoSpaceError; nothing has changed then
   */
  commit(ctx: OpContext, reqid: OsdReqId, result: number, returns: OpReturns): Committed {
    const snapsetBefore = ctx.before.snapset;
    let version = this.#nextVersion();
    if (makeWriteable(ctx, version)) version = { ...version, version: version.version + 1 };
    let userVersion = ctx.info.userVersion;
    if (ctx.userModify) {
      userVersion = Math.max(
        Math.max(this.info.lastUserVersion, ctx.info.userVersion) + 1,
        version.version,
      );
    }
    if (ctx.exists) {
      ctx.info.userVersion = userVersion;
      ctx.info.priorVersion = ctx.before.info.version;
      ctx.info.version = version;
      const { sec, nsec } = ctx.message.mtime;
      if (!ctx.keepsMtime && (sec !== 0 || nsec !== 0)) {
        ctx.info.mtime = ctx.message.mtime;
      }
      const { object } = ctx;
      // Most writes leave the snapshot set as it is on disk.
      const setStays =
        ctx.before.exists &&
        ctx.snapset.seq === snapsetBefore.seq &&
        ctx.snapset.clones.length === snapsetBefore.clones.length &&
        ctx.snapset.clones.every((clone, i) => clone === snapsetBefore.clones[i]) &&
        !ctx.staged.some((op) => op.op === "remove" || op.op === "clone");
      const value = encodeToBytes(ObjectInfo, ctx.info);
      ctx.staged.push({ op: "set-attr", object, name: INFO_ATTR, value });
      if (!setStays) {
        const set = encodeToBytes(SnapSet, ctx.snapset);
        ctx.staged.push({ op: "set-attr", object, name: SNAPSET_ATTR, value: set });
      }
    }
    ctx.staged.push(...snapIndexChanges(this.#meta, ctx.object, snapsetBefore, ctx.snapset));
    const seq = this.submit(ctx.staged, ctx.delta, version, userVersion, {
      reqid,
      version,
      userVersion,
      result,
      rvals: returns.rvals,
      hash: ctx.object.hash,
      outputs: returns.outputs,
    });
    const { before } = ctx;
    before.exists = ctx.exists;
    before.info = ctx.exists ? ctx.info : NO_OBJECT;
    before.snapset = ctx.exists ? ctx.snapset : { seq: 0n, clones: [] };
    before.lastSeq = seq;
    return { seq, version, userVersion };
  }

  /** Makes an object that no client has asked for. */
  makeObject(oid: string, hash: number, data: Uint8Array, mtime: Utime): void {
    const object: HObject = {
      ...HOBJECT_MIN,
      oid,
      hash,
      pool: BigInt(this.id.pool),
      snap: NOSNAP,
    };
    const version = this.#nextVersion();
    const size = data.length;
    const info: ObjectInfo = { ...NO_OBJECT, version, userVersion: version.version, size, mtime };
    const snapset = { seq: 0n, clones: [] };
    const attr = (name: string, value: Uint8Array): StoreOp => {
      return { op: "set-attr", object, name, value };
    };
    const delta = { ...zeroStats(), objects: 1, bytes: size, writes: 1, writeKb: kb(size) };
    this.submit(
      [
        { op: "write", object, offset: 0, data: [data] },
        attr(INFO_ATTR, encodeToBytes(ObjectInfo, info)),
        attr(SNAPSET_ATTR, encodeToBytes(SnapSet, snapset)),
      ],
      delta,
      version,
      version.version,
      undefined,
    );
  }

  /** Remembers a write that failed or changed nothing: a resend gets the same answer. */
  commitNothing(reqid: OsdReqId, hash: number, result: number, returns: OpReturns): Committed {
    const version = this.#nextVersion();
    const entry = { reqid, version, userVersion: 0, result, hash, ...returns };
    const seq = this.submit([], zeroStats(), version, 0, entry);
    return { seq, version, userVersion: this.info.lastUserVersion };
  }

  /** Reads change no state that must survive: their counters go to disk with the next write. */
  countReads(delta: PgStats): void {
    addStats(this.info.stats, delta);
  }

  /** One transaction: changes, counters, log entry. */
  submit(
    changes: readonly StoreOp[],
    delta: PgStats,
    version: EVersion,
    userVersion: number,
    entry: LogEntry | undefined,
  ): TransactionSeq {
    const { info, log } = this;
    const object = this.#meta;
    const lastUserVersion = Math.max(info.lastUserVersion, userVersion);
    const stats = copyStats(info.stats);
    addStats(stats, delta);
    const value = encodeToBytes(PgInfo, {
      lastUpdate: version,
      lastUserVersion,
      stats,
      purgedSnaps: info.purgedSnaps,
    });
    const ops = changes.slice();
    if (!this.#hasCollection) {
      ops.unshift({ op: "create-collection", collection: this.collection });
    }
    ops.push({ op: "set-attr", object, name: PG_INFO, value });
    if (this.#oldKeys.length > 0) {
      ops.push({ op: "omap-remove", object, keys: this.#oldKeys });
      ops.push({ op: "omap-set", object, entries: [...log.chunks()] });
    }
    if (entry !== undefined) ops.push({ op: "omap-set", object, entries: [log.stage(entry)] });
    const seq = this.#host.store.submit({ collection: this.collection, ops });
    this.#hasCollection = true;
    this.#oldKeys = [];
    info.lastUpdate = version;
    info.lastUserVersion = lastUserVersion;
    info.stats = stats;
    if (entry !== undefined) log.add(entry, seq);
    return seq;
  }

  /** A removed snap has no clones left here. */
  purged(snap: number): void {
    const purgedSnaps = this.info.purgedSnaps.clone();
    purgedSnaps.insert(snap, 1);
    const before = this.info.purgedSnaps;
    this.info.purgedSnaps = purgedSnaps;
    this.forgetPurged();
    // A PG that nobody has written to has nothing to remember: it will find nothing again.
    if (!this.#hasCollection) return;
    try {
      this.submit([], zeroStats(), this.info.lastUpdate, 0, undefined);
    } catch (error) {
      this.info.purgedSnaps = before;
      throw error;
    }
  }

  /**
   * Of the snaps that are purged everywhere only the newest are remembered, for writers who have not heard of their
   * removal yet: all of them are written with each change of the PG.
   */
  forgetPurged(): void {
    if (this.info.purgedSnaps.count <= PURGED_KEPT) return;
    const everywhere = this.info.purgedSnaps.clone();
    everywhere.subtract(this.#host.removedSnaps(this.id.pool));
    const tooMany = everywhere.count - PURGED_KEPT;
    if (tooMany <= 0) return;
    const kept = this.info.purgedSnaps.clone();
    for (const [start, length] of [...everywhere].slice(0, tooMany)) kept.remove(start, length);
    this.info.purgedSnaps = kept;
  }

  /** The change that strikes one entry from the snapshot index. */
  dropSnapIndex(snap: bigint, head: HObject): StoreOp {
    return { op: "omap-remove", object: this.#meta, keys: [snapIndexKey(snap, head)] };
  }

  /** The pool is gone: its watches end here, and no timer of theirs finds a PG without a collection later. */
  retire(): void {
    this.#isRetired = true;
    for (const context of this.objects.watched()) {
      for (const watch of context.watches.values()) watch.remove(false);
      context.watches.clear();
    }
  }

  /** Nobody asks anything of it until its objects are where they belong, and all that was asked is done. */
  beginSplit(): void {
    this.#isSplitting = true;
  }

  /** @param pgOf whose an object is now, by its hash */
  endSplit(pgOf: (hash: number) => Pg): void {
    this.#isSplitting = false;
    for (const context of this.objects.takeOthers((hash) => pgOf(hash) === this)) {
      if (context.watches.size > 0) pgOf(context.object.hash).#adopt(context);
    }
  }

  /** An object that is watched has come from the PG that it was in. */
  #adopt(context: ObjectContext): void {
    this.objects.put(context);
    for (const watch of context.watches.values()) {
      watch.onExpired = () => this.endWatch(context, watch);
    }
  }

  /** Side effects of a request that has become durable: watches, notifications, acknowledgements. */
  applyEffects(ctx: OpContext, context: ObjectContext): void {
    if (!ctx.hasEffects || this.#isRetired) return;
    const { effects, connection } = ctx;
    for (const { key, sendDisconnect } of effects.watchDisconnects) {
      context.watches.get(key)?.remove(sendDisconnect);
      context.watches.delete(key);
    }
    for (const { info, willPing } of effects.watchConnects) {
      const key = watchKey(info.entity, info.cookie);
      let watch = context.watches.get(key);
      if (watch === undefined) {
        watch = this.#makeWatch(context, info);
      }
      if (connection.isOpen) watch.connect(connection, willPing);
      else watch.arm();
    }
    for (const { id, cookie, payload, timeoutSeconds } of effects.notifies) {
      const version = context.info.userVersion;
      const notify = new Notify({ id, notifier: connection, cookie, version, payload });
      notify.start([...context.watches.values()], this.#host.clock, timeoutSeconds);
    }
    const { peerName } = connection;
    for (const { notifyId, cookie, reply } of effects.acks) {
      for (const watch of context.watches.values()) {
        const { entity } = watch.info;
        if (entity.num !== peerName.num || entity.type !== peerName.type) continue;
        if (cookie === undefined || watch.info.cookie === cookie) watch.ack(notifyId, reply);
      }
    }
  }

  #makeWatch(context: ObjectContext, info: ObjectInfo["watchers"][number]): Watch {
    const watch = new Watch(info, this.#host.clock, () => this.endWatch(context, watch));
    if (context.watches === NO_WATCHES) context.watches = new Map();
    context.watches.set(watchKey(info.entity, info.cookie), watch);
    return watch;
  }

  /** Watches that survived a restart wait for their clients, each for its timeout. */
  #reviveWatches(context: ObjectContext): void {
    for (const info of context.info.watchers) this.#makeWatch(context, info).arm();
  }

  /** The watcher is silent for too long or locked out: the watch ends, for good and on disk. */
  endWatch(context: ObjectContext, watch: Watch): void {
    if (this.#host.isStopped()) return;
    const { entity, cookie } = watch.info;
    const key = watchKey(entity, cookie);
    if (context.watches.get(key) !== watch) return;
    // It is silent, and stays so: its time comes again when the object is where it belongs.
    if (this.#isSplitting) return watch.arm();
    context.watches.delete(key);
    watch.remove(true);
    this.#host.log.info("watch ended", { pg: this.collection, object: context.object.oid });
    // Only the context in use knows the object as it is: what another one has would be an old state. And an object
    // that is gone, be it not yet from the disk, would come back with nothing but its info.
    if (!context.exists || !this.objects.has(context)) return;
    const watchers = context.info.watchers.filter((w) => watchKey(w.entity, w.cookie) !== key);
    const version = this.#nextVersion();
    const info: ObjectInfo = {
      ...context.info,
      watchers,
      priorVersion: context.info.version,
      version,
    };
    const { object } = context;
    const value = encodeToBytes(ObjectInfo, info);
    try {
      const change: StoreOp = { op: "set-attr", object, name: INFO_ATTR, value };
      context.lastSeq = this.submit([change], zeroStats(), version, 0, undefined);
      context.info = info;
    } catch (error) {
      if (!(error instanceof NoSpaceError) && !(error instanceof CorruptionError)) throw error;
      // It cannot be written down: the watch comes back after a restart and times out again.
      const { message: why } = error;
      this.#host.log.warn("the end of a watch is not recorded", { object: object.oid, why });
    }
  }
}
