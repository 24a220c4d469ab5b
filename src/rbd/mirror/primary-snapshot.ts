/**
 * Images that are mirrored by snapshots, and the snapshots of the one that is primary.
 * ceph: src/librbd/api/Mirror.cc image_info_list, image_snapshot_create,
 *   src/librbd/mirror/snapshot/CreatePrimaryRequest.cc, UnlinkPeerRequest.cc
 */

import {
  MIRROR_IMAGE_MODE,
  MIRROR_IMAGE_STATE,
  MIRROR_MODE,
  MIRROR_PEER_DIRECTION,
  MIRROR_SNAPSHOT_STATE,
} from "../../cls/rbd/types/features.ts";
import type { MirrorImage } from "../../cls/rbd/types/mirror.ts";
import type { SnapshotNamespace } from "../../cls/rbd/types.ts";
import type { IoCtx } from "../../rados/index.ts";
import { NOSNAP, type SnapId, uuidFromBytes } from "../../types/index.ts";
import { DIRECTORY, HEADER } from "../calls.ts";
import { listImages, listMirrored } from "../directory.ts";
import { imageError, unless } from "../errors.ts";
import { Image, type ImageSnapshot, type RbdContext } from "../image.ts";
import { byLockOwner, inTurn, unlessWanted } from "../lock-owner.ts";
import { headerName, RBD_MIRRORING } from "../names.ts";
import { createSnapshot } from "../snapshot-create.ts";
import { removeSnapshot } from "../snapshot-remove.ts";

const { PRIMARY } = MIRROR_SNAPSHOT_STATE;
/** Primary snapshots kept for a peer that does not fetch them.  ceph: rbd_mirroring_max_mirroring_snapshots */
const SNAPSHOTS_MAX = 5;
/** Of too many, this one goes, counted from the oldest: a peer may be at work on those before it. */
const GOES = 3;

type MirrorNamespace = Extract<SnapshotNamespace, { type: "mirror" }>;

function mirrorOf({ namespace }: { namespace: SnapshotNamespace }): MirrorNamespace | undefined {
  return namespace.type === "mirror" ? namespace : undefined;
}

/** MIRROR_MODE of a pool's namespace. */
export async function mirrorMode(io: IoCtx): Promise<number> {
  const asked = io.query(RBD_MIRRORING, DIRECTORY.getMirrorMode, undefined);
  return (await unless(asked, "ENOENT")) ?? MIRROR_MODE.DISABLED;
}

/** Is the image one that is mirrored by snapshots? */
export async function isMirroredBySnapshots({ io, id }: Image): Promise<boolean> {
  return (await mirrorEntry(io, id))?.mode === MIRROR_IMAGE_MODE.SNAPSHOT;
}

/**
 * How an image is mirrored, and whether ours is the copy that is written to, which is undefined for one that is
 * mirrored by its journal: only that knows. undefined: it is not mirrored.
 */
export async function mirrorInfo(
  image: Image,
): Promise<(MirrorImage & { readonly primary: boolean | undefined }) | undefined> {
  const entry = await mirrorEntry(image.io, image.id);
  if (entry === undefined) return undefined;
  const { SNAPSHOT } = MIRROR_IMAGE_MODE;
  const primary = entry.mode === SNAPSHOT ? newestState(image) === PRIMARY : undefined;
  return { ...entry, primary };
}

/** undefined: it is not mirrored. */
export async function mirrorEntry(io: IoCtx, id: string): Promise<MirrorImage | undefined> {
  const asked = io.query(RBD_MIRRORING, DIRECTORY.getMirror, id);
  return await unless(asked, "ENOENT", "EOPNOTSUPP");
}

/** Names by id of the primary images of a pool's namespace that are mirrored by snapshots. */
export async function listPrimaries(io: IoCtx): Promise<Map<string, string>> {
  const primaries = new Map<string, string>();
  const mirrored = await listMirrored(io);
  if (mirrored.size === 0) return primaries;
  const names = await listImages(io);
  const nameOfId = new Map([...names].map(([name, id]) => [id, name]));
  for (const id of mirrored.keys()) {
    const name = nameOfId.get(id);
    const entry = await mirrorEntry(io, id);
    if (name === undefined || entry?.mode !== MIRROR_IMAGE_MODE.SNAPSHOT) continue;
    if (await isPrimary(io, id)) primaries.set(id, name);
  }
  return primaries;
}

/** The newest mirror snapshot says whose copy is the one that is written to. */
async function isPrimary(io: IoCtx, id: string): Promise<boolean> {
  const header = headerName(id);
  const context = await unless(io.query(header, HEADER.getSnapContext, undefined), "ENOENT");
  for (const snapId of context?.snaps ?? []) {
    const snapshot = await unless(io.query(header, HEADER.getSnapshot, { snapId }), "ENOENT");
    const namespace = snapshot === undefined ? undefined : mirrorOf(snapshot);
    if (namespace !== undefined) return namespace.state === PRIMARY;
  }
  return false;
}

/**
 * Takes a mirror snapshot of an open primary image, and lets go of one that too many have come after.
 * @param options.flags SNAP_CREATE_FLAG bits @default 0
 * @returns its id
 * @throws CephError EINVAL: it is not mirrored by snapshots here, or not any more, or no peer would fetch it
 */
export async function mirrorSnapshot(
  image: Image,
  options: { readonly flags?: bigint } = {},
): Promise<SnapId> {
  const refuse = (why: string) => imageError("EINVAL", "mirror", image.target, why);
  await image.refreshIfStale();
  const entry = await mirrorEntry(image.io, image.id);
  if (entry?.mode !== MIRROR_IMAGE_MODE.SNAPSHOT) throw refuse("it is not mirrored by snapshots");
  if (!isWrittenHere(image)) throw refuse("it is not primary");
  if (entry.state !== MIRROR_IMAGE_STATE.ENABLED) throw refuse("mirroring is being disabled");
  return await takePrimarySnapshot(image, entry.globalImageId, { ...options, needsPeers: true });
}

