/**
 * An image that is open for changing: what its header says, a watch on the header, and the exclusive lock
 * where the image has one.
 *
 * Format 2 only: format 1 has been deprecated since Nautilus, and is refused with EOPNOTSUPP.
 * ceph: src/librbd/image/OpenRequest.cc, RefreshRequest.cc, CloseRequest.cc, src/librbd/ImageWatcher.cc
 */

import type { CephError, Clock, Logger } from "../base/index.ts";
import { RBD_FEATURE, RBD_OPERATION_FEATURES_ALL } from "../cls/rbd/types/features.ts";
import {
  type GroupSpec,
  type ParentImageSpec,
  parentExists,
  type SnapshotInfo,
} from "../cls/rbd/types.ts";
import { EMPTY } from "../encoding/index.ts";
import { opStat } from "../messages/index.ts";
import {
  type ClassCall,
  callOp,
  callReply,
  type IoCtx,
  type Rados,
  type Watch,
} from "../rados/index.ts";
import { EMPTY_SNAP_CONTEXT, NOSNAP, type SnapContext, type SnapId } from "../types/index.ts";
import { DIRECTORY, HEADER, TRASH } from "./calls.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import { ExclusiveLock, type LockPolicy, NOTIFY_TIMEOUT_MS } from "./exclusive-lock.ts";
import {
  dataObjectName,
  headerName,
  idObjectName,
  oldHeaderName,
  RBD_DIRECTORY,
  RBD_TRASH,
} from "./names.ts";
import {
  decodeHeaderNotice,
  encodeHeaderNotice,
  encodeResponse,
  type HeaderNotice,
  NOTIFY_OP,
} from "./notify.ts";
import { ObjectMap } from "./object-map.ts";
import type { Progress } from "./progress.ts";

/** What every operation on images needs. */
export interface RbdContext {
  readonly rados: Rados;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A snapshot with what the header keeps beside it. */
export interface ImageSnapshot extends SnapshotInfo {
  readonly flags: bigint;
  /** RBD_PROTECTION_STATUS. */
  readonly protection: number;
  /** Bytes that show through to the parent; undefined: none. */
  readonly parentOverlap: number | undefined;
}

export interface ImageParent {
  readonly spec: ParentImageSpec;
  /** Bytes of the head that show through; undefined if only snapshots do. */
  readonly overlap: number | undefined;
}

type RequestNews = Extract<HeaderNotice, { op: "complete" | "progress" }>;

export class Image {
  readonly rados: Rados;
  readonly clock: Clock;
  readonly log: Logger;
  readonly context: RbdContext;
  /** Where the header is. */
  readonly io: IoCtx;
  readonly id: string;
  /** "" if the image has none: a leftover of a removal. */
  readonly name: string;
  readonly headerOid: string;
  readonly order: number;
  readonly objectPrefix: string;
  readonly stripeUnit: number;
  readonly stripeCount: number;
  /** Where the data is; undefined if that pool is gone. */
  readonly dataIo: IoCtx | undefined;
  /** Bytes. */
  size = 0;
  features = 0n;
  opFeatures = 0n;
  flags = 0n;
  snapContext: SnapContext = EMPTY_SNAP_CONTEXT;
  /** Oldest first. */
  snapshots: readonly ImageSnapshot[] = [];
  parent: ImageParent | undefined;
  group: GroupSpec | undefined;
  /** The lock; undefined where the image has no such feature. */
  readonly lock: ExclusiveLock | undefined;
  /** While the lock is held, and the image has such a map. */
  objectMap: ObjectMap | undefined;
  /** Parents that were told of having lost this clone: see cleanUpParents. */
  readonly detachedFrom: ParentImageSpec[] = [];
  /** It is an end of a migration, and what is done to it is a step of that. */
  isMigrationStep = false;
  /** The watch was lost, and nothing that depends on it holds any more. */
  lost: CephError | undefined;
  #watch: Watch | undefined;
  #lastRequest = 0n;
  /** What waits for news of a request to the lock's owner. */
  readonly #requests = new Map<bigint, (notice: RequestNews) => void>();
  #isForced = false;

