/**
 * Objects of one pool and namespace. Names are byte strings.
 * ceph: src/librados/IoCtxImpl.cc
 */

import { type Clock, ERRNO, type SpareMemory } from "../base/index.ts";
import {
  decodeFromBytes,
  EMPTY,
  flatten,
  type Infer,
  list,
  since,
  struct,
  u32,
  u64,
} from "../encoding/index.ts";
import { POOL_FLAG, pgOfHash } from "../maps/index.ts";
import {
  OSD_FLAG,
  type OsdOp,
  opDelete,
  opListSnaps,
  opListWatchers,
  opRollback,
} from "../messages/index.ts";
import {
  BLANK_ADDR,
  EntityAddr,
  EntityName,
  objectHash,
  SNAPDIR,
  type SnapContext,
} from "../types/index.ts";
import { type ClassCall, callOp, callReply } from "./class-call.ts";
import { bounded, type CallOptions, shared } from "./limits.ts";
import type { Lingers, NotifyReply, Place, Watch, WatchHandler, WatchOptions } from "./linger.ts";
import { opError } from "./linger.ts";
import { ObjectListing } from "./listing.ts";
import type { MonClient } from "./mon-client.ts";
import { type Objecter, type OpDone, poolGone } from "./objecter.ts";
import type { PoolAdmin, PoolSnap } from "./pool-admin.ts";
import { SnapListing } from "./snap-listing.ts";

export interface OpOptions extends CallOptions {
  /** What is read. @default the head */
  readonly snap?: bigint;
  /** What a write keeps. @default nothing */
  readonly snapContext?: SnapContext;
  /** More OSD_FLAG bits: FULL_TRY and the like. @default 0 */
  readonly flags?: number;
  /** What a write has for its time, milliseconds since 1970. @default now */
  readonly mtimeMs?: number;
}

/** What became of a request. */
export interface OpReply {
  /** Negative errno of what failed, else 0 or more. `read` and `write` throw instead. */
  readonly result: number;
  /** Version of the object after a write, or as read. */
  readonly version: number;
  /** By op. */
  readonly ops: readonly { readonly rval: number; readonly data: Uint8Array }[];
}

/** A registered watch, as everybody may know it. */
const Watcher = struct(
  "watch_item_t",
  { v: 2 },
  { name: EntityName, cookie: u64, timeoutSeconds: u32, addr: since(2, EntityAddr, BLANK_ADDR) },
);
export type Watcher = Infer<typeof Watcher>;
const WatcherList = struct("obj_list_watch_response_t", { v: 1 }, { entries: list(Watcher) });

/** What an IoCtx works with; one for all of a client's. */
export interface Engine {
  readonly objecter: Objecter;
  readonly lingers: Lingers;
  readonly mon: MonClient;
  readonly pools: PoolAdmin;
  readonly clock: Clock;
  /** Where large replies are received. */
  readonly memory: SpareMemory;
}

export class IoCtx {
  readonly pool: number;
  /** Byte string; "" is the default namespace. */
  readonly nspace: string;
  /** What is hashed in place of objects' names; byte string, "" for the names themselves. */
  readonly key: string;
  readonly #engine: Engine;
  readonly #signal: AbortSignal | undefined;
  readonly #writes = new Set<Promise<unknown>>();

  constructor(
    engine: Engine,
    pool: number,
    nspace: string,
    { key = "", signal }: { readonly key?: string; readonly signal?: AbortSignal | undefined } = {},
  ) {
    this.#engine = engine;
    this.pool = pool;
    this.nspace = nspace;
    this.key = key;
    this.#signal = signal;
  }

