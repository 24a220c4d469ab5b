/**
 * How mirroring of an image goes, as mirror daemons have told last.
 * ceph: src/librbd/api/Mirror.cc image_get_global_status, src/tools/rbd/Utils.cc populate_unknown_mirror_image_site_statuses
 */

import { MIRROR_IMAGE_STATUS_STATE, MIRROR_PEER_DIRECTION } from "../../cls/rbd/types/features.ts";
import {
  LOCAL_MIRROR_UUID,
  type MirrorImageSiteStatus,
  type MirrorPeer,
} from "../../cls/rbd/types/mirror.ts";
import type { IoCtx } from "../../rados/index.ts";
import { UTIME_ZERO } from "../../types/index.ts";
import { DIRECTORY } from "../calls.ts";
import { unless } from "../errors.ts";
import { RBD_MIRRORING } from "../names.ts";

/**
 * Of this site, whose uuid is "", and of those that copies come from; one that nobody has told of is unknown. A pool
 * that others only fetch from has none of its own.
 */
export async function mirrorStatuses(
  io: IoCtx,
  globalImageId: string,
  peers: readonly MirrorPeer[],
): Promise<MirrorImageSiteStatus[]> {
  const asked = io.query(RBD_MIRRORING, DIRECTORY.getMirrorStatus, globalImageId);
  const told = (await unless(asked, "ENOENT")) ?? [];
  const { TX } = MIRROR_PEER_DIRECTION;
  const fetched = peers.filter(
    ({ mirrorUuid, direction }) => mirrorUuid !== "" && direction !== TX,
  );
  const wanted = new Set(fetched.map(({ mirrorUuid }) => mirrorUuid));
  const isSourceOnly = peers.length > 0 && peers.every(({ direction }) => direction === TX);
  if (!isSourceOnly) wanted.add(LOCAL_MIRROR_UUID);
  const known = told.filter(({ mirrorUuid }) => wanted.delete(mirrorUuid));
  const unknown = [...wanted].sort().map((mirrorUuid) => ({
    mirrorUuid,
    state: MIRROR_IMAGE_STATUS_STATE.UNKNOWN,
    description: "status not found",
    lastUpdate: UTIME_ZERO,
    up: false,
  }));
  return [...known, ...unknown];
}
