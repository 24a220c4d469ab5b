/**
 * The images of a pool, in one namespace.
 *
 *     const rbd = await Rbd.open(cluster, "rbd");
 *     await rbd.create("disk", 10 * 2 ** 30);
 *     await using disk = await rbd.open("disk");
 *
 * ceph: src/include/rbd/librbd.hpp RBD
 */

import { CephError, ERRNO } from "../base/index.ts";
import { GROUP_IMAGE_LINK_STATE, GROUP_SNAPSHOT_STATE } from "../cls/rbd/types/features.ts";
import type { ClientConfig } from "../config/index.ts";
import { nameBytes, nameText } from "../encoding/index.ts";
import type { Cluster, IoCtx } from "../librados/index.ts";
import {
  abortMigration,
  addToGroup,
  changeMetadata,
  cloneImage,
  commitMigration,
  createGroup,
  createImage,
  createNamespace,
  deleteGroupSnapshot,
  executeMigration,
  initPool,
  listGroupImages,
  listGroupSnapshots,
  listGroups,
  listImages,
  listMetadata,
  listNamespaces,
  listTrash,
  namespaceExists,
  openImage,
  POOL_METADATA,
  type PoolStats,
  poolStats,
  purgeTrash,
  type RbdContext,
  removeFromGroup,
  removeGroup,
  removeImage,
  removeNamespace,
  removeTrash,
  renameGroup,
  renameGroupSnapshot,
  renameImage,
  restoreImage,
  rollBackGroup,
  takeGroupSnapshot,
  trashImage,
} from "../rbd/index.ts";
import { utimeToMs } from "../types/index.ts";
import { type CreateOptions, engineCreateOptions, withDefaults } from "./create-options.ts";
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
  readonly source: TrashSource;
  /** Milliseconds since 1970. */
  readonly deletedMs: number;
  /** Not to be removed before, milliseconds since 1970. */
  readonly keptUntilMs: number;
}

/** Who has put an image into the trash; "" if that is nobody we know. In the order of their numbers. */
const TRASH_SOURCES = ["user", "mirroring", "migration", "removing", "user-parent"] as const;
export type TrashSource = (typeof TRASH_SOURCES)[number] | "";

export interface GroupMember {
  readonly pool: string;
  readonly image: string;
  /** It is wholly in the group; if not, somebody is adding or removing it. */
  readonly isAttached: boolean;
}

export class Rbd {
  readonly io: IoCtx;
  /** For rooms of this package. */
  readonly context: RbdContext;
  readonly #config: ClientConfig;

  /** See `Rbd.open`. */
  constructor(cluster: Cluster, io: IoCtx) {
    const { engine, config, around } = cluster;
    const { clock, random, log } = around;
    this.io = io;
    this.#config = config;
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

  /**
   * Makes a pool fit for images: its application, and that it can have snapshots.
   * @param options.force even if it is another application's @throws CephError EPERM: it is
   */
  async initPool(options: { readonly force?: boolean } = {}): Promise<void> {
    const validate = (await this.#poolConfig()).getBoolean("rbd_validate_pool");
    await initPool(this.context.rados, this.io.engine, { ...options, validate });
  }

  /** Counts what there is in this namespace. */
  async stats(): Promise<PoolStats> {
    return await poolStats(this.io.engine);
  }

  /** What is kept with the pool: settings of images by the names `conf_…`. */
  async metadata(): Promise<Map<string, string>> {
    const entries = await listMetadata(this.io.engine, POOL_METADATA);
    return new Map([...entries].map(([key, value]) => [nameText(key), nameText(value)]));
  }

  /** @param value undefined: removes it @throws CephError ENOENT: there is none to remove */
  async setMetadata(key: string, value: string | undefined): Promise<void> {
    const bytes = value === undefined ? undefined : nameBytes(value);
    await changeMetadata(this.io.engine, POOL_METADATA, nameBytes(key), bytes);
    if (key.startsWith("conf_")) await this.#announceOptions();
  }

  /**
   * Clients that have images open hear of new options by one whose value is the time of the last change. One
   * without the right to set it makes its change all the same.
   * ceph: src/librbd/api/PoolMetadata.cc update_pool_timestamp
   */
  async #announceOptions(): Promise<void> {
    const { rados, clock, log } = this.context;
    const { result, status } = await rados.command({
      prefix: "config set",
      who: "global",
      name: "rbd_config_pool_override_update_timestamp",
      value: String(Math.floor(clock.now() / 1000)),
    });
    if (result < 0) log.warn("clients are not told of a pool's options", { why: status });
  }

  /**
   * The client's options, below those that the pool has of its own. A pool whose options cannot be read has none.
   * ceph: src/librbd/api/Config.cc apply_pool_overrides
   */
  async #poolConfig(): Promise<ClientConfig> {
    const prefix = "conf_";
    const isOurs = (key: string) => key.startsWith(`${prefix}rbd_`);
    try {
      const entries = await listMetadata(this.io.engine.inNamespace(""), POOL_METADATA);
      const own = [...entries].map(([key, value]) => [nameText(key), nameText(value)] as const);
      const options = own.filter(([key]) => isOurs(key));
      return this.#config.with(options.map(([key, value]) => [key.slice(prefix.length), value]));
    } catch (error) {
      if (!(error instanceof CephError)) throw error;
      this.context.log.warn("a pool's options cannot be read", { why: error.message });
      return this.#config;
    }
  }