  /** The same pool, another namespace. */
  inNamespace(nspace: string): IoCtx {
    return new IoCtx(this.#engine, this.pool, nspace, { key: this.key, signal: this.#signal });
  }

  /** The same, for objects that are placed by this key, together, instead of by their names. */
  atKey(key: string): IoCtx {
    return new IoCtx(this.#engine, this.pool, this.nspace, { key, signal: this.#signal });
  }

  /**
   * The same, whose reads end with this signal where they do not have one of their own. Changes do not: what was
   * begun with one is to be known to be done, or not, by what comes next.
   */
  readingUntil(signal: AbortSignal | undefined): IoCtx {
    return new IoCtx(this.#engine, this.pool, this.nspace, { key: this.key, signal });
  }

  /** Another pool, same client. @throws CephError ENOENT if there is none such */
  inPool(pool: number, nspace: string): IoCtx {
    if (this.#engine.objecter.map?.pools.has(pool) !== true) throw poolGone(pool);
    return new IoCtx(this.#engine, pool, nspace, { signal: this.#signal });
  }

  /** @throws CephError ENOENT if the pool is gone */
  get poolName(): string {
    const name = this.#engine.objecter.map?.poolNames.get(this.pool);
    if (name === undefined) throw poolGone(this.pool);
    return name;
  }

  /** Limits of a call that takes several requests: each gets the time that is left. */
  shared(limits: CallOptions): () => CallOptions {
    return shared(this.#engine.clock, limits);
  }

  /** Reads. @throws CephError with the first failing op's errno */
  async read(oid: string, ops: readonly OsdOp[], options: OpOptions = {}): Promise<OpReply> {
    return done(oid, await this.#operate(oid, ops, "read", options));
  }

  /** The same of an object that need not be there; undefined: it is not. */
  async readIfThere(
    oid: string,
    ops: readonly OsdOp[],
    options: OpOptions = {},
  ): Promise<OpReply | undefined> {
    const reply = await this.#operate(oid, ops, "read", options);
    return reply.result === -ERRNO.ENOENT ? undefined : done(oid, reply);
  }

  /** Changes, all or nothing. @throws CephError with the first failing op's errno */
  async write(oid: string, ops: readonly OsdOp[], options: OpOptions = {}): Promise<OpReply> {
    return done(oid, await this.operate(oid, ops, "write", options));
  }

  /**
   * Reads or changes; a failure is in the result, and which op it was in the ops' own. Of a write these come
   * with OSD_FLAG.RETURNVEC only.
   */
  operate(
    oid: string,
    ops: readonly OsdOp[],
    mode: "read" | "write",
    options: OpOptions = {},
  ): Promise<OpReply> {
    const work = this.#operate(oid, ops, mode, options);
    if (mode === "write") {
      this.#writes.add(work);
      const ended = () => this.#writes.delete(work);
      work.then(ended, ended);
    }
    return work;
  }

  /** Resolves when all changes made by this object before now have ended, well or not. */
  async flush(options: CallOptions = {}): Promise<void> {
    const { clock } = this.#engine;
    const subject = () => ({ op: "flush", target: `pool ${this.pool}` });
    await bounded(clock, options, subject, Promise.allSettled(this.#writes));
  }

  /** Deletes an object. @throws CephError ENOENT if it is not there */
  async remove(oid: string, options: OpOptions = {}): Promise<void> {
    await this.write(oid, [opDelete()], options);
  }

  /** Whoever has had a reply is done with its data: another one's may be put in its place from now on. */
  recycle(reply: OpReply): void {
    for (const { data } of reply.ops) this.#engine.memory.give(data);
  }

  /** Asks a method of a class that only reads. */
  async query<A, R>(
    oid: string,
    call: ClassCall<A, R>,
    args: A,
    options: OpOptions = {},
  ): Promise<R> {
    const { ops } = await this.read(oid, [callOp(call, args)], options);
    return callReply(call, ops[0]?.data);
  }

  /** Has a method of a class change the object. */
  async execute<A>(
    oid: string,
    call: ClassCall<A, void>,
    args: A,
    options: OpOptions = {},
  ): Promise<void> {
    await this.write(oid, [callOp(call, args)], options);
  }

  /** Who watches an object. @throws CephError ENOENT if it is not there */
  async listWatchers(oid: string, options: OpOptions = {}): Promise<Watcher[]> {
    const { ops } = await this.read(oid, [opListWatchers()], options);
    return decodeFromBytes(WatcherList, ops[0]?.data ?? EMPTY).entries;
  }

  /** Which revisions of an object there are. @throws CephError ENOENT if there never was one */
  async listSnaps(oid: string, options: OpOptions = {}): Promise<SnapListing> {
    const { ops } = await this.read(oid, [opListSnaps()], { ...options, snap: SNAPDIR });
    return decodeFromBytes(SnapListing, ops[0]?.data ?? EMPTY);
  }

  /** Watches an object until the watch is closed. @throws CephError ENOENT if it is not there */
  async watch(oid: string, handler: WatchHandler, options: WatchOptions = {}): Promise<Watch> {
    return await this.#engine.lingers.watch(this.#place(oid), handler, options);
  }

  /**
   * Notifies an object's watchers and waits for their answers.
   * @param timeoutMs how long the OSD waits for them; whole seconds are what it knows
   */
  async notify(
    oid: string,
    payload: Uint8Array,
    timeoutMs: number,
    options: CallOptions = {},
  ): Promise<NotifyReply> {
    return await this.#engine.lingers.notify(this.#place(oid), payload, timeoutMs, options);
  }

  /** Names of the objects of this namespace, in no order that means anything. */
  async *listObjects(options: CallOptions = {}): AsyncGenerator<string> {
    for await (const { oid } of this.listing().objects(options)) yield oid;
  }

  /** To walk the pool's objects from one place to another. @param nspace ALL_NSPACES for all. @default this one */
  listing(nspace: string = this.nspace): ObjectListing {
    return new ObjectListing(this.#engine.objecter, this.pool, nspace);
  }

  // --- Placement groups ---------------------------------------------------------------------------

  /** The group of this pool that an object is in, by its number. @throws CephError ENOENT if the pool is gone */
  pgSeedOf(oid: string): number {
    const pool = this.#engine.objecter.map?.pools.get(this.pool);
    if (pool === undefined) throw poolGone(this.pool);
    return pgOfHash(pool, this.pool, this.#place(oid).hash).seed;
  }

  /** Asks a group of this pool, not an object. @returns the op's output */
  async askPg(seed: number, op: OsdOp, options: CallOptions = {}): Promise<Uint8Array> {
    const { reply } = await this.#engine.objecter.submit(
      {
        pool: this.pool,
        nspace: this.nspace,
        oid: "",
        hash: seed,
        ops: [op],
        flags: OSD_FLAG.READ | OSD_FLAG.PGOP | OSD_FLAG.IGNORE_OVERLAY,
      },
      options,
    );
    if (reply.result < 0) throw opError(reply.result, "ask", { oid: `pg ${this.pool}.${seed}` });
    return flatten(reply.ops[0]?.outdata ?? []);
  }

  // --- Snapshots --------------------------------------------------------------------------------

  /** A new snapshot id of the pool. */
  async createSnapId(options: CallOptions = {}): Promise<bigint> {
    return await this.#engine.pools.createSnapId(this.pool, options);
  }

  /** Gives a snapshot id back: what it kept is deleted. @throws CephError ENOENT if it was not given out */
  async removeSnapId(snap: bigint, options: CallOptions = {}): Promise<void> {
    await this.#engine.pools.removeSnapId(this.pool, snap, options);
  }

  /** Takes a snapshot of the whole pool. @throws CephError EEXIST; EINVAL in a pool whose clients manage snapshots */
  async createPoolSnap(name: string, options: CallOptions = {}): Promise<void> {
    await this.#engine.pools.createSnap(this.pool, name, options);
  }

  /** Removes a snapshot of the whole pool. @throws CephError ENOENT if there is none such */
  async removePoolSnap(name: string, options: CallOptions = {}): Promise<void> {
    await this.#engine.pools.removeSnap(this.pool, name, options);
  }

  /** The snapshots of the whole pool that our map has, by id. */
  poolSnaps(): PoolSnap[] {
    return this.#engine.pools.snaps(this.pool);
  }

  /** Do clients manage the snapshots of this pool? @throws CephError ENOENT if the pool is gone */
  get hasManagedSnaps(): boolean {
    const pool = this.#engine.objecter.map?.pools.get(this.pool);
    if (pool === undefined) throw poolGone(this.pool);
    return (pool.flags & POOL_FLAG.SELFMANAGED_SNAPS) !== 0;
  }

  /** Sets an object back to what it was at a snapshot. @throws CephError ENOENT if it was not there */
  async rollback(oid: string, snap: bigint, options: OpOptions = {}): Promise<void> {
    await this.write(oid, [opRollback(snap)], options);
  }

  #operate(
    oid: string,
    ops: readonly OsdOp[],
    mode: "read" | "write",
    options: OpOptions,
  ): Promise<OpReply> {
    const { snap, snapContext, flags = 0, mtimeMs, timeoutMs } = options;
    const { signal = mode === "read" ? this.#signal : undefined } = options;
    const { pool, nspace, key, hash } = this.#place(oid);
    const request = {
      pool,
      nspace,
      oid,
      key,
      hash,
      ops,
      flags: flags | (mode === "read" ? OSD_FLAG.READ : OSD_FLAG.WRITE),
      snap,
      snapContext,
      mtimeMs,
    };
    return this.#engine.objecter.submit(request, { signal, timeoutMs }).then(replyOf);
  }

  #place(oid: string): Place {
    const { pool, nspace, key } = this;
    const kind = this.#engine.objecter.map?.pools.get(pool)?.objectHash;
    return { pool, nspace, oid, key, hash: objectHash(oid, nspace, key, kind) };
  }
}

function replyOf({ reply }: OpDone): OpReply {
  return {
    result: reply.result,
    version: reply.userVersion,
    ops: reply.ops.map((op) => ({ rval: op.rval, data: flatten(op.outdata) })),
  };
}

function done(oid: string, reply: OpReply): OpReply {
  if (reply.result < 0) throw opError(reply.result, "operate on", { oid });
  return reply;
}
