/**
 * An image as plain memory: what reads of it, of its snapshots and of its clones must say. Random operations
 * go to the real one and to this; every read is compared.
 */
import { expect } from "vitest";
import { CephError } from "../../src/base/index.ts";
import { OBJECT_STATE, RBD_FEATURE } from "../../src/cls/rbd/types/features.ts";
import type { IoCtx } from "../../src/rados/index.ts";
import {
  abortMigration,
  CachedIo,
  type CacheOptions,
  checkObjectMap,
  cloneImage,
  commitMigration,
  createImage,
  deleteSnapshot,
  diffIterate,
  executeMigration,
  flattenOpen,
  type Image,
  type ImageData,
  ImageIo,
  noProgress,
  openImage,
  prepareMigration,
  protectSnapshot,
  type RbdContext,
  rebuildObjectMap,
  resizeImage,
  rollBackTo,
  sparsifyImage,
  takeSnapshot,
  updateFeatures,
} from "../../src/rbd/index.ts";
import { NOSNAP } from "../../src/types/index.ts";
import type { Dice } from "../harness/dice.ts";

const MAP = OBJECT_STATE;

/** Runs a piece of work to its end in whatever world it lives. */
export type Run = <T>(work: Promise<T>, what?: string) => Promise<T>;

export interface ModelOptions {
  readonly order: number;
  readonly size: number;
  readonly features: bigint;
  readonly stripeUnit?: number;
  readonly stripeCount?: number;
  readonly dataPool?: string;
  /** Whether images are moved while they are used. @default false */
  readonly migrates?: boolean;
}

interface ModelSnapshot {
  readonly name: string;
  readonly data: Buffer;
}

interface ModelMigration {
  /** The source's name. */
  readonly name: string;
  /** Those of the source, which it has still. */
  readonly snapshots: readonly ModelSnapshot[];
  isExecuted: boolean;
}

/** One image and what it should be. */
export class ModelImage {
  readonly image: Image;
  readonly io: ImageData;
  /** Without a granularity: what is discarded is zero. */
  data: Buffer;
  snapshots: ModelSnapshot[] = [];
  /** compat: then the head has a snapshot's map, as in librbd, with what was clean at that time. */
  isRolledBack = false;
  migration: ModelMigration | undefined;

  constructor(image: Image, data: Buffer, cache?: CacheOptions) {
    const options = { discardGranularity: 0 };
    this.image = image;
    this.io =
      cache === undefined ? new ImageIo(image, options) : new CachedIo(image, cache, options);
    this.data = data;
  }
}

/** A chain of images, each a clone of the one before, and random operations on the last. */
export class ImageModel {
  readonly #dice: Dice;
  readonly #context: RbdContext;
  readonly #pool: IoCtx;
  readonly #run: Run;
  readonly #options: ModelOptions;
  readonly #cache: CacheOptions | undefined;
  readonly log: string[] = [];
  #chain: ModelImage[] = [];
  #names = 0;

  constructor(of: {
    dice: Dice;
    context: RbdContext;
    pool: IoCtx;
    run: Run;
    options: ModelOptions;
    /** How the images are cached. @default not at all */
    cache?: CacheOptions | undefined;
  }) {
    this.#dice = of.dice;
    this.#context = of.context;
    this.#pool = of.pool;
    this.#run = of.run;
    this.#options = of.options;
    this.#cache = of.cache;
  }

  get current(): ModelImage {
    const last = this.#chain.at(-1);
    if (last === undefined) throw new Error("no image");
    return last;
  }

  async start(): Promise<void> {
    const name = `image${this.#names++}`;
    const { size, migrates: _, ...options } = this.#options;
    await this.#run(createImage(this.#context, this.#pool, name, size, options), "create");
    this.#chain.push(await this.#open(name, Buffer.alloc(size)));
  }

  async #open(name: string, data: Buffer): Promise<ModelImage> {
    const image = await this.#run(openImage(this.#context, this.#pool, { name }), "open");
    return new ModelImage(image, data, this.#cache);
  }

