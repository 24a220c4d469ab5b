/** Arguments and answers of the mirroring methods. ceph: src/cls/rbd/cls_rbd_client.cc */

import { bool, list, map, record, s32, str, u8, u64 } from "../../../encoding/index.ts";
import { EntityInst } from "../../../types/index.ts";
import { tail } from "../../argument.ts";
import {
  MirrorImage,
  MirrorImageMap,
  MirrorImageSiteStatus,
  MirrorImageStatus,
  MirrorPeer,
} from "../types/mirror.ts";

export const PeerPingArgs = record("mirror_peer_ping", {
  siteName: str,
  mirrorUuid: str,
  direction: u8,
});
export const PeerList = list(MirrorPeer);
export const PeerTextArgs = record("mirror_peer_set", { uuid: str, text: str });
export const PeerDirectionArgs = record("mirror_peer_set_direction", { uuid: str, direction: u8 });
/** Image ids to global ids. */
export const ImageListReply = map(str, str);
export const ImageSetArgs = record("mirror_image_set", { imageId: str, image: MirrorImage });
export const StatusSetArgs = record("mirror_image_status_set", {
  globalImageId: str,
  status: MirrorImageSiteStatus,
});
export const StatusListReply = record("mirror_image_status_list reply", {
  images: map(str, MirrorImage),
  statuses: map(str, MirrorImageStatus),
});
/** compat: old clients send no peers. */
export const SummaryArgs = tail(PeerList, []);
/** How many images are in which state. */
export const SummaryReply = map(u8, s32);
export const InstanceListReply = map(str, EntityInst);
export const InstanceIds = list(str);
export const ImageMapListReply = map(str, MirrorImageMap);
export const ImageMapUpdateArgs = record("mirror_image_map_update", {
  globalImageId: str,
  map: MirrorImageMap,
});
export const UnlinkPeerArgs = record("mirror_image_snapshot_unlink_peer", {
  snapId: u64,
  mirrorPeerUuid: str,
});
export const CopyProgressArgs = record("mirror_image_snapshot_set_copy_progress", {
  snapId: u64,
  complete: bool,
  lastCopiedObjectNumber: u64,
});
