/**
 * What an image's header says: what never changes, and what a refresh reads again.
 * ceph: src/librbd/image/OpenRequest.cc, RefreshRequest.cc
 */

import { type Clock, sleep } from "../base/index.ts";
import { RBD_FEATURE, RBD_FEATURES_ALL } from "../cls/rbd/types/features.ts";
import {
  type GroupSpec,
  type MigrationSpec,
  type ParentImageSpec,
  parentExists,
  type SnapshotInfo,
} from "../cls/rbd/types.ts";
import { opStat } from "../messages/index.ts";
import { type ClassCall, callOp, callReply, type IoCtx } from "../rados/index.ts";
import { NOSNAP, type SnapContext, type SnapId, type Utime } from "../types/index.ts";
import { DIRECTORY, HEADER, TRASH } from "./calls.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import { type MigrationSource, migrationSource } from "./migration/source.ts";
import { headerName, idObjectName, oldHeaderName, RBD_DIRECTORY, RBD_TRASH } from "./names.ts";

/** Attempts to read a header whose snapshots change meanwhile. */
const ATTEMPTS_MAX = 100;
/** Wait for a migration to be prepared, and how often. */
const PREPARING_MS = 100;
const PREPARING_ATTEMPTS = 100;

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
  readonly id: string;
  readonly name: string;
  readonly features: bigint;
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

/** How a header is read. */
export interface ReadStateOptions {
  readonly readOnly: boolean;
  /** What a migration means to who uses the image is left out. */
  readonly isMigrationStep: boolean;
  /** What errors are about. */
  readonly target: string;
  readonly clock: Clock;
}

/** @throws CephError ENOENT: no such image; EOPNOTSUPP: format 1 */
export async function idOfName(io: IoCtx, name: string): Promise<string> {
  const id = await unless(io.query(idObjectName(name), DIRECTORY.getId, undefined), "ENOENT");
  if (id !== undefined) return id;
  const old = await unless(io.read(oldHeaderName(name), [opStat()]), "ENOENT");
  throw imageError(old === undefined ? "ENOENT" : "EOPNOTSUPP", "open", name);
}

/** An image in the trash, or half removed, has its name elsewhere, or none: "". */
export async function nameOfId(io: IoCtx, id: string): Promise<string> {
  return (
    (await unless(io.query(RBD_DIRECTORY, DIRECTORY.nameOfId, id), "ENOENT")) ??
    (await unless(io.query(RBD_TRASH, TRASH.get, id), "ENOENT", "EOPNOTSUPP"))?.name ??
    ""
  );
}

export async function readFixed(io: IoCtx, id: string, name: string): Promise<FixedHeader> {
  const oid = headerName(id);
  const { ops } = await io.read(oid, [
    callOp(HEADER.getSize, { snapId: NOSNAP }),
    callOp(HEADER.getObjectPrefix, undefined),
    callOp(HEADER.getFeatures, { snapId: NOSNAP, readOnly: true }),
    callOp(HEADER.getDataPool, undefined),
  ]);
  const { order } = callReply(HEADER.getSize, ops[0]?.data);
  const { features } = callReply(HEADER.getFeatures, ops[2]?.data);
  const isStriped = (features & RBD_FEATURE.STRIPINGV2) !== 0n;
  const { stripeUnit, stripeCount } = isStriped
    ? await io.query(oid, HEADER.getStripes, undefined)
    : { stripeUnit: 2 ** order, stripeCount: 1 };
  return {
    id,
    name,
    features,
    order,
    objectPrefix: callReply(HEADER.getObjectPrefix, ops[1]?.data),
    stripeUnit,
    stripeCount,
    dataIo: poolOf(io, callReply(HEADER.getDataPool, ops[3]?.data)),
  };
}

/**
 * @throws CephError ENOSYS: features of a newer release, without which it can not even be read; EBUSY: its
 *   migration does not come to be prepared; and those of migrationSource
 */
export async function readState(
  io: IoCtx,
  oid: string,
  { readOnly, isMigrationStep, target, clock }: ReadStateOptions,
): Promise<HeaderState> {
  for (let attempt = 1; ; attempt++) {
    const { spec, ...state } = await readOnce(io, oid, readOnly);
    if (spec === undefined || isMigrationStep) return { ...state, migration: undefined };
    try {
      return { ...state, migration: migrationSource(spec, state, { target, readOnly }) };
    } catch (error) {
      if (!isErrno(error, "EAGAIN")) throw error;
      if (attempt === PREPARING_ATTEMPTS) throw imageError("EBUSY", "open", target, String(error));
      await sleep(clock, PREPARING_MS);
    }
  }
}

