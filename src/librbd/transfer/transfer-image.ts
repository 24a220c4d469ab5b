/**
 * Bringing one image to another cluster: its data at every snapshot, oldest first, then as it is now.
 *
 *   image made on the target under a name of its own (as a clone where its parent is there) -> for each snapshot,
 *   and the head at last: what differs from the one before is copied -> the snapshot is taken -> protection,
 *   metadata -> it gets its name
 *
 * It can be ended at any point and run again. What the target has is told by its snapshots and by a record in
 * its metadata: the snapshot that its head was last seen equal to. Where a copy was under way the head is
 * brought back to that first, as the source may have lost what was being copied. One that is done is left
 * alone, for it may be in use there; only who says so has it brought up to date, and loses what was written there.
 */

import { CephError, ERRNO } from "../../base/index.ts";
import { RBD_FEATURE } from "../../cls/rbd/types/features.ts";
import { featureBits } from "../features.ts";
import type { Image } from "../image.ts";
import type { SnapshotInfo } from "../image-details.ts";
import type { Rbd } from "../rbd.ts";

/** Of the target's metadata: which image it is a copy of, and how far. */
export const RECORD_KEY = "spirula.transfer";
/** Bytes that are read and written at a time. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** Features that are this image's own doing, or that a copy has by what it is. */
const KEPT =
  RBD_FEATURE.LAYERING |
  RBD_FEATURE.STRIPINGV2 |
  RBD_FEATURE.EXCLUSIVE_LOCK |
  RBD_FEATURE.OBJECT_MAP |
  RBD_FEATURE.FAST_DIFF |
  RBD_FEATURE.DEEP_FLATTEN;

/** Told how far a step is; what it throws ends the transfer, which can be taken up again. */
export type TransferProgress = (step: {
  readonly image: string;
  /** Undefined: the head. */
  readonly snapshot: string | undefined;
  /** Bytes of the image looked at, and all of them. */
  readonly done: number;
  readonly total: number;
}) => void;

/** Where a clone's parent is on the target. */
export interface TransferredParent {
  readonly rbd: Rbd;
  readonly image: string;
  readonly snapshot: string;
}

export interface TransferImageOptions {
  /** Undefined: the image has none, or it is not there: then all data is the image's own. */
  readonly parent: TransferredParent | undefined;
  /** Pool for the data on the target; undefined: the image's own. */
  readonly dataPool: string | undefined;
  /** Brings one that is done up to date; what was written on the target is lost. */
  readonly again: boolean;
  readonly onProgress: TransferProgress;
}

interface TransferRecord {
  readonly fsid: string;
  readonly id: string;
  /** The head is as this snapshot; "" is as it was made; undefined: something is being copied, or all is done. */
  readonly clean: string | undefined;
  readonly isDone: boolean;
}

/**
 * @returns false if it was there already, and was left alone
 * @throws CephError EBUSY if another client has the image open, here or there; EEXIST if the target has another
 *   one of its name
 */
export async function transferImage(
  source: { readonly rbd: Rbd; readonly fsid: string; readonly name: string },
  target: Rbd,
  options: TransferImageOptions,
): Promise<boolean> {
  const { name, fsid } = source;
  await using head = await source.rbd.open(name);
  await checkUnused(head, name);
  const transfer = new ImageTransfer(source.rbd, head, target, options);
  const copy = await transfer.openTarget({ fsid, id: head.id, clean: "", isDone: false });
  if (copy === undefined) return false;
  try {
    await checkUnused(copy, `${name} on the target`);
    await transfer.run(copy);
  } finally {
    await copy.close();
  }
  if (copy.name !== name) await target.rename(copy.name, name);
  return true;
}

/** We have it open ourselves; a second watcher is somebody else. */
async function checkUnused(image: Image, what: string): Promise<void> {
  if ((await image.watchers()).length <= 1) return;
  throw new CephError(-ERRNO.EBUSY, { op: "transfer", target: `${what}: it is in use` });
}

class ImageTransfer {
  readonly #source: Rbd;
  readonly #head: Image;
  readonly #target: Rbd;
  readonly #options: TransferImageOptions;
  #record!: TransferRecord;

  constructor(source: Rbd, head: Image, target: Rbd, options: TransferImageOptions) {
    this.#source = source;
    this.#head = head;
    this.#target = target;
    this.#options = options;
  }