  private constructor(context: RbdContext, io: IoCtx, fixed: FixedHeader) {
    this.context = context;
    this.rados = context.rados;
    this.clock = context.clock;
    this.log = context.log;
    this.io = io;
    this.id = fixed.id;
    this.name = fixed.name;
    this.headerOid = headerName(fixed.id);
    this.order = fixed.order;
    this.objectPrefix = fixed.objectPrefix;
    this.stripeUnit = fixed.stripeUnit;
    this.stripeCount = fixed.stripeCount;
    this.dataIo = fixed.dataIo;
    this.lock =
      (fixed.features & RBD_FEATURE.EXCLUSIVE_LOCK) === 0n ? undefined : new ExclusiveLock(this);
  }

  /**
   * Opens by name or by id.
   * @throws CephError ENOENT: no such image; EOPNOTSUPP: format 1
   */
  static async open(
    context: RbdContext,
    io: IoCtx,
    which: { name: string } | { id: string },
    options: { readOnly?: boolean } = {},
  ): Promise<Image> {
    const { id, name } = "id" in which ? await nameOf(io, which.id) : await idOf(io, which.name);
    const image = new Image(context, io, await readFixed(io, id, name));
    if (options.readOnly !== true) await image.#startWatch();
    try {
      await image.refresh(options.readOnly === true);
      return image;
    } catch (error) {
      await image.close();
      throw error;
    }
  }

  /** Gives back lock and watch. An image whose header is gone closes as well. */
  async close(): Promise<void> {
    await this.releaseLock();
    await this.closeWatch();
  }

  async closeWatch(): Promise<void> {
    const watch = this.#watch;
    this.#watch = undefined;
    await watch?.close();
  }

  get objectSize(): number {
    return 2 ** this.order;
  }

  /** Objects that hold the head. */
  get objectCount(): number {
    return this.objectsIn(this.size);
  }

  /** Objects that hold so many bytes of the image.  ceph: Striper::get_num_objects */
  objectsIn(size: number): number {
    const period = this.stripeCount * this.objectSize;
    const periods = Math.ceil(size / period);
    const rest = size % period;
    const remaining = this.stripeCount * this.stripeUnit;
    const missing =
      rest > 0 && rest < remaining ? this.stripeCount - Math.ceil(rest / this.stripeUnit) : 0;
    return periods * this.stripeCount - missing;
  }

  objectName(objectNo: number): string {
    return dataObjectName(this.objectPrefix, objectNo);
  }

  hasFeature(feature: bigint): boolean {
    return (this.features & feature) !== 0n;
  }

  /** The watch's cookie, with which locks are held. */
  get watchCookie(): bigint {
    return this.#watch?.cookie ?? 0n;
  }

  get watcherId(): { gid: bigint; handle: bigint } {
    return { gid: this.rados.globalId, handle: this.watchCookie };
  }

  /** Operations of a newer release have left things in the header that we would break. */
  get operationsDisabled(): boolean {
    return (this.opFeatures & ~RBD_OPERATION_FEATURES_ALL) !== 0n;
  }

  /** Takes the lock, where there is one, and what comes with it. */
  async acquireLock(policy: LockPolicy): Promise<void> {
    if (this.lock === undefined || this.lock.isHeld) return;
    await this.lock.acquire(policy);
    // While it was another's, anything may have changed.
    await this.refresh();
    if (this.hasFeature(RBD_FEATURE.OBJECT_MAP)) this.objectMap = await ObjectMap.open(this);
    await this.lock.tell("acquired");
  }

  /** Takes the lock if nobody alive has it. */
  async tryLock(policy: LockPolicy): Promise<boolean> {
    if ((await this.lock?.isFree()) === false) return false;
    try {
      await this.acquireLock(policy);
      return true;
    } catch (error) {
      if (isErrno(error, "EBUSY")) return false;
      throw error;
    }
  }

  async releaseLock(): Promise<void> {
    if (this.lock?.isHeld !== true) return;
    const map = this.objectMap;
    this.objectMap = undefined;
    await map?.close();
    await this.lock.release();
  }

