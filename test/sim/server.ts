/**
 * The server under test on its simulated machine: started, stopped, killed, its power cut, again and again
 * on the same disks.
 *
 * The whole of `startCluster` runs: one process with monitor, manager and all OSDs, a disk for each store
 * and one for the directory's own files.
 */
import { createLogger, type Logger } from "../../src/base/index.ts";
import type { DataDirectory, Identity } from "../../src/cluster/data-dir.ts";
import type { StoreSizes } from "../../src/cluster/osd-runner.ts";
import {
  type Cluster,
  type ClusterSurroundings,
  startClusterIn,
} from "../../src/cluster/start-cluster.ts";
import { type Disk, fsck, MemoryDisk, openStore } from "../../src/store/index.ts";
import { HOBJECT_MIN, NOSNAP } from "../../src/types/index.ts";
import type { Dice } from "../harness/dice.ts";
import { type Death, SimProcess } from "./machine.ts";
import type { SimNetwork } from "./network.ts";
import { runOsdApart } from "./osd-apart.ts";
import { processDisk } from "./process-disk.ts";
import type { World } from "./world.ts";

export const SERVER_HOST = "10.0.0.1";
export const MON_PORT = 3300;
const DATA = "/data";
const IDENTITY = "spirula.json";
const DISK_BYTES = 4 * 2 ** 30;
const STOP_LIMIT_MS = 300_000;
/** More than a PG ever has here. */
const OBJECTS_MAX = 10_000;

export interface ServerOptions {
  readonly osds: number;
  readonly memory: number;
  readonly sizes: { readonly mon: StoreSizes; readonly osd: StoreSizes };
  /** Mean of a disk call that waits for the disk, milliseconds. */
  readonly diskMs: number;
}

type State = "off" | "starting" | "up" | "stopping";

export class SimServer {
  readonly #world: World;
  readonly #network: SimNetwork;
  readonly #dice: Dice;
  readonly #options: ServerOptions;
  readonly #disks = new Map<string, MemoryDisk>();
  #process: SimProcess | undefined;
  #cluster: Cluster | undefined;
  #state: State = "off";
  /** Whatever disks there will be have a lying cache. */
  disksLie = false;
  /** How much slower than usual the disks are. */
  slowdown = 1;
  /** A disk has been told to fail: what follows from that is not the server's fault. */
  isDiskFailing = false;
  /** Told when the server is gone by itself: the power went in a disk call, or a disk has failed. */
  onGone: (why: string) => void = () => {};
  /** Starts so far. */
  starts = 0;

  constructor(world: World, network: SimNetwork, dice: Dice, options: ServerOptions) {
    this.#world = world;
    this.#network = network;
    this.#dice = dice;
    this.#options = options;
  }

  get state(): State {
    return this.#state;
  }

