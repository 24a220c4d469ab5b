/**
 * Bringing a pool's images to another cluster, those of its namespaces too, parents before their clones.
 *
 * A clone stays one where its parent comes along, or has come before; else it gets all that it shows. Groups,
 * the trash and journals stay behind: they are told of.
 */

import { CephError, ERRNO } from "../../base/index.ts";
import type { CallOptions, Cluster } from "../../librados/index.ts";
import type { ImageInfo } from "../image-info.ts";
import { stepwise } from "../limits.ts";
import { Rbd } from "../rbd.ts";
import {
  copyOfSnapshot,
  type TransferProgress,
  type TransferredParent,
  transferImage,
} from "./transfer-image.ts";

export interface TransferOptions extends CallOptions {
  /** Pool on the target, which has to be there. @default the same name */
  readonly toPool?: string;
  /** Only these, and what they are clones of has to be there. @default all of them */
  readonly images?: readonly string[];
  /**
   * Brings images that are done up to date. What was written to them on the target is lost. @default false: they
   * are left alone
   */
  readonly again?: boolean;
  /** Compares every byte of every snapshot once all is there. @default true */
  readonly verify?: boolean;
  readonly onProgress?: TransferProgress;
  /** Told what is left behind, or done otherwise than it was, a line each. */
  readonly onNote?: (line: string) => void;
}

interface Item {
  readonly namespace: string;
  readonly name: string;
  readonly info: ImageInfo;
}

/**
 * A transfer whose limits are reached ends between two pieces of an image, and can be taken up again.
 * @returns names of the images that were brought, as `namespace/image`
 */
export async function transferPool(
  from: Cluster,
  to: Cluster,
  pool: string,
  options: TransferOptions = {},
): Promise<string[]> {
  const { signal, timeoutMs, ...rest } = options;
  const subject = () => ({ op: "transfer", target: `pool ${pool}` });
  return await stepwise(from.around.clock, { signal, timeoutMs }, subject, (progress) => {
    const checkEnd = () => progress.signal?.throwIfAborted();
    return new PoolTransfer(from, to, pool, rest, checkEnd).run();
  });
}

class PoolTransfer {
  readonly #from: Cluster;
  readonly #to: Cluster;
  readonly #pool: string;
  readonly #options: TransferOptions;
  /** Throws once it is to end. */
  readonly #checkEnd: () => void;
  /** Where the images are now, by namespace and id on the source. */
  readonly #places = new Map<string, { rbd: Rbd; name: string }>();

  constructor(
    from: Cluster,
    to: Cluster,
    pool: string,
    options: TransferOptions,
    checkEnd: () => void,
  ) {
    this.#from = from;
    this.#to = to;
    this.#pool = pool;
    this.#options = options;
    this.#checkEnd = checkEnd;
  }

  async run(): Promise<string[]> {
    const { images, again = false, verify = true } = this.#options;
    const onProgress: TransferProgress = (step) => {
      this.#checkEnd();
      this.#options.onProgress?.(step);
    };
    const items = inOrder(await this.#list());
    this.#checkNames(items, images);
    const done: string[] = [];
    for (const item of items) {
      this.#checkEnd();
      const { namespace, name, info } = item;
      const [source, target] = [await this.#source(namespace), await this.#target(namespace)];
      if (images === undefined || images.includes(nameOf(item))) {
        const { fsid } = this.#from;
        const isNew = await transferImage({ rbd: source, fsid, name }, target, {
          parent: await this.#parentOf(source, item),
          dataPool: await this.#dataPool(info),
          again,
          verify,
          onProgress,
        });
        if (isNew && info.features.includes("journaling"))
          this.#note(`${nameOf(item)}: its journal stays`);
        if (isNew) done.push(nameOf(item));
        else this.#note(`${nameOf(item)}: is there already, and was left as it is`);
      }
      this.#places.set(key(namespace, info.id), { rbd: target, name });
    }
    return done;
  }

  async #list(): Promise<Item[]> {
    const root = await this.#source("");
    const items: Item[] = [];
    for (const namespace of ["", ...(await root.listNamespaces())]) {
      const rbd = await this.#source(namespace);
      for (const { name } of await rbd.list()) {
        await using image = await rbd.open(name, { readOnly: true });
        items.push({ namespace, name, info: await image.info() });
      }
      const trash = await rbd.listTrash();
      if (trash.length > 0)
        this.#note(`the trash of ${this.#pool}/${namespace} stays: ${trash.length} images`);
      const groups = await rbd.listGroups();
      if (groups.length > 0)
        this.#note(`the groups of ${this.#pool}/${namespace} stay: ${groups.join(", ")}`);
    }
    return items;
  }

  #checkNames(items: readonly Item[], images: readonly string[] | undefined): void {
    const missing = images?.find((name) => !items.some((item) => nameOf(item) === name));
    if (missing === undefined) return;
    throw new CephError(-ERRNO.ENOENT, { op: "find", target: `image ${this.#pool}/${missing}` });
  }

