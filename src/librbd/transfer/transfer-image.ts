/**
 * Bringing one image to another cluster: its data at every snapshot, oldest first, then as it is now.
 *
 *   image made on the target under a name of its own (as a clone where its parent is there) -> for each snapshot,
 *   and the head at last: what differs from the one before is copied -> the snapshot is taken -> protection,
 *   metadata -> it gets its name
 *
 * It can be ended at any point and run again. What the target has is told by a record in its metadata: which of
 * the source's snapshots it has, by the ids on both ends, and which its head was last seen equal to. Where a copy was under
 * way the head is brought back to the newest of them first, as the source may have lost what was being copied;
 * where there is none, all is begun anew. One that is done is left
 * alone, for it may be in use there; only who says so has it brought up to date, and loses what was written there.
 */

import { CephError, ERRNO } from "../../base/index.ts";
import { RBD_FEATURE } from "../../cls/rbd/types/features.ts";
import { nameText } from "../../encoding/index.ts";
import { acquireManually, isErrno } from "../../rbd/index.ts";
import { featureBits } from "../features.ts";
import type { Image } from "../image.ts";
import type { SnapshotInfo } from "../image-details.ts";
import type { Rbd } from "../rbd.ts";
import { verifyImage } from "./verify-image.ts";

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
  /** Compares every byte of every snapshot before it counts as done. */
  readonly verify: boolean;
  readonly onProgress: TransferProgress;
}

/** A snapshot of the source that the target has. */
interface CopiedSnapshot {
  readonly of: SnapshotInfo;
  readonly copy: SnapshotInfo;
}

interface TransferRecord {
  readonly fsid: string;
  readonly id: string;
  /** The snapshots that are there. */
  readonly snapshots: readonly {
    /** On the source. */
    readonly id: bigint;
    /** On the target; undefined: not noted, as it once was not. It has the source's name then. */
    readonly copyId: bigint | undefined;
  }[];
  /** The head is as the newest of them, or as it was made; as it is now; or neither: something is being copied. */
  readonly head: "clean" | "done" | "dirty";
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
  // Whoever comes now waits to write until this is over.
  if (head.engine.lock !== undefined) await acquireManually(head.engine);
  const transfer = new ImageTransfer(source.rbd, head, target, options);
  const copy = await transfer.openTarget({ fsid, id: idOf(head), snapshots: [], head: "clean" });
  if (copy === undefined) return false;
  try {
    await checkUnused(copy, `${name} on the target`);
    await transfer.run(copy);
    if (options.verify) await transfer.verify(copy);
    // Without a lock somebody may have written meanwhile.
    await checkUnused(head, name);
    await transfer.finish(copy);
  } finally {
    await copy.close();
  }
  if (copy.name !== name) await target.rename(copy.name, name);
  return true;
}

/** The target's copy of a snapshot; undefined: the image there is no copy of the source's, or has it not. */
export async function copyOfSnapshot(
  copy: Image,
  source: { readonly fsid: string; readonly image: Image; readonly snapshot: SnapshotInfo },
): Promise<SnapshotInfo | undefined> {
  const record = recordFrom((await copy.metadata()).get(RECORD_KEY));
  if (record?.fsid !== source.fsid || record.id !== idOf(source.image)) return undefined;
  return copyIn(await copy.snapshots(), record, source.snapshot);
}

/** We have it open ourselves; a second watcher is somebody else. */
async function checkUnused(image: Image, what: string): Promise<void> {
  if ((await image.watchers()).length <= 1) return;
  throw new CephError(-ERRNO.EBUSY, { op: "transfer", target: `${what}: it is in use` });
}

