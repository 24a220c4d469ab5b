/**
 * The session with a monitor: one of several is as good as the other, and when it is lost or falls silent the
 * next one is tried, for as long as the client lives. Requests without an answer are sent again on the new
 * session, and what was subscribed to is subscribed to again, from where it had got to.
 * ceph: src/mon/MonClient.cc
 */

import type { ClientAuth } from "../auth/index.ts";
import {
  CephError,
  type Clock,
  ERRNO,
  type Logger,
  type Random,
  randomU32,
} from "../base/index.ts";
import { decodeFromBytes } from "../encoding/index.ts";
import { MonMap } from "../maps/index.ts";
import { MAuth, MAuthReply, MMonMap, MMonSubscribe, SUBSCRIBE_ONETIME } from "../messages/index.ts";
import type { Connection, Messenger, OpenedConnection } from "../messenger/index.ts";
import {
  type AddrVec,
  ENTITY_TYPE,
  formatAddrVec,
  type IncomingMessage,
  type OutgoingMessage,
  utimeFromMs,
} from "../types/index.ts";
import { FailureLog } from "./failure-log.ts";
import { bounded, type CallOptions, type Subject, watchLimits } from "./limits.ts";

/** Wait before the next monitor is tried, milliseconds: doubled from the first to the last. */
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 3_000;
/** How long one monitor is tried, and how that grows.  ceph: mon_client_hunt_interval and its backoff */
const HUNT_MIN_MS = 3_000;
const HUNT_MAX_MS = 30_000;
const HUNT_GROWTH = 1.5;
/** How often tickets and the monitor are looked at.  ceph: mon_client_ping_interval */
const TICK_MS = 10_000;
/** A monitor that is silent for this long is given up.  ceph: mon_client_ping_timeout */
const SILENCE_MS = 30_000;

export interface MonClientOptions {
  readonly monitors: readonly AddrVec[];
  readonly auth: ClientAuth;
  readonly messenger: Messenger;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Time-out of requests that say none, milliseconds; 0: never. @default 0 */
  readonly opTimeoutMs?: number | undefined;
  /** A session is there, the first or another. */
  readonly onSession: () => void;
}

/** What a request says of itself besides its limits. */
export interface AskOptions extends CallOptions {
  /** For the error of a time-out. @default a request to the monitor */
  readonly subject?: Subject;
}

interface PendingRequest {
  readonly message: OutgoingMessage;
  readonly resolve: (reply: IncomingMessage) => void;
  readonly reject: (error: unknown) => void;
  release: (() => void) | undefined;
}

const A_REQUEST: Subject = { op: "ask", target: "the monitor" };

export class MonClient {
  readonly #options: MonClientOptions;
  readonly #failures: FailureLog;
  readonly #requests = new Map<number, PendingRequest>();
  /** What is subscribed to: the first version not yet seen, 0 for the newest. */
  readonly #wants = new Map<string, { start: number; flags: number }>();
  #connection: OpenedConnection | undefined;
  #monMap: MonMap | undefined;
  #waitsForMonMap: (() => void)[] = [];
  #tid = 0;
  #next: number;
  #retryMs = RETRY_MIN_MS;
  #huntMs = HUNT_MIN_MS;
  #lastFailure: unknown;
  #isRenewing = false;
  #isClosed = false;
  #cancelWait: (() => void) | undefined;
  /** The last that was made to reach a monitor. */
  #attempt: AbortController | undefined;
  #tick: { cancel(): void } | undefined;
  #heardBytes = 0;
  #heardMs = 0;

  constructor(options: MonClientOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options.log, "monitor not reached");
    this.#next = randomU32(options.random) % options.monitors.length;
    this.#wants.set("monmap", { start: 0, flags: 0 });
    this.#wants.set("osdmap", { start: 0, flags: 0 });
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Requests without an answer yet. */
  get pending(): number {
    return this.#requests.size;
  }

  /** The newest monitor map that has come. */
  get monMap(): MonMap | undefined {
    return this.#monMap;
  }

  /** Why the last attempt at a monitor failed; undefined before the first failure. */
  get lastFailure(): unknown {
    return this.#lastFailure;
  }

