/**
 * A client of a cluster: one messenger, one monitor session, sessions with the OSDs as they are needed.
 * ceph: src/librados/RadosClient.cc
 */

import type { ClientAuth } from "../auth/index.ts";
import { assert, CephError, type Clock, ERRNO, type Logger, type Random } from "../base/index.ts";
import { byteString, EMPTY, textOf } from "../encoding/index.ts";
import { type OsdMap, poolByName } from "../maps/index.ts";
import {
  MMonCommand,
  MMonCommandAck,
  MMonGetVersion,
  MMonGetVersionReply,
  MOSDBackoff,
  MOSDMap,
  MOSDOpReply,
  MWatchNotify,
} from "../messages/index.ts";
import { type Connection, type Dispatcher, Messenger, type Transport } from "../messenger/index.ts";
import {
  type AddrVec,
  ENTITY_TYPE,
  type EntityAddr,
  formatAddrVec,
  type IncomingMessage,
} from "../types/index.ts";
import { type Engine, IoCtx } from "./io-ctx.ts";
import { bounded, type CallOptions, timedOut } from "./limits.ts";
import { Lingers } from "./linger.ts";
import { MonClient } from "./mon-client.ts";
import { Objecter, poolGone } from "./objecter.ts";

export interface RadosOptions {
  /** Addresses of the monitors, at least one. */
  readonly monitors: readonly AddrVec[];
  /** Who we are, and how we show it. */
  readonly auth: ClientAuth;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /**
   * Time-outs, milliseconds; 0: none. What runs into one may have been done all the same.
   * Of requests to OSDs (rados_osd_op_timeout), of requests to monitors and the manager
   * (rados_mon_op_timeout), and of connecting (client_mount_timeout). @default 0
   */
  readonly osdOpTimeoutMs?: number | undefined;
  readonly monOpTimeoutMs?: number | undefined;
  readonly mountTimeoutMs?: number | undefined;
}

/** A command's words by name, `prefix` first of all. */
export type CommandArgs = Readonly<Record<string, unknown>>;

export interface CommandOptions extends CallOptions {
  /** What the command reads: `ceph … -i FILE`. @default nothing */
  readonly input?: Uint8Array | undefined;
}

export interface CommandResult {
  /** Negative errno, or 0. */
  readonly result: number;
  readonly status: string;
  readonly data: Uint8Array;
}

export class Rados implements Dispatcher {
  readonly #auth: ClientAuth;
  readonly #messenger: Messenger;
  readonly #mon: MonClient;
  readonly #objecter: Objecter;
  readonly #lingers: Lingers;
  readonly #engine: Engine;
  #closing: Promise<void> | undefined;