/** What no other image of the cluster has; those of format 1 have no ids. */
function idOf(image: Image): string {
  return image.id || nameText(image.engine.objectPrefix);
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
    const { name } = this.#head;
    const id = idOf(this.#head);
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
      if (known === name && record?.head === "done" && !this.#options.again) {
        await copy.close();
        return undefined;
      }
      if (record !== undefined && (await this.#isOfUse(copy, record))) {
        this.#record = record;
        return copy;
      }
      await this.#discard(copy, known);
    }
    await this.#make(ownName);
    const copy = await this.#target.open(ownName);
    await this.#note(copy, fresh);
    return copy;
  }

  /** Is there something on the target that the source still has, from which to go on? */
  async #isOfUse(copy: Image, record: TransferRecord): Promise<boolean> {
    if ((await this.#common(copy, record)).length > 0) return true;
    if (record.head !== "clean" || (await copy.snapshots()).length > 0) return false;
    // A clone of what the source has let go of since would show it wherever the source has a hole.
    const isClone = (await copy.info()).parent !== undefined;
    return isClone === (this.#options.parent !== undefined);
  }

  /**
   * Snapshots of the source that the target has, oldest first: the same ones, not others of their names, up to the first
   * that it has not, which could not be taken behind a newer one.
   */
  async #common(copy: Image, record: TransferRecord): Promise<CopiedSnapshot[]> {
    const there = await copy.snapshots();
    const common: CopiedSnapshot[] = [];
    for (const of of await this.#head.snapshots()) {
      const found = copyIn(there, record, of);
      if (found === undefined) break;
      common.push({ of, copy: found });
    }
    return common;
  }

  /** Nothing of it is known to be right. @throws CephError EBUSY if it is in use, or has clones */
  async #discard(copy: Image, name: string): Promise<void> {
    try {
      await checkUnused(copy, `${name} on the target`);
      for (const snapshot of await copy.snapshots()) await removeSnapshot(copy, snapshot);
    } finally {
      await copy.close();
    }
    await this.#target.remove(name);
  }

  async #make(as: string): Promise<void> {
    const { parent, dataPool } = this.#options;
    const info = await this.#head.info();
    const { objectSize, stripeUnit, stripeCount, features } = info;
    const isStriped = features.includes("striping");
    const layout = {
      // Of format 1, which has none, comes one of format 2 as it is made unless one says otherwise.
      ...(info.format === 1
        ? {}
        : { features: features.filter((feature) => (featureBits([feature]) & KEPT) !== 0n) }),
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
    const overlap = info.parent?.overlap ?? 0;
    await using clone = await this.#target.open(as);
    if (overlap < clone.size) await clone.resize(overlap, { allowShrink: true });
  }

  async #firstSize(): Promise<number> {
    const [first] = await this.#head.snapshots();
    return first?.size ?? this.#head.size;
  }

  async run(copy: Image): Promise<void> {
    const snapshots = await this.#head.snapshots();
    const common = await this.#common(copy, this.#record);
    let since = common.at(-1)?.of.name;
    await this.#cleanUp(copy, common, snapshots);
    for (const snapshot of snapshots.slice(snapshots.findIndex(({ name }) => name === since) + 1)) {
      await using at = await this.#source.open(this.#head.name, { snapshot: snapshot.name });
      await this.#copy(at, copy, { since, snapshot: snapshot.name });
      await copy.createSnapshot(snapshot.name);
      since = snapshot.name;
      const made = (await copy.snapshots()).find(({ name }) => name === since);
      const noted = [...this.#record.snapshots, { id: snapshot.id, copyId: made?.id }];
      await this.#note(copy, { ...this.#record, snapshots: noted, head: "clean" });
    }
    await this.#copy(this.#head, copy, { since, snapshot: undefined });
    await this.#protect(copy, snapshots);
    await this.#copyMetadata(copy);
  }

  /** What the source has not any more goes, and what a clone has been given of its parent's. */
  async #copyMetadata(copy: Image): Promise<void> {
    const wanted = await this.#head.metadata();
    for (const key of (await copy.metadata()).keys()) {
      if (key !== RECORD_KEY && !wanted.has(key)) await copy.removeMetadata(key);
    }
    for (const [key, value] of wanted) {
      if (key !== RECORD_KEY) await copy.setMetadata(key, value);
    }
  }

  /** @throws CephError EILSEQ where a byte differs: nothing of the copy is gone on from any more */
  async verify(copy: Image): Promise<void> {
    try {
      const image = { rbd: this.#source, name: this.#head.name };
      const there = { rbd: this.#target, name: copy.name };
      await verifyImage(image, there, this.#options.onProgress);
    } catch (error) {
      if (isErrno(error, "EILSEQ")) await this.#note(copy, { ...this.#record, snapshots: [] });
      throw error;
    }
  }

  async finish(copy: Image): Promise<void> {
    await this.#note(copy, { ...this.#record, head: "done" });
  }

  /** The head has to be as the snapshot from which the next copy starts, and names that are to come free. */
  async #cleanUp(
    copy: Image,
    common: readonly CopiedSnapshot[],
    snapshots: readonly SnapshotInfo[],
  ): Promise<void> {
    const newest = common.at(-1)?.of;
    const last = this.#record.snapshots.at(-1)?.id;
    const isClean = this.#record.head === "clean" && last === newest?.id;
    const kept = new Set(common.map((each) => each.copy.id));
    const names = new Set(snapshots.map(({ name }) => name));
    for (const snapshot of await copy.snapshots()) {
      if (names.has(snapshot.name) && !kept.has(snapshot.id)) {
        await removeSnapshot(copy, snapshot);
      }
    }
    await this.#renameSnapshots(copy, common);
    // With none it would have been made anew, or is as it was made.
    if (!isClean && newest !== undefined) await copy.rollback(newest.name);
    const noted = common.map((each) => ({ id: each.of.id, copyId: each.copy.id }));
    await this.#note(copy, { ...this.#record, snapshots: noted, head: "clean" });
  }

  /** Names may have been changed, in turn too: each gets its new one by way of one that no other has. */
  async #renameSnapshots(copy: Image, common: readonly CopiedSnapshot[]): Promise<void> {
    const renamed = common.filter((each) => each.of.name !== each.copy.name);
    const between = ({ name, id }: SnapshotInfo) => `${name}.transfer-${id}`;
    for (const each of renamed) await copy.renameSnapshot(each.copy.name, between(each.of));
    for (const { of } of renamed) await copy.renameSnapshot(between(of), of.name);
  }

  async #copy(
    from: Image,
    to: Image,
    { since, snapshot }: { since: string | undefined; snapshot: string | undefined },
  ): Promise<void> {
    const { onProgress, parent } = this.#options;
    const { size: total } = from;
    const image = this.#head.name;
    await this.#note(to, { ...this.#record, head: "dirty" });
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

  async #note(copy: Image, record: TransferRecord): Promise<void> {
    this.#record = record;
    await copy.setMetadata(RECORD_KEY, recordText(record));
  }
}

