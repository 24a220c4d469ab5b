/**
 * Which images of a pool's namespace are mirrored, and the clusters that a pool is mirrored with.
 * ceph: src/librbd/api/Mirror.cc mode_set, peer_site_add, peer_site_list
 */

import {
  MIRROR_IMAGE_STATE,
  MIRROR_MODE,
  MIRROR_PEER_DIRECTION,
  RBD_FEATURE,
} from "../../cls/rbd/types/features.ts";
import type { MirrorPeer } from "../../cls/rbd/types/mirror.ts";
import type { IoCtx } from "../../rados/index.ts";
import { NOSNAP, UTIME_ZERO, uuidFromBytes } from "../../types/index.ts";
import { DIRECTORY, HEADER } from "../calls.ts";
import { listImages, listMirrored } from "../directory.ts";
import { imageError, isErrno, unless } from "../errors.ts";
import type { RbdContext } from "../image.ts";
import { headerName, RBD_MIRRORING } from "../names.ts";
import { tellMirrors } from "./notice.ts";
import { mirrorEntry, mirrorMode } from "./primary-snapshot.ts";

/**
 * @param next MIRROR_MODE
 * @throws CephError EBUSY: it is to end, and there are peers; EINVAL: it is to end, and images are mirrored;
 *   EOPNOTSUPP: of all images those with a journal would have to be, or are
 */
export async function setMirrorMode(context: RbdContext, io: IoCtx, next: number): Promise<void> {
  const { DISABLED, IMAGE, POOL } = MIRROR_MODE;
  if (next === DISABLED && (await listMirrorPeers(io)).length > 0) {
    throw imageError("EBUSY", "end mirroring of", io.poolName, "peers are still registered");
  }
  const now = await mirrorMode(io);
  if (now === next) return;
  if (next === POOL || now === POOL) await checkNoJournals(io);
  if (next === DISABLED) await checkNoneMirrored(io);
  if (now === DISABLED) {
    const uuid = uuidFromBytes(context.random.bytes(16));
    await io.execute(RBD_MIRRORING, DIRECTORY.setMirrorUuid, uuid);
  }
  // By way of single images: so nobody takes up what is about to change.
  for (const mode of now === IMAGE || next === IMAGE ? [next] : [IMAGE, next]) {
    await io.execute(RBD_MIRRORING, DIRECTORY.setMirrorMode, mode);
    await tellMirrors(context, io, { op: "mode", mode });
  }
}

/** In this mode they are mirrored by their journals. */
async function checkNoJournals(io: IoCtx): Promise<void> {
  for (const [name, id] of await listImages(io)) {
    const asked = io.query(headerName(id), HEADER.getFeatures, { snapId: NOSNAP, readOnly: true });
    const { features } = (await unless(asked, "ENOENT")) ?? { features: 0n };
    if ((features & RBD_FEATURE.JOURNALING) !== 0n) {
      throw imageError("EOPNOTSUPP", "mirror", name, "journals are not supported");
    }
  }
}

async function checkNoneMirrored(io: IoCtx): Promise<void> {
  for (const id of (await listMirrored(io)).keys()) {
    if ((await mirrorEntry(io, id))?.state === MIRROR_IMAGE_STATE.ENABLED) {
      throw imageError("EINVAL", "end mirroring of", io.poolName, "images are still mirrored");
    }
  }
}

/** Of the pool, whatever the namespace. */
export async function listMirrorPeers(io: IoCtx): Promise<readonly MirrorPeer[]> {
  return (
    (await unless(io.query(RBD_MIRRORING, DIRECTORY.listMirrorPeers, undefined), "ENOENT")) ?? []
  );
}

/**
 * @param peer.direction MIRROR_PEER_DIRECTION, not TX
 * @returns its uuid
 * @throws CephError EINVAL: the pool is not mirrored; EEXIST: there is one of this name
 */
export async function addMirrorPeer(
  { random }: RbdContext,
  io: IoCtx,
  peer: { readonly siteName: string; readonly clientName: string; readonly direction: number },
): Promise<string> {
  if (peer.direction === MIRROR_PEER_DIRECTION.TX) {
    throw imageError(
      "EINVAL",
      "add a peer to",
      io.poolName,
      "a peer that only fetches adds itself",
    );
  }
  for (;;) {
    const uuid = uuidFromBytes(random.bytes(16));
    const args = { ...peer, uuid, poolId: -1, mirrorUuid: "", lastSeen: UTIME_ZERO };
    try {
      await io.execute(RBD_MIRRORING, DIRECTORY.addMirrorPeer, args);
      return uuid;
    } catch (error) {
      // Another's uuid.
      if (!isErrno(error, "ESTALE")) throw error;
    }
  }
}

/** One that there is not is removed, too. */
export async function removeMirrorPeer(io: IoCtx, uuid: string): Promise<void> {
  await unless(io.execute(RBD_MIRRORING, DIRECTORY.removeMirrorPeer, uuid), "ENOENT");
}
