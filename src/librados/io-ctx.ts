/**
 * A pool's objects, in one namespace. Names are text: UTF-8, and see `nameText` for names that are not.
 * ceph: src/include/rados/librados.hpp IoCtx
 */

import { EMPTY, nameBytes, nameText } from "../encoding/index.ts";
import { OSD_FLAG } from "../messages/index.ts";
import {
  ALL_NSPACES,
  breakLock,
  type CallOptions,
  type IoCtx as Engine,
  type LockRequest,
  type LockType,
  listLocks,
  lockInfo,
  lockObject,
  type OpOptions,
  omapEntries,
  unlockObject,
  type Watch,
  type WatchHandler,
} from "../rados/index.ts";
import {
  type EntityName,
  formatAddr,
  formatEntityName,
  formatLegacyAddr,
  NOSNAP,
} from "../types/index.ts";
import {
  type Answers,
  type Bytes,
  bytesFrom,
  type ObjectStat,
  type Operation,
  type ReadOperation,
  read,
  remove,
  stat,
  writeFull,
} from "./operations.ts";

/** Bytes of one request where an object is read whole. */
const READ_BYTES = 4 * 1024 * 1024;
const NOTIFY_TIMEOUT_MS = 30_000;

export interface RequestOptions extends CallOptions {
  /** Snapshot that is read. @default the head */
  readonly snap?: bigint;
  /** What a write keeps for snapshots of the caller's own making. @default the pool's own snapshots */
  readonly snapContext?: { readonly seq: bigint; readonly snaps: readonly bigint[] };
  /** Have even a full pool take it: for what makes room. @default false */
  readonly evenIfFull?: boolean;
  /** Have even a full store take it: what fills it up for good may never be removed. @default false */
  readonly fullForce?: boolean;
  /** What a write has for its time, milliseconds since 1970. @default now */
  readonly mtimeMs?: number;
}

export interface ListedObject {
  readonly oid: string;
  readonly namespace: string;
  /** What it is placed by in place of its name, see `IoCtx.withLocator`; "": by its name. */
  readonly locator: string;
}

export interface ListObjectsOptions extends CallOptions {
  /** Those of all namespaces. @default this one's */
  readonly everyNamespace?: boolean;
  /** Only those of one placement group, by its number in the pool. @default all */
  readonly pgSeed?: number;
}

/** A snapshot of a whole pool. */
export interface PoolSnapshot {
  readonly id: bigint;
  readonly name: string;
  /** When it was taken, milliseconds since 1970. */
  readonly takenMs: number;
}

/** One state of an object that the pool keeps. */
export interface ObjectRevision {
  /** The clone's id; "head" for what the object is now. */
  readonly id: bigint | "head";
  /** Snapshots that it stands for, ascending. */
  readonly snaps: readonly bigint[];
  readonly size: number;
  /** What it has in common with the next newer one, bytes. */
  readonly overlap: readonly { readonly offset: number; readonly length: number }[];
}

export interface ObjectLocker {
  /** `client.4123` */
  readonly locker: string;
  readonly cookie: string;
  readonly description: string;
  /** `127.0.0.1:0/1234` */
  readonly address: string;
  /** Milliseconds since 1970; undefined: never. */
  readonly expiresMs: number | undefined;
}

export interface ObjectLock {
  readonly type: LockType | "exclusive-ephemeral" | "none";
  readonly tag: string;
  readonly lockers: readonly ObjectLocker[];
}

export interface ObjectWatcher {
  /** `127.0.0.1:0/1234` */
  readonly address: string;
  /** The client's instance. */
  readonly gid: bigint;
  readonly cookie: bigint;
  readonly timeoutSeconds: number;
}

export interface Notification {
  readonly notifyId: bigint;
  /** The client that notifies. */
  readonly notifierGid: bigint;
  readonly payload: Buffer;
}

export interface NotifyAnswers {
  readonly acks: readonly {
    readonly gid: bigint;
    readonly cookie: bigint;
    readonly payload: Buffer;
  }[];
  /** Watchers that did not answer in time. */
  readonly timeouts: readonly { readonly gid: bigint; readonly cookie: bigint }[];
}

