/**
 * The embedded cluster: one monitor, one manager, N OSDs and their stores in one directory.
 *
 * Order of a start: take the directory, take the monitor's port, then touch files. So a start that can not
 * succeed (directory in use, port in use, newer version) changes nothing. The first start writes the
 * directory's identity when all stores are whole; who has written nothing by then has lost nothing if it is
 * cut off. So nobody is let in before, and the files that tell clients of the cluster come after.
 */

import { availableParallelism, hostname } from "node:os";
import { join } from "node:path";
import {
  CephxClient,
  CON_MODE,
  createServiceAuthServer,
  formatKeyring,
  NoneClient,
} from "../auth/index.ts";
import {
  ConfigError,
  type Logger,
  must,
  silentLogger,
  systemClock,
  systemRandom,
} from "../base/index.ts";
import { type AdminSocketOptions, Messenger, tcpTransport } from "../messenger/index.ts";
import { Manager } from "../mgr/index.ts";
import { type Metadata, Monitor, type MonitorOptions } from "../mon/index.ts";
import { Rados } from "../rados/index.ts";
import {
  createStore,
  type Disk,
  DiskLockedError,
  NoSpaceError,
  openStore,
} from "../store/index.ts";
import {
  type AddrVec,
  ENTITY_TYPE,
  formatAddr,
  isIpAddress,
  uuidFromBytes,
} from "../types/index.ts";
import { adminSocketPath, openAdminSocket } from "./admin-sockets.ts";
import { type AuthChoice, authModes } from "./auth-modes.ts";
import { writeClientFiles } from "./conf.ts";
import {
  DATA_VERSION,
  type DataDirectory,
  directoryDisk,
  type Identity,
  openDirectory,
} from "./data-dir.ts";
import { machineMetadata } from "./machine.ts";
import { MonPort } from "./mon-port.ts";
import { OsdMember } from "./osd-member.ts";
import type { OsdSurroundings, StoreSizes } from "./osd-runner.ts";
import { PurgedSnaps } from "./purged-snaps.ts";
import { watchRevoked } from "./revoked.ts";
import { CEPH_RELEASE_NAME, CEPH_VERSION, VERSION_TEXT } from "./version.ts";

/** Of the whole process, when nothing else is said. */
const MEMORY_DEFAULT = 256 * 1024 * 1024;
/**
 * What `rbd pool init` leaves in a pool. The snapshot id that it takes and gives back to see that the pool
 * can do it is in the monitor's first map.  ceph: src/librbd/image/ValidatePoolRequest.cc
 */
const FIRST_OBJECTS = [{ pool: 1, oid: "rbd_info", data: Buffer.from("overwrite validated") }];
/** The manager's own entity, as a cluster's tools make it.  ceph: doc/mgr/administrator.rst */
const MGR_ENTITY = { type: ENTITY_TYPE.MGR, id: "x" };
const MGR_CAPS = { mds: "allow *", mon: "allow profile mgr", osd: "allow *" };
const SECURE_ONLY = [CON_MODE.SECURE];
const LISTEN_DEFAULT = "127.0.0.1";
/** How long an OSD waits awake for a lone client's next request: about what it takes to come. */
const SPIN_MS = 0.3;
/** The part of it that stores may use for their caches and journals. */
const STORE_SHARE = 3 / 16;
/** The part that bulk data between socket and disk may take. */
const POOL_SHARE = 3 / 32;
/** Less does not hold two objects of the usual size. */
const POOL_BYTES_MIN = 8 * 1024 * 1024;
/** The monitor's own store is small. */
const MON_STORE: StoreSizes = { capacityBytes: 2 ** 30, segmentSize: 2 ** 20 };
const MON_STORE_MEMORY = 8 * 1024 * 1024;
/** What the monitor's store has no room for is tried again after this time. */
const ROOM_RETRY_MS = 5000;

export interface ClusterOptions {
  /** Data directory; made if absent. */
  readonly data: string;
  /** IP address to listen on. @default "127.0.0.1" */
  readonly listen?: string;
  /** The monitor's port; 0 picks a free one. @default 0 */
  readonly port?: number;
  /** OSDs. @default what the directory has, or 1 */
  readonly osds?: number;
  /** Bytes that the process may use. @default 256 MiB */
  readonly memory?: number;
  /** @default "cephx" */
  readonly auth?: "cephx" | "none";
  /** Refuse connections that are not encrypted, on every port; not with `auth` "none". @default false */
  readonly requireSecure?: boolean;
  /** @default none */
  readonly log?: Logger;
  /** Level for logs of OSDs in threads. @default "warn" */
  readonly logLevel?: string;
}