/**
 * The same by id, with no flags.
 * @returns false if it is none of the images that have such snapshots, or not any more
 * @throws CephError EINVAL: no peer would fetch it
 */
export async function createMirrorSnapshot(
  context: RbdContext,
  io: IoCtx,
  id: string,
): Promise<boolean> {
  const image = await unless(Image.open(context, io, { id }), "ENOENT");
  if (image === undefined) return false;
  try {
    const entry = await mirrorEntry(io, id);
    if (entry?.mode !== MIRROR_IMAGE_MODE.SNAPSHOT || newestState(image) !== PRIMARY) return false;
    await mirrorSnapshot(image);
    return true;
  } finally {
    await image.close();
  }
}

/**
 * Takes a snapshot for the pool's peers, and lets go of one that too many have come after.
 * @param options.needsPeers whether there have to be such
 * @throws CephError EINVAL: there are none; and those of createSnapshot
 * ceph: src/librbd/mirror/snapshot/CreatePrimaryRequest.cc
 */
export async function takePrimarySnapshot(
  image: Image,
  globalImageId: string,
  options: { readonly needsPeers: boolean; readonly flags?: bigint },
): Promise<SnapId> {
  const { io, context, target } = image;
  const { needsPeers, flags = 0n } = options;
  const ask = io.inNamespace("").query(RBD_MIRRORING, DIRECTORY.listMirrorPeers, undefined);
  const peers = (await unless(ask, "ENOENT")) ?? [];
  const uuids = peers
    .filter(({ direction }) => direction !== MIRROR_PEER_DIRECTION.RX)
    .map(({ uuid }) => uuid);
  if (needsPeers && uuids.length === 0) {
    throw imageError("EINVAL", "mirror", target, "no mirror tx peers configured for the pool");
  }
  const name = `.mirror.primary.${globalImageId}.${uuidFromBytes(context.random.bytes(16))}`;
  const namespace: MirrorNamespace = {
    type: "mirror",
    state: PRIMARY,
    complete: false,
    mirrorPeerUuids: new Set(uuids),
    primaryMirrorUuid: "",
    primarySnapId: NOSNAP,
    lastCopiedObjectNumber: 0n,
    snapSeqs: new Map(),
  };
  await byLockOwner(image, {
    request: { op: "snapCreate", name, namespace, flags },
    done: "EEXIST",
    policy: "automatic",
    here: () =>
      unlessWanted(image, () =>
        inTurn(image, "mirror", () => createSnapshot(image, name, namespace, flags)),
      ),
  });
  // The owner may have taken it.
  await image.refresh();
  const taken = image.snapshots.find((snapshot) => snapshot.name === name);
  if (taken === undefined) throw imageError("ENOENT", "find the mirror snapshot of", target);
  for (const uuid of uuids) await unlinkPeer(image, uuid);
  return taken.id;
}

/** Is ours the copy that is written to? One without any mirror snapshot is nobody else's. */
export function isWrittenHere(image: Image): boolean {
  const state = newestState(image);
  return state === undefined || state === PRIMARY;
}

/** Those that there are now. */
export async function removeMirrorSnapshots(image: Image): Promise<void> {
  await image.refresh();
  for (const snapshot of image.snapshots.filter((each) => mirrorOf(each) !== undefined)) {
    await removeByOwner(image, snapshot);
  }
}

function newestState(image: Image): number | undefined {
  return image.snapshots.map(mirrorOf).findLast((namespace) => namespace !== undefined)?.state;
}

/** Takes a peer off a snapshot that too many have come after, and removes what no peer is left of. */
async function unlinkPeer(image: Image, uuid: string): Promise<void> {
  for (;;) {
    await image.refresh();
    const snapshot = surplus(image.snapshots);
    if (snapshot === undefined) return;
    const { id } = snapshot;
    const uuids = new Set(mirrorOf(snapshot)?.mirrorPeerUuids);
    uuids.delete(uuid);
    if (uuids.size > 0) {
      const args = { snapId: id, mirrorPeerUuid: uuid };
      await unless(
        image.io.execute(image.headerOid, HEADER.unlinkMirrorPeer, args),
        "ENOENT",
        "ERESTART",
      );
      await image.notifyUpdate();
      return;
    }
    await removeByOwner(image, snapshot);
  }
}

async function removeByOwner(image: Image, { id, name, namespace }: ImageSnapshot): Promise<void> {
  await byLockOwner(image, {
    request: { op: "snapRemove", name, namespace },
    done: "ENOENT",
    policy: "automatic",
    here: () =>
      unlessWanted(image, () =>
        inTurn(image, "remove a mirror snapshot of", async () => {
          await unless(removeSnapshot(image, id), "ENOENT");
          await image.notifyUpdate();
        }),
      ),
  });
}

/** Counted are those since the image has last become primary. */
export function surplus(snapshots: readonly ImageSnapshot[]): ImageSnapshot | undefined {
  let primaries: ImageSnapshot[] = [];
  for (const snapshot of snapshots) {
    const namespace = mirrorOf(snapshot);
    if (namespace === undefined) continue;
    if (namespace.state === PRIMARY) primaries.push(snapshot);
    else primaries = [];
    if (primaries.length > SNAPSHOTS_MAX) return primaries[GOES - 1];
  }
  return undefined;
}
