/**
 * What lingers on an object after its request is answered: watches, and notifications on their way.
 *
 * A watch is registered again, as the same one, on every new session with the object's OSD, and pinged in
 * between, as otherwise the OSD lets it go. If the OSD says that it is gone, its owner is told, once.
 * ceph: src/osdc/Objecter.cc LingerOp, src/librados/IoCtxImpl.cc notify
 */

import {
  CephError,
  type Clock,
  ERRNO,
  type Logger,
  type Random,
  randomU64,
  type Timer,
} from "../base/index.ts";
import { decodeFromBytes, EMPTY } from "../encoding/index.ts";
import {
  MWatchNotify,
  NotifyResult,
  OSD_FLAG,
  type OsdOp,
  opNotify,
  opNotifyAck,
  opWatch,
  WATCH_EVENT,
  WATCH_OP,
} from "../messages/index.ts";
import type { Connection } from "../messenger/index.ts";
import { bounded, type CallOptions, shared } from "./limits.ts";
import { closedError } from "./mon-client.ts";
import { isSameRoute, type Objecter, type OpDone, poolGone, type Route } from "./objecter.ts";

/** How often a watch is pinged.  ceph: objecter_tick_interval */
const PING_MS = 5_000;

/** An object by where it is. */
export interface Place {
  readonly pool: number;
  readonly nspace: string;
  readonly oid: string;
  readonly hash: number;
  /** Hashed in place of the name, byte string. @default "", none */
  readonly key?: string;
}

export interface WatchOptions extends CallOptions {
  /** Seconds of silence after which the OSD lets the watch go. @default the OSD's (30) */
  readonly keepSeconds?: number;
}

export interface WatchHandler {
  /** Somebody notifies the watchers. What this resolves with is the acknowledgement's payload. */
  onNotify(notification: {
    notifyId: bigint;
    notifierGid: bigint;
    payload: Uint8Array;
  }): Uint8Array | Promise<Uint8Array>;
  /** The watch is gone for good: the object was deleted (ENOENT), or we were silent too long (ENOTCONN). */
  onError(error: CephError): void;
}

/** A registered watch. */
export interface Watch {
  /** What the OSD and other clients know it by; unique within this client. */
  readonly cookie: bigint;
  readonly isAlive: boolean;
  /** Takes the watch back. An object that is gone is no failure. */
  close(limits?: CallOptions): Promise<void>;
}

export interface NotifyReply {
  /** Answers, by watcher. */
  readonly replies: readonly [{ gid: bigint; cookie: bigint }, Uint8Array][];
  /** Who did not answer in time. */
  readonly missed: readonly { gid: bigint; cookie: bigint }[];
  /** Some did not answer. */
  readonly timedOut: boolean;
}

/** The intervals of an object's placement group, counted while something of it lingers. */
class Intervals {
  readonly #objecter: Objecter;
  readonly #place: Place;
  #current: string;
  /** Changes so far: what was asked at another count may be forgotten. */
  count = 0;

  constructor(objecter: Objecter, place: Place) {
    this.#objecter = objecter;
    this.#place = place;
    this.#current = objecter.intervalFor(place.pool, place.hash);
  }

  onEpoch(skipped: boolean): void {
    const now = this.#objecter.intervalFor(this.#place.pool, this.#place.hash);
    if (skipped || now !== this.#current) this.count++;
    this.#current = now;
  }
}

class LingeringWatch implements Watch {
  readonly place: Place;
  readonly cookie: bigint;
  readonly handler: WatchHandler;
  /** The way to the interval that knows it. */
  registered: Route | undefined;
  readonly intervals: Intervals;
  /** Which of the intervals that was, or an earlier one. */
  registeredIn = 0;
  isRegistering = false;
  isPinging = false;
  readonly keepSeconds: number;
  gen = 0;
  isAlive = true;
  readonly #owner: Lingers;

  constructor(
    owner: Lingers,
    place: Place,
    cookie: bigint,
    settings: { handler: WatchHandler; keepSeconds: number; intervals: Intervals },
  ) {
    const { handler, keepSeconds, intervals } = settings;
    this.intervals = intervals;
    this.#owner = owner;
    this.keepSeconds = keepSeconds;
    this.place = place;
    this.cookie = cookie;
    this.handler = handler;
  }

