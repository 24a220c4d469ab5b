/**
 * How mirroring of each image is doing, as the rbd-mirror daemons of this site and of the remote ones
 * report it, and which daemon instance has which image. A status counts as up while its reporter watches
 * the object.
 * ceph: src/cls/rbd/cls_rbd.cc (namespace mirror)
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import { EMPTY, type Infer, str } from "../../../encoding/index.ts";
import { ADDR_TYPE, addrKey, EntityInst } from "../../../types/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../../objclass.ts";
import {
  isMissing,
  listKeys,
  listValues,
  readKey,
  readKeyOr,
  removeKey,
  writeKey,
} from "../../omap.ts";
import { PageArgs } from "../ops/directory.ts";
import {
  ImageMapListReply,
  ImageMapUpdateArgs,
  InstanceIds,
  InstanceListReply,
  StatusListReply,
  StatusSetArgs,
  SummaryArgs,
  SummaryReply,
} from "../ops/mirror.ts";
import {
  MIRROR_IMAGE_STATE,
  MIRROR_IMAGE_STATUS_STATE,
  MIRROR_PEER_DIRECTION,
} from "../types/features.ts";
import {
  LOCAL_MIRROR_UUID,
  MirrorImage,
  MirrorImageMap,
  type MirrorImageSiteStatus,
  MirrorImageSiteStatusOnDisk,
  MirrorImageStatus,
  type MirrorPeer,
} from "../types/mirror.ts";

/** Images by their ids. */
export const IMAGE_PREFIX = "image_";
/** Ids of images by their global ids. */
export const GLOBAL_PREFIX = "global_";
const STATUS_PREFIX = "status_global_";
const REMOTE_STATUS_PREFIX = "remote_status_global_";
const INSTANCE_PREFIX = "instance_";
const IMAGE_MAP_PREFIX = "image_map_";

export const mirrorStatusMethods = {
  mirror_image_status_set: method("rw", StatusSetArgs, none, setStatus),
  mirror_image_status_remove: method("rw", str, none, removeStatuses),
  mirror_image_status_get: method("r", str, MirrorImageStatus, (context, globalId) =>
    readStatus(context, globalId, watchersOf(context)),
  ),
  mirror_image_status_list: method("r", PageArgs, StatusListReply, listStatuses),
  mirror_image_status_get_summary: method("r", SummaryArgs, SummaryReply, summarize),
  mirror_image_status_remove_down: method("rw", none, none, removeDown),
  mirror_image_instance_get: method("r", str, EntityInst, (context, globalId) =>
    readInstance(context, globalId, watchersOf(context)),
  ),
  mirror_image_instance_list: method("r", PageArgs, InstanceListReply, listInstances),
  mirror_instances_list: method("r", none, InstanceIds, (context) => {
    const { POSITIVE_INFINITY } = Number;
    const entries = listKeys(context, INSTANCE_PREFIX, INSTANCE_PREFIX, POSITIVE_INFINITY);
    if (isFailure(entries)) return entries;
    return entries.map(([key]) => key.slice(INSTANCE_PREFIX.length));
  }),
  mirror_instances_add: method("rw", str, none, (context, id) =>
    context.omapSet([[INSTANCE_PREFIX + id, EMPTY]]),
  ),
  /** ENOENT: no object; an unknown instance is no failure. */
  mirror_instances_remove: method("rw", str, none, (context, id) =>
    context.omapRemove([INSTANCE_PREFIX + id]),
  ),
  mirror_image_map_list: method("r", PageArgs, ImageMapListReply, listImageMap),
  mirror_image_map_update: method("w", ImageMapUpdateArgs, none, (context, args) =>
    writeKey(context, IMAGE_MAP_PREFIX + args.globalImageId, MirrorImageMap, args.map),
  ),
  mirror_image_map_remove: method("w", str, none, (context, globalId) =>
    removeKey(context, IMAGE_MAP_PREFIX + globalId),
  ),
} satisfies Record<string, ClassMethod>;

/** Clients by name and address, whatever the type of the address. */
type Watchers = ReadonlySet<string>;

function instanceKey(instance: EntityInst): string {
  return `${instance.name.type}.${instance.name.num} ${addrKey(instance.addr)}`;
}

function watchersOf(context: ClassContext): Watchers {
  return new Set(context.watchers().map(instanceKey));
}

