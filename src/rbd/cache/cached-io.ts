/**
 * The data of an open image through a cache: librbd's, whose policies it has.
 *
 * Changes pass the image's gate as those without a cache do, and are held behind it: whoever shuts the gate gets
 * them written. What of the head is clean is kept only while nobody else may write: while the exclusive lock is
 * held and the gate is open, or where an image without a lock is open read-only, until it is refreshed. Snapshots
 * do not change.
 *
 * compat: librbd keeps what it has read without the lock, too, and shows it when it is stale; we do not.
 * ceph: src/librbd/cache/ObjectCacherObjectDispatch.cc, WriteAroundObjectDispatch.cc
 */

import { type CephError, sleep } from "../../base/index.ts";
import type { CallOptions } from "../../rados/index.ts";
import { NOSNAP, type SnapId } from "../../types/index.ts";
import { imageError } from "../errors.ts";
import type { ExclusiveLock } from "../exclusive-lock.ts";
import type { Image } from "../image.ts";
import { assembled, type ImageData } from "../io/image-data.ts";
import { ImageIo, type ImageIoOptions } from "../io/image-io.ts";
import type { ObjectChange } from "../io/object-change.ts";
import { CONCURRENT, mapLimited } from "../progress.ts";
import type { Run } from "../snapshot-read.ts";
import { imageToObjects, type Piece } from "../striper.ts";
import type { Fill, ObjectExtents } from "./extents.ts";
import { type CacheOptions, cacheSettings } from "./options.ts";
import { ReadAhead } from "./read-ahead.ts";
import { WriteCache } from "./write-cache.ts";

/** Wait for who has got the lock, and is about to open the object map. */
const JOIN_MS = 1;

/** For how long nobody else may have written: one turn with one lock; without any, for good. */
interface Tenure {
  readonly lock: ExclusiveLock | undefined;
  readonly turns: number;
  readonly isHeld: boolean;
}

/** A run of bytes that is not known, and is one run in its object and in the image. */
interface Gap {
  readonly object: ObjectExtents | undefined;
  readonly fill: Fill | undefined;
  readonly imageOffset: number;
  readonly objectOffset: number;
  readonly length: number;
}

interface Found {
  readonly known: readonly Run[];
  readonly fetched: readonly Run[];
}

interface Prefetch {
  readonly snap: SnapId;
  readonly offset: number;
  readonly length: number;
  /** Never rejects. */
  readonly done: Promise<void>;
}

export class CachedIo implements ImageData {
  readonly image: Image;
  readonly #io: ImageIo;
  readonly #cache: WriteCache;
  /** Whether the policy keeps anything for reads. */
  readonly #isForReads: boolean;
  readonly #readAhead: ReadAhead;
  readonly #prefetches = new Set<Prefetch>();
  #tenure: Tenure;
  #generation: number;