  async namespaceExists(name: string): Promise<boolean> {
    return await namespaceExists(this.io.engine, nameBytes(name));
  }

  /** Names and ids, in the order of the names. */
  async list(): Promise<{ readonly name: string; readonly id: string }[]> {
    const images = await listImages(this.io.engine);
    return [...images].map(([name, id]) => ({ name: nameText(name), id: nameText(id) }));
  }

  /** @param size bytes @returns the image's id @throws CephError EEXIST */
  async create(name: string, size: number, options: CreateOptions = {}): Promise<string> {
    const config = await this.#poolConfig();
    const engineOptions = withDefaults(engineCreateOptions(options), config);
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

  /**
   * Removes it, or puts it into the trash if `rbd_move_to_trash_on_remove` is set.
   * @throws CephError ENOENT; ENOTEMPTY: it has snapshots, or clones of deleted ones; EBUSY: it is in use
   */
  async remove(
    name: string,
    { onProgress = () => undefined }: ProgressOptions = {},
  ): Promise<void> {
    const config = await this.#poolConfig();
    const toTrash = "rbd_move_to_trash_on_remove";
    const keptSeconds = config.getNumber(`${toTrash}_expire_seconds`);
    await removeImage(this.context, this.io.engine, nameBytes(name), onProgress, {
      ...(config.getBoolean(toTrash) ? { toTrashMs: keptSeconds * 1000 } : {}),
      parentToTrash: config.getBoolean("rbd_move_parent_to_trash_on_remove"),
    });
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
    return [...entries].map(([id, { name, source, deletionTime, defermentEndTime }]) => ({
      id: nameText(id),
      name: nameText(name),
      source: TRASH_SOURCES[source] ?? "",
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

  /**
   * Removes what users have put into the trash and may go. With a threshold also what has to, whatever time it is
   * kept for, until the pools of the data are used by no more than that part; nothing, if they are not.
   * @param options.dueMs what is kept until then may go, milliseconds since 1970 @default now
   * @param options.threshold 0 to 1
   * @throws CephError EINVAL: no such threshold; EBUSY, ENOTEMPTY: the first that can not be removed ends it
   */
  async purgeTrash(
    options: { readonly dueMs?: number; readonly threshold?: number } & ProgressOptions = {},
  ): Promise<void> {
    const { onProgress: progress = () => undefined, ...which } = options;
    await purgeTrash(this.context, this.io.engine, { ...which, progress });
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

  // --- Groups -----------------------------------------------------------------------------------

  /** In the order of their names. */
  async listGroups(): Promise<string[]> {
    return [...(await listGroups(this.io.engine)).keys()].map(nameText);
  }

  /** @throws CephError EEXIST */
  async createGroup(name: string): Promise<void> {
    await createGroup(this.context, this.io.engine, nameBytes(name));
  }

  /** With its snapshots; the images stay. */
  async removeGroup(name: string): Promise<void> {
    await removeGroup(this.context, this.io.engine, nameBytes(name));
  }

  /** @throws CephError ENOENT; EEXIST */
  async renameGroup(name: string, to: string): Promise<void> {
    await renameGroup(this.io.engine, nameBytes(name), nameBytes(to));
  }

  /** @throws CephError ENOENT */
  async groupImages(group: string): Promise<GroupMember[]> {
    const { engine } = this.io;
    const members = await listGroupImages(engine, nameBytes(group));
    return members.map(({ poolId, imageName, state }) => ({
      pool: nameText(engine.inPool(poolId, engine.nspace).poolName),
      image: nameText(imageName),
      isAttached: state === GROUP_IMAGE_LINK_STATE.ATTACHED,
    }));
  }

  /** @param io of the image @throws CephError ENOENT; EEXIST: in another group; EINVAL: another namespace */
  async addToGroup(group: string, image: string, io: IoCtx = this.io): Promise<void> {
    await addToGroup(
      { io: this.io.engine, name: nameBytes(group) },
      { io: io.engine, name: nameBytes(image) },
    );
  }

  /** @param io of the image @throws CephError ENOENT; EINVAL: another namespace */
  async removeFromGroup(group: string, image: string, io: IoCtx = this.io): Promise<void> {
    await removeFromGroup(
      { io: this.io.engine, name: nameBytes(group) },
      { io: io.engine, name: nameBytes(image) },
    );
  }

  /** @throws CephError ENOENT */
  async groupSnapshots(
    group: string,
  ): Promise<{ readonly name: string; readonly isComplete: boolean }[]> {
    const snapshots = await listGroupSnapshots(this.io.engine, nameBytes(group));
    return snapshots.map(({ name, state }) => ({
      name: nameText(name),
      isComplete: state === GROUP_SNAPSHOT_STATE.COMPLETE,
    }));
  }

  /** Of every image at one moment. @throws CephError ENOENT; EEXIST */
  async createGroupSnapshot(group: string, name: string): Promise<void> {
    await takeGroupSnapshot(this.context, this.io.engine, nameBytes(group), nameBytes(name));
  }

  /** @throws CephError ENOENT */
  async removeGroupSnapshot(group: string, name: string): Promise<void> {
    await deleteGroupSnapshot(this.context, this.io.engine, nameBytes(group), nameBytes(name));
  }

  /** @throws CephError ENOENT; EEXIST */
  async renameGroupSnapshot(group: string, name: string, to: string): Promise<void> {
    const names = [nameBytes(group), nameBytes(name), nameBytes(to)] as const;
    await renameGroupSnapshot(this.io.engine, ...names);
  }

  /** Makes every image what it was. @throws CephError ENOENT */
  async rollBackGroup(
    group: string,
    name: string,
    { onProgress = () => undefined }: ProgressOptions = {},
  ): Promise<void> {
    const { context, io } = this;
    await rollBackGroup(context, io.engine, nameBytes(group), nameBytes(name), onProgress);
  }

  // --- Migration --------------------------------------------------------------------------------

  /** Copies what is left in a migration's source. @throws CephError EINVAL: there is none that can go on */
  async executeMigration(
    name: string,
    { onProgress = () => undefined }: ProgressOptions = {},
  ): Promise<void> {
    await executeMigration(this.context, this.io.engine, nameBytes(name), onProgress);
  }

  /** Ends one that is executed: the source goes. @throws CephError EINVAL: it is not executed */
  async commitMigration(
    name: string,
    { onProgress = () => undefined }: ProgressOptions = {},
  ): Promise<void> {
    await commitMigration(this.context, this.io.engine, nameBytes(name), onProgress);
  }

  /** Gives one up: the destination goes. */
  async abortMigration(
    name: string,
    { onProgress = () => undefined }: ProgressOptions = {},
  ): Promise<void> {
    await abortMigration(this.context, this.io.engine, nameBytes(name), onProgress);
  }
}
