/**
 * Copying one object of a migration's source, with its snapshots, into the destination that is written to.
 *
 * It may have been copied, or partly, by somebody else before: every write of it demands that the object is not
 * as new yet, so what is there stays.
 * ceph: src/librbd/io/CopyupRequest.cc deep_copy, handle_deep_copy, compute_deep_copy_snap_ids
 */

import { OBJECT_STATE, RBD_FEATURE } from "../../cls/rbd/types/features.ts";
import { NOSNAP } from "../../types/index.ts";
import { DeepCopy } from "../deep-copy/object-copy.ts";
import { imageError } from "../errors.ts";
import { Image, poolOf } from "../image.ts";
import { refOf, shownAt } from "../shown.ts";
import { objectToImage } from "../striper.ts";
import type { MigrationSource } from "./source.ts";

export class MigrationCopyup {
  readonly #image: Image;
  #source: Promise<Image> | undefined;
  #of: MigrationSource | undefined;
  #copy: DeepCopy | undefined;

  /** @param image the destination */
  constructor(image: Image) {
    this.#image = image;
  }

  /**
   * The lock must be held, where there is one, until it is done.
   * @param flatten also what the source only shows of its parent @default as the migration is to have it
   * @throws CephError ENOENT: the source is gone, or its pool
   */
  async copy(objectNo: number, flatten?: boolean): Promise<void> {
    const { migration } = this.#image;
    // Ended meanwhile: then it has been copied.
    if (migration === undefined) return;
    const copy = await this.#copyOf(migration);
    const { isCopied, exists } = await copy.copy(objectNo, flatten ?? migration.flatten);
    if (isCopied && exists) await this.#updateNewer(objectNo, migration);
  }

  async #copyOf(migration: MigrationSource): Promise<DeepCopy> {
    if (this.#of !== migration || this.#copy === undefined) {
      const { snapMap, flatten } = migration;
      const options = { from: 0n, snapMap, flatten, isMigration: true };
      const source = await this.#openSource(migration);
      this.#copy = new DeepCopy(this.#image.context, source, this.#image, options);
      this.#of = migration;
    }
    return this.#copy;
  }

  /** Nobody changes it any more: it is as it was, once it is open. */
  async #openSource({ shown }: MigrationSource): Promise<Image> {
    const { context, io, target } = this.#image;
    const spec = shown.get(NOSNAP)?.spec;
    const sourceIo = spec === undefined ? undefined : poolOf(io, spec.poolId, spec.poolNamespace);
    if (spec === undefined || sourceIo === undefined) {
      throw imageError("ENOENT", "open the migration's source of", target);
    }
    const options = { readOnly: true };
    const source = (this.#source ??= Image.open(context, sourceIo, refOf(spec), options));
    source.catch(() => {
      this.#source = undefined;
    });
    return await source;
  }

  /** Snapshots that were taken since the migration began, but for the oldest, and the head have the object, too. */
  async #updateNewer(objectNo: number, { snapMap }: MigrationSource): Promise<void> {
    const image = this.#image;
    const { objectMap } = image;
    const oldest = snapMap.get(NOSNAP)?.[0] ?? NOSNAP;
    if (objectMap === undefined || oldest === NOSNAP) return;
    const { NONEXISTENT, EXISTS, EXISTS_CLEAN } = OBJECT_STATE;
    const state = image.hasFeature(RBD_FEATURE.FAST_DIFF) ? EXISTS_CLEAN : EXISTS;
    const starts = objectToImage(image, objectNo).map(({ imageOffset }) => imageOffset);
    for (const { id } of image.snapshots) {
      const isShown = starts.some((start) => start < (shownAt(image, id)?.overlap ?? 0));
      // Of those that had it already more is known: it had been written to.
      if (id > oldest && isShown) {
        await objectMap.updateSnapshot(id, objectNo, state, NONEXISTENT);
      }
    }
    if (!objectMap.mayExist(objectNo)) await objectMap.update(objectNo, objectNo + 1, state);
  }
}
