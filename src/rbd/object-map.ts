/**
 * The object map of an image's head, held by the owner of the exclusive lock: which objects may exist.
 *
 * A change is on disk before the object is touched, in memory after. If the map can not be read or written
 * it is marked invalid in the header, and then every object may exist.
 * ceph: src/librbd/ObjectMap.cc, src/librbd/object_map/
 */

import { CephError, ERRNO } from "../base/index.ts";
import { LOCK_TYPE } from "../cls/lock/types.ts";
import { bitVectorOf, statesOf } from "../cls/rbd/types/bit-vector.ts";
import { OBJECT_STATE, RBD_FEATURE } from "../cls/rbd/types/features.ts";
import { opRead, opTruncate, opWriteFull } from "../messages/index.ts";
import { callOp, type IoCtx } from "../rados/index.ts";
import { NOSNAP, type SnapId, UTIME_ZERO } from "../types/index.ts";
import { HEADER, LOCK, OBJECT_MAP } from "./calls.ts";
import { isErrno, unless } from "./errors.ts";
import { assertMapLocked } from "./exclusive-lock.ts";
import { objectMapName, RBD_LOCK_NAME } from "./names.ts";

/** Objects in one update.  ceph: object_map/UpdateRequest.cc MAX_OBJECTS_PER_UPDATE */
const UPDATE_MAX = 256 * (1 << 10);

/** What the header says of the maps, in its flags.  ceph: src/include/rbd_types.h RBD_FLAG_* */
export const FLAG = { OBJECT_MAP_INVALID: 1n, FAST_DIFF_INVALID: 2n } as const;

/** What the map needs of its image. */
export interface MappedImage {
  readonly io: IoCtx;
  readonly id: string;
  readonly headerOid: string;
  readonly objectCount: number;
  readonly features: bigint;
  /** FLAG bits of the head. */
  readonly flags: bigint;
  /** A map is not to be believed: the header has these FLAG bits by now. */
  flagsSet(snap: SnapId, flags: bigint): void;
}

export class ObjectMap {
  readonly #image: MappedImage;
  readonly #oid: string;
  #states: Uint8Array;

  private constructor(image: MappedImage, states: Uint8Array) {
    this.#image = image;
    this.#oid = objectMapName(image.id);
    this.#states = states;
  }

  /** Locks and reads the map; the exclusive lock must be held. */
  static async open(image: MappedImage): Promise<ObjectMap> {
    const map = new ObjectMap(image, new Uint8Array(image.objectCount).fill(OBJECT_STATE.EXISTS));
    await map.#lock();
    await map.#load();
    return map;
  }

  /** Reads the map again after somebody on the server's side has changed it. */
  async reload(): Promise<void> {
    await this.#load();
  }

