/**
 * The session with a monitor: one of several is as good as the other, and when it is lost the next one is
 * tried, for as long as the client lives. Requests without an answer are sent again on the new session.
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
import { MAuth, MAuthReply, MMonSubscribe } from "../messages/index.ts";
import type { Connection, Messenger } from "../messenger/index.ts";
import {
  type AddrVec,
  ENTITY_TYPE,
  formatAddrVec,
  type IncomingMessage,
  type OutgoingMessage,
} from "../types/index.ts";

/** Wait before the next monitor is tried, milliseconds: doubled from the first to the last. */
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 3_000;
/** How often tickets are looked at.  ceph: mon_client_ping_interval */
const TICK_MS = 10_000;

export interface MonClientOptions {
  readonly monitors: readonly AddrVec[];
  readonly auth: ClientAuth;
  readonly messenger: Messenger;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** First epoch of the OSD map that is wanted next; 0: the newest. */
  readonly nextOsdMap: () => number;
  /** A session is there, the first or another. */
  readonly onSession: () => void;
}

interface PendingRequest {
  readonly message: OutgoingMessage;
  readonly resolve: (reply: IncomingMessage) => void;
  readonly reject: (error: Error) => void;
}

export class MonClient {
  readonly #options: MonClientOptions;
  readonly #requests = new Map<number, PendingRequest>();
  #connection: Connection | undefined;
  #tid = 0;
  #next: number;
  #retryMs = RETRY_MIN_MS;
  #isRenewing = false;
  #isClosed = false;
  #cancelWait: (() => void) | undefined;
  #tick: { cancel(): void } | undefined;

  constructor(options: MonClientOptions) {
    this.#options = options;
    this.#next = randomU32(options.random) % options.monitors.length;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /**
   * Resolves with the first session.
   * @throws CephError EACCES if a monitor does not accept us, EOPNOTSUPP if not our way to show who we are; then
   *   nothing is tried any more
   */
  async start(): Promise<void> {
    await this.#connect(true);
    this.#tick = this.#options.clock.every(TICK_MS, () => this.renewTickets());
  }

  /** Pending requests fail with ESHUTDOWN. */
  close(): void {
    this.#isClosed = true;
    this.#tick?.cancel();
    this.#cancelWait?.();
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const { reject } of requests) reject(closedError());
  }

  /** Sends a request that is answered by its transaction id, now and after every reconnect. */
  ask(encode: (tid: number) => OutgoingMessage): Promise<IncomingMessage> {
    if (this.#isClosed) return Promise.reject(closedError());
    const tid = ++this.#tid;
    const message = encode(tid);
    return new Promise((resolve, reject) => {
      this.#requests.set(tid, { message, resolve, reject });
      this.#connection?.send(message);
    });
  }

  /** Asks for maps that follow the newest we have: once more, for a monitor told already sends no more. */
  wantOsdMap(start: number): void {
    const what = new Map([["osdmap", { start, flags: 0 }]]);
    this.#connection?.send(MMonSubscribe.encode({ what, hostname: "" }));
  }

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
    const request = this.#requests.get(message.tid);
    if (request === undefined) return false;
    this.#requests.delete(message.tid);
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

  async #connect(first: boolean): Promise<void> {
    const { monitors, messenger, auth, log } = this.#options;
    for (;;) {
      if (this.#isClosed) throw closedError();
      const target = monitors[this.#next++ % monitors.length] ?? [];
      try {
        const connection = await messenger.connect(target, ENTITY_TYPE.MON, auth.monInitiator());
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
        log.debug("monitor not reached", {
          monitor: formatAddrVec(target),
          why: (error as Error).message,
        });
        await this.#wait();
      }
    }
    this.#retryMs = RETRY_MIN_MS;
    this.wantOsdMap(this.#options.nextOsdMap());
    for (const { message } of this.#requests.values()) this.#connection.send(message);
    this.#options.onSession();
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