export class IoCtx {
  /** The engine that works: byte strings for names. For rooms of this package. */
  readonly engine: Engine;

  /** Made by `Cluster.openPool`. */
  constructor(engine: Engine) {
    this.engine = engine;
  }

  get poolId(): number {
    return this.engine.pool;
  }

  /** @throws CephError ENOENT if the pool is gone */
  get poolName(): string {
    return nameText(this.engine.poolName);
  }

  /** "" is the default one. */
  get namespace(): string {
    return nameText(this.engine.nspace);
  }

  /** What objects are placed by in place of their names; "" if by these. */
  get locator(): string {
    return nameText(this.engine.key);
  }

  /** The same, for objects that are placed by this word, and so together, instead of by their names. */
  withLocator(locator: string): IoCtx {
    return new IoCtx(this.engine.atKey(nameBytes(locator)));
  }

  /** The same pool, another namespace. */
  inNamespace(namespace: string): IoCtx {
    return new IoCtx(this.engine.inNamespace(nameBytes(namespace)));
  }

  /**
   * Runs operations that only read, on one object, in one request.
   * @throws CephError with the errno of the first that fails
   */
  async read<const Ops extends readonly ReadOperation[]>(
    oid: string,
    operations: Ops,
    options: RequestOptions = {},
  ): Promise<Answers<Ops>> {
    const ops = operations.map(({ op }) => op);
    const reply = await this.engine.read(nameBytes(oid), ops, engineOptions(options));
    return answersOf(operations, reply.ops);
  }

  /**
   * Runs operations on one object in one request: all of them, or none.
   * @returns the object's version after it
   * @throws CephError with the errno of the first that fails
   */
  async write(
    oid: string,
    operations: readonly Operation[],
    options: RequestOptions = {},
  ): Promise<number> {
    const ops = operations.map(({ op }) => op);
    const { version } = await this.engine.write(nameBytes(oid), ops, engineOptions(options));
    return version;
  }

  /**
   * Reads data into memory that is there: fresh memory costs whoever reads much more than the bytes do.
   * @returns bytes read: fewer than it takes where the object ends
   * @throws CephError ENOENT if it is not there
   */
  async readInto(
    oid: string,
    offset: number,
    into: Uint8Array,
    options: RequestOptions = {},
  ): Promise<number> {
    // Asked for no bytes, an OSD gives all of them.
    if (into.length === 0) return 0;
    const { op } = read(offset, into.length);
    const reply = await this.engine.read(nameBytes(oid), [op], engineOptions(options));
    const found = (reply.ops[0]?.data ?? EMPTY).subarray(0, into.length);
    into.set(found);
    this.engine.recycle(reply);
    return found.length;
  }

  /** All of an object's data. @throws CephError ENOENT if it is not there */
  async readObject(oid: string, options: RequestOptions = {}): Promise<Buffer> {
    const left = this.engine.shared(options);
    const pieces: Buffer[] = [];
    for (let offset = 0; ; offset += READ_BYTES) {
      const ops = [read(offset, READ_BYTES)] as const;
      const [piece] = await this.read(oid, ops, { ...options, ...left() });
      pieces.push(piece);
      if (piece.length < READ_BYTES) return Buffer.concat(pieces);
    }
  }

  /** Makes this all of an object's data. */
  async writeObject(oid: string, data: Bytes, options: RequestOptions = {}): Promise<void> {
    await this.write(oid, [writeFull(data)], options);
  }

  /** @throws CephError ENOENT if it is not there */
  async stat(oid: string, options: RequestOptions = {}): Promise<ObjectStat> {
    const [answer] = await this.read(oid, [stat()], options);
    return answer;
  }

  /** @throws CephError ENOENT if it is not there */
  async removeObject(oid: string, options: RequestOptions = {}): Promise<void> {
    await this.write(oid, [remove()], { evenIfFull: true, ...options });
  }