  /** The image on the target: the one that an earlier run has made, or a new one; undefined: it is done. */
  async openTarget(fresh: TransferRecord): Promise<Image | undefined> {
    const { name, id } = this.#head;
    // Nobody else makes one of this name, and nobody takes it for the image.
    const ownName = `${name}.transfer-${id}`;
    const names = new Set((await this.#target.list()).map((image) => image.name));
    for (const known of [name, ownName]) {
      if (!names.has(known)) continue;
      const copy = await this.#target.open(known);
      const record = recordFrom((await copy.metadata()).get(RECORD_KEY));
      if (known === name && (record?.fsid !== fresh.fsid || record.id !== id)) {
        await copy.close();
        const target = `${name}: the target has another image of this name`;
        throw new CephError(-ERRNO.EEXIST, { op: "transfer", target });
      }
      if (known === name && record?.isDone === true && !this.#options.again) {
        await copy.close();
        return undefined;
      }
      const isOfUse = record?.clean !== undefined || (await copy.snapshots()).length > 0;
      if (record !== undefined && isOfUse) {
        this.#record = record;
        return copy;
      }
      // Nothing of it is known to be right.
      await copy.close();
      await this.#target.remove(known);
    }
    await this.#make(ownName);
    const copy = await this.#target.open(ownName);
    this.#record = fresh;
    await this.#note(copy, { clean: "" });
    return copy;
  }

  async #make(as: string): Promise<void> {
    const { parent, dataPool } = this.#options;
    const { objectSize, stripeUnit, stripeCount, features } = await this.#head.info();
    const isStriped = features.includes("striping");
    const layout = {
      features: features.filter((feature) => (featureBits([feature]) & KEPT) !== 0n),
      objectSize,
      ...(isStriped ? { stripeUnit, stripeCount } : {}),
      ...(dataPool === undefined ? {} : { dataPool }),
    };
    if (parent === undefined) {
      await this.#target.create(as, await this.#firstSize(), layout);
      return;
    }
    const { rbd, image, snapshot } = parent;
    await this.#target.clone({ image, snapshot, io: rbd.io }, as, { ...layout, format: 2 });
    // What does not show through any more at the source must not at the target.
    const overlap = (await this.#head.info()).parent?.overlap ?? 0;
    await using clone = await this.#target.open(as);
    if (overlap < clone.size) await clone.resize(overlap, { allowShrink: true });
  }

  async #firstSize(): Promise<number> {
    const [first] = await this.#head.snapshots();
    return first?.size ?? this.#head.size;
  }

  async run(copy: Image): Promise<void> {
    const snapshots = await this.#head.snapshots();
    const there = new Map((await copy.snapshots()).map((snapshot) => [snapshot.name, snapshot]));
    let since = snapshots.findLast(({ name }) => there.has(name))?.name;
    await this.#cleanUp(copy, since);
    for (const snapshot of snapshots.slice(snapshots.findIndex(({ name }) => name === since) + 1)) {
      await using at = await this.#source.open(this.#head.name, { snapshot: snapshot.name });
      await this.#copy(at, copy, { since, snapshot: snapshot.name });
      await copy.createSnapshot(snapshot.name);
      since = snapshot.name;
      await this.#note(copy, { clean: since });
    }
    await this.#copy(this.#head, copy, { since, snapshot: undefined });
    await this.#protect(copy, snapshots);
    for (const [key, value] of await this.#head.metadata()) {
      if (key !== RECORD_KEY) await copy.setMetadata(key, value);
    }
    await this.#note(copy, { isDone: true });
  }

  /** The head has to be as the snapshot from which the next copy starts. */
  async #cleanUp(copy: Image, since: string | undefined): Promise<void> {
    if (this.#record.clean === (since ?? "")) return;
    // Without a snapshot it would have been made anew: see openTarget.
    if (since !== undefined) await copy.rollback(since);
    await this.#note(copy, { clean: since ?? "" });
  }

  async #copy(
    from: Image,
    to: Image,
    { since, snapshot }: { since: string | undefined; snapshot: string | undefined },
  ): Promise<void> {
    const { onProgress, parent } = this.#options;
    const { size: total } = from;
    const image = this.#head.name;
    await this.#note(to, {});
    await to.resize(total, { allowShrink: true });
    const isOfParent = parent !== undefined;
    // Whole objects where a hole hides what the parent has there.
    const wanted =
      since === undefined
        ? { wholeObject: isOfParent, includeParent: !isOfParent }
        : { from: since };
    for await (const { offset, length, exists } of from.diff(wanted)) {
      const end = Math.min(offset + length, total);
      for (let at = offset; at < end; at += PIECE_BYTES) {
        const bytes = Math.min(PIECE_BYTES, end - at);
        if (exists) await to.write(at, await from.read(at, bytes));
        else await to.writeZeroes(at, bytes);
        onProgress({ image, snapshot, done: at + bytes, total });
      }
    }
    await to.flush();
    onProgress({ image, snapshot, done: total, total });
  }

  async #protect(copy: Image, snapshots: readonly SnapshotInfo[]): Promise<void> {
    const there = new Map((await copy.snapshots()).map((each) => [each.name, each.isProtected]));
    for (const { name, isProtected } of snapshots) {
      if (isProtected && there.get(name) === false) await copy.protectSnapshot(name);
    }
  }

  async #note(copy: Image, state: { clean?: string; isDone?: boolean }): Promise<void> {
    const { fsid, id } = this.#record;
    const { clean, isDone = false } = state;
    this.#record = { fsid, id, clean, isDone };
    await copy.setMetadata(RECORD_KEY, recordText(this.#record));
  }
}

/** Undefined where there is none, or one that nobody can have written. */
function recordFrom(text: string | undefined): TransferRecord | undefined {
  const match = /^(\S+) (\S+) (dirty|done|clean .*)$/s.exec(text ?? "");
  if (match === null) return undefined;
  const [, fsid = "", id = "", state = ""] = match;
  const clean = state.startsWith("clean ") ? state.slice("clean ".length) : undefined;
  return { fsid, id, clean, isDone: state === "done" };
}

function recordText({ fsid, id, clean, isDone }: TransferRecord): string {
  const state = clean === undefined ? "dirty" : `clean ${clean}`;
  return `${fsid} ${id} ${isDone ? "done" : state}`;
}
