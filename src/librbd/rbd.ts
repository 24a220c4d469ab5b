/**
 * The images of a pool, in one namespace.
 *
 *     const rbd = await Rbd.open(cluster, "rbd");
 *     await rbd.create("disk", 10 * 2 ** 30);
 *     await using disk = await rbd.open("disk");
 *
 * ceph: src/include/rbd/librbd.hpp RBD
 */

import { CephError, type Clock, ERRNO, type Logger, type Random } from "../base/index.ts";
import { nameBytes, nameText } from "../encoding/index.ts";
import type { Cluster, IoCtx } from "../librados/index.ts";
import {
  cloneImage,
  createImage,
  createNamespace,
  initPool,
  listImages,
  listNamespaces,
  listTrash,
  openImage,
  type RbdContext,
  removeImage,
  removeNamespace,
  removeTrash,
  renameImage,
  restoreImage,
  trashImage,
} from "../rbd/index.ts";
import { utimeToMs } from "../types/index.ts";
import { type CreateOptions, engineCreateOptions } from "./create-options.ts";
import { Image, type ProgressOptions } from "./image.ts";

export interface OpenOptions {
  /** No lock, no watch, and nothing is written. @default false */
  readonly readOnly?: boolean;
  /** Reads as it was then; read-only. */
  readonly snapshot?: string;
}

export interface CloneOptions extends CreateOptions {
  /** 1: of a protected snapshot, the old kind. @default 2 where all clients of the cluster know it */
  readonly format?: 1 | 2;
}

export interface TrashEntry {
  readonly id: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly deletedMs: number;
  /** Not to be removed before, milliseconds since 1970. */
  readonly keptUntilMs: number;
}

export class Rbd {
  readonly io: IoCtx;
  /** For rooms of this package. */
  readonly context: RbdContext;

  /** See `Rbd.open`. */
  constructor(cluster: Cluster, io: IoCtx) {
    const { engine } = cluster;
    const { clock, random, log }: { clock: Clock; random: Random; log: Logger } = cluster.around;
    this.io = io;
    this.context = { rados: engine, clock, random, log };
  }

  /** @throws CephError ENOENT if there is no such pool */
  static async open(
    cluster: Cluster,
    pool: string,
    options: { readonly namespace?: string } = {},
  ): Promise<Rbd> {
    return new Rbd(cluster, await cluster.openPool(pool, options));
  }

  /** Makes a pool fit for images: its application, and that it can have snapshots. */
  async initPool(): Promise<void> {
    await initPool(this.context.rados, this.io.engine);
  }

  /** Names and ids, in the order of the names. */
  async list(): Promise<{ readonly name: string; readonly id: string }[]> {
    const images = await listImages(this.io.engine);
    return [...images].map(([name, id]) => ({ name: nameText(name), id: nameText(id) }));
  }

  /** @param size bytes @returns the image's id @throws CephError EEXIST */
  async create(name: string, size: number, options: CreateOptions = {}): Promise<string> {
    const engineOptions = engineCreateOptions(options);
    const bytes = nameBytes(name);
    return nameText(await createImage(this.context, this.io.engine, bytes, size, engineOptions));
  }

  /** @throws CephError ENOENT: no such image, or snapshot */
  async open(which: string | { readonly id: string }, options: OpenOptions = {}): Promise<Image> {
    const { snapshot } = options;
    const readOnly = options.readOnly === true || snapshot !== undefined;
    const engine = await openImage(
      this.context,
      this.io.engine,
      typeof which === "string" ? { name: nameBytes(which) } : { id: nameBytes(which.id) },
      { readOnly },
    );
    if (snapshot === undefined) return new Image(engine);
    const found = (await new Image(engine).snapshots()).find(({ name }) => name === snapshot);
    if (found !== undefined) return new Image(engine, found.id);
    await engine.close();
    const target = `${nameText(engine.name)}@${snapshot}`;
    throw new CephError(-ERRNO.ENOENT, { op: "open", target });
  }

  /** @returns the clone's id @throws CephError ENOENT; EINVAL: not protected, for the old kind; EEXIST */
  async clone(
    parent: { readonly image: string; readonly snapshot: string; readonly io?: IoCtx },
    name: string,
    options: CloneOptions = {},
  ): Promise<string> {
    const { format } = options;
    const from = {
      io: (parent.io ?? this.io).engine,
      name: nameBytes(parent.image),
      snapshot: nameBytes(parent.snapshot),
    };
    const to = { io: this.io.engine, name: nameBytes(name) };
    const how = { ...engineCreateOptions(options), ...(format === undefined ? {} : { format }) };
    return nameText(await cloneImage(this.context, from, to, how));
  }

  /** @throws CephError ENOENT; ENOTEMPTY: it has snapshots; EBUSY: it is in use */
  async remove(
    name: string,
    { onProgress = () => undefined }: ProgressOptions = {},
  ): Promise<void> {
    await removeImage(this.context, this.io.engine, nameBytes(name), onProgress);
  }

  /** @throws CephError ENOENT; EEXIST */
  async rename(name: string, to: string): Promise<void> {
    const image = await openImage(this.context, this.io.engine, { name: nameBytes(name) });
    try {
      await renameImage(image, nameBytes(to));
    } finally {
      await image.close();
    }
  }

  // --- Trash ------------------------------------------------------------------------------------

  async listTrash(): Promise<TrashEntry[]> {
    const entries = await listTrash(this.io.engine);
    return [...entries].map(([id, { name, deletionTime, defermentEndTime }]) => ({
      id: nameText(id),
      name: nameText(name),
      deletedMs: utimeToMs(deletionTime),
      keptUntilMs: utimeToMs(defermentEndTime),
    }));
  }

  /** @param keepMs how long it must not be removed @returns its id */
  async moveToTrash(name: string, keepMs = 0): Promise<string> {
    return nameText(await trashImage(this.context, this.io.engine, nameBytes(name), keepMs));
  }

  /** @param name @default the one it had @throws CephError ENOENT; EEXIST */
  async restoreFromTrash(id: string, name?: string): Promise<void> {
    const to = name === undefined ? undefined : nameBytes(name);
    await restoreImage(this.io.engine, nameBytes(id), to);
  }

  /** @throws CephError ENOENT; EPERM: too early, without `force` */
  async removeFromTrash(
    id: string,
    options: { readonly force?: boolean } & ProgressOptions = {},
  ): Promise<void> {
    const { force = false, onProgress = () => undefined } = options;
    const how = { force, progress: onProgress };
    await removeTrash(this.context, this.io.engine, nameBytes(id), how);
  }

  // --- Namespaces -------------------------------------------------------------------------------

  async listNamespaces(): Promise<string[]> {
    return (await listNamespaces(this.io.engine)).map(nameText);
  }

  /** @throws CephError EEXIST */
  async createNamespace(name: string): Promise<void> {
    await createNamespace(this.io.engine, nameBytes(name));
  }

  /** @throws CephError ENOENT; EBUSY: it is not empty */
  async removeNamespace(name: string): Promise<void> {
    await removeNamespace(this.io.engine, nameBytes(name));
  }
}
