/**
 * An image that is open for changing: what its header says, a watch on the header, and the exclusive lock
 * where the image has one.
 * ceph: src/librbd/image/OpenRequest.cc, RefreshRequest.cc, CloseRequest.cc, src/librbd/ImageWatcher.cc
 */

import {
  type CephError,
  type Clock,
  type Logger,
  type Random,
  sleep,
  Turns,
} from "../base/index.ts";
import { RBD_FEATURE, RBD_OPERATION_FEATURES_ALL } from "../cls/rbd/types/features.ts";
import type { GroupSpec, ParentImageSpec } from "../cls/rbd/types.ts";
import type { IoCtx, Rados } from "../rados/index.ts";
import {
  EMPTY_SNAP_CONTEXT,
  NOSNAP,
  type SnapContext,
  type SnapId,
  UTIME_ZERO,
  type Utime,
} from "../types/index.ts";
import { imageError, isErrno, orReadOnly, unless } from "./errors.ts";
import { ExclusiveLock, type LockPolicy, NOTIFY_TIMEOUT_MS } from "./exclusive-lock.ts";
import { findImage, type ImageRef } from "./find-image.ts";
import type {
  FixedHeader,
  HeaderState,
  ImageFormat,
  ImageParent,
  ImageSnapshot,
  OpenImageOptions,
} from "./header.ts";
import { answerNotice } from "./header-notices.ts";
import { HeaderWatch } from "./header-watch.ts";
import { WriteGate } from "./io/write-gate.ts";
import type { MigrationSource } from "./migration/source.ts";
import { type Asked, encodeHeaderNotice, type OwnerRequest } from "./notify.ts";
import { ObjectMap } from "./object-map.ts";
import { OperationQueue } from "./operation-queue.ts";
import { OwnerNews } from "./owner-news.ts";
import { Quiescers } from "./quiescers.ts";
import { objectsIn } from "./striper.ts";

/** Longest wait for others to hear of a lock that we have released. */
const RELEASE_TELL_MS = 1_000;

/** Most calls find the header as it was. */
const FRESH = Promise.resolve();

/** What every operation on images needs. */
export interface RbdContext {
  readonly rados: Rados;
  readonly clock: Clock;
  /** For ids of images and the like. */
  readonly random: Random;
  readonly log: Logger;
}

export { type ImageParent, type ImageSnapshot, poolOf } from "./header.ts";

/** What is done with requests to the lock's owner while we are it. */
export interface OwnerRequests {
  /** @returns the result that is answered at once: 0 if it is being done, or a negative errno */
  start(request: OwnerRequest & Asked): number;
}

