/**
 * Taking mirror snapshots of primary images on schedule. Several images are worked on at a time; one that is
 * not done when its next turn comes misses that.
 * ceph: src/pybind/mgr/rbd_support/mirror_snapshot_schedule.py
 */

import { MIRROR_MODE } from "../../cls/rbd/types/features.ts";
import { byteString, textOf } from "../../encoding/index.ts";
import type { IoCtx } from "../../rados/index.ts";
import {
  createMirrorSnapshot,
  isMirroredBySnapshots,
  listNamespaces,
  listPrimaries,
  mirrorMode,
} from "../../rbd/index.ts";
import { isRefusal, ModuleError } from "./errors.ts";
import type { ModuleHost } from "./host.ts";
import type { Level } from "./schedule.ts";
import { levelOf, type Place, Scheduler } from "./scheduler.ts";

/** ceph: mgr/rbd_support/max_concurrent_snap_create */
const CONCURRENT_OPTION = "mgr/rbd_support/max_concurrent_snap_create";
const CONCURRENT = 10;

interface MirroredImage extends Place {
  readonly imageId: string;
  /** `pool/[namespace/]image` */
  readonly name: string;
}

export class MirrorSnapshots {
  readonly #host: ModuleHost;
  readonly schedule: Scheduler<MirroredImage>;
  /** By id; those past the limit wait. */
  readonly #pending = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #isClosed = false;

  constructor(host: ModuleHost) {
    this.#host = host;
    this.schedule = new Scheduler<MirroredImage>(host, {
      kind: {
        oid: "rbd_mirror_snapshot_schedule",
        option: "mirror_snapshot_schedule",
        rules: {
          images: true,
          checkImage: async (_io, image) => {
            if (await isMirroredBySnapshots(image)) return;
            const name = textOf(image.name);
            throw new ModuleError("EINVAL", `image ${name} is not in snapshot mirror mode`);
          },
          checkNamespace: async (io) => {
            if ((await mirrorMode(io)) === MIRROR_MODE.IMAGE) return;
            const name = textOf(io.nspace);
            throw new ModuleError("EINVAL", `namespace ${name} is not in mirror image mode`);
          },
        },
      },
      list: listImages,
      // Not waited for: the next image's time may be now, too.
      run: async (image) => this.#begin(image),
      listName: "scheduled_images",
      describe: ({ name }) => ({ image: name }),
    });
  }

  async run(): Promise<void> {
    await this.schedule.run();
    await Promise.all(this.#pending.values());
  }

  close(): void {
    this.#isClosed = true;
    this.schedule.close();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #begin(image: MirroredImage): void {
    const key = `${image.poolId}/${image.nspace}/${image.imageId}`;
    if (this.#pending.has(key)) {
      this.#host.log.info("previous mirror snapshot still being taken", { image: image.name });
      return;
    }
    const work = this.#take(image)
      .catch((error: unknown) => this.#failed(image, error))
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, work);
  }

  async #take({ poolId, nspace, imageId, name }: MirroredImage): Promise<void> {
    // With none at a time nobody would ever wake those that wait.
    const limit = Math.max(1, Number(this.#host.option(CONCURRENT_OPTION) ?? CONCURRENT));
    if (this.#running >= limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#isClosed) return;
    this.#running++;
    try {
      const context = await this.#host.rbd();
      const io = await context.rados.openPool(Number(poolId), byteString(nspace));
      const taken = await createMirrorSnapshot(context, io, byteString(imageId));
      if (!taken) this.#host.log.debug("no primary image any more", { image: name });
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  #failed({ name }: MirroredImage, error: unknown): void {
    // Our client was closed: the next start takes what is due then.
    if (this.#isClosed) return;
    const why = isRefusal(error) ? error.message : (error as Error).stack;
    this.#host.log.error("mirror snapshot not taken", { image: name, why });
  }
}

async function listImages(
  io: IoCtx,
  poolName: string,
  isScheduled: (level: Level) => boolean,
): Promise<MirroredImage[]> {
  const poolId = String(io.pool);
  const images: MirroredImage[] = [];
  for (const nspace of ["", ...(await listNamespaces(io))]) {
    if (!isScheduled(levelOf(poolId, textOf(nspace)))) continue;
    for (const [id, image] of await listPrimaries(io.inNamespace(nspace))) {
      const parts = [poolName, textOf(nspace), textOf(image)];
      const name = parts.filter((part) => part !== "").join("/");
      images.push({ poolId, nspace: textOf(nspace), imageId: textOf(id), name });
    }
  }
  return images;
}
