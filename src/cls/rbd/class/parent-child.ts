/**
 * Clones. A clone's header names its parent (parent_*; get_, set_ and remove_parent for clients older than
 * Nautilus). The parent's side is either a list in its own header (child_*, clone v2) or an entry in
 * the pool's rbd_children object (add_child, remove_child, get_children: clone v1).
 * ceph: src/cls/rbd/cls_rbd.cc
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import {
  byteStringOf,
  encodeToBytes,
  type Infer,
  optional,
  set,
  str,
  u64n,
} from "../../../encoding/index.ts";
import { NOSNAP } from "../../../types/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../../objclass.ts";
import { isMissing, readKey, readKeyOr, removeKey, writeKey } from "../../omap.ts";
import { SnapIdArgs } from "../ops/image.ts";
import {
  ChildArgs,
  LegacyParent,
  ParentAttachArgs,
  ParentChildArgs,
  ParentKey,
} from "../ops/parent-child.ts";
import { RBD_FEATURE, RBD_OPERATION_FEATURE } from "../types/features.ts";
import {
  ChildImageSpecs,
  NO_PARENT,
  Parent,
  ParentImageSpec,
  parentExists,
  sameChild,
  sameParent,
} from "../types.ts";
import { checkExists } from "./checks.ts";
import {
  hasParent,
  KEY,
  readSize,
  readSnapshot,
  readSnapshots,
  requireFeature,
  setOpFeatures,
  snapChildrenKey,
  writeSnapshot,
} from "./header.ts";

/** rbd_children's values: ids of clones. */
const ChildIds = set(str);
const Overlap = optional(u64n);

export const parentChildMethods = {
  get_parent: method("r", SnapIdArgs, LegacyParent, getParent),
  set_parent: method("rw", LegacyParent, none, (context, args) =>
    attach(context, { ...args, poolNamespace: "", headOverlap: args.overlap }, false),
  ),
  remove_parent: method("rw", none, none, (context) => detach(context, true)),
  parent_get: method("r", none, ParentImageSpec, parentGet),
  parent_overlap_get: method("r", SnapIdArgs, Overlap, parentOverlapGet),
  parent_attach: method("rw", ParentAttachArgs, none, (context, { parent, overlap, reattach }) =>
    attach(context, { ...parent, headOverlap: overlap }, reattach),
  ),
  parent_detach: method("rw", none, none, (context) => detach(context, false)),
  child_attach: method("rw", ChildArgs, none, childAttach),
  child_detach: method("rw", ChildArgs, none, childDetach),
  children_list: method("r", SnapIdArgs, ChildImageSpecs, childrenList),
  add_child: method("rw", ParentChildArgs, none, addChild),
  remove_child: method("rw", ParentChildArgs, none, removeChild),
  get_children: method("r", ParentKey, ChildIds, (context, args) =>
    readKey(context, childrenKey(args), ChildIds),
  ),
} satisfies Record<string, ClassMethod>;

const CLONE_FEATURE = RBD_FEATURE.LAYERING;

/** Can the image have a parent? compat: whatever keeps the features from being read means no. */
function isLayered(context: ClassContext): boolean {
  return !isFailure(requireFeature(context, CLONE_FEATURE));
}

/** EXDEV: a parent in a namespace, which this answer cannot tell; EINVAL: an overlap with nothing. */
function getParent(
  context: ClassContext,
  { snapId }: Infer<typeof SnapIdArgs>,
): Result<Infer<typeof LegacyParent>> {
  const exists = checkExists(context);
  if (isFailure(exists)) return exists;
  let parent: Parent = NO_PARENT;
  if (isLayered(context)) {
    const stored = readKeyOr(context, KEY.PARENT, Parent, NO_PARENT);
    if (isFailure(stored)) return stored;
    if (stored.poolNamespace !== "") return fail("EXDEV");
    const seen = snapId === NOSNAP ? stored : parentOfSnapshot(context, snapId, stored);
    if (isFailure(seen)) return seen;
    parent = seen;
  }
  const { poolId, imageId, snapId: parentSnap, headOverlap } = parent;
  return { poolId, imageId, snapId: parentSnap, overlap: headOverlap ?? 0 };
}