/** Everything outside that a cluster touches: the machine it runs on, real or simulated. */
export interface ClusterSurroundings extends OsdSurroundings {
  /** Short name of the host. */
  readonly host: string;
  /** What daemons tell of the machine. */
  readonly machine: Metadata;
  /** Where there are several OSDs, each may have a thread of its own. */
  readonly threads: boolean;
  /** Of the stores of a new cluster. */
  readonly sizes: { readonly mon: StoreSizes; readonly osd: StoreSizes };
  /** The directory at `path`, made if absent. @throws ConfigError */
  directory(path: string): Promise<DataDirectory>;
}

/** A running cluster. */
export interface Cluster extends AsyncDisposable {
  readonly fsid: string;
  readonly osds: number;
  readonly dataDir: string;
  /** ceph.conf for unmodified clients. */
  readonly confPath: string;
  /** `127.0.0.1:3300` */
  readonly monAddress: string;
  /** Resolves if the cluster can not go on; never otherwise. */
  readonly failed: Promise<Error>;
  /** Makes everything durable and stops. Idempotent. */
  close(): Promise<void>;
}

/** Undone in reverse order, each once, when a start fails or the cluster closes. */
class Undo {
  readonly #steps: (() => void | Promise<void>)[] = [];
  #running: Promise<void> | undefined;

  add(step: () => void | Promise<void>): void {
    this.#steps.push(step);
  }

  /** Runs every step even if one fails, so that a failed store leaves no port or lock behind it. */
  run(): Promise<void> {
    this.#running ??= (async () => {
      const failures: unknown[] = [];
      for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
        try {
          await step();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    })();
    return this.#running;
  }
}

function takeLock(disk: Disk): () => void {
  try {
    return disk.lock();
  } catch (error) {
    if (!(error instanceof DiskLockedError)) throw error;
    throw new ConfigError(
      `${error.message}; stop it, or give another directory with --data`,
      error,
    );
  }
}

/**
 * Starts a cluster.
 * @throws ConfigError for what the user can mend: directory, port, options
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  return await startClusterIn(options, {
    clock: systemClock,
    random: systemRandom,
    log: options.log ?? silentLogger,
    transport: tcpTransport,
    openAdminSocket,
    disk: directoryDisk,
    // With one processor only the client would pay for it.
    spinMs: availableParallelism() > 1 ? SPIN_MS : 0,
    directory: openDirectory,
    host: hostname().split(".")[0] ?? "localhost",
    machine: machineMetadata(),
    threads: true,
    sizes: { mon: MON_STORE, osd: {} },
  });
}

/** The same with the given surroundings: in a simulation nothing real is touched. */
export async function startClusterIn(
  options: ClusterOptions,
  surroundings: ClusterSurroundings,
): Promise<Cluster> {
  const undo = new Undo();
  try {
    return await start(options, surroundings, undo);
  } catch (error) {
    // What stopped the start is the news; what then fails on the way back only follows from it.
    await undo.run().catch((later: unknown) => {
      surroundings.log.error("start undone in part", { error: (later as Error).message });
    });
    throw error;
  }
}

