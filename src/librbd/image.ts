/**
 * An open image: a block device, and what else can be done with it. Changes take the exclusive lock by
 * themselves and hand it over to whoever asks, librbd clients of other processes too.
 * ceph: src/include/rbd/librbd.hpp Image
 */

import { Readable, Writable } from "node:stream";
import { callbackify } from "node:util";
import { CephError, ERRNO } from "../base/index.ts";
import { nameBytes, nameText } from "../encoding/index.ts";
import type { IoCtx } from "../librados/index.ts";
import {
  addLock,
  breakLock,
  checkObjectMap,
  copyImage,
  deepCopyImage,
  deleteSnapshot,
  diffIterate,
  diskUsage,
  type Image as Engine,
  flattenOpen,
  getMetadata,
  groupOf,
  ImageIo,
  listChildren,
  listLocks,
  listMetadata,
  listWatchers,
  protectSnapshot,
  rebuildObjectMap,
  removeImageMetadata,
  renameSnapshot,
  resizeImage,
  rollBackTo,
  SNAP_CREATE_FLAG,
  setImageMetadata,
  setSnapshotLimit,
  snapshotLimit,
  sparsifyImage,
  takeSnapshot,
  unprotectSnapshot,
  updateFeatures,
} from "../rbd/index.ts";
import { formatAddr, NOSNAP, utimeToMs } from "../types/index.ts";
import type { BlockDevice } from "./block-device.ts";
import { type CreateOptions, engineCreateOptions } from "./create-options.ts";
import { featureBits, featureNames } from "./features.ts";
import {
  flagNames,
  type ImageLocks,
  type OwnedSnapshot,
  operationFeatureNames,
  ownedSnapshots,
  type ParentSnapshot,
  parentSnapshot,
  type SnapshotInfo,
  snapshotInfo,
} from "./image-details.ts";

/** Bytes of one step of a stream. */
const STREAM_BYTES = 4 * 1024 * 1024;

/** Told how far a long operation is; what it throws ends the operation. */
export interface ProgressOptions {
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ImageInfo {
  readonly id: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly objectSize: number;
  readonly objects: number;
  /** Prefix of the data objects' names. */
  readonly objectPrefix: string;
  readonly features: readonly string[];
  /** What has been done with it that clients have to know of: `["clone-child"]`. */
  readonly operationFeatures: readonly string[];
  /** What is wrong with it: `["object map invalid"]`. */
  readonly flags: readonly string[];
  /** Of all kinds. */
  readonly snapshotCount: number;
  readonly stripeUnit: number;
  readonly stripeCount: number;
  /** Pool of the data where it is another one; undefined: the image's own. */
  readonly dataPool: string | undefined;
  /** Milliseconds since 1970; 0: unknown. */
  readonly createdMs: number;
  readonly accessedMs: number;
  readonly modifiedMs: number;
  readonly parent: ParentInfo | undefined;
}

export interface ParentInfo {
  readonly poolId: number;
  readonly namespace: string;
  readonly imageId: string;
  readonly snapId: bigint;
  /** Bytes that show through; undefined: only those of snapshots do. */
  readonly overlap: number | undefined;
}

export interface Extent {
  readonly offset: number;
  readonly length: number;
  /** False: it is zeros now. */
  readonly exists: boolean;
}

export interface DiffOptions {
  /** A snapshot; what has changed since. @default all that there is */
  readonly from?: string;
  /** Whole objects, which the object map may tell at once. @default false */
  readonly wholeObject?: boolean;
  /** Also what is shown of the parent. @default true */
  readonly includeParent?: boolean;
}

export interface ImageWatcher {
  /** `127.0.0.1:0/1234` */
  readonly address: string;
  /** `client.4123` has 4123. */
  readonly clientId: bigint;
  readonly cookie: bigint;
}

export class Image implements BlockDevice, AsyncDisposable {
  /** The engine that works: byte strings for names. For rooms of this package. */
  readonly engine: Engine;
  readonly #io: ImageIo;
  #snap: bigint;

