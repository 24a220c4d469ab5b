/**
 * One entity on the network: the addresses it listens on and the links it has.
 *
 * Each entity (a monitor, an OSD, the manager, a client) has a messenger of its own, as HELLO names the
 * entity before the peer says whom it wants.
 * ceph: src/msg/Messenger.h, src/msg/async/AsyncMessenger.cc
 */

import type { AuthIdentity, AuthInitiator, AuthServer } from "../auth/index.ts";
import {
  CephError,
  type Clock,
  ConfigError,
  ERRNO,
  type Logger,
  must,
  type Random,
  randomU32,
} from "../base/index.ts";
import {
  ADDR_TYPE,
  type AddrVec,
  ENTITY_TYPE,
  type EntityAddr,
  type EntityName,
  FEATURE_MSG_ADDR2,
  formatAddrVec,
} from "../types/index.ts";
import { AcceptorHandshake } from "./acceptor-handshake.ts";
import type { Dispatcher, OpenedConnection } from "./api.ts";
import { type ConnectionHost, LinkConnection } from "./connection.ts";
import type { DataMemory } from "./frame.ts";
import { InitiatorHandshake, type InitiatorOptions } from "./initiator-handshake.ts";
import { HANDSHAKE_DEADLINE_MS, HANDSHAKES_MAX, LINKS_MAX } from "./limits.ts";
import type { Role } from "./modes.ts";
import { ProtocolError } from "./protocol-error.ts";
import { Spinner } from "./spinner.ts";
import type { Endpoint, Link, Listener, Transport } from "./transport/transport.ts";

export interface MessengerOptions {
  /** Who we are: monitor rank, OSD id, manager's or client's global id. */
  name: EntityName;
  transport: Transport;
  clock: Clock;
  random: Random;
  log: Logger;
  dispatcher: Dispatcher;
  /** Needed to listen. */
  auth?: AuthServer;
  /** Features a peer must have. @default MSG_ADDR2 */
  requiredFeatures?: bigint;
  /** Where payloads of 64 KiB and more are received; the dispatcher gives it back. @default fresh memory */
  dataMemory?: DataMemory;
  /** Milliseconds after a reply to a lone client in which the loop does not sleep: see Spinner. @default 0 */
  spinMs?: number;
  /** Links there may be at a time, those of others and our own. @default LINKS_MAX */
  linksMax?: number;
}

/** A handshake under way. */
interface Pending {
  deadline: { cancel(): void };
  resolve?: (connection: OpenedConnection) => void;
  reject?: (failure: Error) => void;
}

const ANY_ADDRESS: ReadonlySet<string> = new Set(["0.0.0.0", "::", ""]);

export class Messenger implements ConnectionHost {
  readonly name: EntityName;
  readonly log: Logger;
  readonly dispatcher: Dispatcher;
  readonly dataMemory: DataMemory | undefined;
  readonly #options: MessengerOptions;
  readonly #requiredFeatures: bigint;
  /** Tells this instance from earlier ones at the same address; monitors have none. */
  readonly #nonce: number;
  readonly #listeners: Listener[] = [];
  /** When each was opened, milliseconds since 1970. */
  readonly #links = new Map<LinkConnection, number>();
  readonly #pending = new Map<LinkConnection, Pending>();
  /** Sessions that we are opening. */
  readonly #attempts = new Set<AbortController>();
  #addrs: AddrVec = [];
  #lastId = 0;
  #globalSeq = 0n;
  #dirty: LinkConnection[] = [];
  #isFlushDue = false;
  #isClosed = false;
  readonly #spinner: Spinner;
  #onLastGone: (() => void) | undefined;

  constructor(options: MessengerOptions) {
    this.#options = options;
    this.name = options.name;
    this.log = options.log;
    this.dispatcher = options.dispatcher;
    this.dataMemory = options.dataMemory;
    this.#spinner = new Spinner(options.clock, options.spinMs ?? 0);
    this.#requiredFeatures = options.requiredFeatures ?? FEATURE_MSG_ADDR2;
    this.#nonce = options.name.type === ENTITY_TYPE.MON ? 0 : randomU32(options.random);
  }

