/**
 * One OSD at work: its store, its messenger, its server. Runs on the caller's event loop, whichever that is.
 */

import { createServiceAuthServer, RotatingSecrets } from "../auth/index.ts";
import { BufferPool, type Clock, type Logger, type Random } from "../base/index.ts";
import type { OsdReport } from "../maps/index.ts";
import { Messenger, type Transport } from "../messenger/index.ts";
import { type AskPeer, type FirstObject, OsdServer, type PeerMessage } from "../osd/index.ts";
import { type CreateOptions, createStore, type Disk, openStore } from "../store/index.ts";
import { type AddrVec, ENTITY_TYPE, type IntervalSet } from "../types/index.ts";
import type { OpenAdminSocket } from "./admin-sockets.ts";
import { type AuthChoice, authModes } from "./auth-modes.ts";
import { closeRevoked } from "./revoked.ts";
import { CEPH_RELEASE_NAME, CEPH_VERSION } from "./version.ts";

/** How large the parts of a new store are. */
export type StoreSizes = Pick<CreateOptions, "capacityBytes" | "segmentSize" | "segments">;

/** What an OSD is told when it starts; goes between threads as it is. */
export interface OsdConfig {
  readonly id: number;
  /** Its store's directory. */
  readonly directory: string;
  /** Make the store first. */
  readonly create: boolean;
  /** Of the store it makes. @default the store's own */
  readonly sizes?: StoreSizes;
  /** What a new cluster's pools begin with. */
  readonly firstObjects: readonly FirstObject[];
  readonly listen: string;
  /** Path of its admin socket. */
  readonly adminSocket: string;
  readonly auth: AuthChoice;
  /** Of the store. */
  readonly memoryBytes: number;
  /** Of bulk data between socket and disk. */
  readonly poolBytes: number;
  /** The newest full map, encoded. */
  readonly map: Uint8Array;
  /** The monitor's rotating secrets, encoded. */
  readonly secrets: Uint8Array;
}

/** What an OSD tells whoever runs it. */
export interface OsdEvents {
  report(report: OsdReport): void;
  /** Asks another OSD of the cluster. */
  readonly ask: AskPeer;
  snapsPurged(pool: number, snaps: IntervalSet): void;
  corruption(object: string): void;
  fatal(error: Error): void;
}

/** A running OSD, here or in a thread. */
export interface OsdHandle {
  readonly addrs: AddrVec;
  handleMap(incremental: Uint8Array, full: Uint8Array): void;
  loadSecrets(state: Uint8Array): void;
  /** Its reports tell from now on what each image is read and written, or do not any more. */
  countImages(isOn: boolean): void;
  /** The options that the monitor has for it, whenever they change. */
  loadConfig(options: readonly (readonly [name: string, value: string])[]): void;
  /** Answers what the OSD `from` asks. */
  answer(from: number, request: PeerMessage): Promise<PeerMessage>;
  close(): Promise<void>;
}

export interface OsdSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly transport: Transport;
  /** Milliseconds after a reply to a lone client in which an OSD's loop does not sleep. @default 0 */
  readonly spinMs?: number;
  /** @default there are no admin sockets */
  readonly openAdminSocket?: OpenAdminSocket;
  /** The disk of a directory that exists. */
  disk(directory: string): Disk;
  /** Runs an OSD that gets no thread. @default on the caller's event loop, one call away */
  readonly runOsd?: typeof runOsd;
}

export async function runOsd(
  config: OsdConfig,
  events: OsdEvents,
  surroundings: OsdSurroundings,
): Promise<OsdHandle> {
  const { clock, random, transport } = surroundings;
  const log = surroundings.log.child(`osd.${config.id}`);
  const { directory, memoryBytes, poolBytes } = config;
  const pool = new BufferPool(poolBytes, clock);
  const disk = surroundings.disk(directory);
  if (config.create) createStore(directory, { disk, random, ...config.sizes });
  const store = await openStore(directory, { disk, clock, log, memoryBytes, pool });
  try {
    const secrets = new RotatingSecrets({ clock, random, state: config.secrets });
    const server = new OsdServer({
      id: config.id,
      store,
      pool,
      map: config.map,
      firstObjects: config.firstObjects,
      clock,
      random,
      log,
      version: { version: CEPH_VERSION, release: CEPH_RELEASE_NAME },
      ...events,
    });
    const messenger = new Messenger({
      name: { type: ENTITY_TYPE.OSD, num: BigInt(config.id) },
      transport,
      clock,
      random,
      log,
      dispatcher: server,
      dataMemory: pool,
      spinMs: surroundings.spinMs ?? 0,
      auth: createServiceAuthServer({
        serviceType: ENTITY_TYPE.OSD,
        secrets,
        clock,
        random,
        ...authModes(config.auth),
      }),
    });
    await messenger.bind({ host: config.listen, port: 0 });
    server.start();
    const closeAdminSocket = await surroundings.openAdminSocket?.(config.adminSocket, {
      clock,
      log,
      answer: (request) => server.command(request),
    });
    let closing: Promise<void> | undefined;
    return {
      addrs: messenger.addrs,
      handleMap: (incremental, full) => server.handleMap(incremental, full),
      loadSecrets: (state) => {
        secrets.load(state);
        closeRevoked(messenger, secrets);
      },
      countImages: (isOn) => server.countImages(isOn),
      loadConfig: (options) => server.loadConfig(options),
      answer: (from, request) => server.answer(from, request),
      close: () => {
        closing ??= (async () => {
          closeAdminSocket?.();
          // A store that can not flush must not keep the port open.
          try {
            await store.flush();
          } finally {
            server.stop();
            await messenger.close();
            await store.close();
          }
        })();
        return closing;
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
