/**
 * An open image: a block device, and what else can be done with it. Changes take the exclusive lock by
 * themselves and hand it over to whoever asks, librbd clients of other processes too.
 * ceph: src/include/rbd/librbd.hpp Image
 */

import type { Readable, Writable } from "node:stream";
import { CephError, ERRNO } from "../base/index.ts";
import { nameBytes, nameText } from "../encoding/index.ts";
import type { CallOptions, IoCtx } from "../librados/index.ts";
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
  type ImageData,
  listChildren,
  listLocks,
  listMetadata,
  listWatchers,
  type Progress,
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
import { formatAddr, NOSNAP, parseEntityName } from "../types/index.ts";
import type { BlockDevice } from "./block-device.ts";
import { type CreateOptions, engineCreateOptions } from "./create-options.ts";
import { featureBits } from "./features.ts";
import {
  type ChildInfo,
  childInfo,
  type DiffOptions,
  type Extent,
  type ImageLocks,
  type ImageWatcher,
  imageLocks,
  type OwnedSnapshot,
  ownedSnapshots,
  type ParentSnapshot,
  parentSnapshot,
  type SnapshotInfo,
  snapshotInfo,
} from "./image-details.ts";
import { type ImageInfo, imageInfo, sizeOf } from "./image-info.ts";
import {
  type ReadableOptions,
  readableOf,
  type WritableOptions,
  writableOf,
} from "./image-streams.ts";
import { type ProgressOptions, stepwise, within } from "./limits.ts";

export class Image implements BlockDevice, AsyncDisposable {
  /** The engine that works: byte strings for names. For rooms of this package. */
  readonly engine: Engine;
  readonly #io: ImageData;
  #snap: bigint;

  /**
   * Made by `Rbd.open`.
   * @param snap what is read; NOSNAP: the head
   * @param io what its data goes through
   */
  constructor(engine: Engine, snap: bigint, io: ImageData) {
    this.engine = engine;
    this.#io = io;
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
    return sizeOf(this.engine, this.#snap);
  }

  get isReadOnly(): boolean {
    return this.engine.readOnly || this.#snap !== NOSNAP;
  }

  /** What the header says now. */
  async info(options: CallOptions = {}): Promise<ImageInfo> {
    await this.#refresh(options);
    return imageInfo(this.engine, this.#snap);
  }

  /** Reads from now on as it was at a snapshot; undefined: as it is. @throws CephError ENOENT */
  async setSnapshot(name: string | undefined, options: CallOptions = {}): Promise<void> {
    this.#snap = name === undefined ? NOSNAP : await this.#snapId(name, options);
  }

  /** The snapshot that a clone shows; undefined: none. */
  async parent(options: CallOptions = {}): Promise<ParentSnapshot | undefined> {
    return await this.#within("find the parent of", options, () =>
      parentSnapshot(this.engine, this.#snap),
    );
  }

  /** The group that it is in; undefined: none. */
  async group(
    options: CallOptions = {},
  ): Promise<{ readonly pool: string; readonly name: string } | undefined> {
    const { io, group, target } = this.engine;
    const found = await this.#within("find the group of", options, (signal) =>
      groupOf({ io: io.readingUntil(signal), group, target }),
    );
    if (found === undefined) return undefined;
    const { poolName } = io.inPool(found.pool, io.nspace);
    return { pool: nameText(poolName), name: nameText(found.name) };
  }

  // --- Data -------------------------------------------------------------------------------------

  async read(offset: number, length: number, options: CallOptions = {}): Promise<Buffer> {
    return await this.#reading(offset, length, options, Buffer.alloc(0), (limits) =>
      this.#io.read(offset, length, this.#snap, limits),
    );
  }