  /** What is done from now on is done without the lock: by force. */
  forgoLock(): void {
    this.#isForced = true;
  }

  /** @throws CephError if we are not the owner any more */
  checkOwner(): void {
    if (this.lost !== undefined) throw this.lost;
    if (this.lock !== undefined && !this.lock.isHeld && !this.#isForced) {
      throw imageError("ERESTART", "go on with", this.name || this.id, "the lock is lost");
    }
  }

  /** A number for a request to the lock's owner. */
  newRequest(): bigint {
    return ++this.#lastRequest;
  }

  /** The result of a request, once the owner tells; undefined: no word has come for so long. */
  async completionOf(
    request: bigint,
    timeoutMs: number,
    progress: Progress,
  ): Promise<number | undefined> {
    try {
      return await new Promise<number | undefined>((resolve, reject) => {
        const wait = () => this.clock.after(timeoutMs, () => resolve(undefined));
        let timer = wait();
        this.#requests.set(request, (notice) => {
          timer.cancel();
          if (notice.op === "complete") return resolve(notice.result);
          timer = wait();
          try {
            progress(notice.done, notice.total);
          } catch (error) {
            timer.cancel();
            reject(error);
          }
        });
      });
    } finally {
      this.#requests.delete(request);
    }
  }

  /** Tells every watcher to read the header again. */
  async notifyUpdate(): Promise<void> {
    const notice = encodeHeaderNotice({ op: "update" });
    await unless(this.io.notify(this.headerOid, notice, NOTIFY_TIMEOUT_MS), "ENOENT");
  }

  /** Reads what may change in the header. */
  async refresh(readOnly = false): Promise<void> {
    const { io, headerOid } = this;
    const head = { snapId: NOSNAP };
    const { ops } = await io.read(headerOid, [
      callOp(HEADER.getSize, head),
      callOp(HEADER.getFeatures, { snapId: NOSNAP, readOnly }),
      callOp(HEADER.getFlags, head),
      callOp(HEADER.getSnapContext, undefined),
      callOp(HEADER.getParent, undefined),
      callOp(HEADER.getParentOverlap, head),
    ]);
    const reply = <A, R>(index: number, call: ClassCall<A, R>): R =>
      callReply(call, ops[index]?.data);
    this.size = reply(0, HEADER.getSize).size;
    this.features = reply(1, HEADER.getFeatures).features;
    this.flags = reply(2, HEADER.getFlags);
    const { snapSeq, snaps } = reply(3, HEADER.getSnapContext);
    this.snapContext = { seq: snapSeq, snaps };
    const spec = reply(4, HEADER.getParent);
    const overlap = reply(5, HEADER.getParentOverlap);
    this.parent = parentExists(spec) ? { spec, overlap } : undefined;
    this.opFeatures = this.hasFeature(RBD_FEATURE.OPERATIONS)
      ? await io.query(headerOid, HEADER.getOpFeatures, undefined)
      : 0n;
    const group = await unless(io.query(headerOid, HEADER.getGroup, undefined), "EOPNOTSUPP");
    this.group = group === undefined || group.groupId === "" ? undefined : group;
    const snapshots: ImageSnapshot[] = [];
    for (const snap of [...snaps].reverse()) snapshots.push(await this.#readSnapshot(snap));
    this.snapshots = snapshots;
  }

  async #readSnapshot(snapId: SnapId): Promise<ImageSnapshot> {
    const { ops } = await this.io.read(this.headerOid, [
      callOp(HEADER.getSnapshot, { snapId }),
      callOp(HEADER.getFlags, { snapId }),
      callOp(HEADER.getProtection, { snapId }),
      callOp(HEADER.getParentOverlap, { snapId }),
    ]);
    return {
      ...callReply(HEADER.getSnapshot, ops[0]?.data),
      flags: callReply(HEADER.getFlags, ops[1]?.data),
      protection: callReply(HEADER.getProtection, ops[2]?.data),
      parentOverlap: callReply(HEADER.getParentOverlap, ops[3]?.data),
    };
  }

  async #startWatch(): Promise<void> {
    this.#watch = await this.io.watch(this.headerOid, {
      onNotify: ({ payload }) => this.#onNotify(payload),
      onError: (error) => {
        this.log.warn("watch of an image lost", { image: this.id, why: error.message });
        this.lost = error;
        this.lock?.lost();
      },
    });
  }

  #onNotify(payload: Uint8Array): Uint8Array {
    const notice = decodeHeaderNotice(payload);
    const own = this.watcherId;
    if (notice.op === "update") return encodeResponse(0);
    if (notice.op === "complete" || notice.op === "progress") {
      const isOurs = notice.from.gid === own.gid && notice.from.handle === own.handle;
      if (isOurs) this.#requests.get(notice.request)?.(notice);
      return isOurs ? encodeResponse(0) : EMPTY;
    }
    if (notice.op === "other") {
      const isRequest =
        notice.code > NOTIFY_OP.ASYNC_COMPLETE &&
        notice.code !== NOTIFY_OP.QUIESCE &&
        notice.code !== NOTIFY_OP.UNQUIESCE;
      const result = isRequest ? this.lock?.requested(notice.code) : undefined;
      return result === undefined ? EMPTY : encodeResponse(result);
    }
    if (notice.from.gid === own.gid && notice.from.handle === own.handle) return EMPTY;
    if (notice.op !== "request") {
      this.lock?.peerChanged();
      return EMPTY;
    }
    const result = this.lock?.requested(NOTIFY_OP.REQUEST_LOCK);
    return result === undefined ? EMPTY : encodeResponse(result);
  }
}

