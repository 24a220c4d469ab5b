/**
 * Writes of an image's objects between who makes them and the objects: acknowledged at once or once they are
 * stable, written one by one or together later, as the policy says.
 *
 *   write -> (room?) -> dirty -> claimed by a request -> clean, or gone where nothing is kept
 *                         ^------- (it failed) --------'
 *
 * - Changes that overlap reach an object in the order in which they were made.
 * - What is dirty is written before anything that depends on it: a comparison, and whoever calls `writeBack`.
 * - A write-back that fails leaves its data dirty. It is tried again, and `writeBack` fails as long as it does.
 *   Written around, where each write is sent once, or once we may not write any more, it is a loss, which is told
 *   once.
 *
 * ceph: src/osdc/ObjectCacher.cc, src/librbd/cache/ObjectCacherObjectDispatch.cc, WriteAroundObjectDispatch.cc
 */

import type { CephError, Clock, Logger, Timer } from "../../base/index.ts";
import { isErrno } from "../errors.ts";
import type { ObjectChange } from "../io/object-change.ts";
import { CachedObjects } from "./cached-objects.ts";
import { type Claim, type ObjectExtents, weightOf } from "./extents.ts";
import type { CacheSettings } from "./options.ts";
import { RangeQueue } from "./range-queue.ts";

/** What the cache needs of its image. */
export interface CacheHost {
  readonly clock: Clock;
  readonly log: Logger;
  /** Makes a change of an object; it is stable once this resolves. */
  change(objectNo: number, change: ObjectChange): Promise<void>;
  /** Whether what was written may be kept for reads. */
  keepsHead(): boolean;
  /** Why what is dirty can never be written any more; undefined: it can. */
  refusal(): CephError | undefined;
}

type Discard = Extract<ObjectChange, { type: "discard" }>;
type CompareAndWrite = Extract<ObjectChange, { type: "compareAndWrite" }>;
/** Offset and length. */
type Range = readonly [offset: number, length: number];

/** What becomes of claimed data by how its request ends. */
interface Rule {
  readonly isKept: boolean;
  /** Of a failure: it is dirty again; it is lost; who makes the change is told. */
  readonly failure: "dirty" | "lost" | "told";
}

const RULE = {
  writeBack: { isKept: true, failure: "dirty" },
  writeAround: { isKept: false, failure: "lost" },
  writeThrough: { isKept: true, failure: "told" },
  discard: { isKept: false, failure: "dirty" },
} as const satisfies Record<string, Rule>;

/** How a request has failed. */
interface Failure {
  readonly error: unknown;
  /** There is data that is dirty again. */
  readonly isDirty: boolean;
}

interface Request {
  readonly objectNo: number;
  readonly claim: Claim;
  /** Never rejects. */
  readonly done: Promise<Failure | undefined>;
}

interface Era {
  lost: { readonly error: unknown } | undefined;
}

interface Waiter {
  readonly weight: number;
  readonly enter: () => void;
  readonly fail: (error: unknown) => void;
}

export class WriteCache {
  readonly objects: CachedObjects;
  readonly #host: CacheHost;
  readonly #settings: CacheSettings;
  readonly #ranges = new RangeQueue();
  readonly #requests = new Set<Request>();
  /** Objects by the claims of discards that are not done, in their order. */
  readonly #discards = new Map<Claim, ObjectExtents>();
  /** Since when objects have had something dirty, longest first. */
  readonly #dirtySince = new Map<number, number>();
  /** Writes that wait for room, in their order. */
  readonly #waiters: Waiter[] = [];
  /** Of writes that are about to enter. */
  #reserved = 0;
  #timer: Timer | undefined;
  /** Another begins when everything is let go of: requests of an earlier one leave nothing behind. */
  #era: Era = { lost: undefined };
  #loss: { readonly error: unknown } | undefined;
  #writesThrough: boolean;
  #isFailing = false;

  constructor(host: CacheHost, settings: CacheSettings) {
    this.#host = host;
    this.#settings = settings;
    this.objects = new CachedObjects(settings.size);
    this.#writesThrough = settings.writethroughUntilFlush || this.#isWriteThrough;
  }

  /** Whoever uses the image has flushed: they know that they have to. */
  flushSeen(): void {
    this.#writesThrough = this.#isWriteThrough;
  }

