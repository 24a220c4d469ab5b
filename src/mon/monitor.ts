/**
 * The monitor: the one there is, so there is no quorum to ask. Clients come here first, for the maps, their
 * options and their tickets; the rest of the server comes here for the OSD map.
 *
 * Every handler checks the peer's caps; what is not allowed is refused with a code where the reply has one.
 * A message we do not know is counted and logged, never passed over in silence.
 * ceph: src/mon/Monitor.cc
 */

import {
  AUTH_METHOD,
  type AuthServer,
  createMonAuthServer,
  type EntityAuth,
  type EntityCaps,
  type MonAuthServer,
  parseKey,
  type RotatingSecrets,
} from "../auth/index.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import { ConfigError, must, type Timer } from "../base/index.ts";
import type { Settings } from "../config/index.ts";
import {
  isIn,
  isUp,
  type MgrMap,
  type MonMap,
  newMgrMap,
  newMonMap,
  type OsdMap,
  type OsdReport,
  osdIds,
} from "../maps/index.ts";
import { CLOG } from "../messages/index.ts";
import type { Dispatcher } from "../messenger/index.ts";
import type { ObjectStore } from "../store/index.ts";
import {
  type AddrVec,
  type AuthEntity,
  ENTITY_TYPE,
  FEATURES_SUPPORTED,
  formatAddrVec,
  type IntervalSet,
  isLoopback,
  parseAuthEntity,
  type Uuid,
  utimeFromMs,
} from "../types/index.ts";
import type { CommandReply, CommandTable } from "./commands/command.ts";
import type {
  ClusterState,
  CommandContext,
  Metadata,
  SessionCount,
  VersionInfo,
} from "./commands/context.ts";
import { osdMapLine } from "./commands/status.ts";
import { MonDispatcher } from "./dispatcher.ts";
import { MonStore, put } from "./mon-store.ts";
import { AuthService } from "./services/auth.ts";
import { ConfigService } from "./services/config.ts";
import { ConfigKeyService } from "./services/config-key.ts";
import { daemonSettings, MON_SETTINGS } from "./services/daemon-settings.ts";
import { checkHealth, type Health } from "./services/health.ts";
import { HealthLog } from "./services/health-log.ts";
import { HealthMutes } from "./services/health-mutes.ts";
import { firstOsdMap } from "./services/initial-map.ts";
import { LogService, monLogSource } from "./services/log.ts";
import { MgrModules } from "./services/mgr-modules.ts";
import { OsdMapService, type OsdMapUpdate } from "./services/osd-map.ts";
import { PG_NUM_DEFAULT, purgeSnaps } from "./services/osd-pools.ts";
import { isFullnessDue, isTickDue, isUpAt, markDown, markUp, tick } from "./services/osd-states.ts";
import { StatsService } from "./services/stats.ts";
import { ticketTtl } from "./services/ticket-ttl.ts";

const TICK_MS = 1000;
/** OSDs that have not come up by then after a start will not soon. */
const SETTLE_MS = 60_000;
/** Entities that a cluster is born with, and what they may do. */
const FIRST_ENTITIES: Readonly<Record<string, EntityCaps>> = {
  "mon.": { mon: "allow *" },
  "client.admin": { mds: "allow *", mgr: "allow *", mon: "allow *", osd: "allow *" },
};

export interface MonitorOptions {
  readonly fsid: Uuid;
  /** "a" */
  readonly name: string;
  /** Where clients reach us. */
  readonly addrs: AddrVec;
  /** Short host name. */
  readonly host: string;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly version: VersionInfo;
  /** What daemons tell of the machine. @default nothing */
  readonly machine?: Metadata;
}

export interface BootstrapOptions {
  readonly pools: readonly string[];
  readonly numOsds: number;
  /** Bytes of each OSD's disk. */
  readonly osdBytes: number;
  /** @default "ssd" */
  readonly deviceClass?: string;
  /** @default 32 */
  readonly pgNum?: number;
  /** Keys in text form for entities that should not get random ones. */
  readonly keys?: Readonly<Record<string, string>>;
}