  /** Our addresses: those we listen on, or what peers have told us ours is. */
  get addrs(): AddrVec {
    return this.#addrs;
  }

  /**
   * Listens at `endpoint` and adds the address to ours.
   * @param advertised the IP address peers are told, needed where `endpoint` is any address
   * @throws ConfigError if the port cannot be had
   */
  async bind(endpoint: Endpoint, advertised: string = endpoint.host): Promise<EntityAddr> {
    if (ANY_ADDRESS.has(advertised)) {
      throw new ConfigError(`clients cannot be told the address "${advertised}": name one of ours`);
    }
    must(this.#options.auth, "authentication to listen with");
    const listener = await this.#options.transport.listen(endpoint, (link) => this.#onLink(link));
    this.#listeners.push(listener);
    const { port } = listener.endpoint;
    const addr = { type: ADDR_TYPE.MSGR2, nonce: this.#nonce, ip: advertised, port };
    this.#addrs = [...this.#addrs.filter((known) => known.type === ADDR_TYPE.MSGR2), addr];
    return addr;
  }

  /**
   * Opens a lossy session. The dispatcher has had `onOpen` when this resolves.
   * @param options `signal` gives the attempt up: from then on `auth` is asked and told nothing any more
   * @throws CephError, ProtocolError or the transport's error; what `auth` throws; the signal's reason
   */
  async connect(
    target: AddrVec,
    peerType: number,
    auth: AuthInitiator,
    options: { globalId?: bigint; signal?: AbortSignal } = {},
  ): Promise<OpenedConnection> {
    const addr = target.find((a) => a.type === ADDR_TYPE.MSGR2 || a.type === ADDR_TYPE.ANY);
    const failed = (errno: number) =>
      new CephError(-errno, { op: "connect to", target: formatAddrVec(target) });
    if (addr === undefined) throw failed(ERRNO.EOPNOTSUPP);
    if (this.#isClosed) throw failed(ERRNO.ESHUTDOWN);
    options.signal?.throwIfAborted();
    const attempt = new AbortController();
    const giveUp = () => attempt.abort(options.signal?.reason);
    options.signal?.addEventListener("abort", giveUp, { once: true });
    this.#attempts.add(attempt);
    try {
      const { signal } = attempt;
      const link = await this.#options.transport.connect(
        { host: addr.ip, port: addr.port },
        signal,
      );
      if (signal.aborted) link.destroy("given up");
      signal.throwIfAborted();
      return await this.#shakeHands(link, signal, {
        entityType: this.name.type,
        peerType,
        target: { ...addr, type: ADDR_TYPE.MSGR2 },
        auth,
        gid: peerType === ENTITY_TYPE.MON ? -1n : (options.globalId ?? this.name.num),
        requiredFeatures: this.#requiredFeatures,
        nextGlobalSeq: () => ++this.#globalSeq,
        learnAddr: (seen) => this.#learnAddr(seen),
      });
    } catch (error) {
      attempt.signal.throwIfAborted();
      throw error;
    } finally {
      this.#attempts.delete(attempt);
      options.signal?.removeEventListener("abort", giveUp);
    }
  }