/** What never changes in a header. */
interface FixedHeader {
  readonly id: string;
  readonly name: string;
  readonly features: bigint;
  readonly order: number;
  readonly objectPrefix: string;
  readonly stripeUnit: number;
  readonly stripeCount: number;
  readonly dataIo: IoCtx | undefined;
}

async function idOf(io: IoCtx, name: string): Promise<{ id: string; name: string }> {
  const id = await unless(io.query(idObjectName(name), DIRECTORY.getId, undefined), "ENOENT");
  if (id !== undefined) return { id, name };
  const old = await unless(io.read(oldHeaderName(name), [opStat()]), "ENOENT");
  throw imageError(old === undefined ? "ENOENT" : "EOPNOTSUPP", "open", name);
}

/** An image in the trash, or half removed, has its name elsewhere, or none. */
async function nameOf(io: IoCtx, id: string): Promise<{ id: string; name: string }> {
  const name =
    (await unless(io.query(RBD_DIRECTORY, DIRECTORY.nameOfId, id), "ENOENT")) ??
    (await unless(io.query(RBD_TRASH, TRASH.get, id), "ENOENT", "EOPNOTSUPP"))?.name ??
    "";
  return { id, name };
}

async function readFixed(io: IoCtx, id: string, name: string): Promise<FixedHeader> {
  const oid = headerName(id);
  const { ops } = await io.read(oid, [
    callOp(HEADER.getSize, { snapId: NOSNAP }),
    callOp(HEADER.getObjectPrefix, undefined),
    callOp(HEADER.getFeatures, { snapId: NOSNAP, readOnly: true }),
    callOp(HEADER.getDataPool, undefined),
  ]);
  const { order } = callReply(HEADER.getSize, ops[0]?.data);
  const { features } = callReply(HEADER.getFeatures, ops[2]?.data);
  const isStriped = (features & RBD_FEATURE.STRIPINGV2) !== 0n;
  const { stripeUnit, stripeCount } = isStriped
    ? await io.query(oid, HEADER.getStripes, undefined)
    : { stripeUnit: 2 ** order, stripeCount: 1 };
  return {
    id,
    name,
    features,
    order,
    objectPrefix: callReply(HEADER.getObjectPrefix, ops[1]?.data),
    stripeUnit,
    stripeCount,
    dataIo: poolOf(io, callReply(HEADER.getDataPool, ops[3]?.data)),
  };
}

/** Another pool, or this one for -1; undefined if it is gone. */
export function poolOf(io: IoCtx, pool: number, nspace = io.nspace): IoCtx | undefined {
  if (pool === -1) return io;
  try {
    return io.inPool(pool, nspace);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}
