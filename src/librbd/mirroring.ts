/**
 * Having images mirrored by their snapshots: of a pool's namespace, and of one image. Copying them is the work of a
 * mirror daemon, which we have none of.
 *
 *     const mirroring = new PoolMirroring(rbd);
 *     await mirroring.setMode("image");
 *     await new ImageMirroring(image).enable();
 *
 * ceph: src/include/rbd/librbd.hpp RBD::mirror_*, Image::mirror_image_*
 */

import {
  MIRROR_IMAGE_MODE,
  MIRROR_IMAGE_STATE,
  MIRROR_PEER_DIRECTION,
} from "../cls/rbd/types/features.ts";
import { nameBytes, nameText } from "../encoding/index.ts";
import type { CallOptions } from "../librados/index.ts";
import {
  addMirrorPeer,
  disableMirroring,
  enableMirroring,
  listMirrorPeers,
  mirrorInfo,
  mirrorMode,
  mirrorSnapshot,
  mirrorStatuses,
  removeMirrorPeer,
  SNAP_CREATE_FLAG,
  setMirrorMode,
} from "../rbd/index.ts";
import { utimeToMs } from "../types/index.ts";
import type { Image } from "./image.ts";
import { within } from "./limits.ts";
import type { Rbd } from "./rbd.ts";

/** In the order of their numbers. */
const MODES = ["disabled", "image", "pool"] as const;
/** "image": those that it is said of; "pool": all with a journal. */
export type MirrorMode = (typeof MODES)[number];

/** Whether we fetch from it, it from us, or both, in the order of their numbers. */
const DIRECTIONS = ["rx-only", "tx-only", "rx-tx"] as const;
export type MirrorDirection = (typeof DIRECTIONS)[number];

/** Another cluster that images are mirrored with. */
export interface MirrorPeer {
  readonly uuid: string;
  readonly site: string;
  /** As whom its mirror daemon speaks to that cluster: `client.admin`. */
  readonly client: string;
  readonly direction: MirrorDirection;
  /** "" until its daemon has been here. */
  readonly mirrorUuid: string;
}

export interface MirrorInfo {
  readonly mode: "journal" | "snapshot";
  readonly state: "disabling" | "enabled" | "disabled" | "creating";
  /** What the image is called on all clusters. */
  readonly globalId: string;
  /** Ours is the copy that is written to; undefined: only its journal knows. */
  readonly isPrimary: boolean | undefined;
}

/** In the order of their numbers. */
const STATUS_STATES = [
  "unknown",
  "error",
  "syncing",
  "starting_replay",
  "replaying",
  "stopping_replay",
  "stopped",
] as const;

/** How it goes at one site, as its mirror daemon has told last. */
export interface MirrorSiteStatus {
  /** "": this one. */
  readonly mirrorUuid: string;
  readonly state: (typeof STATUS_STATES)[number];
  /** The daemon is there. */
  readonly isUp: boolean;
  readonly description: string;
  /** Milliseconds since 1970; 0: never. */
  readonly updatedMs: number;
}

export interface MirrorStatus extends MirrorInfo {
  readonly sites: readonly MirrorSiteStatus[];
}

export class PoolMirroring {
  readonly #rbd: Rbd;

  constructor(rbd: Rbd) {
    this.#rbd = rbd;
  }

  async mode(options: CallOptions = {}): Promise<MirrorMode> {
    const mode = await this.#within("read the mirroring of", options, (signal) =>
      mirrorMode(this.#io.readingUntil(signal)),
    );
    return MODES[mode] ?? "disabled";
  }

  /**
   * @throws CephError EBUSY, EINVAL: it is to end, and there are peers, or mirrored images; EOPNOTSUPP: images would have
   *   to be mirrored by their journals
   */
  async setMode(mode: MirrorMode, options: CallOptions = {}): Promise<void> {
    await this.#within("change the mirroring of", options, () =>
      setMirrorMode(this.#rbd.context, this.#io, MODES.indexOf(mode)),
    );
  }

  /** Those of the pool are in its default namespace. */
  async peers(options: CallOptions = {}): Promise<MirrorPeer[]> {
    const peers = await this.#within("list the peers of", options, (signal) =>
      listMirrorPeers(this.#io.readingUntil(signal)),
    );
    return peers.map(({ uuid, siteName, clientName, direction, mirrorUuid }) => ({
      uuid: nameText(uuid),
      site: nameText(siteName),
      client: nameText(clientName),
      direction: DIRECTIONS[direction] ?? "rx-tx",
      mirrorUuid: nameText(mirrorUuid),
    }));
  }