function parentOfSnapshot(context: ClassContext, snapId: bigint, head: Parent): Result<Parent> {
  const snap = readSnapshot(context, snapId);
  if (isMissing(snap)) return NO_PARENT;
  if (isFailure(snap)) return snap;
  if (parentExists(snap.parent)) return snap.parent;
  if (snap.parentOverlap === undefined) return NO_PARENT;
  return parentExists(head) ? { ...head, headOverlap: snap.parentOverlap } : fail("EINVAL");
}

/** The parent's snapshot, blank if there is none. ENOENT: no header object. */
function parentGet(context: ClassContext): Result<ParentImageSpec> {
  const exists = checkExists(context);
  if (isFailure(exists)) return exists;
  if (!isLayered(context)) return NO_PARENT;
  const parent = readKey(context, KEY.PARENT, Parent);
  if (!isMissing(parent)) return parent;
  // Headers older than Nautilus: a flattened head's snapshots still know. The newest of them wins.
  const snapshots = readSnapshots(context);
  if (isFailure(snapshots)) return snapshots;
  return snapshots.findLast((s) => parentExists(s.parent))?.parent ?? NO_PARENT;
}

/** Bytes that show through; undefined if nothing can. ENOENT: no such snapshot. */
function parentOverlapGet(
  context: ClassContext,
  { snapId }: Infer<typeof SnapIdArgs>,
): Result<number | undefined> {
  if (!isLayered(context)) return undefined;
  if (snapId === NOSNAP) {
    const parent = readKeyOr(context, KEY.PARENT, Parent, NO_PARENT);
    return isFailure(parent) ? parent : parent.headOverlap;
  }
  const snap = readSnapshot(context, snapId);
  if (isFailure(snap)) return snap;
  if (snap.parentOverlap !== undefined) return snap.parentOverlap;
  return parentExists(snap.parent) ? snap.parent.headOverlap : undefined;
}

/**
 * Makes the image a clone; the overlap is at most its size. ENOENT: no header; ENOEXEC: no layering;
 * EINVAL: no parent given, or an empty one; EEXIST: it has a parent (the same one, detached from the
 * head, may come back; `reattach` allows any).
 */
function attach(context: ClassContext, parent: Parent, reattach: boolean): Result<void> {
  const exists = checkExists(context);
  if (isFailure(exists)) return exists;
  const layered = requireFeature(context, CLONE_FEATURE);
  if (isFailure(layered)) return layered;
  const overlap = parent.headOverlap ?? 0;
  if (!parentExists(parent) || overlap === 0) return fail("EINVAL");
  const onDisk = readKeyOr(context, KEY.PARENT, Parent, undefined);
  if (isFailure(onDisk)) return onDisk;
  if (onDisk !== undefined && !reattach) {
    if (onDisk.headOverlap !== undefined || !sameParent(onDisk, parent)) return fail("EEXIST");
  }
  const size = readSize(context);
  if (isFailure(size)) return size;
  return writeKey(context, KEY.PARENT, Parent, { ...parent, headOverlap: Math.min(overlap, size) });
}

/**
 * Ends the head's dependence on its parent, and with deep flatten that of its snapshots. Snapshots that
 * still need the parent keep it in the header, without a head overlap. ENOENT: no header, no parent or
 * none of the head's; ENOEXEC: no layering; EXDEV: an old client, a parent in a namespace.
 */
function detach(context: ClassContext, legacy: boolean): Result<void> {
  const exists = checkExists(context);
  if (isFailure(exists)) return exists;
  const layered = requireFeature(context, CLONE_FEATURE);
  if (isFailure(layered)) return layered;
  const deep = !isFailure(requireFeature(context, RBD_FEATURE.DEEP_FLATTEN));
  const parent = readKey(context, KEY.PARENT, Parent);
  if (isFailure(parent)) return parent;
  if (legacy && parent.poolNamespace !== "") return fail("EXDEV");
  if (parent.headOverlap === undefined) return fail("ENOENT");

  const snapshots = readSnapshots(context);
  if (isFailure(snapshots)) return snapshots;
  const dependents = snapshots.filter(hasParent);
  if (dependents.length > 0 && !deep) {
    return writeKey(context, KEY.PARENT, Parent, { ...parent, headOverlap: undefined });
  }
  for (const snap of dependents) {
    const freed = { ...snap, parent: NO_PARENT, parentOverlap: undefined };
    const written = writeSnapshot(context, freed);
    if (isFailure(written)) return written;
  }
  const removed = removeKey(context, KEY.PARENT);
  if (isFailure(removed)) return removed;
  return setOpFeatures(context, 0n, RBD_OPERATION_FEATURE.CLONE_CHILD);
}

