/**
 * Mirroring of a pool and its images: mode, identity, peers and the list of mirrored images, all in the
 * rbd_mirroring object, and the copy state of mirror snapshots in an image's header. How each image is
 * doing is in mirror-status.ts.
 * ceph: src/cls/rbd/cls_rbd.cc (namespace mirror)
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import { byteStringOf, bytesOf, type Infer, str, u32 } from "../../../encoding/index.ts";
import { uuidFromBytes } from "../../../types/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../../objclass.ts";
import { isMissing, listValues, readKey, readKeyOr, removeKey, writeKey } from "../../omap.ts";
import { PageArgs } from "../ops/directory.ts";
import {
  CopyProgressArgs,
  ImageListReply,
  ImageSetArgs,
  PeerDirectionArgs,
  PeerList,
  PeerPingArgs,
  PeerTextArgs,
  UnlinkPeerArgs,
} from "../ops/mirror.ts";
import {
  MIRROR_IMAGE_STATE,
  MIRROR_MODE,
  MIRROR_PEER_DIRECTION,
  MIRROR_SNAPSHOT_STATE,
} from "../types/features.ts";
import { isValidPeer, MirrorImage, MirrorPeer } from "../types/mirror.ts";
import type { Snapshot, SnapshotNamespace } from "../types.ts";
import { readSnapshot, writeSnapshot } from "./header.ts";
import { GLOBAL_PREFIX, IMAGE_PREFIX, readImage, removeStatuses } from "./mirror-status.ts";

const UUID = "mirror_uuid";
const MODE = "mirror_mode";
const PEER_PREFIX = "mirror_peer_";

export const mirrorMethods = {
  mirror_uuid_get: method("r", none, str, readUuid),
  mirror_uuid_set: method("rw", str, none, setUuid),
  mirror_mode_get: method("r", none, u32, (context) => readKey(context, MODE, u32)),
  mirror_mode_set: method("rw", u32, none, setMode),
  mirror_peer_ping: method("rw", PeerPingArgs, none, pingPeer),
  mirror_peer_list: method("r", none, PeerList, readPeers),
  mirror_peer_add: method("rw", MirrorPeer, none, addPeer),
  mirror_peer_remove: method("rw", str, none, (context, uuid) =>
    removeKey(context, PEER_PREFIX + uuid),
  ),
  mirror_peer_set_client: method("rw", PeerTextArgs, none, (context, { uuid, text }) =>
    changePeer(context, uuid, { clientName: text }),
  ),
  mirror_peer_set_cluster: method("rw", PeerTextArgs, none, setPeerSite),
  mirror_peer_set_direction: method("rw", PeerDirectionArgs, none, (context, args) =>
    changePeer(context, args.uuid, { direction: args.direction }),
  ),
  mirror_image_list: method("r", PageArgs, ImageListReply, listImages),
  mirror_image_get_image_id: method("r", str, str, (context, globalId) =>
    readKey(context, GLOBAL_PREFIX + globalId, str),
  ),
  mirror_image_get: method("r", str, MirrorImage, readImage),
  mirror_image_set: method("rw", ImageSetArgs, none, setImage),
  mirror_image_remove: method("rw", str, none, removeImage),
  mirror_image_snapshot_unlink_peer: method("rw", UnlinkPeerArgs, none, unlinkPeer),
  mirror_image_snapshot_set_copy_progress: method("rw", CopyProgressArgs, none, setCopyProgress),
} satisfies Record<string, ClassMethod>;

/** ENOENT: mirroring was never set up. Kept bare, without a length. */
function readUuid(context: ClassContext): Result<string> {
  const bytes = context.omapGet(UUID);
  return isFailure(bytes) ? bytes : byteStringOf(bytes);
}

/** EINVAL: no uuid, or mirroring is on. */
function setUuid(context: ClassContext, uuid: string): Result<void> {
  if (uuid === "") return fail("EINVAL");
  const mode = readKeyOr(context, MODE, u32, MIRROR_MODE.DISABLED);
  if (isFailure(mode)) return mode;
  if (mode !== MIRROR_MODE.DISABLED) return fail("EINVAL");
  return context.omapSet([[UUID, bytesOf(uuid)]]);
}