function statusKey(globalId: string, mirrorUuid: string): string {
  return mirrorUuid === LOCAL_MIRROR_UUID
    ? STATUS_PREFIX + globalId
    : remotePrefix(globalId) + mirrorUuid;
}

function remotePrefix(globalId: string): string {
  return `${REMOTE_STATUS_PREFIX}${globalId}_`;
}

/** ENOENT: not mirrored. */
export function readImage(context: ClassContext, imageId: string): Result<MirrorImage> {
  return readKey(context, IMAGE_PREFIX + imageId, MirrorImage);
}

/**
 * Stored under the reporter's session, with the time of now, and down until somebody looks. Of an image that
 * is not enabled here, or unknown, nothing is kept, and nobody is told.
 */
function setStatus(
  context: ClassContext,
  { globalImageId, status }: Infer<typeof StatusSetArgs>,
): Result<void> {
  const imageId = readKey(context, GLOBAL_PREFIX + globalImageId, str);
  if (isFailure(imageId)) return;
  const image = readImage(context, imageId);
  if (isFailure(image) || image.state !== MIRROR_IMAGE_STATE.ENABLED) return;
  return writeKey(
    context,
    statusKey(globalImageId, status.mirrorUuid),
    MirrorImageSiteStatusOnDisk,
    {
      origin: { name: context.origin.name, addr: context.origin.addr },
      status: {
        mirrorUuid: LOCAL_MIRROR_UUID,
        state: status.state,
        description: status.description,
        lastUpdate: context.now,
        up: false,
      },
    },
  );
}

/** The statuses of all sites for one image go. */
export function removeStatuses(context: ClassContext, globalId: string): Result<void> {
  const prefix = remotePrefix(globalId);
  const remote = listKeys(context, prefix, prefix, Number.POSITIVE_INFINITY);
  if (isFailure(remote)) return remote;
  const keys = remote.map(([key]) => key);
  const removed = context.omapRemove([statusKey(globalId, LOCAL_MIRROR_UUID), ...keys]);
  if (isFailure(removed) && !isMissing(removed)) return removed;
}

/** ENOENT: nobody has reported. */
function readStatus(
  context: ClassContext,
  globalId: string,
  watchers: Watchers,
): Result<MirrorImageStatus> {
  const localKey = statusKey(globalId, LOCAL_MIRROR_UUID);
  const local = readKeyOr(context, localKey, MirrorImageSiteStatusOnDisk, undefined);
  if (isFailure(local)) return local;
  const remote = listValues(context, MirrorImageSiteStatusOnDisk, {
    prefix: remotePrefix(globalId),
  });
  if (isFailure(remote)) return remote;
  const sites = local === undefined ? remote : [[LOCAL_MIRROR_UUID, local] as const, ...remote];
  if (sites.length === 0) return fail("ENOENT");
  return sites.map(([mirrorUuid, { origin, status }]) => ({
    ...status,
    mirrorUuid,
    up: watchers.has(instanceKey(origin)),
  }));
}

/** A page of images, and the statuses of those that have one. */
function listStatuses(
  context: ClassContext,
  { startAfter: after, maxReturn: max }: Infer<typeof PageArgs>,
): Result<Infer<typeof StatusListReply>> {
  const watchers = watchersOf(context);
  const images = listValues(context, MirrorImage, { prefix: IMAGE_PREFIX, after, max });
  if (isFailure(images)) return images;
  const statuses = new Map<string, MirrorImageStatus>();
  for (const [id, image] of images) {
    // compat: an image whose status is missing or damaged is listed without one.
    const status = readStatus(context, image.globalImageId, watchers);
    if (!isFailure(status)) statuses.set(id, status);
  }
  return { images: new Map(images), statuses };
}

/** Which way the pool mirrors, by its peers; without any, we only receive. */
function poolDirection(peers: readonly MirrorPeer[]): number {
  const first = peers[0]?.direction ?? MIRROR_PEER_DIRECTION.RX;
  const senders = peers.filter((p) => p.direction !== MIRROR_PEER_DIRECTION.RX);
  return senders.every((p) => p.direction === first) ? first : MIRROR_PEER_DIRECTION.RX_TX;
}