/** ENOENT: no such snapshot, or one in the trash; EEXIST: attached already. */
function childAttach(
  context: ClassContext,
  { snapId, child }: Infer<typeof ChildArgs>,
): Result<void> {
  const snap = readSnapshot(context, snapId);
  if (isFailure(snap)) return snap;
  if (snap.namespace.type === "trash") return fail("ENOENT");
  const children = readKeyOr(context, snapChildrenKey(snapId), ChildImageSpecs, []);
  if (isFailure(children)) return children;
  if (children.some((x) => sameChild(x, child))) return fail("EEXIST");
  const all = [...children, child];
  const listed = writeKey(context, snapChildrenKey(snapId), ChildImageSpecs, all);
  if (isFailure(listed)) return listed;
  const counted = writeSnapshot(context, { ...snap, childCount: snap.childCount + 1 });
  if (isFailure(counted)) return counted;
  const { CLONE_PARENT } = RBD_OPERATION_FEATURE;
  return setOpFeatures(context, CLONE_PARENT, CLONE_PARENT);
}

/** ENOENT: no such snapshot, or not its child; EINVAL: count and list differ. */
function childDetach(
  context: ClassContext,
  { snapId, child }: Infer<typeof ChildArgs>,
): Result<void> {
  const snap = readSnapshot(context, snapId);
  if (isFailure(snap)) return snap;
  const key = snapChildrenKey(snapId);
  const children = readKeyOr(context, key, ChildImageSpecs, []);
  if (isFailure(children)) return children;
  if (snap.childCount !== children.length) return fail("EINVAL");
  const others = children.filter((x) => !sameChild(x, child));
  if (others.length === children.length) return fail("ENOENT");
  const listed =
    others.length === 0 ? removeKey(context, key) : writeKey(context, key, ChildImageSpecs, others);
  if (isFailure(listed)) return listed;
  const counted = writeSnapshot(context, { ...snap, childCount: others.length });
  if (isFailure(counted) || others.length > 0) return counted;
  const snapshots = readSnapshots(context);
  if (isFailure(snapshots)) return snapshots;
  if (snapshots.some((s) => s.id !== snapId && s.childCount > 0)) return;
  return setOpFeatures(context, 0n, RBD_OPERATION_FEATURE.CLONE_PARENT);
}

/** ENOENT: no such snapshot, or no children. */
function childrenList(
  context: ClassContext,
  { snapId }: Infer<typeof SnapIdArgs>,
): Result<Infer<typeof ChildImageSpecs>> {
  const snap = readSnapshot(context, snapId);
  if (isFailure(snap)) return snap;
  return readKey(context, snapChildrenKey(snapId), ChildImageSpecs);
}

/** The key of a parent in rbd_children is its encoding, bytes and all. */
function childrenKey(parent: Infer<typeof ParentKey>): string {
  return byteStringOf(encodeToBytes(ParentKey, parent));
}

/** EEXIST: it is there. */
function addChild(context: ClassContext, args: Infer<typeof ParentChildArgs>): Result<void> {
  const key = childrenKey(args);
  const children = readKeyOr(context, key, ChildIds, new Set<string>());
  if (isFailure(children)) return children;
  if (children.has(args.childId)) return fail("EEXIST");
  return writeKey(context, key, ChildIds, children.add(args.childId));
}

/** ENOENT: it is not there. The last child takes the key along. */
function removeChild(context: ClassContext, args: Infer<typeof ParentChildArgs>): Result<void> {
  const key = childrenKey(args);
  const children = readKey(context, key, ChildIds);
  if (isFailure(children)) return children;
  if (!children.delete(args.childId)) return fail("ENOENT");
  return children.size === 0
    ? context.omapRemove([key])
    : writeKey(context, key, ChildIds, children);
}
