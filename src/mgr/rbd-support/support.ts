/**
 * The rbd_support module: tasks on images in the background, and schedules. It works on the cluster as any
 * client does, as the manager's entity, over the network.
 * ceph: src/pybind/mgr/rbd_support/module.py
 */

import { type Clock, type Logger, type Random, sleep } from "../../base/index.ts";
import { byteString } from "../../encoding/index.ts";
import type { ClusterState } from "../../mon/index.ts";
import type { IoCtx, Rados } from "../../rados/index.ts";
import { isErrno, type RbdContext } from "../../rbd/index.ts";
import { ENTITY_TYPE } from "../../types/index.ts";
import type { ProgressModule } from "../progress.ts";
import { poolError } from "./errors.ts";
import type { ModuleHost } from "./host.ts";
import { MirrorSnapshots } from "./mirror-snapshots.ts";
import { ImagePerf } from "./perf.ts";
import type { Scheduler } from "./scheduler.ts";
import { TaskQueue } from "./tasks.ts";
import { type Trash, trashPurge } from "./trash-purge.ts";

/** Wait before the cluster is tried again, milliseconds. */
const RETRY_MS = 1_000;

export interface RbdSupportOptions {
  readonly state: ClusterState;
  readonly progress: ProgressModule;
  readonly random: Random;
  readonly log: Logger;
  /** Connects as the manager's entity. */
  readonly connect: () => Promise<Rados>;
}

export class RbdSupport implements ModuleHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly state: ClusterState;
  readonly progress: ProgressModule;
  readonly tasks: TaskQueue;
  readonly trashPurge: Scheduler<Trash>;
  readonly mirrorSnapshots: MirrorSnapshots;
  readonly perf: ImagePerf;
  readonly #connect: () => Promise<Rados>;
  #context: Promise<RbdContext>;
  #isReady: (context: RbdContext) => void = () => undefined;
  #rados: Rados | undefined;
  #isClosed = false;
  #running: Promise<void> | undefined;
  #renewing: Promise<void> | undefined;

  constructor(options: RbdSupportOptions) {
    this.state = options.state;
    this.clock = options.state.clock;
    this.random = options.random;
    this.log = options.log;
    this.progress = options.progress;
    this.#connect = options.connect;
    this.#context = new Promise((resolve) => {
      this.#isReady = resolve;
    });
    this.tasks = new TaskQueue(this);
    this.trashPurge = trashPurge(this);
    this.mirrorSnapshots = new MirrorSnapshots(this);
    this.perf = new ImagePerf(this);
  }

  /** Connects and takes up what an earlier run has left, in the background. */
  start(): void {
    this.#running = this.#run().catch((error: unknown) => {
      if (!this.#isClosed) this.log.error("rbd_support", { why: (error as Error).message });
    });
  }

  /** Stops; a task under way is taken up by the next start. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.tasks.close();
    this.trashPurge.close();
    this.mirrorSnapshots.close();
    this.perf.close();
    await this.#rados?.close();
    await this.#running;
  }

  option(name: string): string | undefined {
    const entity = { type: ENTITY_TYPE.MGR, id: this.state.mgrMap().activeName };
    return this.state.config.resolve(entity, this.state.host).get(name)?.value;
  }

  async setOption(name: string, value: string | undefined): Promise<void> {
    const target = { section: "mgr", mask: "" };
    await this.state.config.apply([{ target, name, value }]);
  }

  async rbd(): Promise<RbdContext> {
    const { rados } = await this.#context;
    if (rados.isBlocklisted && !this.#isClosed) {
      this.#renewing ??= this.#renew(rados).finally(() => {
        this.#renewing = undefined;
      });
      await this.#renewing;
    }
    return await this.#context;
  }

  /** Whoever waited for too long for what we had has locked our client out: we come back as another one. */
  async #renew(old: Rados): Promise<void> {
    this.log.warn("the manager's client is blocklisted");
    await old.close();
    const rados = await this.#connected();
    if (rados === undefined) return;
    const { clock, random, log } = this;
    this.#context = Promise.resolve({ rados, clock, random, log });
  }

  async openPool(name: string, nspace: string): Promise<IoCtx> {
    const { rados } = await this.rbd();
    try {
      return await rados.openPool(byteString(name), byteString(nspace));
    } catch (error) {
      if (isErrno(error, "ENOENT")) throw poolError(name);
      throw error;
    }
  }

  /** A client of the cluster, once there is one; undefined: closed before. */
  async #connected(): Promise<Rados | undefined> {
    let rados: Rados | undefined;
    while (!this.#isClosed && rados === undefined) {
      try {
        rados = await this.#connect();
      } catch (error) {
        this.log.warn("the manager cannot reach the cluster", { why: (error as Error).message });
        await sleep(this.clock, RETRY_MS);
      }
    }
    this.#rados = rados;
    if (!this.#isClosed) return rados;
    await rados?.close();
    return undefined;
  }

  async #run(): Promise<void> {
    const rados = await this.#connected();
    if (rados === undefined) return;
    const { clock, random, log } = this;
    this.#isReady({ rados, clock, random, log });
    await Promise.all([
      this.tasks.run(),
      this.trashPurge.run(),
      this.mirrorSnapshots.run(),
      this.perf.run(),
    ]);
  }
}