  /** @returns its uuid @throws CephError EINVAL: the pool is not mirrored; EEXIST: there is one of this site */
  async addPeer(
    peer: {
      readonly site: string;
      readonly client: string;
      /** @default "rx-tx" */
      readonly direction?: Exclude<MirrorDirection, "tx-only">;
    },
    options: CallOptions = {},
  ): Promise<string> {
    const { RX, RX_TX } = MIRROR_PEER_DIRECTION;
    const uuid = await this.#within("add a peer to", options, () =>
      addMirrorPeer(this.#rbd.context, this.#io, {
        siteName: nameBytes(peer.site),
        clientName: nameBytes(peer.client),
        direction: peer.direction === "rx-only" ? RX : RX_TX,
      }),
    );
    return nameText(uuid);
  }

  /** One that there is not is as good as removed. */
  async removePeer(uuid: string, options: CallOptions = {}): Promise<void> {
    await this.#within("remove a peer of", options, () =>
      removeMirrorPeer(this.#io, nameBytes(uuid)),
    );
  }

  get #io() {
    return this.#rbd.io.engine;
  }

  #within<T>(
    op: string,
    limits: CallOptions,
    work: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    const { poolName: target } = this.#rbd.io;
    return within(this.#rbd.context.clock, limits, () => ({ op, target }), work);
  }
}

export class ImageMirroring {
  readonly #image: Image;

  constructor(image: Image) {
    this.#image = image;
  }

  /** undefined: it is not mirrored. */
  async info(options: CallOptions = {}): Promise<MirrorInfo | undefined> {
    return await this.#within("read the mirroring of", options, async () => {
      await this.#image.engine.refreshIfStale();
      return await this.#info();
    });
  }

  /** Takes the first of its mirror snapshots. @throws CephError EINVAL: the pool's mode, or its parent is not mirrored */
  async enable(options: CallOptions = {}): Promise<void> {
    await this.#within("mirror", options, () => enableMirroring(this.#image.engine));
  }

  /** Removes its mirror snapshots. @throws CephError EBUSY: clones are mirrored; EINVAL: it is another cluster's */
  async disable(options: CallOptions = {}): Promise<void> {
    await this.#within("end mirroring of", options, () => disableMirroring(this.#image.engine));
  }

  /**
   * Takes a snapshot for peers to fetch.
   * @param options.quiesce whether those who use it are asked to hold still, and heeded if they cannot
   * @returns its id @throws CephError EINVAL: it is not mirrored by snapshots, or the pool has no peer that fetches
   */
  async snapshot(
    options: { readonly quiesce?: "skip" | "ignore-errors" } & CallOptions = {},
  ): Promise<bigint> {
    const { SKIP_QUIESCE, IGNORE_QUIESCE_ERROR } = SNAP_CREATE_FLAG;
    const { quiesce, ...limits } = options;
    const flags = { skip: SKIP_QUIESCE, "ignore-errors": IGNORE_QUIESCE_ERROR };
    return await this.#within("mirror", limits, () =>
      mirrorSnapshot(this.#image.engine, quiesce && { flags: flags[quiesce] }),
    );
  }

  /** undefined: it is not mirrored. */
  async status(options: CallOptions = {}): Promise<MirrorStatus | undefined> {
    return await this.#within("read the mirroring of", options, async (signal) => {
      const { engine } = this.#image;
      await engine.refreshIfStale();
      const info = await this.#info();
      if (info === undefined) return undefined;
      const io = engine.io.readingUntil(signal);
      const peers = await listMirrorPeers(io.inNamespace(""));
      const sites = await mirrorStatuses(io, nameBytes(info.globalId), peers);
      return {
        ...info,
        sites: sites.map(({ mirrorUuid, state, up, description, lastUpdate }) => ({
          mirrorUuid: nameText(mirrorUuid),
          state: STATUS_STATES[state] ?? "unknown",
          isUp: up,
          description: nameText(description),
          updatedMs: utimeToMs(lastUpdate),
        })),
      };
    });
  }

  async #info(): Promise<MirrorInfo | undefined> {
    const found = await mirrorInfo(this.#image.engine);
    if (found === undefined) return undefined;
    const { DISABLING, ENABLED, DISABLED } = MIRROR_IMAGE_STATE;
    const states = {
      [DISABLING]: "disabling",
      [ENABLED]: "enabled",
      [DISABLED]: "disabled",
    } as const;
    return {
      mode: found.mode === MIRROR_IMAGE_MODE.SNAPSHOT ? "snapshot" : "journal",
      state: states[found.state as keyof typeof states] ?? "creating",
      globalId: nameText(found.globalImageId),
      isPrimary: found.primary,
    };
  }

  #within<T>(
    op: string,
    limits: CallOptions,
    work: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    return within(this.#image.engine.clock, limits, () => ({ op, target: this.#image.name }), work);
  }
}