  async #source(namespace: string): Promise<Rbd> {
    return await Rbd.open(this.#from, this.#pool, { namespace });
  }

  async #target(namespace: string): Promise<Rbd> {
    const pool = this.#options.toPool ?? this.#pool;
    const rbd = await Rbd.open(this.#to, pool, { namespace });
    if (namespace !== "" && !(await rbd.listNamespaces()).includes(namespace)) {
      await rbd.createNamespace(namespace);
    }
    return rbd;
  }

  /** Where the parent is on the target; undefined: nowhere, or there is none. */
  async #parentOf(source: Rbd, { name, info }: Item): Promise<TransferredParent | undefined> {
    const { parent } = info;
    if (parent?.overlap === undefined) return undefined;
    const place =
      parent.poolId === source.io.poolId
        ? this.#places.get(key(parent.namespace, parent.imageId))
        : undefined;
    const there =
      place === undefined ? undefined : await this.#snapshotThere(source, parent, place);
    if (there === undefined)
      this.#note(`${name}: its parent does not come along; it gets all that it shows`);
    return there;
  }

  async #snapshotThere(
    source: Rbd,
    parent: NonNullable<ImageInfo["parent"]>,
    place: { readonly rbd: Rbd; readonly name: string },
  ): Promise<TransferredParent | undefined> {
    const at = await this.#source(parent.namespace);
    await using image = await at.open({ id: parent.imageId }, { readOnly: true });
    // One that only lives on for its clones is in no listing, and does not come along.
    const snapshot = (await image.snapshots()).find(({ id }) => id === parent.snapId);
    if (snapshot === undefined || source.io.poolId !== parent.poolId) return undefined;
    const isThere = (await place.rbd.list()).some(({ name }) => name === place.name);
    if (!isThere) return undefined;
    await using copy = await place.rbd.open(place.name, { readOnly: true });
    const found = await copyOfSnapshot(copy, { fsid: this.#from.fsid, image, snapshot });
    return found && { rbd: place.rbd, image: place.name, snapshot: found.name };
  }

  async #dataPool({ name, dataPool }: ImageInfo): Promise<string | undefined> {
    if (dataPool === undefined) return undefined;
    if ((await this.#to.pools()).some((pool) => pool.name === dataPool)) return dataPool;
    this.#note(`${name}: the target has no pool ${dataPool}; its data goes with its header`);
    return undefined;
  }

  #note(line: string): void {
    this.#options.onNote?.(line);
  }
}

function nameOf({ namespace, name }: Item): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

function key(namespace: string, id: string): string {
  return `${namespace}/${id}`;
}

/** Parents first. */
function inOrder(items: readonly Item[]): Item[] {
  const byKey = new Map(items.map((item) => [key(item.namespace, item.info.id), item]));
  const ordered = new Set<Item>();
  const add = (item: Item): void => {
    const { parent } = item.info;
    const first =
      parent === undefined ? undefined : byKey.get(key(parent.namespace, parent.imageId));
    if (first !== undefined && first !== item) add(first);
    ordered.add(item);
  };
  for (const item of items) add(item);
  return [...ordered];
}
