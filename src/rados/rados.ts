/**
 * A client of a cluster: one messenger, one monitor session, sessions with the OSDs as they are needed.
 * ceph: src/librados/RadosClient.cc
 */

import type { ClientAuth } from "../auth/index.ts";
import {
  assert,
  CephError,
  type Clock,
  ERRNO,
  type Logger,
  PyFloat,
  type Random,
  SpareMemory,
} from "../base/index.ts";
import { decodeFromBytes, textOf } from "../encoding/index.ts";
import { type MonMap, type OsdMap, PoolStat, poolByName } from "../maps/index.ts";
import {
  MConfig,
  MGetPoolStats,
  MGetPoolStatsReply,
  MLog,
  MMonCommand,
  MMonCommandAck,
  MMonGetVersion,
  MMonGetVersionReply,
  MOSDBackoff,
  MOSDMap,
  MOSDOpReply,
  MStatfs,
  MStatfsReply,
  MWatchNotify,
} from "../messages/index.ts";
import {
  BULK_BYTES_MIN,
  type Connection,
  type Dispatcher,
  Messenger,
  type Transport,
} from "../messenger/index.ts";
import {
  type AddrVec,
  ENTITY_TYPE,
  type EntityAddr,
  formatAddrVec,
  type IncomingMessage,
  type PgId,
} from "../types/index.ts";
import { ClusterLog, type ClusterLogEntry, type LogLevelName } from "./cluster-log.ts";
import {
  type CommandArgs,
  type CommandOptions,
  type CommandResult,
  commandSubject,
  commandWords,
} from "./command.ts";
import { type Engine, IoCtx } from "./io-ctx.ts";
import { bounded, type CallOptions, shared, timedOut } from "./limits.ts";
import { Lingers } from "./linger.ts";
import { MgrClient } from "./mgr-client.ts";
import { MonClient } from "./mon-client.ts";
import { MonTells } from "./mon-tells.ts";
import { Objecter, poolGone } from "./objecter.ts";
import { OsdCommands } from "./osd-commands.ts";
import { PoolAdmin, type PoolCreateOptions } from "./pool-admin.ts";

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
  /**
   * Told the options that the monitors have for this client, by name: once before it is connected, and again
   * when they change. @default they are not asked for
   */
  readonly onConfig?: ((options: ReadonlyMap<string, string>) => void) | undefined;
  /**
   * Is a client connected only once it has an OSD map? A user who may give commands but not see the map never
   * gets one. Without it nothing but commands and facts may be asked for. @default true
   */
  readonly needsMap?: boolean | undefined;
}

/** Space, in KiB, and objects. */
export interface ClusterStats {
  readonly kb: number;
  readonly kbUsed: number;
  readonly kbAvail: number;
  readonly numObjects: number;
}

