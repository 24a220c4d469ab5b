/**
 * What an open image says of itself beyond its data: its parent, its group, snapshots that no user has taken,
 * locks that users hold.
 */

import {
  MIRROR_SNAPSHOT_STATE,
  RBD_OPERATION_FEATURE_NAMES,
  RBD_PROTECTION_STATUS,
} from "../cls/rbd/types/features.ts";
import { nameText } from "../encoding/index.ts";
import type { CallOptions } from "../librados/index.ts";
import {
  type Child,
  type Image as Engine,
  getTrash,
  groupOf,
  type ImageSnapshot,
  isErrno,
  type Locks,
  listGroupSnapshots,
  openImage,
} from "../rbd/index.ts";
import { NOSNAP, utimeToMs } from "../types/index.ts";

export interface Extent {
  readonly offset: number;
  readonly length: number;
  /** False: it is zeros now. */
  readonly exists: boolean;
}

export interface DiffOptions extends CallOptions {
  /** A snapshot; what has changed since. @default all that there is */
  readonly from?: string;
  /** Whole objects, which the object map may tell at once. @default false */
  readonly wholeObject?: boolean;
  /** Also what is shown of the parent. @default true */
  readonly includeParent?: boolean;
}

export interface ImageWatcher {
  /** `127.0.0.1:0/1234` */
  readonly address: string;
  /** `client.4123` has 4123. */
  readonly clientId: bigint;
  readonly cookie: bigint;
}

/** Whose a snapshot is. */
export type SnapshotOwner =
  | { readonly type: "user" | "unknown" }
  | {
      readonly type: "group";
      readonly pool: string;
      readonly group: string;
      readonly groupSnapshot: string;
    }
  | { readonly type: "trash"; readonly originalName: string }
  | {
      readonly type: "mirror";
      readonly state: "primary" | "non-primary" | "demoted";
      readonly complete: boolean;
      readonly peers: readonly string[];
      /** Where it is a copy of another's: whose, and which. */
      readonly primaryMirrorUuid: string;
      readonly primarySnapId: bigint;
      readonly lastCopiedObject: bigint;
      readonly isCopy: boolean;
    };

export interface SnapshotInfo {
  readonly id: bigint;
  readonly name: string;
  /** Bytes of the image then. */
  readonly size: number;
  /** It may be cloned in the old way, and not be removed. */
  readonly isProtected: boolean;
  /** When it was taken, milliseconds since 1970; 0: unknown. */
  readonly takenMs: number;
}

export interface OwnedSnapshot extends SnapshotInfo {
  readonly owner: SnapshotOwner;
}

/** The snapshot that a clone shows. */
export interface ParentSnapshot {
  readonly pool: string;
  readonly namespace: string;
  readonly image: string;
  readonly imageId: string;
  readonly snapshot: string;
  /** It is in the trash. */
  readonly inTrash: boolean;
  /** Bytes that show through. */
  readonly overlap: number;
}

/** A clone of an image. */
export interface ChildInfo {
  readonly poolId: number;
  readonly namespace: string;
  readonly id: string;
  readonly name: string;
  /** It is in the trash. */
  readonly inTrash: boolean;
  /** Of which snapshot. */
  readonly snapId: bigint;
}

export interface ImageLocks {
  readonly isExclusive: boolean;
  /** What those who share it have in common. */
  readonly tag: string;
  readonly lockers: readonly {
    /** `client.4123` */
    readonly locker: string;
    readonly cookie: string;
    readonly address: string;
  }[];
}

/** In the order of their bits. ceph: src/include/rbd/features.h */
export function operationFeatureNames(bits: bigint): string[] {
  return RBD_OPERATION_FEATURE_NAMES.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) !== 0n);
}

/** By bit. ceph: src/include/rbd_types.h RBD_FLAG_* */
const FLAG_NAMES = ["object map invalid", "fast diff invalid"];

export function flagNames(bits: bigint): string[] {
  return FLAG_NAMES.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) !== 0n);
}

export function childInfo(child: Child): ChildInfo {
  const { poolId, poolNamespace, imageId, imageName, inTrash, snapId } = child;
  const [namespace, id, name] = [nameText(poolNamespace), nameText(imageId), nameText(imageName)];
  return { poolId, namespace, id, name, inTrash, snapId };
}

