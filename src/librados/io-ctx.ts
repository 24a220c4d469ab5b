/**
 * A pool's objects, in one namespace. Names are text: UTF-8, and see `nameText` for names that are not.
 * ceph: src/include/rados/librados.hpp IoCtx
 */

import { EMPTY, nameBytes, nameText } from "../encoding/index.ts";
import { OSD_FLAG } from "../messages/index.ts";
import type { IoCtx as Engine, OpOptions, Watch } from "../rados/index.ts";
import { formatAddr, NOSNAP } from "../types/index.ts";
import {
  type Answers,
  type Bytes,
  bytesFrom,
  type ObjectStat,
  type Operation,
  omapGet,
  type ReadOperation,
  read,
  remove,
  stat,
  writeFull,
} from "./operations.ts";

/** Bytes of one request where an object is read whole. */
const READ_BYTES = 4 * 1024 * 1024;
/** Keys of one request where they are walked. */
const OMAP_PAGE = 1000;
const NOTIFY_TIMEOUT_MS = 30_000;

export interface RequestOptions {
  /** Snapshot that is read. @default the head */
  readonly snap?: bigint;
  /** What a write keeps for snapshots of the caller's own making. @default the pool's own snapshots */
  readonly snapContext?: { readonly seq: bigint; readonly snaps: readonly bigint[] };
  /** Have even a full pool take it: for what makes room. @default false */
  readonly evenIfFull?: boolean;
}

export interface ListedObject {
  readonly oid: string;
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

  /** All of an object's data. @throws CephError ENOENT if it is not there */
  async readObject(oid: string, options: RequestOptions = {}): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let offset = 0; ; offset += READ_BYTES) {
      const [piece] = await this.read(oid, [read(offset, READ_BYTES)], options);
      pieces.push(piece);
      if (piece.length < READ_BYTES) return Buffer.concat(pieces);
    }
  }

  /** Makes this all of an object's data. */
  async writeObject(oid: string, data: Bytes): Promise<void> {
    await this.write(oid, [writeFull(data)]);
  }

  /** @throws CephError ENOENT if it is not there */
  async stat(oid: string, options: RequestOptions = {}): Promise<ObjectStat> {
    const [answer] = await this.read(oid, [stat()], options);
    return answer;
  }

  /** @throws CephError ENOENT if it is not there */
  async removeObject(oid: string): Promise<void> {
    await this.write(oid, [remove()], { evenIfFull: true });
  }

  /** The objects of this namespace, in no order that means anything; not those made while it runs. */
  async *objects(): AsyncGenerator<ListedObject> {
    for await (const oid of this.engine.listObjects()) yield { oid: nameText(oid) };
  }

  /** An object's omap, in the order of its keys' bytes. */
  async *omap(
    oid: string,
    options: { readonly after?: string; readonly prefix?: string } & RequestOptions = {},
  ): AsyncGenerator<[key: string, value: Buffer]> {
    const { prefix = "" } = options;
    let { after = "" } = options;
    for (;;) {
      const [page] = await this.read(oid, [omapGet({ after, prefix, max: OMAP_PAGE })], options);
      for (const entry of page.entries) {
        yield entry;
        after = entry[0];
      }
      if (!page.more) return;
    }
  }

  /** Who watches an object. @throws CephError ENOENT if it is not there */
  async listWatchers(oid: string): Promise<ObjectWatcher[]> {
    const watchers = await this.engine.listWatchers(nameBytes(oid));
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
   * @throws CephError ENOENT if it is not there
   */
  async watch(
    oid: string,
    onNotify: (notification: Notification) => Bytes | undefined | Promise<Bytes | undefined>,
    onLost: (error: Error) => void = () => undefined,
  ): Promise<Watch> {
    return await this.engine.watch(nameBytes(oid), {
      onNotify: async ({ notifyId, notifierGid, payload }) =>
        bytesFrom((await onNotify({ notifyId, notifierGid, payload: copyOf(payload) })) ?? EMPTY),
      onError: onLost,
    });
  }

  /** Tells all of an object's watchers, and waits for their answers. @param timeoutMs how long for */
  async notify(
    oid: string,
    payload: Bytes = EMPTY,
    timeoutMs: number = NOTIFY_TIMEOUT_MS,
  ): Promise<NotifyAnswers> {
    const reply = await this.engine.notify(nameBytes(oid), bytesFrom(payload), timeoutMs);
    return {
      acks: reply.replies.map(([who, answer]) => ({ ...who, payload: copyOf(answer) })),
      timeouts: reply.missed,
    };
  }
}

function engineOptions({ snap, snapContext, evenIfFull }: RequestOptions): OpOptions {
  return {
    ...(snap === undefined || snap === NOSNAP ? {} : { snap }),
    ...(snapContext === undefined
      ? {}
      : { snapContext: { seq: snapContext.seq, snaps: [...snapContext.snaps] } }),
    ...(evenIfFull === true ? { flags: OSD_FLAG.FULL_TRY } : {}),
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