export class Image {
  readonly rados: Rados;
  readonly clock: Clock;
  readonly log: Logger;
  readonly context: RbdContext;
  /** Where the header is. */
  readonly io: IoCtx;
  readonly format: ImageFormat;
  /** "" in format 1. */
  readonly id: string;
  /** "" if the image has none: a leftover of a removal. */
  name: string;
  headerOid: string;
  readonly order: number;
  /** Bytes. */
  readonly objectSize: number;
  readonly objectPrefix: string;
  readonly stripeUnit: number;
  readonly stripeCount: number;
  /** Where the data is; undefined if that pool is gone. */
  readonly dataIo: IoCtx | undefined;
  readonly readOnly: boolean;
  /** Bytes. */
  size = 0;
  features = 0n;
  opFeatures = 0n;
  flags = 0n;
  snapContext: SnapContext = EMPTY_SNAP_CONTEXT;
  /** Oldest first. */
  snapshots: readonly ImageSnapshot[] = [];
  parent: ImageParent | undefined;
  /** Where it comes from, as long as not all of that has been copied. */
  migration: MigrationSource | undefined;
  group: GroupSpec | undefined;
  createTime: Utime = UTIME_ZERO;
  accessTime: Utime = UTIME_ZERO;
  modifyTime: Utime = UTIME_ZERO;
  /** The lock, with or without the feature: it may be held still when that goes, and when it comes back. */
  readonly ownLock = new ExclusiveLock(this);
  /** While the lock is held, and the image has such a map. */
  objectMap: ObjectMap | undefined;
  /** Changes of data in flight, and what holds them back. */
  readonly gate: WriteGate;
  /** Whether a change of data takes the lock by itself.  ceph: ManagedLock, LOCK_MODE_EXCLUSIVE */
  autoLock = true;
  /** Who answers requests to the lock's owner; undefined: they are told to do it themselves. */
  ownerRequests: OwnerRequests | undefined;
  readonly ownerNews: OwnerNews;
  readonly quiescers = new Quiescers();
  /** What is begun while the lock is held, and giving it back. */
  readonly operations = new OperationQueue(() => this.checkOpen());
  /** Parents that were told of having lost this clone: see cleanUpParents. */
  readonly detachedFrom: ParentImageSpec[] = [];
  /** Copies of what objects show of another image, under way. */
  readonly copyups = new Map<number, Promise<void>>();
  /** It is an end of a migration, and what is done to it is a step of that: it shows nothing of the other. */
  readonly isMigrationStep: boolean;
  /** The watch was lost, and nothing that depends on it holds any more. */
  lost: CephError | undefined;
  /** Counts what a refresh has changed: what was made of the header as it was is stale. */
  generation = 0;
  readonly #watch: HeaderWatch;
  #closing: Promise<void> | undefined;
  /** How often a map was marked here. */
  #flagsSet = 0;
  #isStale = false;
  #refreshing: Promise<void> | undefined;
  /** Changes of the lock's hands, one after the other. */
  readonly #lockTurns = new Turns();
  #handingOver: Promise<void> | undefined;
  #isForced = false;