  private constructor(options: RadosOptions) {
    const { auth, clock, random, log, monitors, transport } = options;
    assert(monitors.length > 0, "no monitor");
    const messenger = new Messenger({
      // Every client is one on the wire, whatever its entity.  ceph: Messenger::create_client_messenger
      name: { type: ENTITY_TYPE.CLIENT, num: 0n },
      transport,
      clock,
      random,
      log,
      dispatcher: this,
    });
    this.#auth = auth;
    this.#messenger = messenger;
    this.#objecter = new Objecter({
      auth,
      messenger,
      clock,
      random,
      log,
      renewTickets: () => this.#mon.renewTickets(),
      wantMap: (start) => this.#mon.subscribe("osdmap", start),
      onChange: () => this.#lingers.onChange(),
      onBlocklisted: (error) => this.#lingers.onBlocklisted(error),
      opTimeoutMs: options.osdOpTimeoutMs,
    });
    this.#lingers = new Lingers({ objecter: this.#objecter, clock, random, log });
    this.#mon = new MonClient({
      monitors,
      auth,
      messenger,
      clock,
      random,
      log,
      opTimeoutMs: options.monOpTimeoutMs,
      onSession: () => undefined,
    });
    this.#engine = { objecter: this.#objecter, lingers: this.#lingers, mon: this.#mon };
  }

  /**
   * Connects; resolves with a client that has a map.
   * @throws CephError EACCES if the cluster does not take us; ETIMEDOUT if no monitor has in time, with what
   * the last one tried was found to be as its cause; the signal's reason
   */
  static async connect(options: RadosOptions, limits: CallOptions = {}): Promise<Rados> {
    const { clock, monitors, mountTimeoutMs = 0 } = options;
    const { signal, timeoutMs = mountTimeoutMs } = limits;
    signal?.throwIfAborted();
    const rados = new Rados(options);
    const subject = {
      op: "connect to",
      target: `monitors ${monitors.map(formatAddrVec).join(" ")}`,
    };
    try {
      await bounded(clock, { signal, timeoutMs }, () => subject, rados.#start());
      return rados;
    } catch (error) {
      const { lastFailure } = rados.#mon;
      await rados.close();
      const isLate = error instanceof CephError && error.errno === -ERRNO.ETIMEDOUT;
      throw isLate && lastFailure !== undefined ? timedOut(subject, lastFailure) : error;
    }
  }

  async #start(): Promise<void> {
    await this.#mon.start();
    await this.#objecter.mapAtLeast(1);
  }

  /** The id that the cluster knows this client by. */
  get globalId(): bigint {
    return this.#auth.globalId;
  }

  /** The address that watches and locks are noted with. */
  get addrs(): AddrVec {
    return this.#messenger.addrs;
  }

  /** The newest map that has come. */
  get map(): OsdMap {
    const { map } = this.#objecter;
    assert(map !== undefined, "a connected client has a map");
    return map;
  }

  /** Requests without an answer yet. */
  get pending(): number {
    return this.#objecter.pending;
  }

  /** Has the cluster locked this client out? Its requests fail with ESHUTDOWN then. */
  get isBlocklisted(): boolean {
    return this.#objecter.isBlocklisted;
  }

  /** @param pool id, or name as a byte string @throws CephError ENOENT if there is none such */
  async openPool(pool: number | string, nspace = "", options: CallOptions = {}): Promise<IoCtx> {
    const find = (map: OsdMap) =>
      typeof pool === "number" ? (map.pools.has(pool) ? pool : undefined) : poolByName(map, pool);
    // A pool made a moment ago may be in no map of ours yet.
    const id = find(this.map) ?? find(await this.latestMap(options));
    if (id === undefined) throw poolGone(typeof pool === "number" ? pool : textOf(pool));
    return new IoCtx(this.#engine, id, nspace);
  }

  /** Resolves with a map no older than the monitor's newest now. */
  async latestMap(options: CallOptions = {}): Promise<OsdMap> {
    const subject = { op: "ask for the newest version of", target: "the OSD map" };
    const message = await this.#mon.ask(
      (tid) => MMonGetVersion.encode({ handle: tid, what: "osdmap" }, tid),
      { ...options, subject },
    );
    const { version } = MMonGetVersionReply.decode(message);
    return await this.#objecter.mapAtLeast(version, options);
  }

  /** A monitor command: `{ prefix: "osd pool ls", format: "json" }`. Its failure is in the result. */
  async command(args: CommandArgs, options: CommandOptions = {}): Promise<CommandResult> {
    const { input = EMPTY, ...limits } = options;
    const cmd = [byteString(JSON.stringify(args))];
    const { fsid } = this.map;
    const subject = { op: "command", target: String(args["prefix"]) };
    const message = await this.#mon.ask(
      (tid) => MMonCommand.encode({ version: 0, fsid, cmd, data: input }, tid),
      { ...limits, subject },
    );
    const { r, rs, data } = MMonCommandAck.decode(message);
    return { result: r, status: textOf(rs), data };
  }

  /**
   * Keeps a client out of the cluster, so that what it believes to hold can be given to another.
   * @param seconds how long; the monitor's default if undefined
   */
  async blocklist(
    addr: EntityAddr,
    seconds?: number,
    options: CallOptions = {},
  ): Promise<CommandResult> {
    const text = `${addr.ip.includes(":") ? `[${addr.ip}]` : addr.ip}:${addr.port}/${addr.nonce}`;
    const expire = seconds === undefined ? {} : { expire: seconds };
    const args = { prefix: "osd blocklist", blocklistop: "add", addr: text, ...expire };
    const done = await this.command(args, options);
    await this.latestMap(options);
    return done;
  }

  /** Drops every session; whatever is pending fails with ESHUTDOWN. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#lingers.close();
      this.#objecter.close();
      this.#mon.close();
      await this.#messenger.close();
    })();
    return this.#closing;
  }

  // Dispatcher

  onOpen(): void {}

  onMessage(connection: Connection, incoming: IncomingMessage): void {
    // Decoded values are views, and outlive the receive ring here. The data segment is its own memory.
    const message = { ...incoming, front: Buffer.from(incoming.front) };
    switch (message.type) {
      case MOSDOpReply.type:
        return this.#objecter.onReply(connection, message);
      case MOSDMap.type:
        this.#objecter.onMap(message);
        return this.#mon.got("osdmap", this.#objecter.map?.epoch ?? 0);
      case MWatchNotify.type:
        return this.#lingers.onWatchNotify(MWatchNotify.decode(message));
      case MOSDBackoff.type:
        return this.#objecter.onBackoff(connection, message);
      default:
        if (connection === this.#mon.connection) this.#mon.onMessage(message);
    }
  }

  onClose(connection: Connection): void {
    if (connection === this.#mon.connection) {
      this.#mon.onClose();
      return;
    }
    this.#objecter.onClose(connection);
    this.#lingers.onClose(connection);
  }
}