  readInto(offset: number, into: Uint8Array, options: CallOptions = {}): Promise<number> {
    const memory = Buffer.from(into.buffer, into.byteOffset, into.length);
    return this.#reading(offset, into.length, options, 0, (limits) =>
      this.#io.readInto(offset, memory, this.#snap, limits),
    );
  }

  /** The same without holes: runs of what there is, in order. */
  async readSparse(
    offset: number,
    length: number,
    options: CallOptions = {},
  ): Promise<{ readonly offset: number; readonly data: Uint8Array }[]> {
    return await this.#reading(offset, length, options, [], (limits) =>
      this.#io.readSparse(offset, length, this.#snap, limits),
    );
  }

  /** @param data not to be changed before the call has ended; if by its limits, before the next `flush` has */
  write(offset: number, data: Uint8Array, options: CallOptions = {}): Promise<void> {
    return this.#writing("write to", { offset, length: data.length }, options, (signal) =>
      this.#io.write(offset, data, signal),
    );
  }

  async discard(offset: number, length: number, options: CallOptions = {}): Promise<void> {
    await this.#writing("discard a range of", { offset, length }, options, (signal) =>
      this.#io.discard(offset, length, signal),
    );
  }

  async writeZeroes(
    offset: number,
    length: number,
    options: { readonly keepSpace?: boolean } & CallOptions = {},
  ): Promise<void> {
    const { keepSpace: thick = false, ...limits } = options;
    await this.#writing("write zeros to", { offset, length }, limits, (signal) =>
      this.#io.writeZeroes(offset, length, { thick, signal }),
    );
  }

  /** Writes if what is there is as expected, in one step. @throws CephError EILSEQ where it is not */
  async compareAndWrite(
    offset: number,
    expected: Uint8Array,
    data: Uint8Array,
    options: CallOptions = {},
  ): Promise<void> {
    await this.#writing("compare and write", { offset, length: data.length }, options, (signal) =>
      this.#io.compareAndWrite(offset, expected, data, signal),
    );
  }

  async flush(options: CallOptions = {}): Promise<void> {
    await this.#within("flush", options, (signal) => this.#io.flush(signal));
  }

  /** The data as a stream of bytes, from `start` up to, not including, `end`. */
  readable(options: ReadableOptions = {}): Readable {
    return readableOf(this, options);
  }

  /** Takes a stream of bytes, from `start` on. It ends once all is written and flushed. */
  writable(options: WritableOptions = {}): Writable {
    return writableOf(this, options);
  }

  /** Ranges that hold data, or that differ since a snapshot, in ascending order of their stripes. */
  async *diff(options: DiffOptions = {}): AsyncGenerator<Extent> {
    const { from, wholeObject = false, includeParent = true, ...limits } = options;
    const since = from === undefined ? {} : { fromSnap: nameBytes(from) };
    const wanted = { wholeObject, includeParent, toSnap: this.#snap, ...since };
    yield* await this.#within("compare", limits, async (signal) => {
      const found: Extent[] = [];
      await diffIterate(this.engine, { ...wanted, signal }, (offset, length, exists) => {
        found.push({ offset, length, exists });
      });
      return found;
    });
  }

  /** Bytes that the image takes, since a snapshot or from the start. */
  async used(
    options: { readonly from?: string; readonly exact?: boolean } & CallOptions = {},
  ): Promise<number> {
    const { from, exact = false, ...limits } = options;
    const since = from === undefined ? {} : { fromSnap: nameBytes(from) };
    const wanted = { exact, toSnap: this.#snap, ...since };
    const { used } = await this.#within("measure", limits, (signal) =>
      diskUsage(this.engine, { ...wanted, signal }),
    );
    return used;
  }

  // --- Changing it ------------------------------------------------------------------------------

  /** @throws CephError EINVAL if it would become smaller and may not */
  async resize(
    size: number,
    options: { readonly allowShrink?: boolean } & ProgressOptions = {},
  ): Promise<void> {
    const { allowShrink = false, ...limits } = options;
    await this.#stepwise("resize", limits, (progress) =>
      resizeImage(this.engine, size, { allowShrink, progress }),
    );
  }

  /** Copies what it shows of its parent, and parts from it. */
  async flatten(options: ProgressOptions = {}): Promise<void> {
    await this.#stepwise("flatten", options, (progress) => flattenOpen(this.engine, progress));
  }

  /** Lets go of what is zero. @param sparseSize bytes of the smallest run that is, a power of two */
  async sparsify(sparseSize: number, options: ProgressOptions = {}): Promise<void> {
    await this.#stepwise("sparsify", options, (progress) =>
      sparsifyImage(this.engine, sparseSize, progress),
    );
  }

  async enableFeatures(names: readonly string[], options: CallOptions = {}): Promise<void> {
    await this.#within("change the features of", options, () =>
      updateFeatures(this.engine, featureBits(names), true),
    );
  }

  async disableFeatures(names: readonly string[], options: CallOptions = {}): Promise<void> {
    await this.#within("change the features of", options, () =>
      updateFeatures(this.engine, featureBits(names), false),
    );
  }

  async rebuildObjectMap(options: ProgressOptions = {}): Promise<void> {
    await this.#stepwise("rebuild the object map of", options, (progress) =>
      rebuildObjectMap(this.engine, progress),
    );
  }

  /**
   * Compares the object map with the objects; what is wrong is marked as such.
   * @returns how many of them differ
   */
  async checkObjectMap(options: ProgressOptions = {}): Promise<number> {
    const found = await this.#stepwise("check the object map of", options, (progress) =>
      checkObjectMap(this.engine, this.#snap, progress),
    );
    return found.length;
  }

  /**
   * A new image with this one's data, as it is open. One that ends early leaves what it has made of it.
   * @param options.sparseSize bytes of the smallest run of zeros that is left out @throws CephError EEXIST
   */
  async copy(
    to: IoCtx,
    name: string,
    options: CreateOptions & ProgressOptions & { readonly sparseSize?: number } = {},
  ): Promise<void> {
    const { sparseSize } = options;
    const how = {
      ...engineCreateOptions(options),
      ...(sparseSize === undefined ? {} : { sparseSize }),
      snap: this.#snap,
    };
    const target = { io: to.engine, name: nameBytes(name) };
    await this.#stepwise("copy", options, (progress) =>
      copyImage(this.engine, target, { ...how, progress }),
    );
  }

  /**
   * A new image with this one's data, as it is open, and its snapshots until then. One that ends early leaves what it
   * has made of it.
   * @throws CephError EEXIST
   */
  async deepCopy(
    to: IoCtx,
    name: string,
    options: CreateOptions & ProgressOptions & { readonly flatten?: boolean } = {},
  ): Promise<void> {
    const flatten = options.flatten ?? false;
    const how = { ...engineCreateOptions(options), flatten, snap: this.#snap };
    const target = { io: to.engine, name: nameBytes(name) };
    await this.#stepwise("copy", options, (progress) =>
      deepCopyImage(this.engine, target, { ...how, progress }),
    );
  }

  // --- Snapshots --------------------------------------------------------------------------------

  /** Those that users take, oldest first. */
  async snapshots(options: CallOptions = {}): Promise<SnapshotInfo[]> {
    await this.#refresh(options);
    return this.engine.snapshots
      .filter(({ namespace }) => namespace.type === "user")
      .map(snapshotInfo);
  }

  /** Those of all owners, oldest first. */
  async allSnapshots(options: CallOptions = {}): Promise<OwnedSnapshot[]> {
    return await this.#within("list the snapshots of", options, () => ownedSnapshots(this.engine));
  }

  /**
   * @param options.quiesce whether those who use it are asked to hold still, and heeded if they cannot
   * @throws CephError EEXIST; EDQUOT: as many as there may be
   */
  async createSnapshot(
    name: string,
    options: { readonly quiesce?: "skip" | "ignore-errors" } & CallOptions = {},
  ): Promise<void> {
    const { SKIP_QUIESCE, IGNORE_QUIESCE_ERROR } = SNAP_CREATE_FLAG;
    const flags = { skip: SKIP_QUIESCE, "ignore-errors": IGNORE_QUIESCE_ERROR };
    const { quiesce, ...limits } = options;
    await this.#within("take a snapshot of", limits, () =>
      takeSnapshot(this.engine, nameBytes(name), quiesce && { flags: flags[quiesce] }),
    );
  }

  /** @throws CephError ENOENT; EBUSY if it is protected, or has clones */
  async removeSnapshot(name: string, options: CallOptions = {}): Promise<void> {
    await this.#within("remove a snapshot of", options, () =>
      deleteSnapshot(this.engine, nameBytes(name)),
    );
  }

  /** @throws CephError ENOENT; EEXIST */
  async renameSnapshot(name: string, to: string, options: CallOptions = {}): Promise<void> {
    await this.#within("rename a snapshot of", options, () =>
      renameSnapshot(this.engine, nameBytes(name), nameBytes(to)),
    );
  }

  /** Lets it be cloned in the old way. @throws CephError ENOENT; EBUSY if it is protected */
  async protectSnapshot(name: string, options: CallOptions = {}): Promise<void> {
    await this.#within("protect a snapshot of", options, () =>
      protectSnapshot(this.engine, nameBytes(name)),
    );
  }

  /** @throws CephError ENOENT; EINVAL if it is not protected; EBUSY if it has clones */
  async unprotectSnapshot(name: string, options: CallOptions = {}): Promise<void> {
    await this.#within("unprotect a snapshot of", options, () =>
      unprotectSnapshot(this.engine, nameBytes(name)),
    );
  }

  /** Makes the image what it was at a snapshot. @throws CephError ENOENT */
  async rollback(name: string, options: ProgressOptions = {}): Promise<void> {
    await this.#stepwise("roll back", options, (progress) =>
      rollBackTo(this.engine, nameBytes(name), { progress }),
    );
  }

  /** How many snapshots there may be; undefined: any number. */
  async snapshotLimit(options: CallOptions = {}): Promise<bigint | undefined> {
    return await this.#within("read the limit of", options, (signal) =>
      snapshotLimit(this.#header(signal)),
    );
  }

  async setSnapshotLimit(limit: bigint | undefined, options: CallOptions = {}): Promise<void> {
    await this.#within("limit the snapshots of", options, () =>
      setSnapshotLimit(this.engine, limit),
    );
  }

  /** Clones of a snapshot, or of all: the pool's id, the namespace and the name of each. */
  async children(snapshot?: string, options: CallOptions = {}): Promise<ChildInfo[]> {
    const left = this.engine.io.shared(options);
    const named = snapshot === undefined ? undefined : await this.#snapId(snapshot, left());
    const at = named ?? (this.#snap === NOSNAP ? undefined : this.#snap);
    const children = await this.#within("list the clones of", left(), () =>
      listChildren(this.engine, at),
    );
    return children.map(childInfo);
  }

  // --- What is kept beside it -------------------------------------------------------------------

  async metadata(options: CallOptions = {}): Promise<Map<string, string>> {
    const entries = await this.#within("list the metadata of", options, (signal) => {
      const { io, headerOid } = this.#header(signal);
      return listMetadata(io, headerOid);
    });
    return new Map([...entries].map(([key, value]) => [nameText(key), nameText(value)]));
  }

  /** @throws CephError ENOENT */
  async getMetadata(key: string, options: CallOptions = {}): Promise<string> {
    const value = await this.#within("read metadata of", options, (signal) => {
      const { io, headerOid } = this.#header(signal);
      return getMetadata(io, headerOid, nameBytes(key));
    });
    return nameText(value);
  }

  async setMetadata(key: string, value: string, options: CallOptions = {}): Promise<void> {
    await this.#within("set metadata of", options, () =>
      setImageMetadata(this.engine, nameBytes(key), nameBytes(value)),
    );
  }

  /** @throws CephError ENOENT */
  async removeMetadata(key: string, options: CallOptions = {}): Promise<void> {
    await this.#within("remove metadata of", options, () =>
      removeImageMetadata(this.engine, nameBytes(key)),
    );
  }

  /** Locks that users hold, and librbd itself. */
  async locks(options: CallOptions = {}): Promise<ImageLocks> {
    const found = await this.#within("list the locks of", options, (signal) =>
      listLocks(this.#header(signal)),
    );
    return imageLocks(found);
  }

  /**
   * Takes a lock that only those heed who ask for it.
   * @param tag shared with others of the same @default nobody's but ours
   * @throws CephError EBUSY: another's; EEXIST: ours, by this cookie
   */
  async lock(cookie: string, tag?: string, options: CallOptions = {}): Promise<void> {
    const shared = tag === undefined ? undefined : nameBytes(tag);
    await this.#within("lock", options, () => addLock(this.engine, nameBytes(cookie), shared));
  }

  /**
   * Takes a lock away, and its holder out of the cluster.
   * @param locker `client.4123` @throws CephError ENOENT: there is none; EINVAL: no client's name
   */
  async breakLock(locker: string, cookie: string, options: CallOptions = {}): Promise<void> {
    await this.#within("break a lock of", options, async (signal) => {
      if (parseEntityName(locker) === undefined) {
        throw new CephError(-ERRNO.EINVAL, { op: "break the lock of", target: locker });
      }
      const { lockers } = await listLocks(this.#header(signal));
      const found = lockers.find(({ clientText }) => clientText === locker);
      if (found === undefined) {
        throw new CephError(-ERRNO.ENOENT, { op: "break the lock of", target: locker });
      }
      await breakLock(this.engine, { client: found.client, cookie: nameBytes(cookie) });
    });
  }

  /** Who has the image open for writing, ourselves too. */
  async watchers(options: CallOptions = {}): Promise<ImageWatcher[]> {
    const watchers = await this.#within("list the watchers of", options, (signal) =>
      listWatchers(this.#header(signal)),
    );
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

  /**
   * Writes what the cache has, and gives back lock and watch. Idempotent.
   * @throws CephError why some of it could not be written, and is lost; the image is closed all the same
   */
  async close(): Promise<void> {
    try {
      await this.#io.close();
    } finally {
      await this.engine.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #refresh(options: CallOptions): Promise<void> {
    await this.#within("read the header of", options, () => this.engine.refresh());
  }

  /** What only reads the header, until a signal is aborted. */
  #header(signal: AbortSignal | undefined) {
    const { io, headerOid } = this.engine;
    return { io: io.readingUntil(signal), headerOid };
  }

  async #reading<T>(
    offset: number,
    length: number,
    options: CallOptions,
    nothing: T,
    read: (limits: CallOptions) => Promise<T>,
  ): Promise<T> {
    options.signal?.throwIfAborted();
    if (length === 0) return nothing;
    return await this.#within("read", options, (signal) =>
      this.#reaching(
        offset + 1,
        () => read({ signal }),
        () => nothing,
      ),
    );
  }

  #within<T>(
    op: string,
    limits: CallOptions,
    work: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    return within(this.engine.clock, limits, () => ({ op, target: this.name }), work);
  }

  #stepwise<T>(
    op: string,
    limits: ProgressOptions,
    work: (progress: Progress) => Promise<T>,
  ): Promise<T> {
    return stepwise(this.engine.clock, limits, () => ({ op, target: this.name }), work);
  }

  async #snapId(name: string, options: CallOptions): Promise<bigint> {
    const found = (await this.snapshots(options)).find((snapshot) => snapshot.name === name);
    if (found !== undefined) return found.id;
    const target = `${this.name}@${name}`;
    throw new CephError(-ERRNO.ENOENT, { op: "find", target });
  }

  /** Librbd cuts off what reaches past the end; who writes a disk wants to know. */
  async #writing(
    op: string,
    { offset, length }: { readonly offset: number; readonly length: number },
    limits: CallOptions,
    write: (signal: AbortSignal | undefined) => Promise<unknown>,
  ): Promise<void> {
    const refuse = (errno: number): never => {
      throw new CephError(-errno, { op: "write to", target: this.name });
    };
    if (this.isReadOnly || offset < 0) refuse(this.isReadOnly ? ERRNO.EROFS : ERRNO.EINVAL);
    const beyond = () => refuse(ERRNO.EINVAL);
    await this.#within(op, limits, (signal) =>
      this.#reaching(offset + length, () => write(signal), beyond),
    );
  }

  /** What reaches past the end as it was known last: somebody else may have made it larger. */
  #reaching<T>(end: number, work: () => Promise<T>, beyond: () => T): Promise<T> {
    if (end <= this.size) return work();
    return this.engine.refreshIfStale().then(() => (end <= this.size ? work() : beyond()));
  }
}