export function imageLocks({ lockers, exclusive, tag }: Locks): ImageLocks {
  return {
    isExclusive: exclusive,
    tag: nameText(tag),
    lockers: lockers.map(({ clientText, cookie, address }) => ({
      locker: clientText,
      cookie: nameText(cookie),
      address,
    })),
  };
}

export function snapshotInfo(snapshot: ImageSnapshot): SnapshotInfo {
  const { id, name, imageSize, protection, timestamp } = snapshot;
  return {
    id,
    name: nameText(name),
    size: imageSize,
    isProtected: protection !== RBD_PROTECTION_STATUS.UNPROTECTED,
    takenMs: utimeToMs(timestamp),
  };
}

/** Every snapshot, oldest first. */
export async function ownedSnapshots(engine: Engine): Promise<OwnedSnapshot[]> {
  await engine.refresh();
  const all: OwnedSnapshot[] = [];
  for (const snapshot of engine.snapshots) {
    all.push({ ...snapshotInfo(snapshot), owner: await ownerOf(engine, snapshot) });
  }
  return all;
}

async function ownerOf(engine: Engine, { namespace }: ImageSnapshot): Promise<SnapshotOwner> {
  switch (namespace.type) {
    case "user":
    case "unknown":
      return { type: namespace.type };
    case "trash":
      return { type: "trash", originalName: nameText(namespace.originalName) };
    case "group": {
      const group = await groupOf(engine);
      if (group === undefined) return { type: "unknown" };
      const io = engine.io.inPool(group.pool, engine.io.nspace);
      const snapshots = await listGroupSnapshots(io, group.name);
      const found = snapshots.find(({ id }) => id === namespace.groupSnapshotId);
      return {
        type: "group",
        pool: nameText(io.poolName),
        group: nameText(group.name),
        groupSnapshot: nameText(found?.name ?? ""),
      };
    }
    case "mirror": {
      const { PRIMARY, NON_PRIMARY, NON_PRIMARY_DEMOTED } = MIRROR_SNAPSHOT_STATE;
      const { state } = namespace;
      const names = { [PRIMARY]: "primary", [NON_PRIMARY]: "non-primary" } as const;
      return {
        type: "mirror",
        state: names[state as keyof typeof names] ?? "demoted",
        complete: namespace.complete,
        peers: [...namespace.mirrorPeerUuids].map(nameText),
        primaryMirrorUuid: nameText(namespace.primaryMirrorUuid),
        primarySnapId: namespace.primarySnapId,
        lastCopiedObject: namespace.lastCopiedObjectNumber,
        isCopy: state === NON_PRIMARY || state === NON_PRIMARY_DEMOTED,
      };
    }
  }
}

/** @param snap which revision of the image; NOSNAP: the head @returns undefined: it shows no parent */
export async function parentSnapshot(
  engine: Engine,
  snap: bigint,
): Promise<ParentSnapshot | undefined> {
  const { parent, io } = engine;
  if (parent === undefined) return undefined;
  const overlap =
    snap === NOSNAP
      ? parent.overlap
      : engine.snapshots.find(({ id }) => id === snap)?.parentOverlap;
  if (overlap === undefined) return undefined;
  const { poolId, poolNamespace, imageId, snapId } = parent.spec;
  const parentIo = io.inPool(poolId, poolNamespace);
  const image = await openImage(engine.context, parentIo, { id: imageId }, { readOnly: true });
  try {
    const found = image.snapshots.find(({ id }) => id === snapId);
    return {
      pool: nameText(parentIo.poolName),
      namespace: nameText(poolNamespace),
      image: nameText(image.name),
      imageId: nameText(imageId),
      snapshot: nameText(found?.name ?? ""),
      inTrash: await isInTrash(image),
      overlap,
    };
  } finally {
    await image.close();
  }
}

async function isInTrash({ io, id }: Engine): Promise<boolean> {
  try {
    await getTrash(io, id);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "EOPNOTSUPP")) return false;
    throw error;
  }
}