  close(limits: CallOptions = {}): Promise<void> {
    return this.#owner.unwatch(this, limits);
  }
}

interface PendingNotify {
  readonly finish: (message: MWatchNotify) => void;
  readonly place: Place;
  readonly intervals: Intervals;
  /** The way it went and does not go any more: whoever has it may have forgotten it. */
  readonly lost: (isGone: (route: Route) => boolean) => void;
  readonly fail: (error: Error) => void;
}

interface Manner extends CallOptions {
  readonly isWrite: boolean;
  /** Of this session and this one alone. @default false */
  readonly once?: boolean;
}

/** What keeps a watch has no caller who would set it a time-out. */
const LINGERING_WRITE: Manner = { isWrite: true, once: true, timeoutMs: 0 };
const LINGERING_READ: Manner = { isWrite: false, once: true, timeoutMs: 0 };

export interface LingersOptions {
  readonly objecter: Objecter;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export class Lingers {
  readonly #objecter: Objecter;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #watches = new Map<bigint, LingeringWatch>();
  readonly #notifies = new Map<bigint, PendingNotify>();
  readonly #tick: Timer;
  /** compat: librbd tells clients' watches apart by cookie alone, so they start anywhere. */
  #lastCookie: bigint;
  #isClosed = false;

  constructor({ objecter, clock, random, log }: LingersOptions) {
    this.#objecter = objecter;
    this.#clock = clock;
    this.#log = log;
    this.#lastCookie = BigInt.asUintN(62, randomU64(random));
    this.#tick = clock.every(PING_MS, () => this.#ping());
  }

  close(): void {
    this.#isClosed = true;
    this.#tick.cancel();
    for (const watch of this.#watches.values()) watch.isAlive = false;
    this.#watches.clear();
    for (const notify of this.#notifies.values()) notify.fail(closedError());
  }

  /** The cluster has locked this client out, and forgets what it had registered. */
  onBlocklisted(error: CephError): void {
    for (const watch of this.#watches.values()) this.#lost(watch, error.errno);
    for (const notify of this.#notifies.values()) notify.fail(error);
  }

  // --- Watches ----------------------------------------------------------------------------------

  /** @throws CephError, ENOENT if there is no such object */
  async watch(place: Place, handler: WatchHandler, options: WatchOptions = {}): Promise<Watch> {
    const { keepSeconds = 0, ...limits } = options;
    const intervals = new Intervals(this.#objecter, place);
    const settings = { handler, keepSeconds, intervals };
    const watch = new LingeringWatch(this, place, ++this.#lastCookie, settings);
    // Known before the OSD answers: a notification may be faster than the answer.
    this.#watches.set(watch.cookie, watch);
    watch.isRegistering = true;
    try {
      watch.registered = await this.#register(watch, limits);
    } catch (error) {
      this.#watches.delete(watch.cookie);
      watch.isAlive = false;
      throw error;
    } finally {
      watch.isRegistering = false;
    }
    this.onChange();
    return watch;
  }

  /**
   * Registers the watch; the way to who knows it now. A request that is sent again would be answered from
   * the log of requests, and the new session know nothing of the watch: so each attempt is a new request.
   */
  async #register(watch: LingeringWatch, limits: CallOptions): Promise<Route> {
    const { place, cookie, keepSeconds } = watch;
    const op = opWatch(cookie, WATCH_OP.WATCH, 0, keepSeconds);
    const left = shared(this.#clock, limits, this.#objecter.opTimeoutMs);
    for (;;) {
      watch.registeredIn = watch.intervals.count;
      try {
        const { reply, route } = await this.#submit(place, op, {
          ...left(),
          isWrite: true,
          once: true,
        });
        if (reply.result < 0) throw opError(reply.result, "watch", place);
        return route;
      } catch (error) {
        const isLinkLost = error instanceof CephError && error.errno === -ERRNO.ENOTCONN;
        if (!isLinkLost || this.#isClosed) throw error;
      }
    }
  }

  async unwatch(watch: LingeringWatch, limits: CallOptions): Promise<void> {
    if (!this.#watches.delete(watch.cookie)) return;
    watch.isAlive = false;
    const { reply } = await this.#submit(watch.place, opWatch(watch.cookie, WATCH_OP.UNWATCH), {
      ...limits,
      isWrite: true,
    });
    const { result } = reply;
    if (result < 0 && result !== -ERRNO.ENOENT && result !== -ERRNO.ENOTCONN) {
      throw opError(result, "unwatch", watch.place);
    }
  }

  /** Each epoch of the map, before `onChange` for the last of them. */
  onEpoch(skipped: boolean): void {
    for (const watch of this.#watches.values()) watch.intervals.onEpoch(skipped);
    for (const { intervals } of this.#notifies.values()) intervals.onEpoch(skipped);
  }

  /**
   * Registers on a new session, or in a new interval, what was registered in an old one; ends what was in a pool that
   * is gone.
   * compat: of such a watch librados tells only whoever asks for it (watch_check).
   * ceph: src/osdc/Objecter.cc _check_linger_pool_dne
   */
  onChange(): void {
    for (const watch of this.#watches.values()) {
      if (watch.isRegistering || watch.registered === undefined) continue;
      const { pool, hash } = watch.place;
      if (this.#isGone(pool)) {
        this.#lost(watch, -ERRNO.ENOENT);
        continue;
      }
      const route = this.#objecter.routeFor(pool, hash);
      const isCurrent = watch.registeredIn === watch.intervals.count;
      if (route === undefined || (isCurrent && isSameRoute(route, watch.registered))) continue;
      this.#background(this.#reconnect(watch));
    }
    for (const { place, lost, fail, intervals } of this.#notifies.values()) {
      if (this.#isGone(place.pool)) {
        fail(poolGone(place.pool));
        continue;
      }
      const route = this.#objecter.routeFor(place.pool, place.hash);
      if (route !== undefined) lost((by) => intervals.count > 0 || !isSameRoute(by, route));
    }
  }

  #isGone(pool: number): boolean {
    return this.#objecter.map?.pools.has(pool) === false;
  }

  async #reconnect(watch: LingeringWatch): Promise<void> {
    watch.isRegistering = true;
    const { count } = watch.intervals;
    const op = opWatch(watch.cookie, WATCH_OP.RECONNECT, ++watch.gen, watch.keepSeconds);
    try {
      const { reply, route } = await this.#submit(watch.place, op, LINGERING_WRITE);
      if (reply.result < 0) this.#lost(watch, reply.result);
      else {
        watch.registered = route;
        watch.registeredIn = count;
      }
    } catch (error) {
      // The link is lost, or the pool gone, which it has not been told while it was registered.
      const { ENOTCONN, ENOENT } = ERRNO;
      if (!(error instanceof CephError) || ![-ENOTCONN, -ENOENT].includes(error.errno)) throw error;
    } finally {
      watch.isRegistering = false;
    }
    this.onChange();
  }

  #ping(): void {
    for (const watch of this.#watches.values()) {
      if (
        !watch.isRegistering &&
        !watch.isPinging &&
        watch.registered?.connection.isOpen === true
      ) {
        this.#background(this.#pingOne(watch));
      }
    }
  }

  async #pingOne(watch: LingeringWatch): Promise<void> {
    const op = opWatch(watch.cookie, WATCH_OP.PING, watch.gen);
    const at = watch.registered;
    watch.isPinging = true;
    try {
      const { reply, route } = await this.#submit(watch.place, op, LINGERING_READ);
      const isOfNow = at !== undefined && isSameRoute(route, at) && watch.registered === at;
      if (reply.result >= 0 || !isOfNow || watch.isRegistering) return;
      // It has the watch and no link to it: an interval has ended there that the map here does not tell of yet.
      if (reply.result === -ERRNO.ETIMEDOUT) this.#background(this.#reconnect(watch));
      else this.#lost(watch, reply.result);
    } catch (error) {
      if (!(error instanceof CephError) || error.errno !== -ERRNO.ENOTCONN) throw error;
    } finally {
      watch.isPinging = false;
    }
  }

  #lost(watch: LingeringWatch, errno: number): void {
    if (!this.#watches.delete(watch.cookie)) return;
    watch.isAlive = false;
    watch.handler.onError(opError(errno, "watch", watch.place));
  }

  // --- Notifications ----------------------------------------------------------------------------

  /**
   * Notifies an object's watchers and waits for their answers.
   * @param timeoutMs how long the OSD waits for them; whole seconds are what it knows
   * @throws CephError, ENOENT if there is no such object
   */
  async notify(
    place: Place,
    payload: Uint8Array,
    timeoutMs: number,
    limits: CallOptions = {},
  ): Promise<NotifyReply> {
    const cookie = ++this.#lastCookie;
    const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
    const op = opNotify(cookie, payload, seconds);
    const left = shared(this.#clock, limits, this.#objecter.opTimeoutMs);
    for (;;) {
      const message = await this.#notifyOnce(place, cookie, op, left, limits.timeoutMs);
      if (message === undefined) continue;
      const { returnCode, data } = message;
      const timedOut = returnCode === -ERRNO.ETIMEDOUT;
      if (returnCode < 0 && !timedOut) throw opError(returnCode, "notify", place);
      const { replies, missed } =
        data.length === 0 ? { replies: [], missed: [] } : decodeFromBytes(NotifyResult, data);
      return { replies, missed, timedOut };
    }
  }

  /** The completion; undefined if the link was lost, and whoever watched may not have heard. */
  async #notifyOnce(
    place: Place,
    cookie: bigint,
    op: OsdOp,
    left: () => CallOptions,
    timeoutMs: number | undefined,
  ): Promise<MWatchNotify | undefined> {
    if (this.#isClosed) throw closedError();
    let by: Route | undefined;
    const intervals = new Intervals(this.#objecter, place);
    const completion = new Promise<MWatchNotify | undefined>((resolve, reject) => {
      this.#notifies.set(cookie, {
        finish: resolve,
        place,
        intervals,
        lost: (isGone) => by !== undefined && isGone(by) && resolve(undefined),
        fail: reject,
      });
    });
    completion.catch(() => undefined); // failures reach the caller through the request, too
    try {
      const { reply, route } = await this.#submit(place, op, { ...left(), isWrite: false });
      if (reply.result < 0) throw opError(reply.result, "notify", place);
      by = route;
      if (!route.connection.isOpen || intervals.count > 0) return undefined;
      // The OSD itself ends the wait for the watchers: the client's own time-out is for the request alone.
      const { signal } = left();
      const limits = timeoutMs === undefined ? { signal } : left();
      const subject = () => ({ op: "notify", target: place.oid });
      return await bounded(this.#clock, limits, subject, completion);
    } finally {
      this.#notifies.delete(cookie);
    }
  }

  // --- What comes in ----------------------------------------------------------------------------

  onWatchNotify(message: MWatchNotify): void {
    if (message.opcode === WATCH_EVENT.NOTIFY_COMPLETE) {
      this.#notifies.get(message.cookie)?.finish(message);
      return;
    }
    const watch = this.#watches.get(message.cookie);
    if (watch === undefined) return;
    if (message.opcode === WATCH_EVENT.DISCONNECT) this.#lost(watch, -ERRNO.ENOTCONN);
    else this.#background(this.#answer(watch, message));
  }

  onClose(connection: Connection): void {
    for (const notify of this.#notifies.values()) {
      notify.lost((route) => route.connection === connection);
    }
  }

  async #answer(watch: LingeringWatch, message: MWatchNotify): Promise<void> {
    const { notifyId, notifierGid, payload } = message;
    const reply = await watch.handler.onNotify({ notifyId, notifierGid, payload });
    if (this.#isClosed) return;
    const ack = opNotifyAck(notifyId, watch.cookie, reply ?? EMPTY);
    await this.#submit(watch.place, ack, { isWrite: false, timeoutMs: 0 });
  }

  #submit(place: Place, op: OsdOp, manner: Manner): Promise<OpDone> {
    const { isWrite, once = false, ...limits } = manner;
    const flags = isWrite ? OSD_FLAG.WRITE : OSD_FLAG.READ;
    return this.#objecter.submit({ ...place, ops: [op], flags, once }, limits);
  }

  /** What goes wrong here has no caller to tell: pools that go, and the end of the client. */
  #background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (this.#isClosed) return;
      this.#log.warn("watch or notification", { why: (error as Error).message });
    });
  }
}

export function opError(errno: number, op: string, place: Pick<Place, "oid">): CephError {
  return new CephError(errno, { op, target: place.oid });
}