/** What an OSD tells about itself when it comes up. */
export type OsdBootInfo = Metadata;

interface Tables {
  readonly auth: AuthService;
  readonly config: ConfigService;
  readonly settings: Settings;
}

/** The tables of users and options; how long users' tickets are good is an option. */
async function openTables(
  store: MonStore,
  { clock, random, name, host }: MonitorOptions,
): Promise<Tables> {
  const config = new ConfigService(store, clock);
  const settings = daemonSettings(config, { type: ENTITY_TYPE.MON, id: name }, host, MON_SETTINGS);
  const ttlMs = ticketTtl(settings);
  const allowWeakKeys = () => {
    const setting = settings.get("mon_auth_allow_insecure_key");
    return setting === undefined || setting.layers.length === 0
      ? undefined
      : setting.value === "true";
  };
  const options = { clock, random, ttlMs, allowWeakKeys };
  return { auth: await AuthService.open(store, options), config, settings };
}

export class Monitor {
  readonly #options: MonitorOptions;
  readonly #maps: OsdMapService;
  readonly #auth: AuthService;
  readonly #stats: StatsService;
  readonly #dispatcher: MonDispatcher;
  readonly #osdMetadata = new Map<number, Metadata>();
  readonly #healthLog: HealthLog;
  #healthNow: Health = { status: "HEALTH_OK", checks: [], mutes: [] };
  #settled = false;
  #healthBasis: readonly unknown[] | undefined;
  /** What the last tick has failed of: it is told once. */
  #tickFailure: string | undefined;
  readonly #tick: Timer;
  #mgrMap: MgrMap = newMgrMap();
  #mgrMetadata: Metadata = {};
  /** State shared by all commands, also the manager's. */
  readonly state: ClusterState;