export class Rados implements Dispatcher {
  readonly #auth: ClientAuth;
  readonly #messenger: Messenger;
  readonly #mon: MonClient;
  readonly #objecter: Objecter;
  readonly #lingers: Lingers;
  readonly #mgr: MgrClient;
  readonly #osdCommands: OsdCommands;
  readonly #monTells: MonTells;
  readonly #log: ClusterLog;
  readonly #pools: PoolAdmin;
  readonly #engine: Engine;
  readonly #onConfig: RadosOptions["onConfig"];
  #configHasCome: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: RadosOptions) {
    const { auth, clock, random, log, monitors, transport } = options;
    assert(monitors.length > 0, "no monitor");
    const memory = new SpareMemory();
    const messenger = new Messenger({
      // Every client is one on the wire, whatever its entity.  ceph: Messenger::create_client_messenger
      name: { type: ENTITY_TYPE.CLIENT, num: 0n },
      transport,
      clock,
      random,
      log,
      dispatcher: this,
      dataMemory: {
        take: (length) => memory.take(length),
        takeOrMake: (length) => memory.take(length),
        whenFree: (_length, ready) => ready(),
        give: (bytes) => memory.give(bytes),
      },
    });
    this.#auth = auth;
    this.#messenger = messenger;
    this.#onConfig = options.onConfig;
    const { osdOpTimeoutMs = 0, monOpTimeoutMs = 0 } = options;
    const renewTickets = () => this.#mon.renewTickets();
    const link = { auth, messenger, clock, random, log, renewTickets };
    const objecter = new Objecter({
      ...link,
      opTimeoutMs: osdOpTimeoutMs,
      wantMap: (start) => this.#mon.subscribe("osdmap", start),
      onChange: () => {
        this.#lingers.onChange();
        this.#osdCommands.onChange();
      },
      onEpoch: (skipped) => this.#lingers.onEpoch(skipped),
      onBlocklisted: (error) => this.#lingers.onBlocklisted(error),
    });
    this.#objecter = objecter;
    this.#lingers = new Lingers({ objecter, clock, random, log });
    const onSession = () => undefined;
    const mon = new MonClient({ ...link, monitors, opTimeoutMs: monOpTimeoutMs, onSession });
    this.#mon = mon;
    const fsid = () => this.fsid;
    this.#mgr = new MgrClient({ ...link, mon, fsid, opTimeoutMs: monOpTimeoutMs });
    const latestMap = (limits: CallOptions) => this.latestMap(limits);
    this.#osdCommands = new OsdCommands({
      objecter,
      clock,
      latestMap,
      opTimeoutMs: osdOpTimeoutMs,
    });
    this.#monTells = new MonTells({ ...link, mon, opTimeoutMs: monOpTimeoutMs });
    this.#log = new ClusterLog(mon);
    this.#pools = new PoolAdmin(objecter, mon, clock);
    this.#engine = { objecter, lingers: this.#lingers, mon, pools: this.#pools, clock, memory };
  }

  /**
   * Connects; resolves with a client that has a map, if it needs one.
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
      await bounded(clock, { signal, timeoutMs }, () => subject, rados.#start(options));
      return rados;
    } catch (error) {
      const { lastFailure } = rados.#mon;
      await rados.close();
      const isLate = error instanceof CephError && error.errno === -ERRNO.ETIMEDOUT;
      throw isLate && lastFailure !== undefined ? timedOut(subject, lastFailure) : error;
    }
  }

  async #start({ needsMap = true }: RadosOptions): Promise<void> {
    // Where nobody wants them nothing is waited for.
    let config: Promise<void> | undefined;
    if (this.#onConfig !== undefined) {
      config = new Promise((resolve) => {
        this.#configHasCome = resolve;
      });
      this.#mon.subscribe("config", 0);
    }
    await this.#mon.start();
    if (needsMap) await this.#objecter.mapAtLeast(1);
    else await this.#mon.waitForMonMap();
    await config;
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

  /** Requests and commands without an answer yet, of OSDs, monitors and the manager. */
  get pending(): number {
    const asked = [this.#objecter, this.#mon, this.#mgr, this.#osdCommands, this.#monTells];
    return asked.reduce((sum, { pending }) => sum + pending, 0);
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
    options.signal?.throwIfAborted();
    const id = find(this.map) ?? find(await this.latestMap(options));
    if (id === undefined) throw poolGone(typeof pool === "number" ? pool : textOf(pool));
    return new IoCtx(this.#engine, id, nspace);
  }

  /** Resolves with a map no older than the monitor's newest now. */
  async latestMap(options: CallOptions = {}): Promise<OsdMap> {
    const left = shared(this.#engine.clock, options);
    const subject = { op: "ask for the newest version of", target: "the OSD map" };
    const message = await this.#mon.ask(
      (tid) => MMonGetVersion.encode({ handle: tid, what: "osdmap" }, tid),
      { ...left(), subject },
    );
    const { version } = MMonGetVersionReply.decode(message);
    return await this.#objecter.mapAtLeast(version, left());
  }

  // --- Commands: a command's own failure is in its result ---------------------------------------

  /** A command of the monitors: `{ prefix: "osd pool ls", format: "json" }`. */
  async command(args: CommandArgs, options: CommandOptions = {}): Promise<CommandResult> {
    const { input, ...limits } = options;
    const { fsid } = this;
    const words = commandWords(args, input);
    const message = await this.#mon.ask(
      (tid) => MMonCommand.encode({ version: 0, fsid, ...words }, tid),
      { ...limits, subject: commandSubject(args, "the monitors") },
    );
    const { r, rs, data } = MMonCommandAck.decode(message);
    return { result: r, status: textOf(rs), data };
  }

  /** A command that the manager has, like `pg dump`. Waits while there is no manager, unless limited. */
  async mgrCommand(args: CommandArgs, options: CommandOptions = {}): Promise<CommandResult> {
    return await this.#mgr.command(args, options);
  }

  /** `ceph tell mgr.NAME`. @param name "" for the active one @throws CephError ENXIO if it is not the active one */
  async mgrTell(
    name: string,
    args: CommandArgs,
    options: CommandOptions = {},
  ): Promise<CommandResult> {
    return await this.#mgr.tell(name, args, options);
  }

  /** `ceph tell osd.ID`. @throws CephError ENOENT if there is no such OSD, ENXIO if it is down */
  async osdCommand(
    osd: number,
    args: CommandArgs,
    options: CommandOptions = {},
  ): Promise<CommandResult> {
    return await this.#osdCommands.toOsd(osd, args, options);
  }

  /** `ceph tell PGID`: to the group's primary. @throws CephError ENOENT if there is no such group */
  async pgCommand(
    pg: PgId,
    args: CommandArgs,
    options: CommandOptions = {},
  ): Promise<CommandResult> {
    return await this.#osdCommands.toPg(pg, args, options);
  }

  /**
   * `ceph tell mon.NAME`. @param who name or rank
   * @throws CephError ENOENT if there is no such monitor, ETIMEDOUT if it cannot be reached
   */
  async monTell(
    who: string | number,
    args: CommandArgs,
    options: CommandOptions = {},
  ): Promise<CommandResult> {
    return await this.#monTells.tell(who, args, options);
  }

  /**
   * `ceph ping mon.NAME`. @param who name or rank @returns the monitor's health and state, as JSON
   * @throws CephError ENOENT if there is no such monitor, ETIMEDOUT if it cannot be reached
   */
  async pingMonitor(who: string | number, options: CallOptions = {}): Promise<string> {
    return await this.#monTells.ping(who, options);
  }

  // --- Facts ------------------------------------------------------------------------------------

  /** The cluster's id. */
  get fsid(): string {
    return this.#mon.monMap?.fsid ?? this.map.fsid;
  }

  /** The monitors, as their newest map that has come has them. */
  async monMap(options: CallOptions = {}): Promise<MonMap> {
    return await this.#mon.waitForMonMap(options);
  }

  /** Space, of the cluster or of what one pool may use. */
  async clusterStats(options: CallOptions & { pool?: number } = {}): Promise<ClusterStats> {
    const { pool, ...limits } = options;
    const { fsid } = this;
    const subject = {
      op: "ask for the space of",
      target: pool === undefined ? "the cluster" : `pool ${pool}`,
    };
    const message = await this.#mon.ask(
      (tid) => MStatfs.encode({ version: 0, fsid, dataPool: pool }, tid),
      { ...limits, subject },
    );
    const { kb, kbUsed, kbAvail, numObjects } = MStatfsReply.decode(message);
    return { kb, kbUsed, kbAvail, numObjects };
  }

  /**
   * Statistics of pools, by name; pools that are not there are left out. With `perPool` the stores count what
   * each pool uses of them; without, of old OSDs, only what objects say counts.
   * @param names byte strings
   */
  async poolStats(
    names: readonly string[],
    options: CallOptions = {},
  ): Promise<Map<string, PoolStat & { readonly perPool: boolean }>> {
    const { fsid } = this;
    const subject = { op: "ask for statistics of", target: names.map(textOf).join(", ") };
    const message = await this.#mon.ask(
      (tid) => MGetPoolStats.encode({ version: 0, fsid, pools: [...names] }, tid),
      { ...options, subject },
    );
    const { poolStats, perPool } = MGetPoolStatsReply.decode(message);
    return new Map(
      [...poolStats].map(([name, x]) => [name, { ...decodeFromBytes(PoolStat, x), perPool }]),
    );
  }

  /** Tells the cluster log's entries of that level and above, from now on. @returns what ends the watch */
  watchLog(level: LogLevelName, onEntry: (entry: ClusterLogEntry) => void): () => void {
    return this.#log.watch(level, onEntry);
  }

  // --- Pools ------------------------------------------------------------------------------------

  /** @param name byte string @returns its id @throws CephError EEXIST if the name is taken */
  async createPool(name: string, options: PoolCreateOptions = {}): Promise<number> {
    return await this.#pools.create(name, options);
  }

  /** Deletes a pool with all that is in it. @throws CephError ENOENT; EPERM where the cluster forbids it */
  async deletePool(pool: number | string, options: CallOptions = {}): Promise<void> {
    const left = shared(this.#engine.clock, options);
    const { pool: id } = await this.openPool(pool, "", left());
    await this.#pools.remove(id, left());
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
    const left = shared(this.#engine.clock, options);
    const text = `${addr.ip.includes(":") ? `[${addr.ip}]` : addr.ip}:${addr.port}/${addr.nonce}`;
    const expire = seconds === undefined ? {} : { expire: new PyFloat(seconds) };
    const args = { prefix: "osd blocklist", blocklistop: "add", addr: text, ...expire };
    const done = await this.command(args, left());
    await this.latestMap(left());
    return done;
  }

  /** Drops every session; whatever is pending fails with ESHUTDOWN. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#lingers.close();
      this.#osdCommands.close();
      this.#mgr.close();
      this.#monTells.close();
      this.#objecter.close();
      this.#mon.close();
      await this.#messenger.close();
    })();
    return this.#closing;
  }

  // Dispatcher

  onOpen(): void {}

  onMessage(connection: Connection, incoming: IncomingMessage): void {
    // Decoded values are views, and outlive the receive ring here. Only large data has memory of its own.
    const { type, version, compatVersion, priority, seq, tid, front, middle, data } = incoming;
    // Named one by one: a spread costs as much as the rest of this for every reply.
    const message = {
      type,
      version,
      compatVersion,
      priority,
      seq,
      tid,
      front: Buffer.from(front),
      middle,
      data: data.length < BULK_BYTES_MIN ? Buffer.from(data) : data,
    };
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
      case MLog.type:
        return this.#log.onMessage(message);
      case MConfig.type:
        this.#onConfig?.(MConfig.decode(message).config);
        return this.#configHasCome?.();
      default:
        if (connection === this.#mon.connection && this.#mon.onMessage(message)) return;
        if (this.#mgr.onMessage(connection, message)) return;
        if (this.#osdCommands.onMessage(connection, message)) return;
        this.#monTells.onMessage(connection, message);
    }
  }

  onClose(connection: Connection): void {
    if (connection === this.#mon.connection) {
      this.#mon.onClose();
      return;
    }
    this.#objecter.onClose(connection);
    this.#lingers.onClose(connection);
    this.#mgr.onClose(connection);
    this.#monTells.onClose(connection);
  }
}
