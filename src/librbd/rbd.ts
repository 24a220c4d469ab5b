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
import type { CallOptions, Cluster, IoCtx } from "../librados/index.ts";
import type { IoCtx as Engine } from "../rados/index.ts";
import {
  abortMigration,
  addToGroup,
  changeMetadata,
  cloneImage,
  commitMigration,
  createFormat1Image,
  createGroup,
  createImage,
  createNamespace,
  deleteGroupSnapshot,
  executeMigration,
  type Image as ImageEngine,
  initPool,
  listFormat1,
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
  type Progress,
  poolStats,
  prepareMigration,
  purgeTrash,
  type RateLimits,
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
import { NOSNAP, utimeToMs } from "../types/index.ts";
import { cacheOptions } from "./cache-options.ts";
import { engineCreateOptions, type NewImageOptions, withDefaults } from "./create-options.ts";
import { Image } from "./image.ts";
import { imageData } from "./image-data.ts";
import { type ProgressOptions, stepwise, within } from "./limits.ts";
import { type MigrationStatus, migrationStatus } from "./migration-status.ts";
import {
  type CloneOptions,
  type GroupMember,
  type MigrationOptions,
  type OpenOptions,
  TRASH_SOURCES,
  type TrashEntry,
} from "./pool-details.ts";
import { announcePoolOptions, isPoolOption, ownOptions, poolConfig } from "./pool-options.ts";
import { configuredLimits } from "./rate-limits.ts";

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
    options: { readonly namespace?: string } & CallOptions = {},
  ): Promise<Rbd> {
    return new Rbd(cluster, await cluster.openPool(pool, options));
  }

  /**
   * Makes a pool fit for images: its application, and that it can have snapshots.
   * @param options.force even if it is another application's @throws CephError EPERM: it is
   */
  async initPool(options: { readonly force?: boolean } & CallOptions = {}): Promise<void> {
    const { force, ...limits } = options;
    await this.#within("prepare", this.#pool, limits, async () => {
      const validate = (await this.#poolConfig()).getBoolean("rbd_validate_pool");
      const how = { validate, ...(force === undefined ? {} : { force }) };
      await initPool(this.context.rados, this.io.engine, how);
    });
  }

  /** Counts what there is in this namespace. */
  async stats(options: CallOptions = {}): Promise<PoolStats> {
    return await this.#read("count the images of", this.#pool, options, poolStats);
  }

  /** What is kept with the pool: settings of images by the names `conf_…`. */
  async metadata(options: CallOptions = {}): Promise<Map<string, string>> {
    const entries = await this.#read("list the metadata of", this.#pool, options, (io) =>
      listMetadata(io, POOL_METADATA),
    );
    return new Map([...entries].map(([key, value]) => [nameText(key), nameText(value)]));
  }

  /** @param value undefined: removes it @throws CephError ENOENT: there is none to remove */
  async setMetadata(
    key: string,
    value: string | undefined,
    options: CallOptions = {},
  ): Promise<void> {
    const bytes = value === undefined ? undefined : nameBytes(value);
    await this.#within("set metadata of", this.#pool, options, async () => {
      await changeMetadata(this.io.engine, POOL_METADATA, nameBytes(key), bytes);
      if (isPoolOption(key)) await announcePoolOptions(this.context);
    });
  }

  async namespaceExists(name: string, options: CallOptions = {}): Promise<boolean> {
    return await this.#read("look for namespace", name, options, (io) =>
      namespaceExists(io, nameBytes(name)),
    );
  }

  /** Names and ids, in the order of the names; before them those of format 1, which have no ids. */
  async list(options: CallOptions = {}): Promise<{ readonly name: string; readonly id: string }[]> {
    const images = await this.#read("list the images of", this.#pool, options, async (io) => [
      ...(await listFormat1(io)).map((name) => [name, ""] as const),
      ...(await listImages(io)),
    ]);
    return images.map(([name, id]) => ({ name: nameText(name), id: nameText(id) }));
  }

  /** @param size bytes @returns the image's id, "" in format 1 @throws CephError EEXIST */
  async create(
    name: string,
    size: number,
    options: NewImageOptions & CallOptions = {},
  ): Promise<string> {
    const id = await this.#within("create", name, options, async () => {
      const how = withDefaults(engineCreateOptions(options), await this.#poolConfig());
      const what = [this.context, this.io.engine, nameBytes(name), size, how] as const;
      if (options.format !== 1) return await createImage(...what);
      await createFormat1Image(...what);
      return "";
    });
    return nameText(id);
  }

  /** @throws CephError ENOENT: no such image, or snapshot; EINVAL: an option of a cache that cannot be */
  async open(which: string | { readonly id: string }, options: OpenOptions = {}): Promise<Image> {
    const { snapshot } = options;
    const readOnly = options.readOnly === true || snapshot !== undefined;
    const by = typeof which === "string" ? { name: nameBytes(which) } : { id: nameBytes(which.id) };
    const target = typeof which === "string" ? which : which.id;
    const engine = await this.#openEngine(target, options, () =>
      openImage(this.context, this.io.engine, by, { readOnly }),
    );
    try {
      const cache = cacheOptions(options.cache, this.#config);
      const limits = await this.#rateLimits(engine, options);
      const data = imageData(engine, { cache, limits });
      if (snapshot === undefined) return new Image(engine, NOSNAP, data);
      // The header was read just now.
      const found = engine.snapshots.find(({ name, namespace }) => {
        return namespace.type === "user" && nameText(name) === snapshot;
      });
      if (found !== undefined) return new Image(engine, found.id, data);
      throw new CephError(-ERRNO.ENOENT, { op: "open", target: `${target}@${snapshot}` });
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  /** @returns the clone's id @throws CephError ENOENT; EINVAL: not protected, for the old kind; EEXIST */
  async clone(
    parent: { readonly image: string; readonly snapshot: string; readonly io?: IoCtx },
    name: string,
    options: CloneOptions & CallOptions = {},
  ): Promise<string> {
    const { format } = options;
    const from = {
      io: (parent.io ?? this.io).engine,
      name: nameBytes(parent.image),
      snapshot: nameBytes(parent.snapshot),
    };
    const to = { io: this.io.engine, name: nameBytes(name) };
    const how = { ...engineCreateOptions(options), ...(format === undefined ? {} : { format }) };
    const id = await this.#within("clone", parent.image, options, () =>
      cloneImage(this.context, from, to, how),
    );
    return nameText(id);
  }

  /**
   * Removes it, or puts it into the trash if `rbd_move_to_trash_on_remove` is set.
   * @throws CephError ENOENT; ENOTEMPTY: it has snapshots, or clones of deleted ones; EBUSY: it is in use
   */
  async remove(name: string, options: ProgressOptions = {}): Promise<void> {
    await this.#stepwise("remove", name, options, async (progress) => {
      const config = await this.#poolConfig();
      const toTrash = "rbd_move_to_trash_on_remove";
      const keptSeconds = config.getNumber(`${toTrash}_expire_seconds`);
      await removeImage(this.context, this.io.engine, nameBytes(name), progress, {
        ...(config.getBoolean(toTrash) ? { toTrashMs: keptSeconds * 1000 } : {}),
        parentToTrash: config.getBoolean("rbd_move_parent_to_trash_on_remove"),
      });
    });
  }

  /** @throws CephError ENOENT; EEXIST */
  async rename(name: string, to: string, options: CallOptions = {}): Promise<void> {
    await this.#within("rename", name, options, async () => {
      const image = await openImage(this.context, this.io.engine, { name: nameBytes(name) });
      try {
        await renameImage(image, nameBytes(to));
      } finally {
        await image.close();
      }
    });
  }

  // --- Trash ------------------------------------------------------------------------------------

  async listTrash(options: CallOptions = {}): Promise<TrashEntry[]> {
    const entries = await this.#read("list the trash of", this.#pool, options, listTrash);
    return [...entries].map(([id, { name, source, deletionTime, defermentEndTime }]) => ({
      id: nameText(id),
      name: nameText(name),
      source: TRASH_SOURCES[source] ?? "",
      deletedMs: utimeToMs(deletionTime),
      keptUntilMs: utimeToMs(defermentEndTime),
    }));
  }

  /** @param keepMs how long it must not be removed @returns its id */
  async moveToTrash(name: string, keepMs = 0, options: CallOptions = {}): Promise<string> {
    const id = await this.#within("move to the trash", name, options, () =>
      trashImage(this.context, this.io.engine, nameBytes(name), keepMs),
    );
    return nameText(id);
  }

  /** @param name @default the one it had @throws CephError ENOENT; EEXIST */
  async restoreFromTrash(id: string, name?: string, options: CallOptions = {}): Promise<void> {
    const to = name === undefined ? undefined : nameBytes(name);
    await this.#within("restore", id, options, () =>
      restoreImage(this.io.engine, nameBytes(id), to),
    );
  }

  /** @throws CephError ENOENT; EPERM: too early, without `force` */
  async removeFromTrash(
    id: string,
    options: { readonly force?: boolean } & ProgressOptions = {},
  ): Promise<void> {
    const { force = false, ...limits } = options;
    await this.#stepwise("remove", id, limits, (progress) =>
      removeTrash(this.context, this.io.engine, nameBytes(id), { force, progress }),
    );
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
    const { dueMs, threshold, ...limits } = options;
    const which = {
      ...(dueMs === undefined ? {} : { dueMs }),
      ...(threshold === undefined ? {} : { threshold }),
    };
    await this.#stepwise("purge the trash of", this.#pool, limits, (progress) =>
      purgeTrash(this.context, this.io.engine, { ...which, progress }),
    );
  }

  // --- Namespaces -------------------------------------------------------------------------------

  async listNamespaces(options: CallOptions = {}): Promise<string[]> {
    const names = await this.#read("list the namespaces of", this.#pool, options, listNamespaces);
    return names.map(nameText);
  }

  /** @throws CephError EEXIST */
  async createNamespace(name: string, options: CallOptions = {}): Promise<void> {
    await this.#within("create namespace", name, options, () =>
      createNamespace(this.io.engine, nameBytes(name)),
    );
  }

  /** @throws CephError ENOENT; EBUSY: it is not empty */
  async removeNamespace(name: string, options: CallOptions = {}): Promise<void> {
    await this.#within("remove namespace", name, options, () =>
      removeNamespace(this.io.engine, nameBytes(name)),
    );
  }

  // --- Groups -----------------------------------------------------------------------------------

  /** In the order of their names. */
  async listGroups(options: CallOptions = {}): Promise<string[]> {
    const groups = await this.#read("list the groups of", this.#pool, options, listGroups);
    return [...groups.keys()].map(nameText);
  }

  /** @throws CephError EEXIST */
  async createGroup(name: string, options: CallOptions = {}): Promise<void> {
    await this.#within("create group", name, options, () =>
      createGroup(this.context, this.io.engine, nameBytes(name)),
    );
  }

  /** With its snapshots; the images stay. */
  async removeGroup(name: string, options: CallOptions = {}): Promise<void> {
    await this.#within("remove group", name, options, () =>
      removeGroup(this.context, this.io.engine, nameBytes(name)),
    );
  }

  /** @throws CephError ENOENT; EEXIST */
  async renameGroup(name: string, to: string, options: CallOptions = {}): Promise<void> {
    await this.#within("rename group", name, options, () =>
      renameGroup(this.io.engine, nameBytes(name), nameBytes(to)),
    );
  }

  /** @throws CephError ENOENT */
  async groupImages(group: string, options: CallOptions = {}): Promise<GroupMember[]> {
    const { engine } = this.io;
    const members = await this.#read("list the images of group", group, options, (io) =>
      listGroupImages(io, nameBytes(group)),
    );
    return members.map(({ poolId, imageName, state }) => ({
      pool: nameText(engine.inPool(poolId, engine.nspace).poolName),
      image: nameText(imageName),
      isAttached: state === GROUP_IMAGE_LINK_STATE.ATTACHED,
    }));
  }

  /** @param io of the image @throws CephError ENOENT; EEXIST: in another group; EINVAL: another namespace */
  async addToGroup(
    group: string,
    image: string,
    io: IoCtx = this.io,
    options: CallOptions = {},
  ): Promise<void> {
    const to = { io: this.io.engine, name: nameBytes(group) };
    await this.#within("add to group", group, options, () =>
      addToGroup(to, { io: io.engine, name: nameBytes(image) }),
    );
  }

  /** @param io of the image @throws CephError ENOENT; EINVAL: another namespace */
  async removeFromGroup(
    group: string,
    image: string,
    io: IoCtx = this.io,
    options: CallOptions = {},
  ): Promise<void> {
    const from = { io: this.io.engine, name: nameBytes(group) };
    await this.#within("remove from group", group, options, () =>
      removeFromGroup(from, { io: io.engine, name: nameBytes(image) }),
    );
  }

  /** @throws CephError ENOENT */
  async groupSnapshots(
    group: string,
    options: CallOptions = {},
  ): Promise<{ readonly name: string; readonly isComplete: boolean }[]> {
    const snapshots = await this.#read("list the snapshots of group", group, options, (io) =>
      listGroupSnapshots(io, nameBytes(group)),
    );
    return snapshots.map(({ name, state }) => ({
      name: nameText(name),
      isComplete: state === GROUP_SNAPSHOT_STATE.COMPLETE,
    }));
  }

  /** Of every image at one moment. @throws CephError ENOENT; EEXIST */
  async createGroupSnapshot(group: string, name: string, options: CallOptions = {}): Promise<void> {
    await this.#within("take a snapshot of group", group, options, () =>
      takeGroupSnapshot(this.context, this.io.engine, nameBytes(group), nameBytes(name)),
    );
  }

  /** @throws CephError ENOENT */
  async removeGroupSnapshot(group: string, name: string, options: CallOptions = {}): Promise<void> {
    await this.#within("remove a snapshot of group", group, options, () =>
      deleteGroupSnapshot(this.context, this.io.engine, nameBytes(group), nameBytes(name)),
    );
  }

  /** @throws CephError ENOENT; EEXIST */
  async renameGroupSnapshot(
    group: string,
    name: string,
    to: string,
    options: CallOptions = {},
  ): Promise<void> {
    const names = [nameBytes(group), nameBytes(name), nameBytes(to)] as const;
    await this.#within("rename a snapshot of group", group, options, () =>
      renameGroupSnapshot(this.io.engine, ...names),
    );
  }

  /** Makes every image what it was. @throws CephError ENOENT */
  async rollBackGroup(group: string, name: string, options: ProgressOptions = {}): Promise<void> {
    const names = [nameBytes(group), nameBytes(name)] as const;
    await this.#stepwise("roll back group", group, options, (progress) =>
      rollBackGroup(this.context, this.io.engine, ...names, progress),
    );
  }

  // --- Migration --------------------------------------------------------------------------------

  /**
   * Begins to move an image: from then on it is used by the name of its destination, which shows the source until
   * all is copied. It goes on if the call is ended early.
   * @param to where @default the same pool, namespace and name: only the layout is another
   * @returns the destination's id
   * @throws CephError ENOENT; EBUSY: it is in use, migrating, or has snapshots that no user took; EEXIST; EINVAL:
   *   it has clones, and the destination no layering; EOPNOTSUPP: mirrored, with a journal, or format 1
   */
  async prepareMigration(
    name: string,
    to: { readonly io?: IoCtx; readonly name?: string } = {},
    options: MigrationOptions & CallOptions = {},
  ): Promise<string> {
    const { flatten } = options;
    const target = { io: (to.io ?? this.io).engine, name: nameBytes(to.name ?? name) };
    const id = await this.#within("prepare the migration of", name, options, async () => {
      const { dataPool, validatePool } = withDefaults({}, await this.#poolConfig(target.io));
      const how = {
        ...(dataPool === undefined ? {} : { dataPool }),
        ...(validatePool === undefined ? {} : { validatePool }),
        ...engineCreateOptions(options),
        ...(flatten === undefined ? {} : { flatten }),
      };
      const from = { io: this.io.engine, name: nameBytes(name) };
      return await prepareMigration(this.context, from, target, how);
    });
    return nameText(id);
  }

  /** @param name of either end @throws CephError ENOENT; EINVAL: it is not migrating */
  async migrationStatus(name: string, options: CallOptions = {}): Promise<MigrationStatus> {
    return await this.#read("read the migration of", name, options, (io) =>
      migrationStatus(io, nameBytes(name)),
    );
  }

  /** Copies what is left in a migration's source. @throws CephError EINVAL: there is none that can go on */
  async executeMigration(name: string, options: ProgressOptions = {}): Promise<void> {
    await this.#stepwise("execute the migration of", name, options, (progress) =>
      executeMigration(this.context, this.io.engine, nameBytes(name), progress),
    );
  }

  /** Ends one that is executed: the source goes. @throws CephError EINVAL: it is not executed */
  async commitMigration(name: string, options: ProgressOptions = {}): Promise<void> {
    await this.#stepwise("commit the migration of", name, options, (progress) =>
      commitMigration(this.context, this.io.engine, nameBytes(name), progress),
    );
  }

  /** Gives one up: the destination goes. */
  async abortMigration(name: string, options: ProgressOptions = {}): Promise<void> {
    await this.#stepwise("abort the migration of", name, options, (progress) =>
      abortMigration(this.context, this.io.engine, nameBytes(name), progress),
    );
  }

  /** The image's own options come before the pool's, and those before the client's. */
  async #rateLimits(engine: ImageEngine, options: OpenOptions): Promise<RateLimits | undefined> {
    const { limits = false, ...rest } = options;
    if (typeof limits !== "boolean") return limits;
    if (!limits) return undefined;
    return await this.#within("read the options of", nameText(engine.target), rest, async () => {
      const own = ownOptions(await listMetadata(engine.io, engine.headerOid));
      return configuredLimits((await this.#poolConfig()).with(own));
    });
  }

  /** What is opened too late is closed: nobody else would. */
  async #openEngine(
    target: string,
    limits: CallOptions,
    open: () => Promise<ImageEngine>,
  ): Promise<ImageEngine> {
    let opening: Promise<ImageEngine> | undefined;
    try {
      return await this.#within("open", target, limits, () => (opening = open()));
    } catch (error) {
      opening
        ?.then((late) => late.close())
        .catch((why: unknown) => {
          if (why === error) return; // it was never open
          this.context.log.warn("image not closed", { image: target, why: String(why) });
        });
      throw error;
    }
  }

  async #poolConfig(io: Engine = this.io.engine): Promise<ClientConfig> {
    return await poolConfig(this.context, io, this.#config);
  }

  get #pool(): string {
    const { poolName, namespace } = this.io;
    return namespace === "" ? poolName : `${poolName}/${namespace}`;
  }

  /** What only reads is given up when a limit is reached. */
  async #read<T>(
    op: string,
    target: string,
    limits: CallOptions,
    work: (io: Engine) => Promise<T>,
  ): Promise<T> {
    return await this.#within(op, target, limits, (signal) =>
      work(this.io.engine.readingUntil(signal)),
    );
  }

  #within<T>(
    op: string,
    target: string,
    limits: CallOptions,
    work: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    return within(this.context.clock, limits, () => ({ op, target }), work);
  }

  #stepwise<T>(
    op: string,
    target: string,
    limits: ProgressOptions,
    work: (progress: Progress) => Promise<T>,
  ): Promise<T> {
    return stepwise(this.context.clock, limits, () => ({ op, target }), work);
  }
}
