/** What an image's header says, with names as text. */

import { nameText } from "../encoding/index.ts";
import type { Image as Engine } from "../rbd/index.ts";
import { NOSNAP, type SnapId, utimeToMs } from "../types/index.ts";
import { featureNames } from "./features.ts";
import { flagNames, operationFeatureNames } from "./image-details.ts";

export interface ImageInfo {
  readonly format: 1 | 2;
  /** "" in format 1. */
  readonly id: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly objectSize: number;
  readonly objects: number;
  /** Prefix of the data objects' names. */
  readonly objectPrefix: string;
  readonly features: readonly string[];
  /** What has been done with it that clients have to know of: `["clone-child"]`. */
  readonly operationFeatures: readonly string[];
  /** What is wrong with it: `["object map invalid"]`. */
  readonly flags: readonly string[];
  /** Of all kinds. */
  readonly snapshotCount: number;
  readonly stripeUnit: number;
  readonly stripeCount: number;
  /** Pool of the data where it is another one; undefined: the image's own. */
  readonly dataPool: string | undefined;
  /** Milliseconds since 1970; 0: unknown. */
  readonly createdMs: number;
  readonly accessedMs: number;
  readonly modifiedMs: number;
  readonly parent: ParentInfo | undefined;
}

export interface ParentInfo {
  readonly poolId: number;
  readonly namespace: string;
  readonly imageId: string;
  readonly snapId: bigint;
  /** Bytes that show through; undefined: only those of snapshots do. */
  readonly overlap: number | undefined;
}

/** Bytes, of the head or a snapshot. */
export function sizeOf(engine: Engine, snap: SnapId): number {
  if (snap === NOSNAP) return engine.size;
  return engine.snapshots.find(({ id }) => id === snap)?.imageSize ?? 0;
}

/** @param snap what it is open at; NOSNAP: the head */
export function imageInfo(engine: Engine, snap: SnapId): ImageInfo {
  const { dataIo, io, parent } = engine;
  const isApart = dataIo !== undefined && dataIo.pool !== io.pool;
  const at = engine.snapshots.find(({ id }) => id === snap);
  const size = sizeOf(engine, snap);
  return {
    format: engine.format.version,
    id: nameText(engine.id),
    name: nameText(engine.name),
    size,
    objectSize: engine.objectSize,
    objects: engine.objectsIn(size),
    objectPrefix: nameText(engine.objectPrefix),
    features: featureNames(engine.features),
    operationFeatures: operationFeatureNames(engine.opFeatures),
    // Kept for the head and each snapshot.
    flags: flagNames(snap === NOSNAP ? engine.flags : (at?.flags ?? 0n)),
    snapshotCount: engine.snapshots.length,
    stripeUnit: engine.stripeUnit,
    stripeCount: engine.stripeCount,
    dataPool: isApart ? nameText(dataIo.poolName) : undefined,
    createdMs: utimeToMs(engine.createTime),
    accessedMs: utimeToMs(engine.accessTime),
    modifiedMs: utimeToMs(engine.modifyTime),
    parent: parent && {
      poolId: parent.spec.poolId,
      namespace: nameText(parent.spec.poolNamespace),
      imageId: nameText(parent.spec.imageId),
      snapId: parent.spec.snapId,
      overlap: snap === NOSNAP ? parent.overlap : at?.parentOverlap,
    },
  };
}