interface ReadState extends Omit<HeaderState, "migration"> {
  /** Which end of a migration it is, and of which. */
  readonly spec: MigrationSpec | undefined;
}

async function readOnce(io: IoCtx, oid: string, readOnly: boolean): Promise<ReadState> {
  for (let attempt = 1; ; attempt++) {
    const head = { snapId: NOSNAP };
    const { ops } = await io.read(oid, [
      callOp(HEADER.getSize, head),
      callOp(HEADER.getFeatures, { snapId: NOSNAP, readOnly }),
      callOp(HEADER.getFlags, head),
      callOp(HEADER.getSnapContext, undefined),
      callOp(HEADER.getParent, undefined),
      callOp(HEADER.getParentOverlap, head),
      callOp(HEADER.getCreateTime, undefined),
      callOp(HEADER.getAccessTime, undefined),
      callOp(HEADER.getModifyTime, undefined),
    ]);
    const reply = <A, R>(index: number, call: ClassCall<A, R>): R =>
      callReply(call, ops[index]?.data);
    const { features, incompatible } = reply(1, HEADER.getFeatures);
    if ((incompatible & ~RBD_FEATURES_ALL) !== 0n) {
      throw imageError("ENOSYS", "open", oid, `features of a newer release: ${incompatible}`);
    }
    const { snapSeq, snaps } = reply(3, HEADER.getSnapContext);
    const parent = reply(4, HEADER.getParent);
    const overlap = reply(5, HEADER.getParentOverlap);
    const hasOperations = (features & RBD_FEATURE.OPERATIONS) !== 0n;
    const isMigrating = (features & RBD_FEATURE.MIGRATING) !== 0n;
    const [opFeatures, group, snapshots, spec] = await Promise.all([
      hasOperations ? io.query(oid, HEADER.getOpFeatures, undefined) : 0n,
      unless(io.query(oid, HEADER.getGroup, undefined), "EOPNOTSUPP"),
      readSnapshots(io, oid, [...snaps].reverse()),
      isMigrating
        ? unless(io.query(oid, HEADER.getMigration, undefined), "ENOENT", "EINVAL")
        : undefined,
    ]);
    // One was removed since the list was read, or the migration has begun or ended.
    if (snapshots === undefined || (isMigrating && spec === undefined)) {
      if (attempt < ATTEMPTS_MAX) continue;
      throw imageError("ENOENT", "read the snapshots of", oid, "they do not stop changing");
    }
    return {
      size: reply(0, HEADER.getSize).size,
      features,
      opFeatures,
      flags: reply(2, HEADER.getFlags),
      snapContext: { seq: snapSeq, snaps },
      snapshots,
      parent: parentExists(parent) ? { spec: parent, overlap } : undefined,
      group: group === undefined || group.groupId === "" ? undefined : group,
      createTime: reply(6, HEADER.getCreateTime),
      accessTime: reply(7, HEADER.getAccessTime),
      modifyTime: reply(8, HEADER.getModifyTime),
      spec,
    };
  }
}

async function readSnapshots(
  io: IoCtx,
  oid: string,
  ids: readonly SnapId[],
): Promise<ImageSnapshot[] | undefined> {
  try {
    return await Promise.all(ids.map((id) => readSnapshot(io, oid, id)));
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

async function readSnapshot(io: IoCtx, oid: string, snapId: SnapId): Promise<ImageSnapshot> {
  const { ops } = await io.read(oid, [
    callOp(HEADER.getSnapshot, { snapId }),
    callOp(HEADER.getFlags, { snapId }),
    callOp(HEADER.getProtection, { snapId }),
    callOp(HEADER.getParentOverlap, { snapId }),
  ]);
  return {
    ...callReply(HEADER.getSnapshot, ops[0]?.data),
    flags: callReply(HEADER.getFlags, ops[1]?.data),
    protection: callReply(HEADER.getProtection, ops[2]?.data),
    parentOverlap: callReply(HEADER.getParentOverlap, ops[3]?.data),
  };
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