  /** The objects, in no order that means anything; perhaps those made while it runs. */
  async *objects(options: ListObjectsOptions = {}): AsyncGenerator<ListedObject> {
    const { everyNamespace = false, pgSeed, ...limits } = options;
    const listing = everyNamespace ? this.engine.listing(ALL_NSPACES) : this.engine.listing();
    const begin = pgSeed === undefined ? {} : { begin: listing.groupBegin(pgSeed) };
    const range = { ...begin, ...limits };
    for await (const { oid, nspace, key } of listing.objects(range)) {
      const at = { oid: nameText(oid), namespace: nameText(nspace), locator: nameText(key) };
      if (pgSeed !== undefined && this.#at(at).engine.pgSeedOf(oid) !== pgSeed) return;
      yield at;
    }
  }

  /** Where a listed object is. */
  #at({ namespace, locator }: ListedObject): IoCtx {
    return this.inNamespace(namespace).withLocator(locator);
  }

  /** An object's omap, in the order of its keys' bytes. */
  async *omap(
    oid: string,
    options: { readonly after?: string; readonly prefix?: string } & RequestOptions = {},
  ): AsyncGenerator<[key: string, value: Buffer]> {
    const { prefix = "", after = "" } = options;
    const range = {
      ...engineOptions(options),
      prefix: nameBytes(prefix),
      after: nameBytes(after),
    };
    for await (const [key, value] of omapEntries(this.engine, nameBytes(oid), range)) {
      yield [nameText(key), copyOf(value)];
    }
  }

  /** Who watches an object. @throws CephError ENOENT if it is not there */
  async listWatchers(oid: string, options: CallOptions = {}): Promise<ObjectWatcher[]> {
    const watchers = await this.engine.listWatchers(nameBytes(oid), options);
    return watchers.map(({ name, cookie, timeoutSeconds, addr }) => ({
      address: formatAddr(addr),
      gid: name.num,
      cookie,
      timeoutSeconds,
    }));
  }

  /**
   * Watches an object until the watch is closed, over lost connections too.
   * @param onNotify what it returns is the answer that the notifier gets
   * @param onLost the watch is gone for good: the object was deleted, or we were not heard of for too long
   * @param options for as long as it is being registered; one that is registered all the same ends by itself
   *   once it was not heard of for as long as the OSD lets it (30 s)
   * @throws CephError ENOENT if it is not there
   */
  async watch(
    oid: string,
    onNotify: (notification: Notification) => Bytes | undefined | Promise<Bytes | undefined>,
    onLost: (error: Error) => void = () => undefined,
    options: CallOptions = {},
  ): Promise<Watch> {
    const handler = {
      onNotify: async ({
        notifyId,
        notifierGid,
        payload,
      }: Parameters<WatchHandler["onNotify"]>[0]) =>
        bytesFrom((await onNotify({ notifyId, notifierGid, payload: copyOf(payload) })) ?? EMPTY),
      onError: onLost,
    };
    return await this.engine.watch(nameBytes(oid), handler, options);
  }

  /**
   * Tells all of an object's watchers, and waits for their answers.
   * @param answerMs how long the OSD waits for them, milliseconds; who is late is among the answers' `timeouts`
   * @param options its time-out is that of the whole call, which ends without the answers that there are
   * @throws CephError ENOENT if the object is not there
   */
  async notify(
    oid: string,
    payload: Bytes = EMPTY,
    answerMs: number = NOTIFY_TIMEOUT_MS,
    options: CallOptions = {},
  ): Promise<NotifyAnswers> {
    const reply = await this.engine.notify(nameBytes(oid), bytesFrom(payload), answerMs, options);
    return {
      acks: reply.replies.map(([who, answer]) => ({ ...who, payload: copyOf(answer) })),
      timeouts: reply.missed,
    };
  }

  // --- Snapshots ----------------------------------------------------------------------------------

  /** The snapshots of the whole pool, by id. */
  async snapshots(): Promise<PoolSnapshot[]> {
    return this.engine.poolSnaps().map(({ id, name, stampMs }) => {
      return { id, name: nameText(name), takenMs: stampMs };
    });
  }

  /** Takes a snapshot of the whole pool. @throws CephError EEXIST; EINVAL in a pool whose clients manage snapshots */
  async createSnapshot(name: string, options: CallOptions = {}): Promise<void> {
    await this.engine.createPoolSnap(nameBytes(name), options);
  }

  /** Removes a snapshot of the whole pool. @throws CephError ENOENT if there is none such */
  async removeSnapshot(name: string, options: CallOptions = {}): Promise<void> {
    await this.engine.removePoolSnap(nameBytes(name), options);
  }