  #shakeHands(
    link: Link,
    signal: AbortSignal,
    options: InitiatorOptions,
  ): Promise<OpenedConnection> {
    return new Promise((resolve, reject) => {
      const connection = this.#add(link, "initiator", { resolve, reject });
      signal.addEventListener("abort", () => connection.close("given up"));
      connection.start((handshakeLink) => new InitiatorHandshake(handshakeLink, options));
    });
  }

  /** Ends accepted sessions. @param which told when the session's link was opened, milliseconds since 1970 */
  closeSessions(which: (identity: AuthIdentity, sinceMs: number) => boolean, reason: string): void {
    for (const [connection, sinceMs] of this.#links) {
      if (!connection.isOpen || connection.identity === undefined) continue;
      if (which(connection.identity, sinceMs)) connection.close(reason);
    }
  }

  /** Stops listening and drops every link; resolves when the dispatcher has heard of all. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()));
    const closed = new CephError(-ERRNO.ESHUTDOWN, { op: "use", target: "a closed messenger" });
    for (const attempt of this.#attempts) attempt.abort(closed);
    for (const connection of this.#links.keys()) connection.close("messenger is closed");
    if (this.#links.size === 0) return;
    await new Promise<void>((resolve) => {
      const previous = this.#onLastGone;
      this.#onLastGone = () => {
        previous?.();
        resolve();
      };
    });
  }

  // ConnectionHost

  onQueued(connection: LinkConnection): void {
    if (connection.isDirty) return;
    connection.isDirty = true;
    this.#dirty.push(connection);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#options.clock.defer(() => {
      this.#isFlushDue = false;
      this.flush();
    });
  }

  flush(): void {
    const dirty = this.#dirty;
    if (dirty.length === 0) return;
    this.#dirty = [];
    for (const connection of dirty) connection.flush();
    this.#spinner.onSent();
  }

  onMessages(count: number): void {
    this.#spinner.onMessages(count);
  }

  onEstablished(connection: LinkConnection): void {
    const pending = this.#pending.get(connection);
    this.#pending.delete(connection);
    pending?.deadline.cancel();
    pending?.resolve?.(connection);
  }

  onGone(connection: LinkConnection, failure: Error): void {
    this.#links.delete(connection);
    const pending = this.#pending.get(connection);
    this.#pending.delete(connection);
    pending?.deadline.cancel();
    pending?.reject?.(failure);
    if (this.#links.size === 0) this.#onLastGone?.();
  }

  #onLink(link: Link): void {
    const { linksMax = LINKS_MAX } = this.#options;
    if (this.#links.size >= linksMax || this.#isClosed) {
      this.log.debug("link refused", { links: this.#links.size, pending: this.#pending.size });
      link.destroy("too many links");
      return;
    }
    if (this.#pending.size >= HANDSHAKES_MAX) this.#dropOldestHandshake();
    const auth = must(this.#options.auth, "authentication to listen with");
    const connection = this.#add(link, "acceptor", {});
    connection.start(
      (handshakeLink) =>
        new AcceptorHandshake(handshakeLink, {
          name: this.name,
          addrs: () => this.#addrs,
          auth,
          requiredFeatures: this.#requiredFeatures,
          nextGlobalSeq: () => ++this.#globalSeq,
        }),
    );
  }

  /** Whoever dawdles keeps nobody out: an honest handshake takes milliseconds, and is over before it is the oldest. */
  #dropOldestHandshake(): void {
    for (const [connection, { resolve, deadline }] of this.#pending) {
      if (resolve !== undefined) continue; // one of our own
      this.#pending.delete(connection);
      deadline.cancel();
      connection.fail(new ProtocolError("too many handshakes at once, and this is the oldest"));
      return;
    }
  }

  #add(link: Link, role: Role, waiting: Omit<Pending, "deadline">): LinkConnection {
    const connection = new LinkConnection(++this.#lastId, role, link, this);
    const deadline = this.#options.clock.after(HANDSHAKE_DEADLINE_MS, () => {
      const target = `${link.remote.host}:${link.remote.port}`;
      connection.fail(new CephError(-ERRNO.ETIMEDOUT, { op: "shake hands with", target }));
    });
    this.#links.set(connection, this.#options.clock.now());
    this.#pending.set(connection, { deadline, ...waiting });
    return connection;
  }

  /** A messenger that listens goes by those addresses; any other by what its peer sees. */
  #learnAddr(seen: EntityAddr): AddrVec {
    if (this.#addrs.length === 0) {
      this.#addrs = [{ type: ADDR_TYPE.ANY, nonce: this.#nonce, ip: seen.ip, port: 0 }];
    }
    return this.#addrs;
  }
}