  /** Made by `Rbd.open`. @param snap what is read; NOSNAP: the head */
  constructor(engine: Engine, snap: bigint = NOSNAP) {
    this.engine = engine;
    this.#io = new ImageIo(engine);
    this.#snap = snap;
  }

  get name(): string {
    return nameText(this.engine.name);
  }

  get id(): string {
    return nameText(this.engine.id);
  }

  /** Bytes, of the snapshot if it is open at one. */
  get size(): number {
    if (this.#snap === NOSNAP) return this.engine.size;
    return this.engine.snapshots.find(({ id }) => id === this.#snap)?.imageSize ?? 0;
  }

  get isReadOnly(): boolean {
    return this.engine.readOnly || this.#snap !== NOSNAP;
  }

  /** What the header says now. */
  async info(): Promise<ImageInfo> {
    const { engine } = this;
    await engine.refresh();
    const { dataIo, io, parent } = engine;
    const isApart = dataIo !== undefined && dataIo.pool !== io.pool;
    return {
      id: this.id,
      name: this.name,
      size: this.size,
      objectSize: engine.objectSize,
      objects: engine.objectsIn(this.size),
      objectPrefix: nameText(engine.objectPrefix),
      features: featureNames(engine.features),
      operationFeatures: operationFeatureNames(engine.opFeatures),
      flags: flagNames(this.#flags()),
      snapshotCount: engine.snapshots.length,
      stripeUnit: engine.stripeUnit,
      stripeCount: engine.stripeCount,
      dataPool: isApart ? nameText(dataIo.poolName) : undefined,
      createdMs: utimeToMs(engine.createTime),
      accessedMs: utimeToMs(engine.accessTime),
      modifiedMs: utimeToMs(engine.modifyTime),
      parent:
        parent === undefined
          ? undefined
          : {
              poolId: parent.spec.poolId,
              namespace: nameText(parent.spec.poolNamespace),
              imageId: nameText(parent.spec.imageId),
              snapId: parent.spec.snapId,
              overlap: this.#overlapOf(parent.overlap),
            },
    };
  }

  /** What the head, or the snapshot that it is open at, has: flags are kept for each. */
  #flags(): bigint {
    if (this.#snap === NOSNAP) return this.engine.flags;
    return this.engine.snapshots.find(({ id }) => id === this.#snap)?.flags ?? 0n;
  }

  /** Reads from now on as it was at a snapshot; undefined: as it is. @throws CephError ENOENT */
  async setSnapshot(name: string | undefined): Promise<void> {
    this.#snap = name === undefined ? NOSNAP : await this.#snapId(name);
  }

  /** The snapshot that a clone shows; undefined: none. */
  async parent(): Promise<ParentSnapshot | undefined> {
    return await parentSnapshot(this.engine, this.#snap);
  }

  /** The group that it is in; undefined: none. */
  async group(): Promise<{ readonly pool: string; readonly name: string } | undefined> {
    const { engine } = this;
    const group = await groupOf(engine);
    if (group === undefined) return undefined;
    const { poolName } = engine.io.inPool(group.pool, engine.io.nspace);
    return { pool: nameText(poolName), name: nameText(group.name) };
  }

  /** Of the head, or of the snapshot that it is open at. */
  #overlapOf(head: number | undefined): number | undefined {
    if (this.#snap === NOSNAP) return head;
    return this.engine.snapshots.find(({ id }) => id === this.#snap)?.parentOverlap;
  }

  // --- Data -------------------------------------------------------------------------------------

  async read(offset: number, length: number): Promise<Buffer> {
    if (length === 0 || offset >= this.size) return Buffer.alloc(0);
    return await this.#io.read(offset, length, this.#snap);
  }

  /** The same without holes: runs of what there is, in order. */
  async readSparse(
    offset: number,
    length: number,
  ): Promise<{ readonly offset: number; readonly data: Uint8Array }[]> {
    if (length === 0 || offset >= this.size) return [];
    return await this.#io.readSparse(offset, length, this.#snap);
  }

  async write(offset: number, data: Uint8Array): Promise<void> {
    this.#checkRange(offset, data.length);
    await this.#io.write(offset, data);
  }

  async discard(offset: number, length: number): Promise<void> {
    this.#checkRange(offset, length);
    await this.#io.discard(offset, length);
  }

  async writeZeroes(
    offset: number,
    length: number,
    options: { readonly keepSpace?: boolean } = {},
  ): Promise<void> {
    this.#checkRange(offset, length);
    await this.#io.writeZeroes(offset, length, { thick: options.keepSpace === true });
  }

  /** Writes if what is there is as expected, in one step. @throws CephError EILSEQ where it is not */
  async compareAndWrite(offset: number, expected: Uint8Array, data: Uint8Array): Promise<void> {
    this.#checkRange(offset, data.length);
    await this.#io.compareAndWrite(offset, expected, data);
  }

  async flush(): Promise<void> {
    await this.#io.flush();
  }

  /** The data as a stream of bytes, from `start` up to, not including, `end`. */
  readable(options: { readonly start?: number; readonly end?: number } = {}): Readable {
    return Readable.from(this.#pieces(options), { objectMode: false });
  }

  async *#pieces({ start = 0, end = this.size }: { start?: number; end?: number }) {
    for (let at = start; at < end; at += STREAM_BYTES) {
      yield await this.read(at, Math.min(STREAM_BYTES, end - at));
    }
  }

  /** Takes a stream of bytes, from `start` on. It ends once all is written and flushed. */
  writable(options: { readonly start?: number } = {}): Writable {
    let at = options.start ?? 0;
    const write = callbackify(async (chunk: Buffer): Promise<void> => {
      const offset = at;
      at += chunk.length;
      await this.write(offset, chunk);
    });
    return new Writable({
      highWaterMark: STREAM_BYTES,
      write: (chunk: Buffer, _encoding, done) => write(chunk, done),
      final: callbackify(() => this.flush()),
    });
  }

  /** Ranges that hold data, or that differ since a snapshot, in ascending order of their stripes. */
  async *diff(options: DiffOptions = {}): AsyncGenerator<Extent> {
    const { from, wholeObject = false, includeParent = true } = options;
    const found: Extent[] = [];
    const wanted = {
      wholeObject,
      includeParent,
      toSnap: this.#snap,
      ...(from === undefined ? {} : { fromSnap: nameBytes(from) }),
    };
    await diffIterate(this.engine, wanted, (offset, length, exists) => {
      found.push({ offset, length, exists });
    });
    yield* found;
  }

  /** Bytes that the image takes, since a snapshot or from the start. */
  async used(options: { readonly from?: string; readonly exact?: boolean } = {}): Promise<number> {
    const { from, exact = false } = options;
    const since = from === undefined ? {} : { fromSnap: nameBytes(from) };
    const { used } = await diskUsage(this.engine, { exact, toSnap: this.#snap, ...since });
    return used;
  }

  // --- Changing it ------------------------------------------------------------------------------

  /** @throws CephError EINVAL if it would become smaller and may not */
  async resize(
    size: number,
    options: { readonly allowShrink?: boolean } & ProgressOptions = {},
  ): Promise<void> {
    const { allowShrink = false, onProgress } = options;
    await resizeImage(this.engine, size, { allowShrink, ...progressOf(onProgress) });
  }

  /** Copies what it shows of its parent, and parts from it. */
  async flatten({ onProgress }: ProgressOptions = {}): Promise<void> {
    await flattenOpen(this.engine, onProgress);
  }

  /** Lets go of what is zero. @param sparseSize bytes of the smallest run that is, a power of two */
  async sparsify(sparseSize: number, { onProgress }: ProgressOptions = {}): Promise<void> {
    await sparsifyImage(this.engine, sparseSize, onProgress);
  }

  async enableFeatures(...names: string[]): Promise<void> {
    await updateFeatures(this.engine, featureBits(names), true);
  }

  async disableFeatures(...names: string[]): Promise<void> {
    await updateFeatures(this.engine, featureBits(names), false);
  }

  async rebuildObjectMap({ onProgress }: ProgressOptions = {}): Promise<void> {
    await rebuildObjectMap(this.engine, onProgress);
  }

  /**
   * Compares the object map with the objects; what is wrong is marked as such.
   * @returns how many of them differ
   */
  async checkObjectMap({ onProgress }: ProgressOptions = {}): Promise<number> {
    const found = await checkObjectMap(this.engine, this.#snap, onProgress ?? (() => undefined));
    return found.length;
  }

  /**
   * A new image with this one's data, as it is open.
   * @param options.sparseSize bytes of the smallest run of zeros that is left out @throws CephError EEXIST
   */
  async copy(
    to: IoCtx,
    name: string,
    options: CreateOptions & ProgressOptions & { readonly sparseSize?: number } = {},
  ): Promise<void> {
    const { sparseSize } = options;
    await copyImage(
      this.engine,
      { io: to.engine, name: nameBytes(name) },
      {
        ...engineCreateOptions(options),
        ...(sparseSize === undefined ? {} : { sparseSize }),
        snap: this.#snap,
        ...progressOf(options.onProgress),
      },
    );
  }

  /** A new image with this one's data, as it is open, and its snapshots until then. @throws CephError EEXIST */
  async deepCopy(
    to: IoCtx,
    name: string,
    options: CreateOptions & ProgressOptions & { readonly flatten?: boolean } = {},
  ): Promise<void> {
    await deepCopyImage(
      this.engine,
      { io: to.engine, name: nameBytes(name) },
      {
        ...engineCreateOptions(options),
        flatten: options.flatten ?? false,
        snap: this.#snap,
        ...progressOf(options.onProgress),
      },
    );
  }

  // --- Snapshots --------------------------------------------------------------------------------

  /** Those that users take, oldest first. */
  async snapshots(): Promise<SnapshotInfo[]> {
    await this.engine.refresh();
    return this.engine.snapshots
      .filter(({ namespace }) => namespace.type === "user")
      .map(snapshotInfo);
  }

  /** Those of all owners, oldest first. */
  async allSnapshots(): Promise<OwnedSnapshot[]> {
    return await ownedSnapshots(this.engine);
  }

  /**
   * @param options.quiesce whether those who use it are asked to hold still, and heeded if they cannot
   * @throws CephError EEXIST; EDQUOT: as many as there may be
   */
  async createSnapshot(
    name: string,
    options: { readonly quiesce?: "skip" | "ignore-errors" } = {},
  ): Promise<void> {
    const { SKIP_QUIESCE, IGNORE_QUIESCE_ERROR } = SNAP_CREATE_FLAG;
    const flags = { skip: SKIP_QUIESCE, "ignore-errors": IGNORE_QUIESCE_ERROR };
    const { quiesce } = options;
    await takeSnapshot(this.engine, nameBytes(name), quiesce && { flags: flags[quiesce] });
  }

  /** @throws CephError ENOENT; EBUSY if it is protected, or has clones */
  async removeSnapshot(name: string): Promise<void> {
    await deleteSnapshot(this.engine, nameBytes(name));
  }

  /** @throws CephError ENOENT; EEXIST */
  async renameSnapshot(name: string, to: string): Promise<void> {
    await renameSnapshot(this.engine, nameBytes(name), nameBytes(to));
  }

  /** Lets it be cloned in the old way. @throws CephError ENOENT; EBUSY if it is protected */
  async protectSnapshot(name: string): Promise<void> {
    await protectSnapshot(this.engine, nameBytes(name));
  }

  /** @throws CephError ENOENT; EINVAL if it is not protected; EBUSY if it has clones */
  async unprotectSnapshot(name: string): Promise<void> {
    await unprotectSnapshot(this.engine, nameBytes(name));
  }

  /** Makes the image what it was at a snapshot. @throws CephError ENOENT */
  async rollback(name: string, { onProgress }: ProgressOptions = {}): Promise<void> {
    await rollBackTo(this.engine, nameBytes(name), progressOf(onProgress));
  }

  /** How many snapshots there may be; undefined: any number. */
  async snapshotLimit(): Promise<bigint | undefined> {
    return await snapshotLimit(this.engine);
  }

  async setSnapshotLimit(limit: bigint | undefined): Promise<void> {
    await setSnapshotLimit(this.engine, limit);
  }

  /** Clones of a snapshot, or of all: the pool's id, the namespace and the name of each. */
  async children(snapshot?: string) {
    const named = snapshot === undefined ? undefined : await this.#snapId(snapshot);
    const at = named ?? (this.#snap === NOSNAP ? undefined : this.#snap);
    const children = await listChildren(this.engine, at);
    return children.map(({ poolId, poolNamespace, imageId, imageName, inTrash, snapId }) => ({
      poolId,
      namespace: nameText(poolNamespace),
      id: nameText(imageId),
      name: nameText(imageName),
      inTrash,
      snapId,
    }));
  }

  // --- What is kept beside it -------------------------------------------------------------------

  async metadata(): Promise<Map<string, string>> {
    const { io, headerOid } = this.engine;
    const entries = await listMetadata(io, headerOid);
    return new Map([...entries].map(([key, value]) => [nameText(key), nameText(value)]));
  }

  /** @throws CephError ENOENT */
  async getMetadata(key: string): Promise<string> {
    const { io, headerOid } = this.engine;
    return nameText(await getMetadata(io, headerOid, nameBytes(key)));
  }

  async setMetadata(key: string, value: string): Promise<void> {
    await setImageMetadata(this.engine, nameBytes(key), nameBytes(value));
  }

  /** @throws CephError ENOENT */
  async removeMetadata(key: string): Promise<void> {
    await removeImageMetadata(this.engine, nameBytes(key));
  }

  /** Locks that users hold, and librbd itself. */
  async locks(): Promise<ImageLocks> {
    const { lockers, exclusive, tag } = await listLocks(this.engine);
    return {
      isExclusive: exclusive,
      tag: nameText(tag),
      lockers: lockers.map(({ clientText, cookie, address }) => ({
        locker: clientText,
        cookie: nameText(cookie),
        address,
      })),
    };
  }

  /**
   * Takes a lock that only those heed who ask for it.
   * @param tag shared with others of the same @default nobody's but ours
   * @throws CephError EBUSY: another's; EEXIST: ours, by this cookie
   */
  async lock(cookie: string, tag?: string): Promise<void> {
    await addLock(this.engine, nameBytes(cookie), tag === undefined ? undefined : nameBytes(tag));
  }

  /**
   * Takes a lock away, and its holder out of the cluster.
   * @param locker `client.4123` @throws CephError ENOENT: there is none; EINVAL: no client's name
   */
  async breakLock(locker: string, cookie: string): Promise<void> {
    const { lockers } = await listLocks(this.engine);
    const found = lockers.find(({ clientText }) => clientText === locker);
    if (found === undefined) {
      throw new CephError(-ERRNO.ENOENT, { op: "break the lock of", target: locker });
    }
    await breakLock(this.engine, { client: found.client, cookie: nameBytes(cookie) });
  }

  /** Who has the image open for writing, ourselves too. */
  async watchers(): Promise<ImageWatcher[]> {
    const watchers = await listWatchers(this.engine);
    return watchers.map(({ name, addr, cookie }) => ({
      address: formatAddr(addr),
      clientId: name.num,
      cookie,
    }));
  }

  /** Is the exclusive lock ours? */
  get hasLock(): boolean {
    return this.engine.lock?.isHeld === true;
  }

  /** Waits for what is being written, and gives back lock and watch. Idempotent. */
  async close(): Promise<void> {
    await this.#io.flush();
    await this.engine.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #snapId(name: string): Promise<bigint> {
    const found = (await this.snapshots()).find((snapshot) => snapshot.name === name);
    if (found !== undefined) return found.id;
    const target = `${this.name}@${name}`;
    throw new CephError(-ERRNO.ENOENT, { op: "find", target });
  }

  /** Librbd cuts off what reaches past the end; who writes a disk wants to know. */
  #checkRange(offset: number, length: number): void {
    const [errno, isBad] = this.isReadOnly
      ? [ERRNO.EROFS, true]
      : [ERRNO.EINVAL, offset < 0 || offset + length > this.size];
    if (isBad) throw new CephError(-errno, { op: "write to", target: this.name });
  }
}

function progressOf(onProgress: ProgressOptions["onProgress"]) {
  return onProgress === undefined ? {} : { progress: onProgress };
}
