/**
 * One OSD as a member of the cluster: started, kept in the map, fed with maps and secrets, stopped.
 *
 * An OSD that the map calls down although it lives (an operator said `osd down`) asks to be let in again,
 * as a real one does; while the `noup` flag is set, or the monitor's store has no room, it keeps asking.
 * ceph: src/osd/OSD.cc start_boot
 */

import { availableParallelism } from "node:os";
import { type Clock, ConfigError, type Timer } from "../base/index.ts";
import { isUp, OSDMAP_FLAG, type OsdMap } from "../maps/index.ts";
import { type Metadata, type Monitor, type OsdMapUpdate, optionsFor } from "../mon/index.ts";
import type { PeerMessage } from "../osd/index.ts";
import { type Disk, NoSpaceError, readSuperblock } from "../store/index.ts";
import { type AddrVec, ENTITY_TYPE, formatAddrVec, type Uuid } from "../types/index.ts";
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

/**
 * What the store in an OSD's directory is called in the map. Disks that are mounted in each other's place would look
 * empty to their OSDs.
 * @throws ConfigError if it is another OSD's, or none
 * ceph: src/mon/OSDMonitor.cc preprocess_boot
 */
function uuidOfStore(id: number, disk: Disk, map: OsdMap): Uuid {
  let uuid: Uuid;
  try {
    ({ uuid } = readSuperblock(disk));
  } catch (error) {
    throw new ConfigError(`osd.${id}: ${(error as Error).message}`, error);
  }
  const owner = map.osdUuid.indexOf(uuid);
  if (owner < 0 || owner === id) return uuid;
  throw new ConfigError(
    `osd.${id}: in its directory is the store of osd.${owner}; put each where it belongs`,
  );
}

/** What an OSD tells of itself. It has one address for whoever comes, heartbeats too. */
function aboutOsd(directory: string, addrs: AddrVec): Metadata {
  const at = formatAddrVec(addrs);
  const reached = ["back_addr", "front_addr", "hb_back_addr", "hb_front_addr"];
  return {
    ...Object.fromEntries(reached.map((name) => [name, at])),
    osd_data: directory,
    osd_objectstore: "spirula",
  };
}

export class OsdMember {
  readonly #id: number;
  readonly #uuid: Uuid;
  readonly #monitor: Monitor;
  readonly #clock: Clock;
  readonly #handle: OsdHandle;
  readonly #directory: string;
  readonly #failed: (error: Error) => void;
  readonly #hasFailed: () => boolean;
  readonly #undo: (() => void)[] = [];
  #retry: Timer | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    options: MemberOptions,
    { handle, uuid }: { handle: OsdHandle; uuid: Uuid },
    hasFailed: () => boolean,
  ) {
    this.#hasFailed = hasFailed;
    this.#id = options.config.id;
    this.#directory = options.config.directory;
    this.#uuid = uuid;
    this.#monitor = options.monitor;
    this.#clock = options.around.clock;
    this.#handle = handle;
    this.#failed = (error) => options.events.fatal(error);
  }

  /** Starts the OSD and brings it up in the map. */
  static async start(options: MemberOptions): Promise<OsdMember> {
    const { monitor, config, around } = options;
    const disk = around.disk(config.directory);
    // A new store belongs to whoever makes it.
    if (!config.create) uuidOfStore(config.id, disk, monitor.osdMap);
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
      const uuid = uuidOfStore(config.id, disk, monitor.osdMap);
      member = new OsdMember({ ...options, events }, { handle, uuid }, () => hasFailed);
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
      this.#boot().catch((error: unknown) => {
        if (error instanceof NoSpaceError) this.#bootLater();
        else this.#failed(error as Error);
      });
    });
  }

  async #boot(): Promise<void> {
    if (this.#hasFailed()) return;
    if ((this.#monitor.osdMap.flags & OSDMAP_FLAG.NOUP) !== 0) return this.#bootLater();
    const { addrs } = this.#handle;
    await this.#monitor.osdBoot(this.#id, addrs, this.#uuid, aboutOsd(this.#directory, addrs));
  }
}
