/**
 * Images of format 2: a header of omap entries, by the image's id, which only methods of the class `rbd` touch.
 * ceph: src/librbd/image/OpenRequest.cc, RefreshRequest.cc, operation/RenameRequest.cc
 */

import { sleep } from "../base/index.ts";
import { RBD_FEATURE, RBD_FEATURES_ALL } from "../cls/rbd/types/features.ts";
import { type MigrationSpec, parentExists } from "../cls/rbd/types.ts";
import { encodeToBytes, str } from "../encoding/index.ts";
import { opCreate, opWriteFull } from "../messages/index.ts";
import { type ClassCall, callOp, callReply, type IoCtx } from "../rados/index.ts";
import { NOSNAP, type SnapId } from "../types/index.ts";
import { DIRECTORY, HEADER } from "./calls.ts";
import { imageError, isErrno, unless } from "./errors.ts";
import {
  type FixedHeader,
  type HeaderState,
  type ImageFormat,
  type ImageSnapshot,
  poolOf,
  type ReadStateOptions,
} from "./header.ts";
import type { Image } from "./image.ts";
import { migrationSource } from "./migration/source.ts";
import { dataObjectName, headerName, idObjectName, RBD_DIRECTORY } from "./names.ts";

/** Attempts to read a header whose snapshots change meanwhile. */
const ATTEMPTS_MAX = 100;
/** Wait for a migration to be prepared, and how often. */
const PREPARING_MS = 100;
const PREPARING_ATTEMPTS = 100;

export const FORMAT_2: ImageFormat = {
  version: 2,
  hasFeatures: true,
  hasClones: true,
  objectName: dataObjectName,
  readState,
  setSize: (io, headerOid, size) => io.execute(headerOid, HEADER.setSize, { size }),
  addSnapshot: (io, headerOid, snapshot) => io.execute(headerOid, HEADER.addSnapshot, snapshot),
  renameSnapshot: (io, headerOid, to) => io.execute(headerOid, HEADER.renameSnapshot, to),
  removeSnapshot: (io, headerOid, { id: snapId }) =>
    io.execute(headerOid, HEADER.removeSnapshot, { snapId }),
  async hasSnapshot(io, headerOid, snapId, limits) {
    const asked = io.query(headerOid, HEADER.getSnapshot, { snapId }, limits);
    const found = await unless(asked, "ENOENT");
    // A removal begins with the snapshot trash, where clones keep it.
    return found !== undefined && (found.namespace.type !== "trash" || found.childCount > 0);
  },
  rename,
};

/** What never changes in a header. @throws CephError ENOENT */
export async function readFixed2(io: IoCtx, id: string, name: string): Promise<FixedHeader> {
  const headerOid = headerName(id);
  const { ops } = await io.read(headerOid, [
    callOp(HEADER.getSize, { snapId: NOSNAP }),
    callOp(HEADER.getObjectPrefix, undefined),
    callOp(HEADER.getFeatures, { snapId: NOSNAP, readOnly: true }),
    callOp(HEADER.getDataPool, undefined),
  ]);
  const { order } = callReply(HEADER.getSize, ops[0]?.data);
  const { features } = callReply(HEADER.getFeatures, ops[2]?.data);
  const isStriped = (features & RBD_FEATURE.STRIPINGV2) !== 0n;
  const stripes = isStriped
    ? await io.query(headerOid, HEADER.getStripes, undefined)
    : { stripeUnit: 2 ** order, stripeCount: 1 };
  return {
    format: FORMAT_2,
    id,
    name,
    headerOid,
    order,
    objectPrefix: callReply(HEADER.getObjectPrefix, ops[1]?.data),
    stripeUnit: Number(stripes.stripeUnit),
    stripeCount: Number(stripes.stripeCount),
    dataIo: poolOf(io, callReply(HEADER.getDataPool, ops[3]?.data)),
  };
}

/**
 * @throws CephError ENOSYS: features of a newer release, without which it can not even be read; EBUSY: its
 *   migration does not come to be prepared; and those of migrationSource
 */
async function readState(
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

async function rename(image: Image, name: string): Promise<void> {
  const { io, id, name: before } = image;
  const ops = [opCreate(true), opWriteFull(encodeToBytes(str, id))];
  await io.write(idObjectName(name), ops);
  try {
    const args = { source: before, destination: name, id };
    await io.execute(RBD_DIRECTORY, DIRECTORY.rename, args);
  } catch (error) {
    await unless(io.remove(idObjectName(name)), "ENOENT");
    throw error;
  }
  await unless(io.remove(idObjectName(before)), "ENOENT");
  image.name = name;
}