  /** The disks of the stores, in the order they were made. */
  get storeDisks(): MemoryDisk[] {
    return [...this.#disks].filter(([path]) => path !== DATA).map(([, disk]) => disk);
  }

  /** Does it have a link to this host still? */
  isLinkedTo(host: string): boolean {
    return this.#process !== undefined && this.#process.linksTo(host) > 0;
  }

  /** One of the directory's files, as clients read it. */
  file(name: string): string {
    return readText(this.#disk(DATA), name);
  }

  /** Starts it; the world must run for that to end. A start that fails is a failed check. */
  start(): void {
    this.#state = "starting";
    this.starts++;
    this.#world.trace(`server starts, ${this.starts}`);
    const seed = this.#dice.random.u32();
    const process = new SimProcess(this.#world, this.#network, "server", SERVER_HOST, seed);
    this.#process = process;
    const { osds, memory } = this.#options;
    const options = { data: DATA, listen: SERVER_HOST, port: MON_PORT, osds, memory };
    startClusterIn(options, this.#surroundings(process)).then(
      (cluster) => {
        if (!process.isAlive) return;
        this.#cluster = cluster;
        this.#state = "up";
        this.#world.trace("server is up");
        void cluster.failed.then((error) => this.#failed(process, error));
      },
      (error: Error) => this.#failed(process, error),
    );
  }

  #failed(process: SimProcess, error: Error): void {
    if (!process.isAlive || this.#state === "stopping") return;
    if (!this.isDiskFailing) {
      this.#world.fail(new Error(`the server has failed: ${error.message}`, { cause: error }));
      return;
    }
    this.kill();
    this.onGone(error.message);
  }

  /** Stops it in an orderly way. */
  async stop(): Promise<void> {
    const cluster = this.#cluster;
    const process = this.#process;
    if (cluster === undefined || process === undefined || this.#state !== "up") return;
    this.#state = "stopping";
    this.#world.trace("server stops");
    try {
      await cluster.close();
    } catch (error) {
      if (process.isAlive && !this.isDiskFailing) throw error;
    }
    if (!process.isAlive) return;
    // Nothing of it runs on, and what it left in its last moments is not waited for.
    process.die("killed");
    this.#gone();
    this.#world.trace("server has stopped");
  }

  /** kill -9: the disks have all they were given. */
  kill(): void {
    this.#end("killed");
    for (const disk of this.#disks.values()) {
      disk.mend();
      disk.processKill();
    }
  }

  /** The machine loses power: the disks lose what was not stable. */
  cutPower(): void {
    this.#end("power");
    for (const disk of this.#disks.values()) disk.powerCycle();
  }

  #end(death: Death): void {
    this.#world.trace(`server ${death}`);
    this.#process?.die(death);
    this.#gone();
  }

  #gone(): void {
    this.#process = undefined;
    this.#cluster = undefined;
    this.#state = "off";
    this.isDiskFailing = false;
  }

  /** The power goes in one of the next disk calls of some store. */
  armCut(calls: number): void {
    const disk = this.#dice.pick(this.storeDisks);
    disk.cutAt = disk.calls + calls;
  }

  /** One of the next writes of an OSD's disk fails. */
  armFault(calls: number): void {
    const [, ...osds] = this.storeDisks;
    const disk = this.#dice.pick(osds);
    this.isDiskFailing = true;
    disk.failAt(disk.calls + calls, "EIO");
  }

  /** Takes back what has been armed and not gone off. */
  disarm(): void {
    for (const disk of this.#disks.values()) {
      disk.cutAt = Number.POSITIVE_INFINITY;
      disk.mend();
    }
  }

  /** Faults of all stores. The server must be off. */
  fsck(): string[] {
    const faults: string[] = [];
    for (const [path, disk] of this.#disks) {
      if (path === DATA) continue;
      for (const fault of fsck(path, { deep: true, disk }).faults) faults.push(`${path}: ${fault}`);
    }
    return faults;
  }

  /** Clones in the OSDs' stores. The server must be off and have stopped in order. */
  async clones(): Promise<string[]> {
    const found: string[] = [];
    const [, ...osds] = this.storeDisks;
    for (const disk of osds) {
      disk.delay = undefined;
      const store = await openStore("", { disk, clock: this.#world });
      for (const collection of store.collections()) {
        for (const { oid, snap } of store.list(collection, HOBJECT_MIN, OBJECTS_MAX).objects) {
          if (snap !== NOSNAP) found.push(`${collection} ${oid} ${snap}`);
        }
      }
      await store.close();
    }
    return found;
  }

  /** Stops it and lets everything end. */
  async shutDown(): Promise<void> {
    await this.#world.finish(this.stop(), STOP_LIMIT_MS, "stopping the server");
  }

  #disk(path: string): MemoryDisk {
    let disk = this.#disks.get(path);
    if (disk === undefined) {
      disk = new MemoryDisk(this.#dice.random.u32());
      disk.limitBytes = DISK_BYTES;
      if (this.disksLie && path !== DATA) disk.lie();
      disk.onCut = () => {
        // Nothing gets out any more; what the disks keep is decided when the call has failed.
        this.#process?.die("power");
        this.#world.defer(() => {
          this.cutPower();
          this.onGone("the power went in a disk call");
        });
      };
      this.#disks.set(path, disk);
    }
    return disk;
  }

  /** The disk as one process has it: its calls end on that process's clock, or never. */
  #diskOf(path: string, process: SimProcess): Disk {
    const disk = this.#disk(path);
    const callMs = () => this.#dice.exponential(this.#options.diskMs) * this.slowdown;
    disk.delay = () =>
      new Promise((resolve) => {
        process.clock.after(callMs(), resolve);
      });
    return processDisk(disk, process, () => this.#world.elapse(callMs()));
  }

  #surroundings(process: SimProcess): ClusterSurroundings {
    return {
      clock: process.clock,
      random: process.random,
      log: this.#log(process),
      transport: process.transport,
      disk: (path) => this.#diskOf(path, process),
      directory: () => Promise.resolve(this.#directory()),
      host: "sim",
      machine: {},
      threads: false,
      // As a server with cores to spare has it.
      ...(this.#options.osds > 1 ? { runOsd: runOsdApart(this.#dice) } : {}),
      sizes: this.#options.sizes,
    };
  }

  /** What a server in good health says is an error, is one. */
  #log(process: SimProcess): Logger {
    return createLogger({
      level: "info",
      now: () => this.#world.now(),
      sink: (level, line) => {
        if (!process.isAlive) return;
        this.#world.trace(line.slice(25));
        if (level === "error" && !this.isDiskFailing) this.#world.fail(new Error(line.slice(25)));
      },
    });
  }

  #directory(): DataDirectory {
    const disk = this.#disk(DATA);
    return {
      path: DATA,
      identity: () => {
        const text = disk.exists(IDENTITY) ? readText(disk, IDENTITY) : undefined;
        return Promise.resolve(text === undefined ? undefined : (JSON.parse(text) as Identity));
      },
      writeIdentity: (identity) => {
        replace(disk, IDENTITY, JSON.stringify(identity));
        return Promise.resolve();
      },
      clearUnfinished: () => {
        for (const [path, store] of this.#disks) {
          if (path === DATA) continue;
          for (const name of store.list()) store.removeSync(name);
          store.syncDirectorySync();
        }
        return Promise.resolve();
      },
      replaceFile: (name, text) => {
        replace(disk, name, text);
        return Promise.resolve();
      },
      deviceClass: () => "ssd",
    };
  }
}

function readText(disk: Disk, name: string): string {
  const file = disk.open(name, "read");
  const bytes = Buffer.alloc(file.size());
  file.readSync(bytes, 0);
  file.close();
  return bytes.toString("utf8");
}

/** As the real directory does it: a crash leaves the old file or the new one. */
function replace(disk: Disk, name: string, text: string): void {
  const fresh = `${name}.new`;
  if (disk.exists(fresh)) disk.removeSync(fresh);
  const file = disk.open(fresh, "create");
  file.writeSync(Buffer.from(text, "utf8"), 0);
  file.syncSync();
  file.close();
  disk.rename(fresh, name);
  disk.syncDirectorySync();
}
