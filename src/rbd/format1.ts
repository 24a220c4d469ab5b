/**
 * Images of format 1: the bytes of one object, by the image's name, with a list of snapshots. No ids, features,
 * parents, groups or mirrors. Deprecated since Nautilus; they are made for those alone who ask for them.
 * ceph: src/librbd/image/RefreshRequest.cc (v1), operation/*Request.cc, src/include/rbd_types.h
 */

import { RBD_PROTECTION_STATUS } from "../cls/rbd/types/features.ts";
import { decodeFormat1Header, HEADER_BYTES, SIZE_OFFSET } from "../cls/rbd/types/format1.ts";
import { USER_NAMESPACE } from "../cls/rbd/types.ts";
import { bytesOf, EMPTY, encodeToBytes, u64n } from "../encoding/index.ts";
import { opCreate, opRead, opWrite, opWriteFull } from "../messages/index.ts";
import { callOp, callReply, type IoCtx } from "../rados/index.ts";
import { UTIME_ZERO } from "../types/index.ts";
import { FORMAT1, HEADER } from "./calls.ts";
import { imageError, unless } from "./errors.ts";
import { changeFormat1Directory } from "./format1-directory.ts";
import type {
  FixedHeader,
  HeaderState,
  ImageFormat,
  ImageSnapshot,
  ReadStateOptions,
} from "./header.ts";
import type { Image } from "./image.ts";
import { listMetadata } from "./metadata.ts";
import { dataObjectName1, oldHeaderName } from "./names.ts";

export const FORMAT_1: ImageFormat = {
  version: 1,
  hasFeatures: false,
  hasClones: false,
  objectName: dataObjectName1,
  readState,
  async setSize(io, headerOid, size) {
    await io.write(headerOid, [opWrite(SIZE_OFFSET, encodeToBytes(u64n, size))]);
  },
  async addSnapshot(io, headerOid, { snapId, name, namespace }) {
    if (namespace.type !== "user") {
      throw imageError("EOPNOTSUPP", "take a snapshot of", headerOid, "format 1 has users' only");
    }
    await io.execute(headerOid, FORMAT1.addSnapshot, { name, snapId });
  },
  renameSnapshot: (io, headerOid, to) => io.execute(headerOid, FORMAT1.renameSnapshot, to),
  removeSnapshot: (io, headerOid, { name }) => io.execute(headerOid, FORMAT1.removeSnapshot, name),
  async hasSnapshot(io, headerOid, snapId, limits) {
    const listed = io.query(headerOid, FORMAT1.listSnapshots, undefined, limits);
    return (await unless(listed, "ENOENT"))?.snaps.some(({ id }) => id === snapId) === true;
  },
  rename,
};

/** What never changes. @returns undefined: no such image */
export async function readFixed1(io: IoCtx, name: string): Promise<FixedHeader | undefined> {
  const headerOid = oldHeaderName(name);
  const reply = await unless(io.read(headerOid, [opRead(0, HEADER_BYTES)]), "ENOENT");
  if (reply === undefined) return undefined;
  const { order, objectPrefix } = factsOf(headerOid, reply.ops[0]?.data);
  return {
    format: FORMAT_1,
    id: "",
    name,
    headerOid,
    order,
    objectPrefix,
    stripeUnit: 2 ** order,
    stripeCount: 1,
    dataIo: io,
  };
}

function factsOf(headerOid: string, bytes: Uint8Array | undefined) {
  const facts = decodeFormat1Header(bytes ?? EMPTY);
  if (facts === "short") throw imageError("EIO", "open", headerOid, "the header is too short");
  if (facts === "unknown") throw imageError("ENXIO", "open", headerOid, "this is no header");
  return facts;
}

async function readState(
  io: IoCtx,
  headerOid: string,
  { readOnly, isMigrationStep }: ReadStateOptions,
): Promise<HeaderState> {
  const { ops } = await io.read(headerOid, [
    opRead(0, 0),
    callOp(FORMAT1.listSnapshots, undefined),
    callOp(HEADER.getAccessTime, undefined),
    callOp(HEADER.getModifyTime, undefined),
  ]);
  const { size, isMigrating } = factsOf(headerOid, ops[0]?.data);
  if (isMigrating && !readOnly && !isMigrationStep)
    throw imageError("EROFS", "open", headerOid, "it is migrating");
  const { snapSeq, snaps } = callReply(FORMAT1.listSnapshots, ops[1]?.data);
  const snapshots: ImageSnapshot[] = snaps.map(({ id, name, imageSize }) => ({
    id,
    name,
    imageSize: Number(imageSize),
    namespace: USER_NAMESPACE,
    timestamp: UTIME_ZERO,
    childCount: 0,
    flags: 0n,
    protection: RBD_PROTECTION_STATUS.UNPROTECTED,
    parentOverlap: undefined,
  }));
  return {
    size,
    features: 0n,
    opFeatures: 0n,
    flags: 0n,
    snapContext: { seq: snapSeq, snaps: snaps.map(({ id }) => id) },
    snapshots: snapshots.reverse(),
    parent: undefined,
    migration: undefined,
    group: undefined,
    createTime: UTIME_ZERO,
    accessTime: callReply(HEADER.getAccessTime, ops[2]?.data),
    modifyTime: callReply(HEADER.getModifyTime, ops[3]?.data),
  };
}

/**
 * The header moves, and with it the watch. librbd leaves the image's metadata behind; we do not.
 * ceph: src/librbd/operation/RenameRequest.cc
 */
async function rename(image: Image, name: string): Promise<void> {
  const { io, name: before } = image;
  await image.moveHeader(oldHeaderName(name), async (from, to) => {
    const { ops } = await io.read(from, [opRead(0, 0)]);
    const metadata = await listMetadata(io, from);
    const entries = new Map([...metadata].map(([key, value]) => [key, bytesOf(value)]));
    await io.write(to, [
      opCreate(true),
      opWriteFull(ops[0]?.data ?? EMPTY),
      ...(entries.size === 0 ? [] : [callOp(HEADER.setMetadata, entries)]),
    ]);
    try {
      await changeFormat1Directory(io, { add: name, remove: before });
    } catch (error) {
      await unless(io.remove(to), "ENOENT");
      throw error;
    }
    await unless(io.remove(from), "ENOENT");
  });
  image.name = name;
}