async function start(
  options: ClusterOptions,
  around: ClusterSurroundings,
  undo: Undo,
): Promise<Cluster> {
  const listen = options.listen ?? LISTEN_DEFAULT;
  if (!isIpAddress(listen)) throw new ConfigError(`listen ${listen}: an IP address is needed`);
  const auth: AuthChoice = {
    auth: options.auth ?? "cephx",
    requireSecure: options.requireSecure ?? false,
  };
  const { methods, modes } = authModes(auth);
  const directory = await around.directory(options.data);
  await directory.identity(); // refuses a newer or foreign directory before the lock file is made
  undo.add(takeLock(around.disk(directory.path)));
  const found = await directory.identity();
  if (found !== undefined && options.osds !== undefined && options.osds !== found.osds) {
    throw new ConfigError(
      `${directory.path}: has ${found.osds} OSDs; --osds ${options.osds} can not change that`,
    );
  }
  const identity: Identity = found ?? {
    version: DATA_VERSION,
    fsid: uuidFromBytes(around.random.bytes(16)),
    osds: options.osds ?? 1,
  };
  const port = new MonPort(around);
  await port.messenger.bind({ host: listen, port: options.port ?? 0 });
  undo.add(() => port.messenger.close());
  if (found === undefined) await directory.clearUnfinished();
  else if (found.version < DATA_VERSION) {
    // Before anything of the present layout is in it: no program of an older one may open it from here on.
    await directory.writeIdentity({ ...found, version: DATA_VERSION });
  }

  const monitor = await startMonitor(directory, identity, found === undefined, port, around, undo);
  const letIn = () => port.open(monitor.authServer(methods, modes), monitor.dispatcher);
  if (found !== undefined) letIn();
  undo.add(watchRevoked(port.messenger, monitor.serviceSecrets(), around.clock));
  // Nobody may ask a monitor whose store is closing.
  undo.add(() => port.messenger.close());
  const manager = await startManager(monitor, port.messenger.addrs, listen, auth, around, undo);
  const { failed, countImages } = await startOsds(
    directory,
    identity,
    found === undefined,
    { ...options, auth },
    { monitor, manager },
    around,
    undo,
  );
  if (found === undefined) {
    await directory.writeIdentity(identity);
    letIn();
  }

  manager.startModules(countImages);
  undo.add(() => manager.stopModules());
  const daemons: [string, AdminSocketOptions["answer"]][] = [
    ["mon.a", (request) => monitor.command(request)],
    [`mgr.${MGR_ENTITY.id}`, (request) => manager.command(request)],
  ];
  for (const [daemon, answer] of daemons) {
    const log = around.log.child(daemon);
    const path = adminSocketPath(directory.path, daemon);
    const close = await around.openAdminSocket?.(path, { clock: around.clock, log, answer });
    if (close !== undefined) undo.add(close);
  }

  const monAddr = must(port.messenger.addrs[0], "the monitor's address");
  const monHost = formatAddr(monAddr).replace(/\/\d+$/, "");
  const admin = { type: ENTITY_TYPE.CLIENT, id: "admin" };
  const adminAuth = must(monitor.entityAuth(admin), "client.admin");
  const confPath = await writeClientFiles(
    directory,
    { fsid: identity.fsid, monHost, auth: auth.auth },
    formatKeyring([{ entity: admin, auth: adminAuth }]),
  );
  const close = () => undo.run();
  return {
    fsid: identity.fsid,
    osds: identity.osds,
    dataDir: directory.path,
    confPath,
    monAddress: monHost.replace(/^v2:/, ""),
    failed,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function startMonitor(
  directory: DataDirectory,
  identity: Identity,
  create: boolean,
  port: MonPort,
  around: ClusterSurroundings,
  undo: Undo,
): Promise<Monitor> {
  const { clock, random, log } = around;
  const path = join(directory.path, "mon");
  const disk = around.disk(path);
  if (create) createStore(path, { disk, random, ...around.sizes.mon });
  const store = await openStore(path, {
    disk,
    clock,
    log: log.child("mon.a"),
    memoryBytes: MON_STORE_MEMORY,
    // Whoever makes room needs it.
    indexShare: 1,
  });
  undo.add(() => store.close());
  const options: MonitorOptions = {
    fsid: identity.fsid,
    name: "a",
    addrs: port.messenger.addrs,
    host: around.host,
    machine: around.machine,
    store,
    clock,
    random,
    log: log.child("mon.a"),
    version: { version: CEPH_VERSION, release: CEPH_RELEASE_NAME, text: VERSION_TEXT },
  };
  const monitor = create
    ? await Monitor.create(options, {
        pools: ["rbd"],
        numOsds: identity.osds,
        osdBytes: around.disk(directory.path).space().available,
        deviceClass: directory.deviceClass(),
      })
    : await Monitor.open(options);
  undo.add(() => monitor.close());
  return monitor;
}

async function startManager(
  monitor: Monitor,
  monAddrs: AddrVec,
  listen: string,
  choice: AuthChoice,
  around: OsdSurroundings,
  undo: Undo,
): Promise<Manager> {
  const { clock, random, transport } = around;
  const log = around.log.child("mgr.x");
  const gid = monitor.allocateGlobalId();
  await monitor.ensureEntity(MGR_ENTITY, MGR_CAPS);
  // `ceph auth rotate mgr.x` shuts nobody out: who is in this process reads the table.
  const key = () => must(monitor.entityAuth(MGR_ENTITY), "the manager's key").key;
  const { auth, requireSecure } = choice;
  const modes = requireSecure ? { monModes: SECURE_ONLY, serviceModes: SECURE_ONLY } : {};
  const manager = new Manager({
    name: MGR_ENTITY.id,
    monitor,
    random,
    log,
    connect: () =>
      Rados.connect({
        monitors: [monAddrs],
        auth:
          auth === "none"
            ? new NoneClient(MGR_ENTITY)
            : new CephxClient({ entity: MGR_ENTITY, key, clock, random, ...modes }),
        transport,
        clock,
        random,
        log,
      }),
  });
  undo.add(() => manager.close());
  const messenger = new Messenger({
    name: { type: ENTITY_TYPE.MGR, num: gid },
    transport,
    clock,
    random,
    log,
    dispatcher: manager,
    auth: createServiceAuthServer({
      serviceType: ENTITY_TYPE.MGR,
      secrets: monitor.serviceSecrets(),
      clock,
      random,
      ...authModes(choice),
    }),
  });
  await messenger.bind({ host: listen, port: 0 });
  undo.add(() => messenger.close());
  undo.add(watchRevoked(messenger, monitor.serviceSecrets(), clock));
  monitor.mgrBoot(messenger.addrs, gid);
  return manager;
}

/** Starts every OSD. `failed` resolves when none is left. */
async function startOsds(
  directory: DataDirectory,
  identity: Identity,
  create: boolean,
  options: Omit<ClusterOptions, "auth"> & { readonly auth: AuthChoice },
  { monitor, manager }: { monitor: Monitor; manager: Manager },
  around: ClusterSurroundings,
  undo: Undo,
): Promise<{ failed: Promise<Error>; countImages: (isOn: boolean) => void }> {
  const { osds } = identity;
  const memory = options.memory ?? MEMORY_DEFAULT;
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  let isOver = false;
  undo.add(() => {
    isOver = true;
  });
  /** Has the monitor write down what is so, when its store has room again if need be. */
  const insist = (write: () => Promise<void>): void => {
    write().catch((error: Error) => {
      if (!(error instanceof NoSpaceError)) return fail(error);
      around.clock.after(ROOM_RETRY_MS, () => {
        if (!isOver) insist(write);
      });
    });
  };
  const purged = new PurgedSnaps(osds, (pool, snaps) =>
    insist(() => monitor.snapsPurged(pool, snaps)),
  );
  const dead = new Set<number>();
  const members = new Map<number, OsdMember>();
  for (let id = 0; id < osds; id++) {
    const member = await OsdMember.start({
      config: {
        id,
        directory: join(directory.path, `osd.${id}`),
        create,
        sizes: around.sizes.osd,
        firstObjects: create ? FIRST_OBJECTS : [],
        listen: options.listen ?? LISTEN_DEFAULT,
        adminSocket: adminSocketPath(directory.path, `osd.${id}`),
        auth: options.auth,
        memoryBytes: Math.floor((memory * STORE_SHARE) / osds),
        poolBytes: Math.max(POOL_BYTES_MIN, Math.floor((memory * POOL_SHARE) / osds)),
        map: monitor.osdMapFull,
        secrets: monitor.serviceSecrets().encode(),
      },
      thread: around.threads && osds > 1,
      logLevel: options.logLevel ?? "warn",
      monitor,
      events: {
        report: (report) => {
          monitor.osdReport(id, report);
          manager.osdReport(report, (isOn) => members.get(id)?.countImages(isOn));
        },
        ask: async (osd, request) => {
          const member = members.get(osd);
          if (member === undefined) throw new Error(`osd.${osd} has not started`);
          return member.answer(id, request);
        },
        snapsPurged: (pool, snaps) => purged.report(id, pool, snaps),
        corruption: (object) => monitor.osdDamage(id, object),
        fatal: (error) => {
          // A store that fails and then takes its thread along is still one OSD less.
          if (dead.has(id)) return;
          dead.add(id);
          if (dead.size === osds) fail(new Error(`osd.${id} has failed: ${error.message}`));
          else insist(() => monitor.osdDown(id));
        },
      },
      around,
    });
    members.set(id, member);
    undo.add(() => member.close());
  }
  const countImages = (isOn: boolean) => {
    for (const member of members.values()) member.countImages(isOn);
  };
  return { failed, countImages };
}
