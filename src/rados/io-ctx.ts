/**
 * Objects of one pool and namespace. Names are byte strings.
 * ceph: src/librados/IoCtxImpl.cc
 */

import { CephError, ERRNO } from "../base/index.ts";
import {
  decodeFromBytes,
  EMPTY,
  flatten,
  type Infer,
  list,
  record,
  since,
  str,
  struct,
  u32,
  u64,
} from "../encoding/index.ts";
import {
  MPoolOp,
  MPoolOpReply,
  OSD_FLAG,
  type OsdOp,
  opDelete,
  opListSnaps,
  opListWatchers,
  opPgnls,
  POOL_OP,
} from "../messages/index.ts";
import {
  BLANK_ADDR,
  EntityAddr,
  EntityName,
  HOBJECT_MIN,
  HObject,
  objectHash,
  SNAPDIR,
  type SnapContext,
} from "../types/index.ts";
import { type ClassCall, callOp, callReply } from "./class-call.ts";
import type { Lingers, NotifyReply, Place, Watch, WatchHandler } from "./linger.ts";
import { opError } from "./linger.ts";
import type { MonClient } from "./mon-client.ts";
import { type Objecter, poolGone } from "./objecter.ts";
import { SnapListing } from "./snap-listing.ts";

/** Objects asked for in one listing request. */
const LIST_PAGE = 1000;

export interface OpOptions {
  /** What is read. @default the head */
  readonly snap?: bigint;
  /** What a write keeps. @default nothing */
  readonly snapContext?: SnapContext;
  /** More OSD_FLAG bits: FULL_TRY and the like. @default 0 */
  readonly flags?: number;
}

/** What became of a request. */
export interface OpReply {
  /** 0 or more; below only where every failing op was allowed to fail. */
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

const ListEntry = record("librados::ListObjectImpl", { nspace: str, oid: str, locator: str });
const ListPage = struct(
  "pg_nls_response_t",
  { v: 1 },
  { handle: HObject, entries: list(ListEntry) },
);

/** What an IoCtx works with; one for all of a client's. */
export interface Engine {
  readonly objecter: Objecter;
  readonly lingers: Lingers;
  readonly mon: MonClient;
}

export class IoCtx {
  readonly pool: number;
  /** Byte string; "" is the default namespace. */
  readonly nspace: string;
  readonly #engine: Engine;

  constructor(engine: Engine, pool: number, nspace: string) {
    this.#engine = engine;
    this.pool = pool;
    this.nspace = nspace;
  }