  /** Gives the lock back. */
  async close(): Promise<void> {
    const { io } = this.#image;
    await unless(io.execute(this.#oid, LOCK.unlock, { name: RBD_LOCK_NAME, cookie: "" }), "ENOENT");
  }

  #isInvalid(): boolean {
    return (this.#image.flags & FLAG.OBJECT_MAP_INVALID) !== 0n;
  }

  /** May there be such an object? */
  mayExist(objectNo: number): boolean {
    return this.#isInvalid() || this.state(objectNo) !== OBJECT_STATE.NONEXISTENT;
  }

  /** May there be none? */
  mayNotExist(objectNo: number): boolean {
    const state = this.state(objectNo);
    return (
      this.#isInvalid() || !(state === OBJECT_STATE.EXISTS || state === OBJECT_STATE.EXISTS_CLEAN)
    );
  }

  state(objectNo: number): number {
    return this.#states[objectNo] ?? OBJECT_STATE.EXISTS;
  }

  /**
   * Moves the head's objects [start, end) to a state, all of them or those in `from`.
   * EXISTS as `from` means also EXISTS_CLEAN.
   */
  async update(start: number, end: number, to: number, from?: number): Promise<void> {
    if (!this.wouldChange(start, end, to, from)) return;
    for (let at = start; at < end; at += UPDATE_MAX) {
      const stop = Math.min(end, at + UPDATE_MAX);
      if (!this.wouldChange(at, stop, to, from)) continue;
      await this.#write(NOSNAP, at, stop, to, from);
      for (let i = at; i < stop; i++) if (this.#moves(i, to, from)) this.#states[i] = to;
    }
  }

  /**
   * Moves one object of a snapshot's map to a state, in any case or if it is in `from`. A map that is not there is no
   * failure.
   */
  async updateSnapshot(snap: SnapId, objectNo: number, to: number, from?: number): Promise<void> {
    await this.#write(snap, objectNo, objectNo + 1, to, from);
  }

  #moves(objectNo: number, to: number, from: number | undefined): boolean {
    const state = this.#states[objectNo];
    if (state === undefined || state === to) return false;
    // Nothing is on its way out that is not there.  ceph: ObjectMap<I>::update_required
    if (to === OBJECT_STATE.PENDING && state === OBJECT_STATE.NONEXISTENT) return false;
    if (from === undefined || state === from) return true;
    return from === OBJECT_STATE.EXISTS && state === OBJECT_STATE.EXISTS_CLEAN;
  }

  /** Would `update` have anything to write? What is not so needs no wait. */
  wouldChange(start: number, end: number, to: number, from?: number): boolean {
    for (let i = start; i < end; i++) if (this.#moves(i, to, from)) return true;
    return false;
  }

  async #write(
    snap: SnapId,
    start: number,
    end: number,
    newState: number,
    currentState: number | undefined,
  ): Promise<void> {
    const { io, id } = this.#image;
    const update = callOp(OBJECT_MAP.update, {
      start: BigInt(start),
      end: BigInt(end),
      newState,
      currentState,
    });
    try {
      await io.write(
        objectMapName(id, snap),
        snap === NOSNAP ? [assertMapLocked(), update] : [update],
      );
    } catch (error) {
      if (snap !== NOSNAP && isErrno(error, "ENOENT")) return;
      // Somebody else holds the map: whatever we are doing has to stop.
      if (isErrno(error, "EBUSY") || !(error instanceof CephError)) throw error;
      await this.invalidate(snap);
    }
  }

  /**
   * Gives a snapshot the map as it is now. Nothing may be written meanwhile.
   * ceph: src/librbd/object_map/SnapshotCreateRequest.cc
   */
  async addSnapshot(snap: SnapId): Promise<void> {
    const { io, id, features } = this.#image;
    try {
      const { ops } = await io.read(this.#oid, [opRead(0, 0)]);
      await io.write(objectMapName(id, snap), [opWriteFull(ops[0]?.data ?? new Uint8Array(0))]);
      if ((features & RBD_FEATURE.FAST_DIFF) === 0n) return;
      const add = callOp(OBJECT_MAP.addSnapshot, undefined);
      await io.write(this.#oid, [assertMapLocked(), add]);
      const { EXISTS, EXISTS_CLEAN } = OBJECT_STATE;
      this.#states = this.#states.map((state) => (state === EXISTS ? EXISTS_CLEAN : state));
    } catch (error) {
      if (isErrno(error, "EBUSY") || !(error instanceof CephError)) throw error;
      await this.invalidate(snap);
      await this.invalidate(NOSNAP);
    }
  }

  /**
   * Gives the head's map another size, and new objects a state.
   * ceph: src/librbd/object_map/ResizeRequest.cc
   */
  async resize(objectCount: number, defaultState: number): Promise<void> {
    const { io } = this.#image;
    const before = this.#states;
    const states = new Uint8Array(objectCount).fill(defaultState);
    states.set(before.subarray(0, Math.min(before.length, objectCount)));
    const args = { objectCount: BigInt(objectCount), defaultState };
    try {
      await io.write(this.#oid, [assertMapLocked(), callOp(OBJECT_MAP.resize, args)]);
    } catch (error) {
      if (isErrno(error, "EBUSY") || !(error instanceof CephError)) throw error;
      await this.invalidate(NOSNAP);
    }
    this.#states = states;
  }

  /** Writes the whole map. @param states one byte an object */
  async save(states: Uint8Array): Promise<void> {
    await saveObjectMap(this.#image.io, this.#image.id, NOSNAP, states);
    this.#states = states;
  }

  /** Marks a map as not to be believed. */
  async invalidate(snap: SnapId): Promise<void> {
    const image = this.#image;
    const hasDiff = (image.features & RBD_FEATURE.FAST_DIFF) !== 0n;
    const flags = FLAG.OBJECT_MAP_INVALID | (hasDiff ? FLAG.FAST_DIFF_INVALID : 0n);
    await image.io.execute(image.headerOid, HEADER.setFlags, { flags, mask: flags, snapId: snap });
    image.flagsSet(snap, flags);
  }

  /** Breaks the locks of owners of old; the exclusive lock says that there is no other owner. */
  async #lock(): Promise<void> {
    const { io } = this.#image;
    const name = RBD_LOCK_NAME;
    for (let broke = false; ; broke = true) {
      const locked = io.execute(this.#oid, LOCK.lock, {
        name,
        type: LOCK_TYPE.EXCLUSIVE,
        cookie: "",
        tag: "",
        description: "",
        duration: UTIME_ZERO,
        flags: 0,
      });
      try {
        await locked;
        return;
      } catch (error) {
        // EEXIST: ours from before.
        if (isErrno(error, "EEXIST")) return;
        if (broke || !isErrno(error, "EBUSY")) throw error;
      }
      const info = await unless(io.query(this.#oid, LOCK.getInfo, { name }), "ENOENT");
      const breaks = (info?.lockers ?? []).map(([{ locker, cookie }]) =>
        callOp(LOCK.breakLock, { name, locker, cookie }),
      );
      if (breaks.length > 0) await unless(io.write(this.#oid, breaks), "ENOENT");
    }
  }

  async #load(): Promise<void> {
    const { io, objectCount } = this.#image;
    let corrupt = false;
    try {
      const map = await io.query(this.#oid, OBJECT_MAP.load, undefined);
      if (map.size >= objectCount) {
        this.#states = statesOf(map, objectCount);
        return;
      }
    } catch (error) {
      if (!(error instanceof CephError)) throw error;
      corrupt = error.errno === -ERRNO.EINVAL;
      if (!corrupt) return await this.invalidate(NOSNAP);
    }
    // Too short or damaged: of the right size from now on, so that it can be kept up, but not believed.
    await this.invalidate(NOSNAP);
    await io.write(this.#oid, [
      assertMapLocked(),
      ...(corrupt ? [opTruncate(0)] : []),
      callOp(OBJECT_MAP.resize, {
        objectCount: BigInt(objectCount),
        defaultState: OBJECT_STATE.NONEXISTENT,
      }),
    ]);
    this.#states = new Uint8Array(objectCount);
  }
}

/** Writes a whole map: the head's, which the caller has locked, or a snapshot's. */
export async function saveObjectMap(
  io: IoCtx,
  imageId: string,
  snap: SnapId,
  states: Uint8Array,
): Promise<void> {
  const save = callOp(OBJECT_MAP.save, bitVectorOf(states));
  const guard = snap === NOSNAP ? [assertMapLocked()] : [];
  await io.write(objectMapName(imageId, snap), [...guard, save]);
}