async function removeSnapshot(copy: Image, { name, isProtected }: SnapshotInfo): Promise<void> {
  if (isProtected) await copy.unprotectSnapshot(name);
  await copy.removeSnapshot(name);
}

/** Undefined where there is none, or one that nobody can have written. */
function recordFrom(text: string | undefined): TransferRecord | undefined {
  const match = /^(\S+) (\S+) (clean|done|dirty)((?: \d+(?:=\d+)?)*)$/.exec(text ?? "");
  if (match === null) return undefined;
  const [, fsid = "", id = "", head, noted = ""] = match;
  const snapshots = [...noted.matchAll(/(\d+)(?:=(\d+))?/g)].map(([, of = "", copy]) => ({
    id: BigInt(of),
    copyId: copy === undefined ? undefined : BigInt(copy),
  }));
  return { fsid, id, snapshots, head: head as TransferRecord["head"] };
}

function recordText({ fsid, id, snapshots, head }: TransferRecord): string {
  const noted = snapshots.map((each) =>
    each.copyId === undefined ? each.id : `${each.id}=${each.copyId}`,
  );
  return [fsid, id, head, ...noted].join(" ");
}

/** Which of the target's snapshots is one of the source's. */
function copyIn(
  there: readonly SnapshotInfo[],
  { snapshots }: TransferRecord,
  of: SnapshotInfo,
): SnapshotInfo | undefined {
  const noted = snapshots.find(({ id }) => id === of.id);
  if (noted?.copyId === undefined) return noted && there.find(({ name }) => name === of.name);
  return there.find(({ id }) => id === noted.copyId);
}