/** One state for all sites of an image: an error anywhere, else the least of them. */
function summaryState(
  direction: number,
  senders: ReadonlySet<string>,
  sites: MirrorImageStatus,
): number {
  const { ERROR, UNKNOWN } = MIRROR_IMAGE_STATUS_STATE;
  const isLocal = (s: MirrorImageSiteStatus) => s.mirrorUuid === LOCAL_MIRROR_UUID;
  let state: number | undefined;
  let unheard = 0;
  if (direction !== MIRROR_PEER_DIRECTION.TX) {
    const local = sites.find(isLocal);
    if (local?.up === true) state = local.state;
  }
  if (direction !== MIRROR_PEER_DIRECTION.RX) {
    unheard = senders.size;
    for (const site of sites) {
      if (isLocal(site)) continue;
      if (unheard > 0 && senders.has(site.mirrorUuid)) unheard--;
      const seen = site.up ? site.state : UNKNOWN;
      if (site.state === ERROR) state = ERROR;
      else if (state === undefined) state = seen;
      else if (state !== ERROR) state = Math.min(state, seen);
    }
  }
  return unheard > 0 ? UNKNOWN : (state ?? UNKNOWN);
}

/** How many images are in which state. */
function summarize(
  context: ClassContext,
  peers: readonly MirrorPeer[],
): Result<Map<number, number>> {
  const watchers = watchersOf(context);
  const direction = poolDirection(peers);
  const senders = new Set(
    peers.filter((p) => p.direction !== MIRROR_PEER_DIRECTION.RX).map((p) => p.mirrorUuid),
  );
  const images = listValues(context, MirrorImage, { prefix: IMAGE_PREFIX });
  if (isFailure(images)) return images;
  const counts = new Map<number, number>();
  for (const [, image] of images) {
    const status = readStatus(context, image.globalImageId, watchers);
    if (isFailure(status) && !isMissing(status)) return status;
    const state = summaryState(direction, senders, isFailure(status) ? [] : status);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
}

/** Statuses whose reporters no longer watch go. */
function removeDown(context: ClassContext): Result<void> {
  const watchers = watchersOf(context);
  for (const prefix of [STATUS_PREFIX, REMOTE_STATUS_PREFIX]) {
    const entries = listValues(context, MirrorImageSiteStatusOnDisk, { prefix });
    if (isFailure(entries)) return entries;
    const down = entries.filter(([, { origin }]) => !watchers.has(instanceKey(origin)));
    if (down.length === 0) continue;
    const removed = context.omapRemove(down.map(([rest]) => prefix + rest));
    if (isFailure(removed)) return removed;
  }
}

/** Who mirrors the image here. ENOENT: nobody ever; ESTALE: its daemon is gone. */
function readInstance(
  context: ClassContext,
  globalId: string,
  watchers: Watchers,
): Result<EntityInst> {
  const localKey = statusKey(globalId, LOCAL_MIRROR_UUID);
  const stored = readKey(context, localKey, MirrorImageSiteStatusOnDisk);
  if (isFailure(stored)) return stored;
  if (!watchers.has(instanceKey(stored.origin))) return fail("ESTALE");
  return { name: stored.origin.name, addr: { ...stored.origin.addr, type: ADDR_TYPE.ANY } };
}

/** Images with a living daemon: those without one do not count towards the page. */
function listInstances(
  context: ClassContext,
  { startAfter: after, maxReturn: max }: Infer<typeof PageArgs>,
): Result<Map<string, EntityInst>> {
  const watchers = watchersOf(context);
  const images = listValues(context, MirrorImage, { prefix: IMAGE_PREFIX, after });
  if (isFailure(images)) return images;
  const out = new Map<string, EntityInst>();
  for (const [id, image] of images) {
    if (out.size >= max) break;
    const instance = readInstance(context, image.globalImageId, watchers);
    if (!isFailure(instance)) out.set(id, instance);
  }
  return out;
}

/** compat: EINVAL for an entry that does not decode, where others give EIO. */
function listImageMap(
  context: ClassContext,
  { startAfter: after, maxReturn: max }: Infer<typeof PageArgs>,
): Result<Map<string, MirrorImageMap>> {
  const entries = listValues(context, MirrorImageMap, { prefix: IMAGE_MAP_PREFIX, after, max });
  if (isFailure(entries)) return isMissing(entries) ? entries : fail("EINVAL");
  return new Map(entries);
}
