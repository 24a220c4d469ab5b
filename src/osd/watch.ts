/**
 * Watches and notifications.
 *
 * A watch belongs to an object and a (client, cookie). It outlives its session for its timeout, so that a
 * client that reconnects keeps it; a notification waits for every live watch, connected or not, until its
 * own timeout. The persistent half of a watch lies in the object's info (see object-info.ts).
 * ceph: src/osd/Watch.cc, src/osd/PrimaryLogPG.cc do_osd_op_effects
 */

import { type Clock, ERRNO, type Timer } from "../base/index.ts";
import { EMPTY, encodeToBytes, naturalOrder as order } from "../encoding/index.ts";
import { MWatchNotify, NotifyResult, WATCH_EVENT } from "../messages/index.ts";
import type { Connection } from "../messenger/index.ts";
import type { WatchInfo } from "./object-info.ts";

/** errno of a notification that ran out of time. */
const TIMED_OUT = -ERRNO.ETIMEDOUT;

function watcherOf(watch: Watch): { gid: bigint; cookie: bigint } {
  return { gid: watch.info.entity.num, cookie: watch.info.cookie };
}

/** One notification on its way to the watchers of an object. */
export class Notify {
  readonly id: bigint;
  readonly #notifier: Connection;
  readonly #cookie: bigint;
  readonly #version: number;
  readonly #payload: Uint8Array;
  readonly #pending = new Set<Watch>();
  readonly #replies: NotifyResult["replies"] = [];
  #timer: Timer | undefined;
  #complete = false;

  constructor(options: {
    id: bigint;
    notifier: Connection;
    cookie: bigint;
    version: number;
    payload: Uint8Array;
  }) {
    this.id = options.id;
    this.#notifier = options.notifier;
    this.#cookie = options.cookie;
    this.#version = options.version;
    this.#payload = options.payload;
  }

  /** Tells every watch, then waits for their answers or the timeout. */
  start(watches: Iterable<Watch>, clock: Clock, timeoutSeconds: number): void {
    for (const watch of watches) {
      if (!watch.beginNotify(this)) continue;
      this.#pending.add(watch);
    }
    this.#timer = clock.after(timeoutSeconds * 1000, () => this.#finish(TIMED_OUT));
    if (this.#pending.size === 0) this.#finish(0);
  }

  /** The message for one watcher. */
  sendTo(connection: Connection, cookie: bigint): void {
    connection.send(
      MWatchNotify.encode({
        opcode: WATCH_EVENT.NOTIFY,
        cookie,
        ver: BigInt(this.#version),
        notifyId: this.id,
        payload: this.#payload,
        returnCode: 0,
        notifierGid: this.#notifier.peerName.num,
        data: EMPTY,
      }),
    );
  }

  acked(watch: Watch, reply: Uint8Array): void {
    if (!this.#pending.delete(watch)) return;
    this.#replies.push([watcherOf(watch), reply]);
    if (this.#pending.size === 0) this.#finish(0);
  }

  /** The watch is gone: nobody waits for it any more. */
  forget(watch: Watch): void {
    if (this.#pending.delete(watch) && this.#pending.size === 0) this.#finish(0);
  }

  /** Tells the notifier who answered what, and who did not. */
  #finish(returnCode: number): void {
    if (this.#complete) return;
    this.#complete = true;
    this.#timer?.cancel();
    this.#replies.sort(([a], [b]) => order(a.gid, b.gid) || order(a.cookie, b.cookie));
    for (const watch of this.#pending) watch.dropNotify(this);
    const missed = [...this.#pending].map((watch) => watcherOf(watch));
    this.#pending.clear();
    this.#notifier.send(
      MWatchNotify.encode({
        opcode: WATCH_EVENT.NOTIFY_COMPLETE,
        cookie: this.#cookie,
        ver: BigInt(this.#version),
        notifyId: this.id,
        payload: EMPTY,
        returnCode,
        notifierGid: this.#notifier.peerName.num,
        data: encodeToBytes(NotifyResult, { replies: this.#replies, missed }),
      }),
    );
  }
}

/** What a watch needs of the session it is connected on: a place to be found when the session ends. */
export interface WatchSession {
  readonly watches: Set<Watch>;
}

/** The live half of a watch. */
export class Watch {
  readonly info: WatchInfo;
  readonly #clock: Clock;
  /** Told when the watcher has not been heard of for its timeout. */
  onExpired: () => void;
  readonly #notifies = new Map<bigint, Notify>();
  #connection: Connection | undefined;
  #willPing = false;
  #lastPingMs = 0;
  #timer: Timer | undefined;
  #removed = false;

  constructor(info: WatchInfo, clock: Clock, onExpired: () => void) {
    this.info = info;
    this.#clock = clock;
    this.onExpired = onExpired;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** A session takes the watch over (again); notifications that wait are sent to it. */
  connect(connection: Connection, willPing: boolean): void {
    if (this.#connection === connection) return;
    this.#leaveSession();
    this.#connection = connection;
    (connection.session as WatchSession).watches.add(this);
    this.#willPing = willPing;
    for (const notify of this.#notifies.values()) notify.sendTo(connection, this.info.cookie);
    if (willPing) this.ping();
    else this.#timer?.cancel();
  }

  /** The session is gone; the watch waits for its return. */
  disconnect(): void {
    this.#leaveSession();
    if (!this.#willPing) this.arm();
  }

  ping(): void {
    this.#lastPingMs = this.#clock.monotonic();
    if (this.isConnected) this.arm();
  }

  /** (Re)starts the clock that ends the watch. */
  arm(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(this.info.timeoutSeconds * 1000, () => this.onExpired());
  }

  /** Takes part in a notification, unless the watcher has already been silent for too long. */
  beginNotify(notify: Notify): boolean {
    const silentMs = this.#clock.monotonic() - this.#lastPingMs;
    if (this.#willPing && silentMs > this.info.timeoutSeconds * 1000) {
      this.disconnect();
      return false;
    }
    this.#notifies.set(notify.id, notify);
    if (this.#connection !== undefined) notify.sendTo(this.#connection, this.info.cookie);
    return true;
  }

  ack(notifyId: bigint, reply: Uint8Array): void {
    const notify = this.#notifies.get(notifyId);
    if (notify === undefined) return;
    this.#notifies.delete(notifyId);
    notify.acked(this, reply);
  }

  dropNotify(notify: Notify): void {
    this.#notifies.delete(notify.id);
  }

  /** Ends the watch for good. */
  remove(sendDisconnect: boolean): void {
    if (this.#removed) return;
    this.#removed = true;
    this.#timer?.cancel();
    if (sendDisconnect && this.#connection !== undefined) {
      this.#connection.send(
        MWatchNotify.encode({
          opcode: WATCH_EVENT.DISCONNECT,
          cookie: this.info.cookie,
          ver: 0n,
          notifyId: 0n,
          payload: EMPTY,
          returnCode: 0,
          notifierGid: 0n,
          data: EMPTY,
        }),
      );
    }
    for (const notify of this.#notifies.values()) notify.forget(this);
    this.#notifies.clear();
    this.#leaveSession();
  }

  #leaveSession(): void {
    (this.#connection?.session as WatchSession | undefined)?.watches.delete(this);
    this.#connection = undefined;
  }
}