/** EINVAL: no such mode, or no uuid yet; EBUSY: turned off with peers left. Off forgets the uuid. */
function setMode(context: ClassContext, mode: number): Result<void> {
  if (mode === MIRROR_MODE.IMAGE || mode === MIRROR_MODE.POOL) {
    const uuid = readUuid(context);
    if (isMissing(uuid)) return fail("EINVAL");
    return isFailure(uuid) ? uuid : writeKey(context, MODE, u32, mode);
  }
  if (mode !== MIRROR_MODE.DISABLED) return fail("EINVAL");
  const peers = readPeers(context);
  if (isFailure(peers)) return peers;
  if (peers.length > 0) return fail("EBUSY");
  const off = removeKey(context, MODE);
  return isFailure(off) ? off : removeKey(context, UUID);
}

function readPeers(context: ClassContext): Result<MirrorPeer[]> {
  const entries = listValues(context, MirrorPeer, { prefix: PEER_PREFIX });
  return isFailure(entries) ? entries : entries.map(([, peer]) => peer);
}

function writePeer(context: ClassContext, peer: MirrorPeer): Result<void> {
  return writeKey(context, PEER_PREFIX + peer.uuid, MirrorPeer, peer);
}

/** ENOENT: no such peer. */
function changePeer(
  context: ClassContext,
  uuid: string,
  change: Partial<MirrorPeer>,
): Result<void> {
  const peer = readKey(context, PEER_PREFIX + uuid, MirrorPeer);
  return isFailure(peer) ? peer : writePeer(context, { ...peer, ...change });
}

/** EINVAL: mirroring is off. */
function checkEnabled(context: ClassContext): Result<void> {
  const mode = readKeyOr(context, MODE, u32, MIRROR_MODE.DISABLED);
  if (isFailure(mode)) return mode;
  if (mode === MIRROR_MODE.DISABLED) return fail("EINVAL");
}

/**
 * A remote site says that it is there: its peer is found by site or by uuid, or made, as one we only send
 * to. EINVAL: mirroring is off, a name is missing, or the remote does not receive.
 */
function pingPeer(context: ClassContext, args: Infer<typeof PeerPingArgs>): Result<void> {
  const { siteName, mirrorUuid } = args;
  if (args.direction !== MIRROR_PEER_DIRECTION.TX) return fail("EINVAL");
  const enabled = checkEnabled(context);
  if (isFailure(enabled)) return enabled;
  if (siteName === "" || mirrorUuid === "") return fail("EINVAL");
  const peers = readPeers(context);
  if (isFailure(peers)) return peers;

  const bySite = peers.find((p) => p.siteName === siteName);
  const isOurs = bySite?.mirrorUuid === "" || bySite?.mirrorUuid === mirrorUuid;
  const byUuid = isOurs ? undefined : peers.find((p) => p.mirrorUuid === mirrorUuid);
  let peer: MirrorPeer;
  if (byUuid !== undefined) {
    // With another peer of that site name, the name stays; otherwise the remote has a new one.
    peer = bySite === undefined ? { ...byUuid, siteName } : byUuid;
  } else if (bySite !== undefined) {
    peer = { ...bySite, mirrorUuid };
  } else {
    peer = {
      uuid: uuidFromBytes(context.random(16)),
      direction: MIRROR_PEER_DIRECTION.TX,
      siteName,
      clientName: "",
      mirrorUuid,
      lastSeen: context.now,
    };
  }
  if (peer.direction === MIRROR_PEER_DIRECTION.RX) {
    peer = { ...peer, direction: MIRROR_PEER_DIRECTION.RX_TX };
  }
  peer = { ...peer, lastSeen: context.now };
  return isValidPeer(peer) ? writePeer(context, peer) : fail("EINVAL");
}

/**
 * EINVAL: mirroring is off, a peer without what it needs, ourselves, or one we would only send to;
 * ESTALE: the uuid is taken; EEXIST: the site is, or the site's own uuid.
 */
function addPeer(context: ClassContext, peer: MirrorPeer): Result<void> {
  const enabled = checkEnabled(context);
  if (isFailure(enabled)) return enabled;
  if (!isValidPeer(peer)) return fail("EINVAL");
  const uuid = readUuid(context);
  if (isFailure(uuid)) return uuid;
  if (peer.uuid === uuid || peer.direction === MIRROR_PEER_DIRECTION.TX) return fail("EINVAL");
  const peers = readPeers(context);
  if (isFailure(peers)) return peers;
  for (const old of peers) {
    if (old.uuid === peer.uuid) return fail("ESTALE");
    if (old.siteName === peer.siteName) return fail("EEXIST");
    if (peer.mirrorUuid !== "" && old.mirrorUuid === peer.mirrorUuid) return fail("EEXIST");
  }
  return writePeer(context, peer);
}