  private constructor(
    options: MonitorOptions,
    store: MonStore,
    { auth, config, settings }: Tables,
    monMap: MonMap,
  ) {
    const { clock, log } = options;
    this.#options = options;
    this.#maps = new OsdMapService(store, clock);
    this.#auth = auth;
    this.#stats = new StatsService(clock);
    this.state = {
      fsid: options.fsid,
      name: options.name,
      host: options.host,
      clock,
      startedAt: clock.now(),
      version: options.version,
      monMap,
      mgrMap: () => this.#mgrMap,
      maps: this.#maps,
      auth,
      config,
      settings,
      configKey: new ConfigKeyService(store),
      log: new LogService(store, clock, log),
      stats: this.#stats,
      modules: new MgrModules(store, () => this.#publishModules()),
      mutes: new HealthMutes({
        store,
        say: (prio, line) => this.#say(prio, line),
        lost: (error) => log.warn("the end of a mute is not stored", { why: String(error) }),
      }),
      monMetadata: this.#metadataWith({ addrs: formatAddrVec(options.addrs) }),
      mgrMetadata: () => this.#mgrMetadata,
      osdMetadata: (id) => this.#metadataOf(id),
      sessions: () => this.#countSessions(),
      compact: () => store.compact(),
      availablePercent: () => store.availablePercent,
    };
    this.#dispatcher = new MonDispatcher(this.state, log);
    this.#healthLog = new HealthLog({
      store,
      now: clock.now(),
      say: (prio, line) => this.#say(prio, line),
      lost: (error) => log.warn("what was told of health is lost", { why: String(error) }),
    });
    this.#maps.onMap(({ map }) => {
      this.#stats.prune(map);
      this.#followHealth();
      this.#say(CLOG.DEBUG, `osdmap ${osdMapLine(map)}`);
    });
    this.#tick = clock.every(TICK_MS, () => this.#onTick());
  }

  /** Is there a cluster in this store? */
  static exists(store: ObjectStore): boolean {
    return store.hasCollection("mon") && OsdMapService.hasMap(new MonStore(store));
  }

  /** Makes a new cluster in an empty store and opens it. */
  static async create(options: MonitorOptions, first: BootstrapOptions): Promise<Monitor> {
    if (Monitor.exists(options.store)) throw new ConfigError("there is a cluster here already");
    const store = new MonStore(options.store);
    const created = utimeFromMs(options.clock.now());
    const { auth } = await openTables(store, options);
    const names = new Set([...Object.keys(FIRST_ENTITIES), ...Object.keys(first.keys ?? {})]);
    await auth.set(
      [...names].map((name) => {
        const entity = parseAuthEntity(name);
        const text = first.keys?.[name];
        const key = text === undefined ? auth.newKey() : parseKey(text);
        if (entity === undefined || key === undefined) throw new ConfigError(`bad key for ${name}`);
        return { entity, auth: { key, caps: FIRST_ENTITIES[name] ?? {} } };
      }),
    );
    auth.close();
    await store.commit([
      put("monitor", "fsid", options.fsid),
      put("monitor", "created", JSON.stringify(created)),
    ]);
    // Last: a store with a map is a cluster.
    const map = firstOsdMap({
      fsid: options.fsid,
      created,
      host: options.host,
      numOsds: first.numOsds,
      osdBytes: first.osdBytes,
      deviceClass: first.deviceClass ?? "ssd",
      pools: first.pools,
      pgNum: first.pgNum ?? PG_NUM_DEFAULT,
    });
    await OsdMapService.create(store, map);
    return await Monitor.open(options);
  }

  /** Opens the cluster in a store. OSDs that were up when it was left are marked down. */
  static async open(options: MonitorOptions): Promise<Monitor> {
    const store = new MonStore(options.store);
    const fsid = store.text("monitor", "fsid");
    if (fsid !== options.fsid)
      throw new ConfigError(`this is cluster ${fsid}, not ${options.fsid}`);
    const created = JSON.parse(store.text("monitor", "created") ?? "{}") as MonMap["created"];
    const monMap = newMonMap({
      fsid: options.fsid,
      name: options.name,
      addrs: options.addrs,
      created,
    });
    const tables = await openTables(store, options);
    const monitor = new Monitor(options, store, tables, monMap);
    await monitor.#maps.change((pending) => {
      for (let id = 0; id < pending.map.maxOsd; id++) markDown(pending, id, options.clock.now());
    });
    return monitor;
  }

  /** The fsid of the cluster in a store; undefined if there is none. */
  static fsidOf(store: ObjectStore): Uuid | undefined {
    return Monitor.exists(store) ? new MonStore(store).text("monitor", "fsid") : undefined;
  }

  /** Authentication for the monitor's port. Call once: renewals go through the same server. */
  authServer(methods: readonly number[], modes: readonly number[]): AuthServer {
    const { clock, random, addrs } = this.#options;
    const isOpen = methods.includes(AUTH_METHOD.NONE) && !addrs.every(({ ip }) => isLoopback(ip));
    this.#auth.openTo = isOpen ? formatAddrVec(addrs) : undefined;
    const server: MonAuthServer = createMonAuthServer({
      keys: (entity) => this.#auth.getUsable(entity),
      secrets: this.#auth.secrets,
      globalIds: this.#auth.globalIds,
      methods,
      modes,
      clock,
      random,
    });
    this.#dispatcher.setAuthServer(server);
    return server;
  }

  get dispatcher(): Dispatcher {
    return this.#dispatcher;
  }

  /** Answers a command of whoever may do everything, one JSON object, as `ceph daemon mon.a` sends it. */
  command(json: string): Promise<CommandReply> {
    return this.#dispatcher.command(json);
  }

  /** Messages of types we do not serve, so far. */
  get unsupportedMessages(): number {
    return this.#dispatcher.unsupportedMessages;
  }

  /** The manager's commands: described to clients here, and run here for those who send them here. */
  registerMgrCommands(table: CommandTable<CommandContext>): void {
    this.#dispatcher.setMgrCommands(table);
  }

  get osdMap(): OsdMap {
    return this.#maps.map;
  }

  /** The newest map's bytes. */
  get osdMapFull(): Uint8Array {
    return this.#maps.full;
  }

  /** Told of every epoch, once it is durable. Returns how to stop. */
  onOsdMap(listener: (update: OsdMapUpdate) => void): () => void {
    return this.#maps.onMap(listener);
  }

  /** Incrementals after an epoch; undefined if they are not all kept: take the full map. */
  osdMapSince(epoch: number): Uint8Array[] | undefined {
    return this.#maps.since(epoch);
  }

  /** An OSD has started. Resolves when the map that says so is published. */
  async osdBoot(id: number, addrs: AddrVec, uuid: Uuid, info: OsdBootInfo = {}): Promise<void> {
    const { clock } = this.#options;
    this.#osdMetadata.set(id, info);
    // Two epochs for one that was up elsewhere: down first, so that everybody sees a new interval.
    await this.#maps.change((pending) => {
      if (!isUpAt(pending, id, addrs)) markDown(pending, id, clock.now());
    });
    this.#say(CLOG.INFO, `osd.${id} ${formatAddrVec(addrs)} boot`);
    await this.#maps.change((pending) => {
      if (!isUpAt(pending, id, addrs)) markUp(pending, id, addrs, uuid, clock.now());
    });
  }

  /** An OSD is gone. */
  async osdDown(id: number): Promise<void> {
    if (isUp(this.#maps.map, id)) this.#say(CLOG.INFO, `osd.${id} marked itself down`);
    await this.#maps.change((pending) => markDown(pending, id, this.#options.clock.now()));
  }

  osdReport(id: number, report: OsdReport): void {
    this.#stats.report(id, report);
    if (isFullnessDue(this.#maps, this.#stats)) this.#changeByItself();
  }

  /** An OSD has come upon an object that does not read as it was written: a line for the cluster log. */
  osdDamage(id: number, object: string): void {
    const name = { type: ENTITY_TYPE.OSD, id: String(id) };
    const rank = { type: ENTITY_TYPE.OSD, num: BigInt(id) };
    const addrs = this.#maps.map.clientAddrs[id] ?? [];
    const message = `object ${object} does not read as it was written`;
    this.state.log.say({ name, rank, addrs }, CLOG.ERROR, message);
  }

  /** All OSDs have trimmed these snaps of a pool. */
  async snapsPurged(pool: number, snaps: IntervalSet): Promise<void> {
    await this.#maps.change((pending) => purgeSnaps(pending, pool, snaps));
  }

  /** The manager serves at these addresses. */
  mgrBoot(addrs: AddrVec, gid: bigint, name = "x"): void {
    this.#mgrMetadata = this.#metadataWith({
      addr: addrs[0]?.ip ?? "",
      addrs: formatAddrVec(addrs),
    });
    this.#mgrMap = {
      ...newMgrMap(),
      epoch: this.#mgrMap.epoch + 1,
      activeAddrs: addrs,
      activeGid: gid,
      available: true,
      activeName: name,
      ...this.state.modules.mapPart,
      activeChange: utimeFromMs(this.#options.clock.now()),
      activeMgrFeatures: FEATURES_SUPPORTED,
    };
    this.#say(CLOG.INFO, `Manager daemon ${name} is now available`);
    this.#dispatcher.publish("mgrmap");
  }

  /** Other modules are on than before. */
  #publishModules(): void {
    const { modules } = this.state;
    this.#mgrMap = { ...this.#mgrMap, ...modules.mapPart, epoch: this.#mgrMap.epoch + 1 };
    this.#followHealth();
    this.#dispatcher.publish("mgrmap");
  }

  /** A new global id, for the manager and other daemons of the house. */
  allocateGlobalId(): bigint {
    return must(this.#auth.globalIds.allocate(), "global id");
  }

  /** What OSDs and the manager read tickets with. */
  serviceSecrets(): RotatingSecrets {
    return this.#auth.secrets;
  }

  /** An entity's key and caps; undefined if there is none. */
  entityAuth(entity: AuthEntity): ReturnType<AuthService["get"]> {
    return this.#auth.get(entity);
  }

  /** The same; made with these caps and a new key if there is none. */
  async ensureEntity(entity: AuthEntity, caps: EntityCaps): Promise<EntityAuth> {
    const known = this.#auth.get(entity);
    if (known !== undefined) return known;
    const auth = { key: this.#auth.newKey(), caps };
    await this.#auth.set([{ entity, auth }]);
    return auth;
  }

  /** What a daemon tells of itself, with what is true of all in this process; by name. */
  #metadataWith(own: Metadata): Metadata {
    const { version, host, machine } = this.#options;
    const all = {
      ...machine,
      ceph_release: version.release,
      ceph_version: version.text,
      ceph_version_short: version.version,
      hostname: host,
      ...own,
    };
    return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #metadataOf(id: number): Metadata | undefined {
    const info = this.#osdMetadata.get(id);
    return info === undefined ? undefined : this.#metadataWith(info);
  }

  #onTick(): void {
    const now = this.#options.clock.now();
    if (isTickDue(this.#maps, this.#stats, now)) this.#changeByItself();
    this.state.mutes.expire(now);
    this.#followHealth();
    this.#healthLog.summarize(this.#health(), now);
  }

  /** The log and the mutes hear how things are. */
  #followHealth(): void {
    const health = this.#health();
    this.#healthLog.update(health, this.#options.clock.now());
    if (this.#isSettled()) this.state.mutes.follow(health.checks);
  }

  /**
   * After a start every OSD is down at first, and nothing is known of the groups: what was muted before would
   * be worse, or gone, and is neither.
   */
  #isSettled(): boolean {
    const { map } = this.#maps;
    this.#settled ||=
      this.#options.clock.now() - this.state.startedAt >= SETTLE_MS ||
      osdIds(map).every(
        (id) => !isIn(map, id) || (isUp(map, id) && this.#stats.osd(id) !== undefined),
      );
    return this.#settled;
  }

  /** Looked at anew only when something it depends on has changed: an idle cluster shall be idle. */
  #health(): Health {
    const { maps, stats, auth, mutes, modules, availablePercent } = this.state;
    const keys = [auth.badCaps, auth.weakKeys, auth.policy.makesWeak];
    const own = [mutes.all, modules.enabled, availablePercent()];
    const basis = [maps.map, stats.version, ...own, ...keys];
    if (!basis.every((part, i) => part === this.#healthBasis?.[i])) {
      this.#healthBasis = basis;
      this.#healthNow = checkHealth(this.state);
    }
    return this.#healthNow;
  }

  /** A line for the cluster log in the monitor's own name. */
  #say(prio: number, message: string): void {
    const { name, addrs } = this.#options;
    this.state.log.say(monLogSource(name, addrs), prio, message);
  }

  #changeByItself(): void {
    this.#maps
      .change((pending) => tick(pending, this.#stats, this.#options.clock.now()))
      .then((said) => {
        for (const { prio, line } of said) this.#say(prio, line);
      })
      .then(
        () => {
          this.#tickFailure = undefined;
        },
        (error: unknown) => {
          const why = String(error);
          if (why !== this.#tickFailure) this.#options.log.error("tick failed", { why });
          this.#tickFailure = why;
        },
      );
  }

  #countSessions(): SessionCount[] {
    const house = (type: string, count: number) =>
      count === 0 ? [] : [{ type, features: FEATURES_SUPPORTED, count }];
    const up = this.#maps.map.osdState.filter((state) => (state & 2) !== 0).length;
    const clients = new Map<bigint, number>();
    for (const { connection, identity } of this.#dispatcher.sessions()) {
      if (identity.entity.type !== ENTITY_TYPE.CLIENT) continue;
      clients.set(connection.features, (clients.get(connection.features) ?? 0) + 1);
    }
    return [
      ...house("mon", 1),
      ...house("osd", up),
      ...[...clients].map(([features, count]) => ({ type: "client", features, count })),
      ...house("mgr", this.#mgrMap.available ? 1 : 0),
    ];
  }

  /** Stops timers. The store is its owner's to close. */
  close(): void {
    this.#tick.cancel();
    this.#auth.close();
  }
}
