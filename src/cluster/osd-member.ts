/**
 * One OSD as a member of the cluster: started, kept in the map, fed with maps and secrets, stopped.
 *
 * An OSD that the map calls down although it lives (an operator said `osd down`) asks to be let in again,
 * as a real one does; while the `noup` flag is set it keeps asking.
 * ceph: src/osd/OSD.cc start_boot
 */

import { availableParallelism } from "node:os";
import type { Clock, Timer } from "../base/index.ts";
import { isUp, OSDMAP_FLAG } from "../maps/index.ts";
import { type Monitor, type OsdMapUpdate, optionsFor } from "../mon/index.ts";
import type { PeerMessage } from "../osd/index.ts";
import { ENTITY_TYPE, type Uuid, uuidFromBytes } from "../types/index.ts";
import {
  type OsdConfig,
  type OsdEvents,
  type OsdHandle,
  type OsdSurroundings,
  runOsd,
} from "./osd-runner.ts";
import { startOsdThread } from "./osd-thread.ts";

/** Between two attempts to come up, milliseconds. */
const BOOT_RETRY_MS = 500;

export interface MemberOptions {
  readonly config: OsdConfig;
  /** It should have a thread of its own, if there are cores. */
  readonly thread: boolean;
  readonly logLevel: string;
  readonly monitor: Monitor;
  readonly events: OsdEvents;
  readonly around: OsdSurroundings;
}

/** The thread's code lies beside this file's, bundled or not. */
function workerFile(): URL {
  const name = import.meta.url.endsWith(".ts") ? "./osd-worker.ts" : "./osd-worker.js";
  return new URL(name, import.meta.url);
}

export class OsdMember {
  readonly #id: number;
  readonly #uuid: Uuid;
  readonly #monitor: Monitor;
  readonly #clock: Clock;
  readonly #handle: OsdHandle;
  readonly #failed: (error: Error) => void;
  readonly #hasFailed: () => boolean;
  readonly #undo: (() => void)[] = [];
  #retry: Timer | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: MemberOptions, handle: OsdHandle, hasFailed: () => boolean) {
    this.#hasFailed = hasFailed;
    this.#id = options.config.id;
    this.#uuid = uuidFromBytes(options.around.random.bytes(16));
    this.#monitor = options.monitor;
    this.#clock = options.around.clock;
    this.#handle = handle;
    this.#failed = (error) => options.events.fatal(error);
  }

  /** Starts the OSD and brings it up in the map. */
  static async start(options: MemberOptions): Promise<OsdMember> {
    const { monitor, config, around } = options;
    // An OSD whose disk has failed is down for good: it must not ask to be let in again.
    let hasFailed = false;
    const events: OsdEvents = {
      ...options.events,
      fatal: (error) => {
        hasFailed = true;
        options.events.fatal(error);
      },
    };
    // Maps that are published while the OSD starts must not be missed: it needs every epoch.
    const missed: OsdMapUpdate[] = [];
    let member: OsdMember | undefined;
    const unsubscribe = monitor.onOsdMap((update) => {
      if (member === undefined) missed.push(update);
      else member.#onMap(update);
    });
    try {
      const threaded = options.thread && availableParallelism() > 1;
      const handle = threaded
        ? await startOsdThread(
            { config, logLevel: options.logLevel },
            events,
            around.log,
            workerFile(),
          )
        : await (around.runOsd ?? runOsd)(config, events, around);
      member = new OsdMember({ ...options, events }, handle, () => hasFailed);
      for (const update of missed) member.#onMap(update);
    } catch (error) {
      unsubscribe();
      throw error;
    }
    const started = member;
    const { config: central, host } = monitor.state;
    const entity = { type: ENTITY_TYPE.OSD, id: String(config.id) };
    const loadConfig = () => started.#handle.loadConfig(optionsFor(central, entity, host));
    loadConfig();
    const secrets = monitor.serviceSecrets();
    started.#undo.push(
      unsubscribe,
      central.onChange(loadConfig),
      secrets.onRotate((state) => started.#handle.loadSecrets(state)),
    );
    await started.#boot();
    return started;
  }

  /** Has its reports tell what each image is read and written, or not any more. */
  countImages(isOn: boolean): void {
    this.#handle.countImages(isOn);
  }

  /** Answers what the OSD `from` asks. */
  answer(from: number, request: PeerMessage): Promise<PeerMessage> {
    return this.#handle.answer(from, request);
  }

  close(): Promise<void> {
    this.#retry?.cancel();
    for (const step of this.#undo) step();
    this.#closing ??= this.#handle.close();
    return this.#closing;
  }

  #onMap(update: OsdMapUpdate): void {
    this.#handle.handleMap(update.incremental, update.full);
    if (!isUp(update.map, this.#id)) this.#bootLater();
  }

  #bootLater(): void {
    this.#retry?.cancel();
    this.#retry = this.#clock.after(BOOT_RETRY_MS, () => {
      if (this.#closing !== undefined || this.#hasFailed()) return;
      this.#boot().catch((error: unknown) => this.#failed(error as Error));
    });
  }

  async #boot(): Promise<void> {
    if (this.#hasFailed()) return;
    if ((this.#monitor.osdMap.flags & OSDMAP_FLAG.NOUP) !== 0) return this.#bootLater();
    await this.#monitor.osdBoot(this.#id, this.#handle.addrs, this.#uuid);
  }
}
