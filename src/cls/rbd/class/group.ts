/**
 * Groups: members and snapshots in the group's header, and a member's reference to its group in the
 * image's header. The directory of groups is in directory.ts.
 * ceph: src/cls/rbd/cls_rbd.cc
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import { type Infer, u8 } from "../../../encoding/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../../objclass.ts";
import { decodeStored, isMissing, listKeys, listValues, readKey, writeKey } from "../../omap.ts";
import {
  GroupImageListArgs,
  GroupImageListReply,
  GroupSnapId,
  GroupSnapListArgs,
  GroupSnapListReply,
} from "../ops/group.ts";
import { GROUP_SNAPSHOT_STATE, RBD_OPERATION_FEATURE } from "../types/features.ts";
import { GroupImageSpec, GroupImageStatus, GroupSnapshot, GroupSpec, NO_POOL } from "../types.ts";
import { KEY, setOpFeatures } from "./header.ts";

const IMAGE_PREFIX = "image_";
const SNAP_PREFIX = "snapshot_";

export const groupMethods = {
  group_image_set: method("rw", GroupImageStatus, none, (context, { spec, state }) =>
    writeKey(context, imageKey(spec), u8, state),
  ),
  group_image_remove: method("rw", GroupImageSpec, none, (context, spec) =>
    context.omapRemove([imageKey(spec)]),
  ),
  group_image_list: method("r", GroupImageListArgs, GroupImageListReply, listImages),
  image_group_add: method("rw", GroupSpec, none, addReference),
  image_group_remove: method("rw", GroupSpec, none, removeReference),
  image_group_get: method("r", none, GroupSpec, (context) => {
    const group = readReference(context);
    return isMissing(group) ? { poolId: NO_POOL, groupId: "" } : group;
  }),
  group_snap_set: method("rw", GroupSnapshot, none, setSnapshot),
  group_snap_remove: method("rw", GroupSnapId, none, (context, id) =>
    context.omapRemove([SNAP_PREFIX + id]),
  ),
  group_snap_get_by_id: method("r", GroupSnapId, GroupSnapshot, (context, id) =>
    readKey(context, SNAP_PREFIX + id, GroupSnapshot),
  ),
  group_snap_list: method("r", GroupSnapListArgs, GroupSnapListReply, (context, args) =>
    listSnapshots(context, args.startAfter.id, args.maxReturn),
  ),
} satisfies Record<string, ClassMethod>;

/** image_<16 hex pool>_<id>; nothing, and so the start of a listing, without a pool. */
function imageKey(spec: GroupImageSpec): string {
  if (spec.poolId === NO_POOL) return "";
  const pool = BigInt.asUintN(64, BigInt(spec.poolId)).toString(16).padStart(16, "0");
  return `${IMAGE_PREFIX}${pool}_${spec.imageId}`;
}

function imageOfKey(key: string): Result<GroupImageSpec> {
  const found = /^image_0*([0-9a-f]{1,13})_([\s\S]*)$/.exec(key);
  if (found === null) return fail("EIO");
  return { poolId: Number.parseInt(found[1] ?? "", 16), imageId: found[2] ?? "" };
}

/** EIO: a key or a state that is none. */
function listImages(
  context: ClassContext,
  { startAfter, maxReturn }: Infer<typeof GroupImageListArgs>,
): Result<GroupImageStatus[]> {
  const entries = listKeys(context, IMAGE_PREFIX, imageKey(startAfter), maxReturn);
  if (isFailure(entries)) return entries;
  const out: GroupImageStatus[] = [];
  for (const [key, value] of entries) {
    const state = decodeStored(u8, value);
    if (isFailure(state)) return state;
    const spec = imageOfKey(key);
    if (isFailure(spec)) return spec;
    out.push({ spec, state });
  }
  return out;
}

/** ENOENT: in no group; EINVAL: a reference that does not decode. */
function readReference(context: ClassContext): Result<GroupSpec> {
  const group = readKey(context, KEY.GROUP_REF, GroupSpec);
  return isFailure(group) && !isMissing(group) && group.errno === fail("EIO").errno
    ? fail("EINVAL")
    : group;
}

function sameGroup(a: GroupSpec, b: GroupSpec): boolean {
  return a.poolId === b.poolId && a.groupId === b.groupId;
}

/** EEXIST: in another group; in this one already is fine. ENOENT: no image header. */
function addReference(context: ClassContext, group: GroupSpec): Result<void> {
  const old = readReference(context);
  if (!isFailure(old)) return sameGroup(old, group) ? undefined : fail("EEXIST");
  if (!isMissing(old)) return old;
  const { GROUP } = RBD_OPERATION_FEATURE;
  const set = setOpFeatures(context, GROUP, GROUP);
  if (isFailure(set)) return set;
  return writeKey(context, KEY.GROUP_REF, GroupSpec, group);
}

/** ENOENT: in no group; EBADF: in another. */
function removeReference(context: ClassContext, group: GroupSpec): Result<void> {
  const old = readReference(context);
  if (isFailure(old)) return old;
  if (!sameGroup(old, group)) return fail("EBADF");
  const removed = context.omapRemove([KEY.GROUP_REF]);
  if (isFailure(removed)) return removed;
  return setOpFeatures(context, 0n, RBD_OPERATION_FEATURE.GROUP);
}

/** compat: 16.2 repeats its first 64 where there are more; we page on, as later releases do. */
function listSnapshots(
  context: ClassContext,
  after: string,
  max: bigint | number,
): Result<GroupSnapshot[]> {
  const entries = listValues(context, GroupSnapshot, { prefix: SNAP_PREFIX, after, max });
  return isFailure(entries) ? entries : entries.map(([, snap]) => snap);
}

/** EINVAL: no name, no id; EEXIST: another has the name, or an incomplete one is set twice. */
function setSnapshot(context: ClassContext, snap: GroupSnapshot): Result<void> {
  if (snap.name === "" || snap.id === "") return fail("EINVAL");
  const all = listSnapshots(context, "", Number.POSITIVE_INFINITY);
  if (isFailure(all)) return all;
  if (all.some((s) => s.name === snap.name && s.id !== snap.id)) return fail("EEXIST");
  const key = SNAP_PREFIX + snap.id;
  if (snap.state === GROUP_SNAPSHOT_STATE.INCOMPLETE) {
    const old = context.omapGet(key);
    if (!isFailure(old)) return fail("EEXIST");
    if (!isMissing(old)) return old;
  }
  return writeKey(context, key, GroupSnapshot, snap);
}
