/**
 * A link to one daemon, opened again whenever it is lost, for as long as it is wanted.
 */

import type { ClientAuth } from "../auth/index.ts";
import {
  CephError,
  type Clock,
  ERRNO,
  type Logger,
  type Random,
  randomU32,
  sleep,
} from "../base/index.ts";
import type { Connection, Messenger } from "../messenger/index.ts";
import { type AddrVec, entityTypeName, formatAddrVec } from "../types/index.ts";
import { FailureLog } from "./failure-log.ts";

/** What a link works with; one for all of a client's. */
export interface LinkContext {
  readonly auth: ClientAuth;
  readonly messenger: Messenger;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** New tickets are wanted: a daemon has refused ours. */
  readonly renewTickets: () => void;
}

export interface ServiceLinkOptions {
  /** ENTITY_TYPE of the daemon. */
  readonly service: number;
  readonly addrs: AddrVec;
  /** Wait before it is tried again, milliseconds; half to one and a half times that. */
  readonly retryMs: number;
  /** The link is there. */
  readonly onOpen: () => void;
}

export class ServiceLink {
  readonly addrs: AddrVec;
  readonly #context: LinkContext;
  readonly #options: ServiceLinkOptions;
  readonly #gone = new AbortController();
  #connection: Connection | undefined;

  /** Begins to connect. */
  constructor(context: LinkContext, options: ServiceLinkOptions) {
    this.addrs = options.addrs;
    this.#context = context;
    this.#options = options;
    this.#open();
  }

  /** Undefined while there is none. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  get isClosed(): boolean {
    return this.#gone.signal.aborted;
  }

  /** Is it lost with that connection? Then it is opened again. */
  onClose(connection: Connection): boolean {
    if (this.#connection !== connection) return false;
    this.#connection = undefined;
    if (!this.isClosed) this.#open();
    return true;
  }

  close(): void {
    this.#gone.abort();
    this.#connection?.close("not needed any more");
  }

  #open(): void {
    this.#connect().catch((error: unknown) => {
      this.#context.log.error("link to a daemon", { why: String(error) });
    });
  }

  async #connect(): Promise<void> {
    const { auth, messenger, clock, random, log, renewTickets } = this.#context;
    const failures = new FailureLog(log, "daemon not reached");
    const { service, addrs, retryMs } = this.#options;
    while (!this.isClosed && this.#connection === undefined) {
      try {
        const connection = await messenger.connect(addrs, service, auth.serviceInitiator(service), {
          globalId: auth.globalId,
          signal: this.#gone.signal,
        });
        if (this.isClosed) return connection.close("not needed any more");
        // Lost again before we could know it: its end has been told already.
        if (connection.isOpen) this.#connection = connection;
      } catch (error) {
        if (this.isClosed) return;
        failures.note({ daemon: `${entityTypeName(service)} ${formatAddrVec(addrs)}` }, error);
        if (error instanceof CephError && error.errno === -ERRNO.EACCES) {
          auth.dropTicket(service);
          renewTickets();
        }
        await sleep(clock, retryMs * (0.5 + (randomU32(random) % 1000) / 1000));
      }
    }
    if (!this.isClosed) this.#options.onOpen();
  }
}
