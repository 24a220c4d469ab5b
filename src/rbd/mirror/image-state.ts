/**
 * What a primary image was like at a mirror snapshot, besides its data: for peers.
 *
 *   rbd_mirror_snapshot.<image id>.<snapshot>.<n>: ImageStateHeader, ImageState, cut into objects
 *
 * ceph: src/librbd/mirror/snapshot/Types.h, SetImageStateRequest.cc, WriteImageStateRequest.cc,
 *   RemoveImageStateRequest.cc
 */

import { RBD_FEATURES_IMPLICIT_ENABLE } from "../../cls/rbd/types/features.ts";
import { SnapshotNamespace } from "../../cls/rbd/types.ts";
import {
  blob,
  DecodeError,
  encodeToBytes,
  map,
  Reader,
  str,
  struct,
  u8,
  u32,
  u64,
} from "../../encoding/index.ts";
import { opRead, opWriteFull } from "../../messages/index.ts";
import type { SnapId } from "../../types/index.ts";
import { DIRECTORY, HEADER } from "../calls.ts";
import { unless } from "../errors.ts";
import type { Image } from "../image.ts";
import { imageStateName, RBD_DIRECTORY } from "../names.ts";

/** Bytes of an object.  ceph: rbd_default_order */
const OBJECT_SIZE = 2 ** 22;
/** Keys of the metadata that is nobody's but librbd's.  ceph: GetMetadataRequest INTERNAL_KEY_PREFIX */
const INTERNAL = ".rbd";
const PAGE = 64;

export const ImageStateHeader = struct("ImageStateHeader", { v: 1 }, { objectCount: u32 });
const SnapState = struct(
  "SnapState",
  { v: 1 },
  { namespace: SnapshotNamespace, name: str, protection: u8 },
);
export const ImageState = struct(
  "ImageState",
  { v: 1 },
  {
    name: str,
    features: u64,
    snapshotLimit: u64,
    snapshots: map(u64, SnapState),
    metadata: map(str, blob),
  },
);

/** Keeps the state, and marks the snapshot as one that is complete. */
export async function writeImageState(image: Image, snapId: SnapId): Promise<void> {
  const { io, id, headerOid, features } = image;
  const users = image.snapshots.filter(({ namespace }) => namespace.type === "user");
  const state = encodeToBytes(ImageState, {
    name: await io.query(RBD_DIRECTORY, DIRECTORY.nameOfId, id),
    features: features & ~RBD_FEATURES_IMPLICIT_ENABLE,
    snapshotLimit: await io.query(headerOid, HEADER.getSnapshotLimit, undefined),
    snapshots: new Map(users.map((snap) => [snap.id, snap])),
    metadata: await readMetadata(image),
  });
  const headerSize = encodeToBytes(ImageStateHeader, { objectCount: 1 }).length;
  const objectCount = 1 + Math.floor((headerSize + state.length) / OBJECT_SIZE);
  const bytes = Buffer.concat([encodeToBytes(ImageStateHeader, { objectCount }), state]);
  // The first comes last: it says how many there are.
  for (let index = objectCount - 1; index >= 0; index--) {
    const part = bytes.subarray(index * OBJECT_SIZE, (index + 1) * OBJECT_SIZE);
    await io.write(imageStateName(id, snapId, index), [opWriteFull(part)]);
  }
  const progress = { snapId, complete: true, lastCopiedObjectNumber: 0n };
  await io.execute(headerOid, HEADER.setCopyProgress, progress);
}

/** A state that is not there is no failure. */
export async function removeImageState({ io, id, log }: Image, snapId: SnapId): Promise<void> {
  const read = await unless(io.read(imageStateName(id, snapId, 0), [opRead(0, 0)]), "ENOENT");
  if (read === undefined) return;
  let objectCount = 1;
  try {
    ({ objectCount } = ImageStateHeader.decode(new Reader(read.ops[0]?.data ?? new Uint8Array(0))));
  } catch (error) {
    // The one that we know of still goes.
    if (!(error instanceof DecodeError)) throw error;
    log.warn("state of a mirrored image not understood", { image: id, why: error.message });
  }
  for (let index = Math.max(1, objectCount) - 1; index >= 0; index--) {
    await unless(io.remove(imageStateName(id, snapId, index)), "ENOENT");
  }
}

async function readMetadata({ io, headerOid }: Image): Promise<Map<string, Uint8Array>> {
  const all = new Map<string, Uint8Array>();
  for (let startAfter = ""; ; ) {
    const args = { startAfter, maxReturn: BigInt(PAGE) };
    const asked = io.query(headerOid, HEADER.listMetadata, args);
    const page = (await unless(asked, "ENOENT", "EOPNOTSUPP")) ?? new Map<string, Uint8Array>();
    for (const [key, value] of page) {
      startAfter = key;
      if (!key.startsWith(INTERNAL)) all.set(key, value);
    }
    if (page.size < PAGE) return all;
  }
}
