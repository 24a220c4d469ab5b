/**
 * What an image's header says: what never changes, and what a refresh reads again; and what the formats of images
 * do differently.
 * ceph: src/librbd/image/OpenRequest.cc, RefreshRequest.cc
 */

import type { Clock } from "../base/index.ts";
import type {
  GroupSpec,
  ParentImageSpec,
  SnapshotInfo,
  SnapshotNamespace,
} from "../cls/rbd/types.ts";
import type { CallOptions, IoCtx } from "../rados/index.ts";
import type { SnapContext, SnapId, Utime } from "../types/index.ts";
import { isErrno } from "./errors.ts";
import type { Image } from "./image.ts";
import type { MigrationSource } from "./migration/source.ts";

/** A snapshot with what the header keeps beside it. */
export interface ImageSnapshot extends SnapshotInfo {
  readonly flags: bigint;
  /** RBD_PROTECTION_STATUS. */
  readonly protection: number;
  /** Bytes that show through to the parent; undefined: none. */
  readonly parentOverlap: number | undefined;
}

export interface ImageParent {
  readonly spec: ParentImageSpec;
  /** Bytes of the head that show through; undefined if only snapshots do. */
  readonly overlap: number | undefined;
}

/** What never changes in a header. */
export interface FixedHeader {
  readonly format: ImageFormat;
  /** "" in format 1, where there are names only. */
  readonly id: string;
  readonly name: string;
  readonly headerOid: string;
  readonly order: number;
  readonly objectPrefix: string;
  readonly stripeUnit: number;
  readonly stripeCount: number;
  readonly dataIo: IoCtx | undefined;
}

/** What may change. */
export interface HeaderState {
  /** Bytes. */
  readonly size: number;
  readonly features: bigint;
  readonly opFeatures: bigint;
  readonly flags: bigint;
  readonly snapContext: SnapContext;
  /** Oldest first. */
  readonly snapshots: readonly ImageSnapshot[];
  readonly parent: ImageParent | undefined;
  readonly group: GroupSpec | undefined;
  readonly createTime: Utime;
  /** When it was read or written last, to the minute. */
  readonly accessTime: Utime;
  readonly modifyTime: Utime;
  /** Where it comes from, as long as not all of that has been copied. */
  readonly migration: MigrationSource | undefined;
}

export interface OpenImageOptions {
  /** @default false */
  readonly readOnly?: boolean;
  /** It is an end of a migration, and opened for a step of that. @default false */
  readonly isMigrationStep?: boolean;
}

/** How a header is read. */
export interface ReadStateOptions {
  readonly readOnly: boolean;
  /** What a migration means to who uses the image is left out. */
  readonly isMigrationStep: boolean;
  /** What errors are about. */
  readonly target: string;
  readonly clock: Clock;
}

/**
 * Where the facts of an image are kept, and how they are changed. What both formats have in common (watches, users'
 * locks, metadata, the limit of snapshots, times of use) hangs on the header's object, whichever it is.
 */
export interface ImageFormat {
  readonly version: 1 | 2;
  /** Features, and what needs one, can be turned on and off. */
  readonly hasFeatures: boolean;
  /** Snapshots can be cloned, and wait in a trash of their own until their last clone is gone. */
  readonly hasClones: boolean;
  objectName(objectPrefix: string, objectNo: number): string;
  /**
   * @throws CephError EROFS: it is being migrated, and is not only read; EBUSY: its migration does not come to be
   *   prepared; ENOSYS: features of a newer release, without which it can not even be read; EIO, ENXIO: it is no header
   */
  readState(io: IoCtx, headerOid: string, options: ReadStateOptions): Promise<HeaderState>;
  /** @param size bytes */
  setSize(io: IoCtx, headerOid: string, size: number): Promise<void>;
  /** @throws CephError ESTALE: there is a newer one; EEXIST; EDQUOT: as many as the limit says */
  addSnapshot(io: IoCtx, headerOid: string, snapshot: NewSnapshot): Promise<void>;
  /** @throws CephError EEXIST; ENOENT */
  renameSnapshot(
    io: IoCtx,
    headerOid: string,
    to: { readonly snapId: SnapId; readonly name: string },
  ): Promise<void>;
  removeSnapshot(io: IoCtx, headerOid: string, snapshot: ImageSnapshot): Promise<void>;
  /** Whether a snapshot is there, and nobody has begun to remove it: its data goes before its entry does. */
  hasSnapshot(io: IoCtx, headerOid: string, snapId: SnapId, limits: CallOptions): Promise<boolean>;
  /** Gives an open image another name. @throws CephError EEXIST: there is one of it */
  rename(image: Image, name: string): Promise<void>;
}

export interface NewSnapshot {
  readonly snapId: SnapId;
  readonly name: string;
  readonly namespace: SnapshotNamespace;
}

/** Another pool, or this one for -1; undefined if it is gone. */
export function poolOf(io: IoCtx, pool: number, nspace = io.nspace): IoCtx | undefined {
  if (pool === -1) return io;
  try {
    return io.inPool(pool, nspace);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}