  get #isWriteThrough(): boolean {
    return this.#settings.policy === "writethrough" || this.#settings.maxDirty === 0;
  }

  /** Makes a change. @throws what making it throws, where that is waited for, or what keeps room from being made */
  async change(objectNo: number, change: ObjectChange): Promise<void> {
    switch (change.type) {
      case "write":
        return await this.#write(objectNo, change.offset, change.data);
      case "discard":
        return await this.#discard(objectNo, change);
      case "compareAndWrite":
        return await this.#compareAndWrite(objectNo, change);
    }
  }

  /** Writes what is dirty, and waits for what is on its way. @throws why some of it is dirty still */
  async writeBack(): Promise<void> {
    for (const objectNo of this.#dirtySince.keys()) this.#writeObject(objectNo);
    await settled([...this.#requests]);
  }

  /** Lets go of everything of the head. What is dirty is lost, for this reason. */
  lose(error: unknown): void {
    this.#era.lost = { error };
    this.#era = { lost: undefined };
    this.#dirtySince.clear();
    this.#arm();
    if (this.objects.dropHead()) this.#lost(error);
    for (const { fail } of this.#waiters.splice(0)) fail(error);
  }

  /** What was lost since this was last asked; undefined: nothing. */
  takeLoss(): { readonly error: unknown } | undefined {
    const loss = this.#loss;
    this.#loss = undefined;
    return loss;
  }

  // --- Changes ----------------------------------------------------------------------------------

  async #write(objectNo: number, offset: number, data: Uint8Array): Promise<void> {
    const { length } = data;
    const isThrough = this.#writesThrough;
    const weight = weightOf(length);
    const hasRoom = this.#waiters.length === 0 && this.#fits(weight);
    if (!isThrough && !hasRoom) await this.#room(weight);
    // The bytes are the caller's again before they are written.
    this.objects.open(objectNo).put(offset, new Uint8Array(data));
    if (isThrough) {
      await made(this.#send(objectNo, [offset, length], "writeThrough"));
    } else if (this.#settings.policy === "writearound") {
      this.#send(objectNo, [offset, length], "writeAround");
    } else {
      this.#noteDirty(objectNo);
      this.#relieve();
    }
    this.objects.trim();
  }

  /** What is dirty in the range need not be written, if the discard succeeds. */
  async #discard(objectNo: number, change: Discard): Promise<void> {
    const range = [change.offset, change.length] as const;
    const object = this.objects.open(objectNo);
    const claim = object.claim(...range);
    this.#discards.set(claim, object);
    try {
      await made([this.#request(object, claim, RULE.discard, change)]);
    } finally {
      this.#forget(objectNo, range);
    }
  }

  async #compareAndWrite(objectNo: number, change: CompareAndWrite): Promise<void> {
    const range = [change.offset, change.data.length] as const;
    this.#send(objectNo, range, "writeBack");
    const [start, end] = [change.offset, change.offset + change.data.length];
    const before = [...this.#requests].filter(
      ({ objectNo: other, claim }) =>
        other === objectNo && claim.offset < end && start < claim.offset + claim.length,
    );
    await settled(before);
    try {
      await this.#ranges.run(objectNo, range, () => this.#host.change(objectNo, change));
    } finally {
      this.#forget(objectNo, range);
    }
  }

  #forget(objectNo: number, [offset, length]: Range): void {
    const object = this.objects.find(objectNo);
    if (object === undefined) return;
    object.forget(offset, length);
    this.objects.close(object);
  }

  // --- Requests ---------------------------------------------------------------------------------

  /** Sends all that is dirty of an object. */
  #writeObject(objectNo: number): void {
    this.#dirtySince.delete(objectNo);
    if (this.#dirtySince.size === 0) this.#arm();
    this.#send(objectNo, [0, Number.POSITIVE_INFINITY], "writeBack");
  }

  /** Sends what is dirty in a range, each run by itself. */
  #send(objectNo: number, range: Range, rule: keyof typeof RULE): Request[] {
    const object = this.objects.find(objectNo);
    if (object === undefined) return [];
    return object.dirtyRuns(...range).map(([offset, length]) => {
      const claim = object.claim(offset, length);
      const change = { type: "write", offset, data: claim.data } as const;
      return this.#request(object, claim, RULE[rule], change);
    });
  }

  #request(object: ObjectExtents, claim: Claim, rule: Rule, change: ObjectChange): Request {
    const { objectNo } = object;
    const era = this.#era;
    this.objects.space.claim(claim.weight);
    const work = this.#ranges.run(objectNo, [claim.offset, claim.length], async () => {
      // Where the lock was lost and is ours again, what was before does not come after.
      if (era.lost !== undefined) throw era.lost.error;
      const refusal = this.#host.refusal();
      if (refusal !== undefined) throw refusal;
      await this.#host.change(objectNo, change);
    });
    const done = work
      .then(
        () => this.#succeeded(object, claim, rule.isKept),
        (error: unknown) => this.#failed(object, claim, { error, rule, era }),
      )
      .finally(() => {
        this.#requests.delete(request);
        this.objects.space.release(claim.weight);
        this.objects.trim();
        this.objects.close(object);
        this.#admit();
      });
    const request: Request = { objectNo, claim, done };
    this.#requests.add(request);
    return request;
  }

  #succeeded(object: ObjectExtents, claim: Claim, isKept: boolean): undefined {
    this.#discards.delete(claim);
    object.settle(claim, isKept && this.#keeps() ? "clean" : "gone");
    this.#isFailing = false;
  }

  #keeps(): boolean {
    return this.#settings.policy !== "writearound" && this.#host.keepsHead();
  }

  #failed(
    object: ObjectExtents,
    claim: Claim,
    { error, rule, era }: { error: unknown; rule: Rule; era: Era },
  ): Failure {
    this.#discards.delete(claim);
    if (rule.failure !== "dirty") {
      object.settle(claim, "gone");
      if (rule.failure === "lost") this.#lost(error);
      return { error, isDirty: false };
    }
    const isOver = era.lost !== undefined || this.#host.refusal() !== undefined;
    if (isOver || isErrno(error, "ESHUTDOWN")) {
      if (claim.weight > 0) this.#lost(error);
      if (era.lost === undefined) this.lose(error);
      return { error, isDirty: false };
    }
    const isDiscarded = this.#leaveToDiscards(object, claim);
    const isDirty = object.settle(claim, "dirty");
    if (isDirty) this.#noteDirty(object.objectNo);
    if (!this.#isFailing) this.#host.log.warn("not written back", { why: String(error) });
    this.#isFailing = true;
    // Those that wait for room would wait for as long as this goes on.
    for (const { fail } of this.#waiters.splice(0)) fail(error);
    return { error, isDirty: isDirty || isDiscarded };
  }

  /**
   * What comes before a discard must not be written after it: it is the discard's, and dirty again if that fails,
   * too.
   */
  #leaveToDiscards(object: ObjectExtents, claim: Claim): boolean {
    let isAny = false;
    for (const [discard, other] of this.#discards) {
      if (other !== object) continue;
      const before = discard.weight;
      isAny = object.handOver(claim, discard) || isAny;
      this.objects.space.claim(discard.weight - before);
    }
    return isAny;
  }

  #lost(error: unknown): void {
    this.#host.log.error("acknowledged writes are lost", { why: String(error) });
    this.#loss ??= { error };
  }

  // --- When to write ----------------------------------------------------------------------------

  #noteDirty(objectNo: number): void {
    if (!this.#dirtySince.has(objectNo)) {
      this.#dirtySince.set(objectNo, this.#host.clock.monotonic());
    }
    this.#arm();
  }

  /** Sees to it that what is dirty is written when it is old enough. */
  #arm(): void {
    const [since] = this.#dirtySince.values();
    if (since === undefined) {
      this.#timer?.cancel();
      this.#timer = undefined;
      return;
    }
    const { clock } = this.#host;
    const waitMs = since + this.#settings.maxDirtyAgeMs - clock.monotonic();
    this.#timer ??= clock.after(Math.max(waitMs, 0), () => {
      this.#timer = undefined;
      this.#writeOld();
      this.#arm();
    });
  }

  #writeOld(): void {
    const now = this.#host.clock.monotonic();
    for (const [objectNo, since] of this.#dirtySince) {
      if (since + this.#settings.maxDirtyAgeMs > now) return;
      this.#writeObject(objectNo);
    }
  }

  #fits(weight: number): boolean {
    const unwritten = this.objects.space.unwritten + this.#reserved;
    return unwritten === 0 || unwritten + weight <= this.#settings.maxDirty;
  }

  /** Waits until so much more may be dirty. @throws why what is dirty can not be written */
  async #room(weight: number): Promise<void> {
    await new Promise<void>((enter, fail) => {
      this.#waiters.push({ weight, enter, fail });
      this.#relieve();
    });
    this.#reserved -= weight;
  }

  /** Lets those in that wait, in their order, as far as there is room. */
  #admit(): void {
    for (let [first] = this.#waiters; first !== undefined; [first] = this.#waiters) {
      if (!this.#fits(first.weight)) return this.#relieve();
      this.#waiters.shift();
      this.#reserved += first.weight;
      first.enter();
    }
  }

  /** Sends the oldest of what is dirty, as long as it is too much. */
  #relieve(): void {
    const { targetDirty, maxDirty } = this.#settings;
    const [waiter] = this.#waiters;
    const room = waiter === undefined ? targetDirty : Math.max(0, maxDirty - waiter.weight);
    while (this.objects.space.dirty > Math.min(targetDirty, room)) {
      const [oldest] = this.#dirtySince.keys();
      if (oldest === undefined) return;
      this.#writeObject(oldest);
    }
  }
}

/** Waits for requests. @throws why one of them has failed */
async function made(requests: readonly Request[]): Promise<void> {
  for (const failure of await Promise.all(requests.map(({ done }) => done))) {
    if (failure !== undefined) throw failure.error;
  }
}

/** Waits for requests. @throws why there is something dirty still */
async function settled(requests: readonly Request[]): Promise<void> {
  for (const failure of await Promise.all(requests.map(({ done }) => done))) {
    if (failure?.isDirty === true) throw failure.error;
  }
}