/** EEXIST: another peer has the site name; ENOENT: no such peer. */
function setPeerSite(
  context: ClassContext,
  { uuid, text: siteName }: Infer<typeof PeerTextArgs>,
): Result<void> {
  const peers = readPeers(context);
  if (isFailure(peers)) return peers;
  if (peers.some((p) => p.uuid !== uuid && p.siteName === siteName)) return fail("EEXIST");
  const peer = peers.find((p) => p.uuid === uuid);
  return peer === undefined ? fail("ENOENT") : writePeer(context, { ...peer, siteName });
}

function listImages(
  context: ClassContext,
  { startAfter: after, maxReturn: max }: Infer<typeof PageArgs>,
): Result<Map<string, string>> {
  const images = listValues(context, MirrorImage, { prefix: IMAGE_PREFIX, after, max });
  return isFailure(images)
    ? images
    : new Map(images.map(([id, image]) => [id, image.globalImageId]));
}

/** ENOENT: not mirrored. */
/**
 * EEXIST: the global id belongs to another image; ENOENT: what is not mirrored cannot be on its way out;
 * EINVAL: another global id than before.
 */
function setImage(
  context: ClassContext,
  { imageId, image }: Infer<typeof ImageSetArgs>,
): Result<void> {
  const globalKey = GLOBAL_PREFIX + image.globalImageId;
  const old = readImage(context, imageId);
  if (isMissing(old)) {
    const owner = readKey(context, globalKey, str);
    if (!isFailure(owner)) return fail("EEXIST");
    if (!isMissing(owner)) return owner;
    if (image.state === MIRROR_IMAGE_STATE.DISABLING) return fail("ENOENT");
  } else if (isFailure(old)) {
    return old;
  } else if (old.globalImageId !== image.globalImageId) {
    return fail("EINVAL");
  }
  const written = writeKey(context, IMAGE_PREFIX + imageId, MirrorImage, image);
  return isFailure(written) ? written : writeKey(context, globalKey, str, imageId);
}

/** Forgets an image and its statuses. ENOENT: not mirrored; EBUSY: not being disabled. */
function removeImage(context: ClassContext, imageId: string): Result<void> {
  const image = readImage(context, imageId);
  if (isFailure(image)) return image;
  if (image.state !== MIRROR_IMAGE_STATE.DISABLING) return fail("EBUSY");
  const keys = [IMAGE_PREFIX + imageId, GLOBAL_PREFIX + image.globalImageId];
  const removed = context.omapRemove(keys);
  return isFailure(removed) ? removed : removeStatuses(context, image.globalImageId);
}

type MirrorNamespace = Extract<SnapshotNamespace, { type: "mirror" }>;

/** ENOENT: no such snapshot; EINVAL: not a mirror snapshot. */
function readMirrorSnapshot(
  context: ClassContext,
  snapId: bigint,
): Result<{ snap: Snapshot; namespace: MirrorNamespace }> {
  const snap = readSnapshot(context, snapId);
  if (isFailure(snap)) return snap;
  const { namespace } = snap;
  return namespace.type === "mirror" ? { snap, namespace } : fail("EINVAL");
}

/**
 * As above; ENOENT: not linked. compat: early 16.2 refused to drop the last link of an old snapshot
 * (ERESTART); 16.2.15 leaves that to the caller.
 */
function unlinkPeer(
  context: ClassContext,
  { snapId, mirrorPeerUuid }: Infer<typeof UnlinkPeerArgs>,
): Result<void> {
  const found = readMirrorSnapshot(context, snapId);
  if (isFailure(found)) return found;
  const uuids = new Set(found.namespace.mirrorPeerUuids);
  if (!uuids.delete(mirrorPeerUuid)) return fail("ENOENT");
  const namespace = { ...found.namespace, mirrorPeerUuids: uuids };
  return writeSnapshot(context, { ...found.snap, namespace });
}

function setCopyProgress(
  context: ClassContext,
  { snapId, complete, lastCopiedObjectNumber }: Infer<typeof CopyProgressArgs>,
): Result<void> {
  const found = readMirrorSnapshot(context, snapId);
  if (isFailure(found)) return found;
  const { state } = found.namespace;
  const isCopy =
    state === MIRROR_SNAPSHOT_STATE.NON_PRIMARY ||
    state === MIRROR_SNAPSHOT_STATE.NON_PRIMARY_DEMOTED;
  const progress = isCopy ? { complete, lastCopiedObjectNumber } : { complete };
  return writeSnapshot(context, { ...found.snap, namespace: { ...found.namespace, ...progress } });
}