  private constructor(
    context: RbdContext,
    io: IoCtx,
    fixed: FixedHeader,
    { readOnly = false, isMigrationStep = false }: OpenImageOptions,
  ) {
    this.context = context;
    this.rados = context.rados;
    this.clock = context.clock;
    this.log = context.log;
    this.io = io;
    this.format = fixed.format;
    this.id = fixed.id;
    this.name = fixed.name;
    this.headerOid = fixed.headerOid;
    this.order = fixed.order;
    this.objectSize = 2 ** fixed.order;
    this.objectPrefix = fixed.objectPrefix;
    this.stripeUnit = fixed.stripeUnit;
    this.stripeCount = fixed.stripeCount;
    this.dataIo = fixed.dataIo;
    this.readOnly = readOnly;
    this.isMigrationStep = isMigrationStep;
    this.ownerNews = new OwnerNews(context.clock);
    this.gate = new WriteGate(
      () => this.lost === undefined && !this.isClosed && this.isOwner,
      () => this.#prepareChange(),
    );
    this.#watch = new HeaderWatch(this, {
      onNotify: (payload) => answerNotice(this, payload),
      onRenewed: () => this.#watchRenewed(),
      onEnd: (error) => this.#end(error),
    });
  }

  /**
   * Opens an image. A read-only one is not told of changes: it is as it was when it was opened, or
   * refreshed.
   * @throws CephError ENOENT: no such image; ENOSYS: of a newer release; EROFS: it is being migrated, and not opened
   *   for that or for reading; EBUSY: its migration has not been prepared
   */
  static async open(
    context: RbdContext,
    io: IoCtx,
    which: ImageRef,
    options: OpenImageOptions = {},
  ): Promise<Image> {
    const image = new Image(context, io, await findImage(io, which), options);
    if (!image.readOnly) await image.#watch.start();
    try {
      await image.refresh();
      return image;
    } catch (error) {
      await image.close();
      throw error;
    }
  }

  /**
   * Gives back lock and watch, once the operations that are under way have ended: what they do to objects is under
   * the lock. None is begun any more, and who waits for the lock hears so. An image whose header is gone closes as
   * well. Idempotent.
   * @throws why a cache could not be written back; then the lock is left to whoever breaks it
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.ownLock.wake();
    try {
      await this.operations.runLast(async () => {
        await this.#settle();
        await this.releaseLock();
      });
    } finally {
      // Who is blocklisted has lost everything it held.
      await unless(this.#watch.close(), "ESHUTDOWN");
    }
  }

  /** Sees to it that no change of data is in flight, or held by a cache. @throws why one is held still */
  async #settle(): Promise<void> {
    const drained = this.gate.block();
    try {
      await drained;
    } finally {
      this.gate.unblock();
    }
  }

  /** It is closed, or about to be: nothing is begun any more. */
  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** Objects that hold the head. */
  get objectCount(): number {
    return this.objectsIn(this.size);
  }

  /** Objects that hold so many bytes of the image. */
  objectsIn(size: number): number {
    return objectsIn(this, size);
  }

  objectName(objectNo: number): string {
    return this.format.objectName(this.objectPrefix, objectNo);
  }

  hasFeature(feature: bigint): boolean {
    return (this.features & feature) !== 0n;
  }

  /** What errors are about. */
  get target(): string {
    return this.name || this.id;
  }

  /** The watch's cookie, with which locks are held. */
  get watchCookie(): bigint {
    return this.#watch.cookie;
  }

  get watcherId(): { gid: bigint; handle: bigint } {
    return { gid: this.rados.globalId, handle: this.watchCookie };
  }

  /** Operations of a newer release have left things in the header that we would break. */
  get operationsDisabled(): boolean {
    return (this.opFeatures & ~RBD_OPERATION_FEATURES_ALL) !== 0n;
  }

  // --- The lock ---------------------------------------------------------------------------------

  /** The lock; undefined where the image has no such feature. */
  get lock(): ExclusiveLock | undefined {
    return this.hasFeature(RBD_FEATURE.EXCLUSIVE_LOCK) ? this.ownLock : undefined;
  }

  /** Takes the lock, where there is one, and what comes with it. @throws CephError EBADF: the image is closed */
  async acquireLock(policy: LockPolicy): Promise<void> {
    await this.#lockTurns.take(async () => {
      const { lock } = this;
      if (lock === undefined) return;
      // It may be lost before all of it is there, or nobody's any more.
      while (!lock.isHeld && lock === this.lock) await this.#takeLock(lock, policy);
    });
  }

  async #takeLock(lock: ExclusiveLock, policy: LockPolicy): Promise<void> {
    this.checkOpen();
    await lock.acquire(policy);
    try {
      // Closed: nobody would ever give it back. On another watch: others would take us for dead.
      for (this.checkOpen(); lock.isStray; this.checkOpen()) await this.#watch.renew();
      await this.refresh();
      if (lock !== this.lock) return await lock.release();
      await this.#openObjectMap();
    } catch (error) {
      await lock.release();
      lock.tell("released").catch((untold: unknown) => this.#untold(untold));
      throw error;
    }
    // Nobody has to answer, and somebody who is dead would hold us up.
    lock.tell("acquired").catch((error: unknown) => this.#untold(error));
  }

  /** While it was another's, anything may have changed. */
  lockTaken(): void {
    this.#isStale = true;
  }

  async watchSettled(): Promise<void> {
    await this.#watch.settled();
  }

  /**
   * What an operation needs is a header that is not stale, and the object map that a feature turned on meanwhile has
   * brought.
   */
  async prepareOperation(): Promise<void> {
    await this.refreshIfStale();
    if (this.lock?.isHeld === true) await this.#lockTurns.take(() => this.#openObjectMap());
  }

  /** Within a change of the lock's hands only: two maps of one image would not know of each other's changes. */
  async #openObjectMap(): Promise<void> {
    // It may have been given back, or lost, since it was asked for.
    if (!this.#holdsLock()) return;
    if (!this.hasFeature(RBD_FEATURE.OBJECT_MAP)) {
      this.objectMap = undefined;
    } else if (this.objectMap === undefined) {
      const map = await ObjectMap.open(this);
      if (this.#holdsLock()) this.objectMap = map;
    }
  }

  #holdsLock(): boolean {
    return this.lock?.isHeld === true;
  }

  /**
   * Takes the lock if nobody alive has it.
   * @param asksOwner or who has it gives it up
   * @returns whether it is ours
   */
  async tryLock(policy: LockPolicy, asksOwner = false): Promise<boolean> {
    if (!asksOwner && (await this.lock?.isFree()) === false) return false;
    try {
      await this.acquireLock(policy);
      return true;
    } catch (error) {
      if (isErrno(error, "EBUSY")) return false;
      throw error;
    }
  }

  /**
   * Gives the lock back, once no change of data is in flight. By itself for operations only, which are alone with it;
   * anybody else: `giveLockBack`.
   * @param turns how often it had been taken: one that has been taken anew since stays @default it goes in any case
   */
  async releaseLock(turns?: number): Promise<void> {
    await this.#lockTurns.take(async () => {
      const lock = this.ownLock;
      if (!lock.mayBeHeld || (turns ?? lock.turns) !== lock.turns) return;
      const drained = this.gate.block();
      try {
        await drained;
        const map = this.objectMap;
        this.objectMap = undefined;
        await map?.close();
        await lock.release();
        // Whoever waits for it is to come before those of us who want it again.
        const told = lock.tell("released").catch((error: unknown) => this.#untold(error));
        await Promise.race([told, sleep(this.clock, RELEASE_TELL_MS)]);
      } catch (error) {
        if (isErrno(error, "ESHUTDOWN")) return this.#end(error);
        if (this.lost !== undefined) lock.lost();
        else if (lock.isStray) await this.#watch.renew();
        throw error;
      } finally {
        this.gate.unblock();
      }
    });
  }

  /** The same in its turn: an operation that is under way has the lock until its end, a later one begins without it. */
  async giveLockBack(): Promise<void> {
    if (!this.ownLock.mayBeHeld) return;
    const { turns } = this.ownLock;
    // Those that the lock was taken for come first, or nobody would ever get anything done.
    await this.gate.settled();
    // Who closes gives it back.
    if (this.isClosed) return;
    // Lost by then, and taken anew, it would wait for what a cache holds, and that for the lock behind it.
    await this.operations.run(() => this.releaseLock(turns));
  }

  /** Whether the lock, where there is one, is held, with what comes with it; not known while the header is stale. */
  get isOwner(): boolean {
    const { lock } = this;
    if (!this.isFresh) return false;
    if (lock === undefined) return true;
    return (
      lock.isHeld && this.hasFeature(RBD_FEATURE.OBJECT_MAP) === (this.objectMap !== undefined)
    );
  }

  /** What a change of data needs is a header that is not stale, and the lock. */
  async #prepareChange(): Promise<void> {
    this.checkOpen();
    if (this.readOnly) throw imageError("EROFS", "write to", this.target);
    await this.#watch.settled();
    await this.refreshIfStale();
    if (this.isOwner) return;
    if (!this.autoLock && this.lock?.isHeld !== true) {
      throw imageError("EROFS", "write to", this.target, "the lock is not held");
    }
    if (this.lock?.isHeld === true) {
      // The feature was turned on or off meanwhile.
      await this.#lockTurns.take(() => this.#openObjectMap());
      return;
    }
    await orReadOnly(this.acquireLock("automatic"), this.target);
  }

  /** Somebody wants the lock and has been promised it: it is theirs once everything is in order. */
  lockWanted(): void {
    const { isHeld, policy } = this.ownLock;
    if (isHeld && policy !== "automatic") return;
    if (this.#handingOver !== undefined) return;
    this.#handingOver = this.giveLockBack()
      .catch((error: unknown) => {
        this.log.warn("lock not handed over", { image: this.id, why: String(error) });
      })
      .finally(() => {
        this.#handingOver = undefined;
      });
  }

  /** What is done from now on is done without the lock: by force. */
  forgoLock(): void {
    this.#isForced = true;
  }

  /** @throws CephError why nothing can be begun any more */
  checkOpen(): void {
    if (this.lost !== undefined) throw this.lost;
    if (this.isClosed) throw imageError("EBADF", "use", this.target, "it is closed");
  }

  /** @throws CephError if we are not the owner any more */
  checkOwner(): void {
    if (this.lost !== undefined) throw this.lost;
    if (this.lock !== undefined && !this.lock.isHeld && !this.#isForced) {
      throw imageError("ERESTART", "go on with", this.target, "the lock is lost");
    }
  }

  /** @throws CephError ERESTART if what is about to be done needs the head's object map, and it is not open */
  checkObjectMap(): void {
    if (this.objectMap !== undefined || !this.hasFeature(RBD_FEATURE.OBJECT_MAP)) return;
    if (this.#isForced) return;
    throw imageError("ERESTART", "go on with", this.target, "its object map is not open");
  }

  /** @throws CephError ERESTART if somebody waits for the lock, or it is lost */
  checkUndisturbed(): void {
    this.checkOwner();
    if (this.lock?.isWanted === true) {
      throw imageError("ERESTART", "go on with", this.target, "somebody wants the lock");
    }
  }

  // --- The header -------------------------------------------------------------------------------

  /** Tells every watcher to read the header again. */
  async notifyUpdate(): Promise<void> {
    const notice = encodeHeaderNotice({ op: "update" });
    await unless(this.io.notify(this.headerOid, notice, NOTIFY_TIMEOUT_MS), "ENOENT");
  }

  /** It has been changed, or may have been: the next use reads it again. */
  markStale(): void {
    this.#isStale = true;
  }

  /** Reads what may change in the header. */
  async refresh(): Promise<void> {
    this.#isStale = true;
    await this.refreshIfStale();
  }

  /** Is the header as we know it, as far as we were told? */
  get isFresh(): boolean {
    return !this.#isStale && this.#refreshing === undefined;
  }

  /** Reads it only if we were told that it has changed; waits for who reads it already. */
  refreshIfStale(): Promise<void> {
    return this.#isStale ? this.#refreshUntilFresh() : (this.#refreshing ?? FRESH);
  }

  async #refreshUntilFresh(): Promise<void> {
    while (this.#isStale) {
      this.#refreshing ??= this.#refresh().finally(() => {
        this.#refreshing = undefined;
      });
      await this.#refreshing;
    }
  }

  /** A refresh that has read the header before, and ends after, is made again: it knows nothing of them. */
  flagsSet(snap: SnapId, flags: bigint): void {
    this.#flagsSet++;
    if (snap === NOSNAP) this.flags |= flags;
    this.snapshots = this.snapshots.map((snapshot) =>
      snapshot.id === snap ? { ...snapshot, flags: snapshot.flags | flags } : snapshot,
    );
  }

  async #refresh(): Promise<void> {
    this.#isStale = false;
    try {
      let state: HeaderState;
      let before: number;
      do {
        before = this.#flagsSet;
        state = await this.format.readState(this.io, this.headerOid, this);
      } while (before !== this.#flagsSet);
      Object.assign(this, state);
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
    this.generation++;
    // One that was not to be believed is not told so any more.
    if (!this.hasFeature(RBD_FEATURE.OBJECT_MAP)) this.objectMap = undefined;
  }

  // --- The watch --------------------------------------------------------------------------------

  /** Keeps the lock if nobody has taken it meanwhile. */
  async #watchRenewed(): Promise<void> {
    this.#isStale = true;
    if (!(await this.ownLock.reacquire())) this.objectMap = undefined;
  }

  /** The header becomes another object, while nothing is written and nobody watches it. */
  async moveHeader(to: string, move: (from: string, to: string) => Promise<void>): Promise<void> {
    const drained = this.gate.block();
    try {
      await drained;
      await this.#watch.pausedFor(async () => {
        await move(this.headerOid, to);
        this.headerOid = to;
      });
    } finally {
      // What happened meanwhile we were not told of.
      this.#isStale = true;
      this.gate.unblock();
    }
  }

  #end(error: CephError): void {
    this.lost = error;
    this.objectMap = undefined;
    this.ownLock.lost();
  }

  /** A failure to tell others what they will find out by themselves. */
  #untold(error: unknown): void {
    this.log.debug("notice of a lock", { image: this.id, why: String(error) });
  }
}