  /** One random operation. */
  async step(): Promise<void> {
    if (this.#options.migrates === true && this.#dice.chance(0.12)) return await this.#migrate();
    const roll = this.#dice.below(100);
    if (roll < 40) await this.#write();
    else if (roll < 55) await this.#read();
    else if (roll < 65) await this.#discard();
    else if (roll < 69) await this.#compareAndWrite();
    else if (roll < 74) await this.#resize();
    else if (roll < 81) await this.#takeSnapshot();
    else if (roll < 85) await this.#deleteSnapshot();
    else if (roll < 88) await this.#rollBack();
    else if (roll < 91) await this.#clone();
    else if (roll < 93) await this.#flatten();
    else if (roll < 95) await this.#reopen();
    else if (roll < 96) await this.#sparsify();
    else if (roll < 97) await this.#toggleMap();
    else if (roll < 98) await this.#flush();
    else await this.check();
  }

  /** Everything, the snapshots too; the object maps against the objects there are. */
  async check(): Promise<void> {
    this.log.push("check");
    for (const model of this.#chain) await this.#checkOne(model);
  }

  async close(): Promise<void> {
    for (const { image } of this.#chain) await this.#run(image.close(), "close");
  }

  async #checkOne(model: ModelImage): Promise<void> {
    const { image, io } = model;
    await this.#run(image.refresh(), "refresh");
    expect(image.size, "size").toBe(model.data.length);
    this.#compare(
      await this.#run(io.read(0, model.data.length), "read"),
      model.data,
      `head of ${image.name}`,
      0,
    );
    for (const { name, data } of model.snapshots) {
      const snap = image.snapshots.find((x) => x.name === name);
      expect(snap?.imageSize, name).toBe(data.length);
      if (snap === undefined || data.length === 0) continue;
      const read = await this.#run(readOver(io, 0, data.length, snap.id), "read a snapshot");
      this.#compare(read, data, name, 0);
    }
    // What is written while the objects are being looked at would be in the map or not.
    await this.#run(io.flush(), "flush");
    if (image.hasFeature(RBD_FEATURE.OBJECT_MAP)) await this.#checkMaps(model);
    await this.#checkDiff(model);
  }

  /** An object that is there is never said not to be, nor a changed one to be clean. */
  async #checkMaps(model: ModelImage): Promise<void> {
    const { image } = model;
    let isExact = true;
    for (const snap of [NOSNAP, ...image.snapshots.map(({ id }) => id)]) {
      const work = checkObjectMap(image, snap, () => undefined);
      const wrong = await this.#run(work, "check an object map");
      isExact &&= wrong.length === 0;
      // One that the map invents, or has as changed though nothing was written in the end, is slow, not wrong.
      const missed = wrong.filter(({ mapped, actual }) => {
        const isThere = mapped === MAP.EXISTS || mapped === MAP.EXISTS_CLEAN;
        const isStale = mapped === MAP.EXISTS_CLEAN && actual === MAP.EXISTS;
        return actual !== MAP.NONEXISTENT && (!isThere || (isStale && !model.isRolledBack));
      });
      const which = `object map of ${image.name}@${snap}`;
      expect(missed, `${which}\n${this.log.slice(-60).join("\n")}`).toEqual([]);
    }
    // The check has marked them as librbd does: any difference in what is there, or changed.
    if (!isExact) await this.#run(rebuildObjectMap(image), "rebuild");
    model.isRolledBack = false;
    expect(image.flags, "flags").toBe(0n);
  }