  /** The monitors' addresses: those of the monitor map, then others that we were told of. */
  get monitors(): readonly AddrVec[] {
    const map = this.#monMap;
    if (map === undefined) return this.#options.monitors;
    const known = map.ranks.map((name) => map.monInfo.get(name)?.publicAddrs ?? []);
    const texts = new Set(known.map(formatAddrVec));
    const others = this.#options.monitors.filter((addrs) => !texts.has(formatAddrVec(addrs)));
    return [...known, ...others].filter((addrs) => addrs.length > 0);
  }

  /**
   * Resolves with the first session.
   * @throws CephError EACCES if a monitor does not accept us, EOPNOTSUPP if not our way to show who we are; then
   *   nothing is tried any more
   */
  async start(): Promise<void> {
    await this.#connect(true);
    this.#tick = this.#options.clock.every(TICK_MS, () => this.#onTick());
  }

  /** Pending requests fail with ESHUTDOWN. */
  close(): void {
    this.#isClosed = true;
    this.#tick?.cancel();
    this.#cancelWait?.();
    this.#attempt?.abort(closedError());
    for (const tid of this.#requests.keys()) this.#fail(tid, closedError());
    for (const wake of this.#waitsForMonMap.splice(0)) wake();
  }

  /**
   * Sends a request that is answered by its transaction id, now and after every reconnect.
   * @throws the signal's reason; CephError ETIMEDOUT; ESHUTDOWN once the client is closed
   */
  ask(
    encode: (tid: number) => OutgoingMessage,
    options: AskOptions = {},
  ): Promise<IncomingMessage> {
    if (this.#isClosed) return Promise.reject(closedError());
    const { signal, timeoutMs = this.#options.opTimeoutMs ?? 0, subject = A_REQUEST } = options;
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const tid = ++this.#tid;
    const message = encode(tid);
    return new Promise((resolve, reject) => {
      const request: PendingRequest = { message, resolve, reject, release: undefined };
      request.release = watchLimits(
        this.#options.clock,
        { signal, timeoutMs },
        () => subject,
        (reason) => this.#fail(tid, reason),
      );
      this.#requests.set(tid, request);
      this.#connection?.send(message);
    });
  }

  /** Resolves with the monitor map. */
  async waitForMonMap(limits: CallOptions = {}): Promise<MonMap> {
    const subject = () => ({ op: "wait for", target: "the monitor map" });
    return await bounded(this.#options.clock, limits, subject, this.#firstMonMap());
  }

  async #firstMonMap(): Promise<MonMap> {
    while (this.#monMap === undefined) {
      if (this.#isClosed) throw closedError();
      await new Promise<void>((resolve) => {
        this.#waitsForMonMap.push(resolve);
      });
    }
    return this.#monMap;
  }

  // --- Subscriptions ----------------------------------------------------------------------------

  /** Has the monitor send what follows, from this version on; 0: the newest at once. */
  subscribe(what: string, start: number, options: { once?: boolean } = {}): void {
    const want = { start, flags: options.once === true ? SUBSCRIBE_ONETIME : 0 };
    this.#wants.set(what, want);
    this.#sendWants(new Map([[what, want]]));
  }

  /** Has come: another session goes on after it. */
  got(what: string, version: number): void {
    const want = this.#wants.get(what);
    if (want === undefined) return;
    if ((want.flags & SUBSCRIBE_ONETIME) !== 0) this.#wants.delete(what);
    else this.#wants.set(what, { ...want, start: version + 1 });
  }

  /** No more of it on another session. The monitor has no word for less on this one. */
  unsubscribe(what: string): void {
    this.#wants.delete(what);
  }

  #sendWants(what: Map<string, { start: number; flags: number }>): void {
    this.#connection?.send(MMonSubscribe.encode({ what, hostname: "" }));
  }

  // --- Tickets ----------------------------------------------------------------------------------

  /** Asks for new tickets where some are missing or running out. */
  renewTickets(): void {
    if (this.#connection === undefined || this.#isRenewing) return;
    const { auth } = this.#options;
    const payload = auth.buildRenewal();
    if (payload === undefined) return;
    this.#isRenewing = true;
    this.#connection.send(
      MAuth.encode({ version: 0, protocol: auth.method, payload, monmapEpoch: 0 }),
    );
  }

  // --- What comes in ----------------------------------------------------------------------------

  /** A reply to a request, or to the renewal of tickets. @returns whether the message was that */
  onMessage(message: IncomingMessage): boolean {
    if (message.type === MAuthReply.type) {
      const { result, payload } = MAuthReply.decode(message);
      this.#isRenewing = false;
      try {
        this.#options.auth.takeRenewal(result, payload);
      } catch (error) {
        this.#options.log.warn("tickets not renewed", { why: (error as Error).message });
      }
      return true;
    }
    if (message.type === MMonMap.type) {
      this.#monMap = decodeFromBytes(MonMap, MMonMap.decode(message).monmap);
      this.got("monmap", this.#monMap.epoch);
      for (const wake of this.#waitsForMonMap.splice(0)) wake();
      return true;
    }
    const request = this.#requests.get(message.tid);
    if (request === undefined) return false;
    this.#requests.delete(message.tid);
    request.release?.();
    request.resolve(message);
    return true;
  }

  onClose(): void {
    this.#connection = undefined;
    this.#isRenewing = false;
    if (this.#isClosed) return;
    this.#connect(false).catch((error: unknown) => {
      if (!this.#isClosed) this.#options.log.error("no monitor", { why: (error as Error).message });
    });
  }

  #fail(tid: number, reason: unknown): void {
    const request = this.#requests.get(tid);
    if (request === undefined) return;
    this.#requests.delete(tid);
    request.release?.();
    request.reject(reason);
  }

  // --- The session ------------------------------------------------------------------------------

  #onTick(): void {
    this.renewTickets();
    const connection = this.#connection;
    if (connection === undefined) return;
    const now = this.#options.clock.monotonic();
    if (connection.heardBytes !== this.#heardBytes) {
      this.#heardBytes = connection.heardBytes;
      this.#heardMs = now;
    }
    if (now - this.#heardMs > SILENCE_MS) return connection.close("monitor is silent");
    connection.keepAlive(utimeFromMs(this.#options.clock.now()));
  }

  async #connect(first: boolean): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      if (this.#isClosed) throw closedError();
      const { monitors } = this;
      const target = monitors[this.#next++ % monitors.length] ?? [];
      try {
        const connection = await this.#reach(target);
        if (this.#isClosed) {
          connection.close("client is closed");
          throw closedError();
        }
        // Lost again before we could know it: its end has been told already.
        if (!connection.isOpen) continue;
        this.#connection = connection;
        break;
      } catch (error) {
        if (this.#isClosed || (first && isRefusal(error))) throw error;
        this.#lastFailure = error;
        this.#failures.note({ monitor: formatAddrVec(target) }, error);
        await this.#wait();
      }
    }
    this.#retryMs = RETRY_MIN_MS;
    this.#huntMs = HUNT_MIN_MS;
    this.#heardBytes = this.#connection.heardBytes;
    this.#heardMs = clock.monotonic();
    this.#sendWants(this.#wants);
    for (const { message } of this.#requests.values()) this.#connection.send(message);
    this.#options.onSession();
  }

  /**
   * One attempt: a monitor that does not answer must not keep us from the next one, nor give us an identity beside
   * that one's when it does answer.
   */
  async #reach(target: AddrVec): Promise<OpenedConnection> {
    const { messenger, auth, clock } = this.#options;
    const timeoutMs = this.#huntMs;
    this.#huntMs = Math.min(timeoutMs * HUNT_GROWTH, HUNT_MAX_MS);
    const subject = () => ({ op: "reach", target: `monitor ${formatAddrVec(target)}` });
    const attempt = new AbortController();
    this.#attempt = attempt;
    const connecting = messenger.connect(target, ENTITY_TYPE.MON, auth.monInitiator(), {
      signal: attempt.signal,
    });
    try {
      return await bounded(clock, { timeoutMs }, subject, connecting);
    } catch (error) {
      attempt.abort(error);
      throw error;
    }
  }

  #wait(): Promise<void> {
    const { clock, random } = this.#options;
    const ms = this.#retryMs * (0.5 + (randomU32(random) % 1000) / 1000);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
    return new Promise((resolve) => {
      const timer = clock.after(ms, resolve);
      this.#cancelWait = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

/** The monitor is there and says no: asking again changes nothing. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof CephError)) return false;
  return error.errno === -ERRNO.EACCES || error.errno === -ERRNO.EOPNOTSUPP;
}

export function closedError(): CephError {
  return new CephError(-ERRNO.ESHUTDOWN, { op: "use", target: "a closed client" });
}