  /**
   * An image has one of them.
   * @throws CephError EINVAL: an option that cannot be
   */
  constructor(image: Image, cache: CacheOptions = {}, options: ImageIoOptions = {}) {
    const settings = cacheSettings(cache, image.target);
    this.image = image;
    this.#io = new ImageIo(image, options, {
      change: (objectNo, change) => this.#change(objectNo, change),
    });
    this.#cache = new WriteCache(
      {
        clock: image.clock,
        log: image.log,
        change: (objectNo, change) => this.#write(objectNo, change),
        keepsHead: () => this.#keeps(NOSNAP),
        refusal: () => this.#refusal(),
      },
      settings,
    );
    this.#isForReads = settings.policy !== "writearound";
    const { objectSize, stripeUnit, stripeCount } = image;
    const alignments = [objectSize * stripeCount, stripeUnit * stripeCount, stripeUnit];
    this.#readAhead = new ReadAhead(settings.readAhead, alignments);
    this.#tenure = tenureOf(image);
    this.#generation = image.generation;
    image.gate.setHolder({
      writeBack: () => this.#cache.writeBack(),
      invalidate: () => this.#cache.objects.dropClean(),
    });
  }

  // --- Reading ----------------------------------------------------------------------------------

  async read(
    offset: number,
    length: number,
    snap: SnapId = NOSNAP,
    limits: CallOptions = {},
  ): Promise<Buffer> {
    const clipped = await this.#io.clip(offset, length, snap);
    const { known, fetched } = await this.#read(offset, clipped, snap, limits);
    return assembled([...known, ...fetched], offset, clipped);
  }

  async readInto(
    offset: number,
    into: Buffer,
    snap: SnapId = NOSNAP,
    limits: CallOptions = {},
  ): Promise<number> {
    const data = await this.read(offset, into.length, snap, limits);
    // What is in the cache by now was not asked for, and the memory is its owner's again.
    limits.signal?.throwIfAborted();
    return data.copy(into);
  }

  async readSparse(
    offset: number,
    length: number,
    snap: SnapId = NOSNAP,
    limits: CallOptions = {},
  ): Promise<Run[]> {
    const clipped = await this.#io.clip(offset, length, snap);
    const { known, fetched } = await this.#read(offset, clipped, snap, limits);
    // Copies: what a reader does with them must not be seen by the next.
    const runs = known.map((run) => ({ offset: run.offset, data: Buffer.from(run.data) }));
    return [...runs, ...fetched].sort((a, b) => a.offset - b.offset);
  }

  /** @returns runs of what there is, in no order; what was known is the cache's own */
  async #read(offset: number, length: number, snap: SnapId, limits: CallOptions): Promise<Found> {
    if (length === 0) return { known: [], fetched: [] };
    this.#io.noteAccess();
    await this.#prefetched(offset, length, snap);
    const reading = this.#load(offset, length, snap, limits);
    this.#prefetch(offset, length, snap);
    return await reading;
  }

  /** What is known at once, and the rest as it is read. */
  async #load(
    offset: number,
    length: number,
    snap: SnapId,
    limits: CallOptions = {},
  ): Promise<Found> {
    this.#look();
    const known: Run[] = [];
    const gaps: Gap[] = [];
    for (const piece of imageToObjects(this.image, offset, length)) {
      this.#find(piece, snap, { known, gaps });
    }
    try {
      const fetched = await mapLimited(gaps, CONCURRENT, (gap) => this.#fetch(gap, snap, limits));
      return { known, fetched: fetched.flat() };
    } finally {
      // Of reads that have failed, or were not begun any more.
      for (const { object, fill } of gaps) this.#endFill(object, fill);
      this.#cache.objects.trim();
    }
  }

  #find(piece: Piece, snap: SnapId, found: { known: Run[]; gaps: Gap[] }): void {
    const { objectNo, objectOffset, imageOffset, length } = piece;
    const { objects } = this.#cache;
    const keeps = this.#keeps(snap);
    const toImage = (at: number) => imageOffset + (at - objectOffset);
    const object = keeps ? objects.open(objectNo, snap) : objects.find(objectNo, snap);
    const { known, gaps } = object?.lookup(objectOffset, length) ?? {
      known: [],
      gaps: [[objectOffset, length] as const],
    };
    for (const { offset, data } of known) {
      if (data !== undefined) found.known.push({ offset: toImage(offset), data });
    }
    for (const [offset, size] of gaps) {
      const fill = keeps ? object?.beginFill(offset, size) : undefined;
      const place = { imageOffset: toImage(offset), objectOffset: offset, length: size };
      found.gaps.push({ object, fill, ...place });
    }
  }

  async #fetch({ object, fill, ...gap }: Gap, snap: SnapId, limits: CallOptions): Promise<Run[]> {
    const runs = await this.#io.fetch(gap.imageOffset, gap.length, snap, limits);
    const inObject = runs
      .map(({ offset, data }) => ({ offset: gap.objectOffset + (offset - gap.imageOffset), data }))
      .sort((a, b) => a.offset - b.offset);
    if (object !== undefined && fill !== undefined) object.endFill(fill, inObject);
    return runs;
  }

  #endFill(object: ObjectExtents | undefined, fill: Fill | undefined): void {
    if (object === undefined) return;
    if (fill !== undefined) object.endFill(fill);
    this.#cache.objects.close(object);
  }

  // --- Reading ahead ----------------------------------------------------------------------------

  #prefetch(offset: number, length: number, snap: SnapId): void {
    const { image } = this;
    const size =
      snap === NOSNAP ? image.size : image.snapshots.find(({ id }) => id === snap)?.imageSize;
    const ahead = this.#readAhead.next(offset, length, size ?? 0);
    if (ahead === undefined || !this.#keeps(snap)) return;
    const done = this.#load(ahead.offset, ahead.length, snap)
      .then(
        () => undefined,
        // Nobody has asked for it; who does will hear of it.
        (error: unknown) => image.log.debug("read ahead", { image: image.id, why: String(error) }),
      )
      .finally(() => this.#prefetches.delete(prefetch));
    const prefetch: Prefetch = { snap, ...ahead, done };
    this.#prefetches.add(prefetch);
  }

  /** Waits for what of a range is being read ahead: it need not be read twice. */
  async #prefetched(offset: number, length: number, snap: SnapId): Promise<void> {
    const under = [...this.#prefetches].filter(
      (other) =>
        other.snap === snap &&
        other.offset < offset + length &&
        offset < other.offset + other.length,
    );
    await Promise.all(under.map(({ done }) => done));
  }

  // --- Changing ---------------------------------------------------------------------------------

  async write(offset: number, data: Uint8Array, signal?: AbortSignal): Promise<number> {
    return await this.#io.write(offset, data, signal);
  }

  async discard(offset: number, length: number, signal?: AbortSignal): Promise<number> {
    return await this.#io.discard(offset, length, signal);
  }

  async writeZeroes(
    offset: number,
    length: number,
    options: { readonly thick?: boolean; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<number> {
    return await this.#io.writeZeroes(offset, length, options);
  }

  async compareAndWrite(
    offset: number,
    expected: Uint8Array,
    data: Uint8Array,
    signal?: AbortSignal,
  ): Promise<number> {
    return await this.#io.compareAndWrite(offset, expected, data, signal);
  }

  async flush(signal?: AbortSignal): Promise<void> {
    this.#cache.flushSeen();
    await this.image.gate.flushed();
    signal?.throwIfAborted();
    const loss = this.#cache.takeLoss();
    if (loss !== undefined) throw loss.error;
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } catch (error) {
      this.#cache.lose(error);
      // All of it is told by now.
      this.#cache.takeLoss();
      throw error;
    } finally {
      await Promise.all([...this.#prefetches].map(({ done }) => done));
    }
  }

  /** A change has passed the gate. */
  async #change(objectNo: number, change: ObjectChange): Promise<void> {
    this.#look();
    await this.#cache.change(objectNo, change);
  }

  /** Makes a change that is written back, or through. */
  async #write(objectNo: number, change: ObjectChange): Promise<void> {
    if (this.#tenure.lock === undefined) await this.#joinLock();
    await this.#io.changeObject(objectNo, change);
  }

  /** Without a lock anybody may write at any time; if there is one by now, what is dirty waits for it. */
  async #joinLock(): Promise<void> {
    const { image } = this;
    for (;;) {
      await image.refreshIfStale();
      if (image.lock === undefined) return;
      if (image.isOwner) return this.#look();
      // Who has shut the gate may be giving the lock back, and waits for us.
      if (image.gate.isShut) throw lockLost(image);
      if (image.lock.isHeld) await sleep(image.clock, JOIN_MS);
      else await image.acquireLock("automatic");
    }
  }

  // --- What is to be believed -------------------------------------------------------------------

  /** Lets go of what may not be believed, or may not be written, any more. */
  #look(): void {
    const { image } = this;
    const { lock, turns, isHeld } = this.#tenure;
    const now = tenureOf(image);
    if (lock === undefined) {
      // A lock that there was not before takes nothing away: what is dirty is written once it is ours.
      if (now.isHeld && image.isOwner) this.#tenure = now;
    } else if (lock !== now.lock || turns !== now.turns || isHeld !== now.isHeld) {
      this.#cache.lose(this.#refusal() ?? lockLost(image));
      this.#tenure = now;
    }
    if (this.#generation !== image.generation) {
      this.#generation = image.generation;
      this.#cache.objects.dropClean();
      this.#cache.objects.keepSnapshots(new Set(image.snapshots.map(({ id }) => id)));
    }
  }

  #keeps(snap: SnapId): boolean {
    const { image } = this;
    if (!this.#isForReads) return false;
    if (snap !== NOSNAP) return true;
    if (image.gate.isShut || image.lost !== undefined) return false;
    return image.lock === undefined ? image.readOnly : image.lock.isHeld;
  }

  /** Why what has been acknowledged can never be written any more; undefined: it can. */
  #refusal(): CephError | undefined {
    const { image } = this;
    if (image.lost !== undefined) return image.lost;
    const { lock, turns } = this.#tenure;
    if (lock === undefined) return undefined;
    const isOurs = lock === image.lock && lock.isHeld && lock.turns === turns;
    return isOurs ? undefined : lockLost(image);
  }
}

function tenureOf({ lock }: Image): Tenure {
  return { lock, turns: lock?.turns ?? 0, isHeld: lock?.isHeld === true };
}

function lockLost(image: Image): CephError {
  return imageError("ERESTART", "write to", image.target, "the lock is lost");
}