  /** Where two revisions differ, the diff says so. */
  async #checkDiff({ image, data, snapshots }: ModelImage): Promise<void> {
    for (const wholeObject of [false, true]) {
      const from = snapshots.length > 0 ? this.#dice.pick(snapshots) : undefined;
      // compat: the object maps know nothing of the parent, and Pacific's librbd asks nobody else then.
      if (wholeObject && from === undefined && image.parent !== undefined) continue;
      const isIn = new Uint8Array(data.length);
      const before = Buffer.alloc(Math.max(data.length, from?.data.length ?? 0));
      from?.data.copy(before);
      const options = { wholeObject, ...(from === undefined ? {} : { fromSnap: from.name }) };
      const work = diffIterate(image, options, (offset, length, exists) => {
        isIn.fill(1, offset, offset + length);
        if (!exists) {
          expect(data.subarray(offset, offset + length).every((x) => x === 0)).toBe(true);
        }
      });
      await this.#run(work, "diff");
      for (let at = 0; at < data.length; at++) {
        if (data[at] !== before[at] && isIn[at] === 0) {
          throw new Error(
            `${from?.name ?? "start"} to head, ${wholeObject}: ${at} is not in the diff of ${image.name}\n${this.log.slice(-60).join("\n")}`,
          );
        }
      }
    }
  }

  #compare(got: Buffer, want: Buffer, what: string, offset: number): void {
    if (got.equals(want)) return;
    const at = got.findIndex((byte, i) => byte !== want[i]);
    throw new Error(
      `${what} at ${offset + at}: ${got[at]} for ${want[at]}\n${this.log.slice(-60).join("\n")}`,
    );
  }

  #range(): { offset: number; length: number } | undefined {
    const { length: size } = this.current.data;
    if (size === 0) return undefined;
    const { order } = this.#options;
    const objectSize = 2 ** order;
    if (this.#dice.chance(0.15) && size >= objectSize) {
      // Whole objects have ways of their own.
      const first = this.#dice.below(Math.floor(size / objectSize));
      const count = this.#dice.between(1, 3);
      return {
        offset: first * objectSize,
        length: Math.min(count * objectSize, size - first * objectSize),
      };
    }
    const offset = this.#dice.below(size);
    const most = this.#dice.chance(0.2) ? objectSize * 3 : objectSize / 4;
    return { offset, length: Math.min(size - offset, this.#dice.between(1, most)) };
  }

  async #write(): Promise<void> {
    // Several at a time, of different objects or not: of those that overlap the order is not known.
    const { io, data } = this.current;
    const count = this.#dice.between(1, 4);
    const works: Promise<unknown>[] = [];
    const taken: [number, number][] = [];
    for (let i = 0; i < count; i++) {
      const range = this.#range();
      if (range === undefined) continue;
      const { offset, length } = range;
      if (taken.some(([start, end]) => offset < end && start < offset + length)) continue;
      taken.push([offset, offset + length]);
      const bytes = this.#dice.chance(0.15)
        ? Buffer.alloc(length)
        : Buffer.from(this.#dice.bytes(length));
      this.log.push(`write ${offset}~${length}${bytes[0] === 0 ? " 0" : ""}`);
      works.push(io.write(offset, bytes));
      bytes.copy(data, offset);
    }
    await this.#run(Promise.all(works), "write");
  }

  async #read(): Promise<void> {
    const { io, data } = this.current;
    const range = this.#range();
    if (range === undefined) return;
    const { offset, length } = range;
    const got = this.#dice.chance(0.5)
      ? await this.#run(io.read(offset, length), "read")
      : await this.#run(readOver(io, offset, length), "read into");
    this.#compare(got, data.subarray(offset, offset + length), `read ${offset}~${length}`, offset);
  }

  async #discard(): Promise<void> {
    const { io, data } = this.current;
    const range = this.#range();
    if (range === undefined) return;
    const { offset, length } = range;
    this.log.push(`discard ${offset}~${length}`);
    const work = this.#dice.chance(0.5)
      ? io.discard(offset, length)
      : io.writeZeroes(offset, length, { thick: this.#dice.chance(0.3) });
    await this.#run(work, "discard");
    data.fill(0, offset, offset + length);
  }

  async #compareAndWrite(): Promise<void> {
    const { io, data, image } = this.current;
    const range = this.#range();
    if (range === undefined) return;
    const { offset } = range;
    const unit = Math.min(image.stripeUnit, 512);
    const start = offset - (offset % unit);
    const length = Math.min(unit, data.length - start);
    const expected = Buffer.from(data.subarray(start, start + length));
    const isRight = this.#dice.chance(0.6);
    const wrongAt = this.#dice.below(length);
    if (!isRight) expected[wrongAt] = (expected[wrongAt] ?? 0) ^ 1;
    const bytes = Buffer.from(this.#dice.bytes(length));
    this.log.push(`compare and write ${start}~${length} ${isRight}`);
    const outcome = await this.#run(
      io.compareAndWrite(start, expected, bytes).catch((error: unknown) => error),
      "compare and write",
    );
    if (isRight) {
      expect(outcome).toBe(length);
      bytes.copy(data, start);
    } else {
      expect((outcome as CephError).code).toBe("EILSEQ");
      expect((outcome as { offset: number }).offset).toBe(start + wrongAt);
    }
  }

  async #resize(): Promise<void> {
    const model = this.current;
    const objectSize = 2 ** this.#options.order;
    const most = this.#options.size * 1.5;
    const size = this.#dice.chance(0.3)
      ? this.#dice.below(Math.floor(most / objectSize)) * objectSize
      : this.#dice.below(most);
    this.log.push(`resize ${size}`);
    await this.#run(resizeImage(model.image, size), "resize");
    const data = Buffer.alloc(size);
    model.data.copy(data);
    model.data = data;
  }

  async #takeSnapshot(): Promise<void> {
    const { image, data, snapshots } = this.current;
    if (snapshots.length >= 6) return;
    const name = `snap${this.#names++}`;
    this.log.push(`snapshot ${name}`);
    await this.#run(takeSnapshot(image, name), "take a snapshot");
    snapshots.push({ name, data: Buffer.from(data) });
  }

  async #deleteSnapshot(): Promise<void> {
    const model = this.current;
    if (model.snapshots.length === 0) return;
    const { name } = this.#dice.pick(model.snapshots);
    this.log.push(`delete ${name}`);
    await this.#run(deleteSnapshot(model.image, name), "delete a snapshot");
    model.snapshots = model.snapshots.filter((x) => x.name !== name);
  }

  async #rollBack(): Promise<void> {
    const model = this.current;
    if (model.snapshots.length === 0) return;
    const { name, data } = this.#dice.pick(model.snapshots);
    this.log.push(`roll back to ${name}`);
    if (model.migration !== undefined && !model.migration.isExecuted) {
      const refused = this.#run(rollBackTo(model.image, name), "roll back");
      return await expect(refused).rejects.toMatchObject({ code: "EOPNOTSUPP" });
    }
    await this.#run(rollBackTo(model.image, name), "roll back");
    model.isRolledBack = true;
    model.data = Buffer.from(data);
  }

  async #clone(): Promise<void> {
    if (this.#chain.length >= 4) return;
    const { image } = this.current;
    await this.#takeSnapshot();
    const snapshot = this.current.snapshots.at(-1);
    if (snapshot === undefined || snapshot.data.length === 0) return;
    const format = this.#dice.chance(0.5) ? 1 : 2;
    const name = `image${this.#names++}`;
    this.log.push(`clone ${snapshot.name} to ${name} of kind ${format}`);
    if (format === 1) await this.#run(protectSnapshot(image, snapshot.name), "protect");
    const from = { io: this.#pool, name: image.name, snapshot: snapshot.name };
    const { features, order } = this.#options;
    const options = { features, order, format } as const;
    await this.#run(cloneImage(this.#context, from, { io: this.#pool, name }, options), "clone");
    this.#chain.push(await this.#open(name, Buffer.from(snapshot.data)));
  }

  async #flatten(): Promise<void> {
    const { image, migration } = this.current;
    if (image.parent === undefined || migration !== undefined) return;
    this.log.push("flatten");
    if (image.parent.overlap === undefined) return;
    await this.#run(flattenOpen(image), "flatten");
  }

  async #reopen(): Promise<void> {
    const model = this.current;
    this.log.push("reopen");
    const { name } = model.image;
    await this.#run(model.image.close(), "close");
    const reopened = await this.#open(name, model.data);
    reopened.snapshots = model.snapshots;
    reopened.isRolledBack = model.isRolledBack;
    reopened.migration = model.migration;
    this.#chain[this.#chain.length - 1] = reopened;
  }

  // --- Migration --------------------------------------------------------------------------------

  /** The next step of any image's of the chain. */
  async #migrate(): Promise<void> {
    const index = this.#dice.below(this.#chain.length);
    const model = this.#chain[index];
    if (model === undefined) return;
    const { migration } = model;
    if (migration === undefined) return await this.#prepareMigration(index, model);
    const { name } = model.image;
    const roll = this.#dice.below(10);
    if (migration.isExecuted) {
      if (roll < 5) return await this.#commitMigration(index, model);
    } else if (roll < 3) {
      return await this.#executePart(name, migration);
    } else if (roll < 6) {
      this.log.push(`execute ${name}`);
      const work = executeMigration(this.#context, this.#pool, name, noProgress);
      await this.#run(work, "execute a migration");
      migration.isExecuted = true;
      return;
    }
    if (roll >= 8) await this.#abortMigration(index, model, migration);
  }

  async #prepareMigration(index: number, model: ModelImage): Promise<void> {
    const { name } = model.image;
    const to = this.#dice.chance(0.5) ? name : `image${this.#names++}`;
    const order = this.#options.order + this.#dice.between(-1, 1);
    const isStriped = this.#dice.chance(0.4);
    const stripes = isStriped
      ? { stripeUnit: 2 ** (order - 2), stripeCount: 3 }
      : { stripeUnit: 2 ** order, stripeCount: 1 };
    const flatten = this.#dice.chance(0.2);
    this.log.push(`prepare ${name} to ${to}, ${order} ${isStriped ? "striped" : ""} ${flatten}`);
    await this.#run(model.image.close(), "close");
    const at = (image: string) => ({ io: this.#pool, name: image });
    const options = { order, ...stripes, flatten };
    const work = prepareMigration(this.#context, at(name), at(to), options);
    const error = await this.#run(
      work.then(
        () => undefined,
        (why: unknown) => why,
      ),
      "prepare a migration",
    );
    // One of its snapshots was deleted, and has a clone.
    if (error !== undefined) expect(error).toMatchObject({ code: "EBUSY" });
    await this.#replace(index, error === undefined ? to : name, model);
    const migrating = this.#chain[index];
    if (error !== undefined || migrating === undefined) return;
    migrating.migration = { name, snapshots: model.snapshots, isExecuted: false };
  }

  /** Opens it again, under a name that it has now. */
  async #replace(
    index: number,
    name: string,
    of: Pick<ModelImage, "data" | "snapshots"> & Partial<ModelImage>,
  ): Promise<void> {
    const { data, snapshots, migration } = of;
    const opened = await this.#open(name, data);
    opened.migration = migration;
    opened.snapshots = [...snapshots];
    // The maps' times are others.
    opened.isRolledBack = true;
    this.#chain[index] = opened;
  }

  async #executePart(name: string, migration: ModelMigration): Promise<void> {
    this.log.push(`execute a part of ${name}`);
    const enough = this.#dice.fraction();
    const ended = new Error("enough");
    const progress = (done: number, total: number) => {
      if (done >= total * enough) throw ended;
    };
    const work = executeMigration(this.#context, this.#pool, name, progress).then(
      () => true,
      (error: unknown) => {
        if (error !== ended) throw error;
        return false;
      },
    );
    migration.isExecuted = await this.#run(work, "execute a part of a migration");
  }

  async #commitMigration(index: number, model: ModelImage): Promise<void> {
    const { name } = model.image;
    this.log.push(`commit ${name}`);
    const work = commitMigration(this.#context, this.#pool, name, noProgress);
    await this.#run(work, "commit a migration");
    model.migration = undefined;
    await this.#reopenBehind(index);
  }

  /** Clones of clones do not hear that the parent of their parent is another. */
  async #reopenBehind(index: number): Promise<void> {
    for (const [at, later] of this.#chain.entries()) {
      if (at <= index + 1) continue;
      await this.#run(later.image.close(), "close");
      await this.#replace(at, later.image.name, later);
    }
  }

  async #abortMigration(
    index: number,
    model: ModelImage,
    { name, snapshots }: ModelMigration,
  ): Promise<void> {
    const { image } = model;
    // A clone of a snapshot that the source has not could not go back.
    const known = new Set(snapshots.map((snapshot) => snapshot.name));
    const parent = this.#chain[index + 1]?.image.parent?.spec;
    const shown = image.snapshots.find(({ id }) => id === parent?.snapId);
    const isShownNew = parent?.imageId === image.id && !known.has(shown?.name ?? "");
    const hasDeleted = image.snapshots.some(({ namespace }) => namespace.type !== "user");
    if (isShownNew || hasDeleted) return;
    this.log.push(`abort ${image.name}`);
    await this.#run(image.close(), "close");
    const work = abortMigration(this.#context, this.#pool, image.name, noProgress);
    await this.#run(work, "abort a migration");
    await this.#replace(index, name, { data: model.data, snapshots: [...snapshots] });
    await this.#reopenBehind(index);
  }

  async #flush(): Promise<void> {
    this.log.push("flush");
    await this.#run(this.current.io.flush(), "flush");
  }

  async #sparsify(): Promise<void> {
    this.log.push("sparsify");
    await this.#run(sparsifyImage(this.current.image, 4096), "sparsify");
  }

  /** A map that is made anew is one that is believed again. */
  async #toggleMap(): Promise<void> {
    const { image } = this.current;
    if (!image.hasFeature(RBD_FEATURE.OBJECT_MAP)) return;
    this.log.push("object map off and on");
    await this.#run(updateFeatures(image, RBD_FEATURE.OBJECT_MAP, false), "features off");
    await this.#write();
    await this.#run(updateFeatures(image, RBD_FEATURE.OBJECT_MAP, true), "features on");
    await this.#write();
    await this.#run(rebuildObjectMap(image), "rebuild");
  }
}

/** Reads into memory that is full of something else. */
async function readOver(io: ImageData, offset: number, length: number, snap = NOSNAP) {
  const into = Buffer.alloc(length, 0xee);
  return into.subarray(0, await io.readInto(offset, into, snap));
}