  /** The same pool, another namespace. */
  inNamespace(nspace: string): IoCtx {
    return new IoCtx(this.#engine, this.pool, nspace);
  }

  /** Another pool, same client. @throws CephError ENOENT if there is none such */
  inPool(pool: number, nspace: string): IoCtx {
    if (this.#engine.objecter.map?.pools.has(pool) !== true) throw poolGone(pool);
    return new IoCtx(this.#engine, pool, nspace);
  }

  /** @throws CephError ENOENT if the pool is gone */
  get poolName(): string {
    const name = this.#engine.objecter.map?.poolNames.get(this.pool);
    if (name === undefined) throw poolGone(this.pool);
    return name;
  }

  /** Reads. @throws CephError with the first failing op's errno */
  async read(oid: string, ops: readonly OsdOp[], options: OpOptions = {}): Promise<OpReply> {
    return await this.#operate(oid, ops, OSD_FLAG.READ, options);
  }

  /** Changes, all or nothing. @throws CephError with the first failing op's errno */
  async write(oid: string, ops: readonly OsdOp[], options: OpOptions = {}): Promise<OpReply> {
    return await this.#operate(oid, ops, OSD_FLAG.WRITE, options);
  }

  /** Deletes an object. @throws CephError ENOENT if it is not there */
  async remove(oid: string, options: OpOptions = {}): Promise<void> {
    await this.write(oid, [opDelete()], options);
  }

  /** Asks a method of a class that only reads. */
  async query<A, R>(oid: string, call: ClassCall<A, R>, args: A): Promise<R> {
    const { ops } = await this.read(oid, [callOp(call, args)]);
    return callReply(call, ops[0]?.data);
  }

  /** Has a method of a class change the object. */
  async execute<A>(oid: string, call: ClassCall<A, void>, args: A): Promise<void> {
    await this.write(oid, [callOp(call, args)]);
  }

  /** Who watches an object. @throws CephError ENOENT if it is not there */
  async listWatchers(oid: string): Promise<Watcher[]> {
    const { ops } = await this.read(oid, [opListWatchers()]);
    return decodeFromBytes(WatcherList, ops[0]?.data ?? EMPTY).entries;
  }

  /** Which revisions of an object there are. @throws CephError ENOENT if there never was one */
  async listSnaps(oid: string): Promise<SnapListing> {
    const { ops } = await this.read(oid, [opListSnaps()], { snap: SNAPDIR });
    return decodeFromBytes(SnapListing, ops[0]?.data ?? EMPTY);
  }

  /** Watches an object until the watch is closed. @throws CephError ENOENT if it is not there */
  async watch(oid: string, handler: WatchHandler): Promise<Watch> {
    return await this.#engine.lingers.watch(this.#place(oid), handler);
  }

  /** Notifies an object's watchers and waits for their answers. */
  async notify(oid: string, payload: Uint8Array, timeoutMs: number): Promise<NotifyReply> {
    return await this.#engine.lingers.notify(this.#place(oid), payload, timeoutMs);
  }

  /** Names of the objects of this namespace, in no order that means anything. */
  async *listObjects(): AsyncGenerator<string> {
    let cursor: HObject = HOBJECT_MIN;
    let { startEpoch, pgNum } = await this.#listing();
    for (let seed = 0; seed < pgNum; ) {
      const page = await this.#listPage(seed, cursor, startEpoch);
      for (const { oid } of page.entries) yield oid;
      cursor = page.handle;
      if (!page.atEnd) continue;
      cursor = HOBJECT_MIN;
      seed++;
      // A pool that splits while it is walked has new groups with objects of old ones.
      const now = await this.#listing();
      if (now.pgNum !== pgNum) {
        throw new CephError(-ERRNO.EAGAIN, { op: "list", target: `pool ${this.pool}` });
      }
      ({ startEpoch, pgNum } = now);
    }
  }

  async #listing(): Promise<{ startEpoch: number; pgNum: number }> {
    const map = await this.#engine.objecter.mapAtLeast(1);
    const pool = map.pools.get(this.pool);
    if (pool === undefined) throw poolGone(this.pool);
    return { startEpoch: map.epoch, pgNum: pool.pgNum };
  }

  async #listPage(seed: number, cursor: HObject, startEpoch: number) {
    const { reply } = await this.#engine.objecter.submit({
      pool: this.pool,
      nspace: this.nspace,
      oid: "",
      hash: seed,
      ops: [opPgnls(LIST_PAGE, startEpoch, cursor)],
      flags: OSD_FLAG.READ | OSD_FLAG.PGOP | OSD_FLAG.IGNORE_OVERLAY,
    });
    if (reply.result < 0) throw opError(reply.result, "list", { oid: `pool ${this.pool}` });
    const page = decodeFromBytes(ListPage, flatten(reply.ops[0]?.outdata ?? []));
    return { ...page, atEnd: reply.result === 1 };
  }

  /** A new snapshot id of the pool. */
  async createSnapId(): Promise<bigint> {
    const { responseData } = await this.#poolOp(POOL_OP.CREATE_UNMANAGED_SNAP, 0n);
    if (responseData === undefined) {
      throw opError(-ERRNO.EIO, "create a snapshot id in", { oid: `pool ${this.pool}` });
    }
    return decodeFromBytes(u64, responseData);
  }

  /** Gives a snapshot id back: what it kept is deleted. @throws CephError ENOENT if it was not given out */
  async removeSnapId(snap: bigint): Promise<void> {
    await this.#poolOp(POOL_OP.DELETE_UNMANAGED_SNAP, snap);
  }

  async #poolOp(op: number, snapid: bigint): Promise<MPoolOpReply> {
    const { objecter, mon } = this.#engine;
    const { fsid } = await objecter.mapAtLeast(1);
    const { pool } = this;
    const message = await mon.ask((tid) =>
      MPoolOp.encode({ version: 0, fsid, pool, op, snapid, poolName: "", crushRule: 0 }, tid),
    );
    const reply = MPoolOpReply.decode(message);
    if (reply.replyCode < 0) {
      throw opError(reply.replyCode, "change a snapshot id of", { oid: `pool ${pool}` });
    }
    await objecter.mapAtLeast(reply.epoch);
    return reply;
  }

  async #operate(
    oid: string,
    ops: readonly OsdOp[],
    flags: number,
    options: OpOptions,
  ): Promise<OpReply> {
    const { snap, snapContext } = options;
    const { reply } = await this.#engine.objecter.submit({
      ...this.#place(oid),
      ops,
      flags: flags | (options.flags ?? 0),
      ...(snap === undefined ? {} : { snap }),
      ...(snapContext === undefined ? {} : { snapContext }),
    });
    if (reply.result < 0) throw opError(reply.result, "operate on", { oid });
    return {
      result: reply.result,
      version: reply.userVersion,
      ops: reply.ops.map((op) => ({ rval: op.rval, data: flatten(op.outdata) })),
    };
  }

  #place(oid: string): Place {
    const { pool, nspace } = this;
    const hash = this.#engine.objecter.map?.pools.get(pool)?.objectHash;
    return { pool, nspace, oid, hash: objectHash(oid, nspace, "", hash) };
  }
}