  /** The states of an object that the pool keeps, oldest first. @throws CephError ENOENT if there never was one */
  async revisions(oid: string, options: CallOptions = {}): Promise<ObjectRevision[]> {
    const { clones } = await this.engine.listSnaps(nameBytes(oid), options);
    return clones.map(({ id, ...rest }) => ({ ...rest, id: id === NOSNAP ? "head" : id }));
  }

  /** Do clients manage the pool's snapshots themselves, as rbd does? Then the pool has none of its own. */
  get hasManagedSnapshots(): boolean {
    return this.engine.hasManagedSnaps;
  }

  // --- Locks --------------------------------------------------------------------------------------

  /** Makes the object if it is not there. @throws CephError EBUSY if another has it; EEXIST if we have it */
  async lock(oid: string, request: LockRequest, options: CallOptions = {}): Promise<void> {
    const { name, cookie, tag = "", description = "", ...rest } = request;
    const wanted = {
      ...rest,
      name: nameBytes(name),
      cookie: nameBytes(cookie),
      tag: nameBytes(tag),
      description: nameBytes(description),
    };
    await lockObject(this.engine, nameBytes(oid), wanted, options);
  }

  /** @throws CephError ENOENT if we do not have it */
  async unlock(
    oid: string,
    lock: { readonly name: string; readonly cookie: string },
    options: CallOptions = {},
  ): Promise<void> {
    const names = { name: nameBytes(lock.name), cookie: nameBytes(lock.cookie) };
    await unlockObject(this.engine, nameBytes(oid), names, options);
  }

  /** Takes a lock from its holder. @throws CephError ENOENT if that one does not have it */
  async breakLock(
    oid: string,
    holder: { readonly name: string; readonly locker: EntityName; readonly cookie: string },
    options: CallOptions = {},
  ): Promise<void> {
    const { name, cookie, locker } = holder;
    const names = { name: nameBytes(name), cookie: nameBytes(cookie), locker };
    await breakLock(this.engine, nameBytes(oid), names, options);
  }

  /** Names of the locks that an object has. @throws CephError ENOENT if it is not there */
  async locks(oid: string, options: CallOptions = {}): Promise<string[]> {
    return (await listLocks(this.engine, nameBytes(oid), options)).map(nameText);
  }

  /** Who has a lock; nobody if there is none of that name. @throws CephError ENOENT if the object is not there */
  async lockInfo(oid: string, name: string, options: CallOptions = {}): Promise<ObjectLock> {
    const names = [nameBytes(oid), nameBytes(name)] as const;
    const { type, tag, lockers } = await lockInfo(this.engine, ...names, options);
    return {
      type,
      tag: nameText(tag),
      lockers: lockers.map(({ locker, cookie, description, addr, expiresMs }) => ({
        locker: formatEntityName(locker),
        cookie: nameText(cookie),
        description: nameText(description),
        address: formatLegacyAddr(addr),
        expiresMs,
      })),
    };
  }
}

function engineOptions(options: RequestOptions): OpOptions {
  const { snap, snapContext, evenIfFull, fullForce, mtimeMs, signal, timeoutMs } = options;
  const flags =
    (evenIfFull === true ? OSD_FLAG.FULL_TRY : 0) | (fullForce === true ? OSD_FLAG.FULL_FORCE : 0);
  return {
    ...(snap === undefined || snap === NOSNAP ? {} : { snap }),
    ...(snapContext === undefined
      ? {}
      : { snapContext: { seq: snapContext.seq, snaps: [...snapContext.snaps] } }),
    ...(flags === 0 ? {} : { flags }),
    ...(mtimeMs === undefined ? {} : { mtimeMs }),
    signal,
    timeoutMs,
  };
}

function answersOf<const Ops extends readonly Operation[]>(
  operations: Ops,
  replies: readonly { readonly rval: number; readonly data: Uint8Array }[],
): Answers<Ops> {
  const answers = operations.map((operation, i) => {
    const { data = EMPTY, rval = 0 } = replies[i] ?? {};
    return operation.decode(data, rval);
  });
  return answers as Answers<Ops>;
}

function copyOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}
