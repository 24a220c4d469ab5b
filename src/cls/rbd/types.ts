/**
 * What rbd keeps in its metadata objects: parents, snapshots, children, groups, trash entries, migrations.
 *
 * The same structs travel as arguments and answers and lie in omap, so their bytes are the format.
 * Parents and snapshot records are written in the Nautilus form only (parent spec stored once, overlap per
 * snapshot); older forms are read.
 * ceph: src/cls/rbd/cls_rbd.h, src/cls/rbd/cls_rbd_types.h
 */

import {
  bool,
  type Codec,
  type Infer,
  list,
  map,
  naturalOrder,
  optional,
  type Reader,
  record,
  s64n,
  set,
  since,
  str,
  struct,
  u8,
  u32,
  u64,
  u64n,
} from "../../encoding/index.ts";
import { NOSNAP, UTIME_ZERO, Utime } from "../../types/index.ts";
import { SNAPSHOT_NAMESPACE } from "./types/features.ts";

/** Pool id of "no pool". */
export const NO_POOL = -1;

/** Which snapshot an image was cloned from; the answer of parent_get. */
export const ParentImageSpec = struct(
  "cls::rbd::ParentImageSpec",
  { v: 1 },
  { poolId: s64n, poolNamespace: str, imageId: str, snapId: u64 },
);
export type ParentImageSpec = Infer<typeof ParentImageSpec>;

/** The parent as an image's header keeps it. */
export interface Parent extends ParentImageSpec {
  /** Bytes of the head that show through to the parent; undefined once the head is flattened. */
  headOverlap: number | undefined;
}

export const NO_PARENT: Parent = Object.freeze({
  poolId: NO_POOL,
  poolNamespace: "",
  imageId: "",
  snapId: NOSNAP,
  headOverlap: undefined,
});

export function parentExists(p: ParentImageSpec): boolean {
  return p.poolId >= 0 && p.imageId !== "" && p.snapId !== NOSNAP;
}

/** The same snapshot of the same image, whatever the overlaps? */
export function sameParent(a: ParentImageSpec, b: ParentImageSpec): boolean {
  return (
    a.poolId === b.poolId &&
    a.poolNamespace === b.poolNamespace &&
    a.imageId === b.imageId &&
    a.snapId === b.snapId
  );
}

const overlap = optional(u64n);

/** cls_rbd_parent, hdr(2,2); version 1 has no namespace and a plain overlap. */
export const Parent: Codec<Parent> = {
  name: "cls_rbd_parent",
  minSize: 6,
  encode(w, x) {
    const mark = w.begin(2, 2);
    w.s64n(x.poolId);
    w.str(x.poolNamespace);
    w.str(x.imageId);
    w.u64(x.snapId);
    overlap.encode(w, x.headOverlap);
    w.end(mark);
  },
  decode(r) {
    const v = r.begin("cls_rbd_parent", 2);
    const poolId = r.s64n();
    const poolNamespace = v >= 2 ? r.str() : "";
    const imageId = r.str();
    const snapId = r.u64();
    const headOverlap = v >= 2 ? overlap.decode(r) : r.u64n();
    r.finish();
    return { poolId, poolNamespace, imageId, snapId, headOverlap };
  },
};

const snapSeqs = map(u64, u64);

const GroupNamespace = record("GroupSnapshotNamespace", {
  groupPool: s64n,
  groupId: str,
  groupSnapshotId: str,
});
const TrashNamespace = record("TrashSnapshotNamespace", {
  originalName: str,
  originalNamespaceType: u32,
});
const MirrorNamespace = record("MirrorSnapshotNamespace", {
  state: u8,
  complete: bool,
  mirrorPeerUuids: set(str),
  primaryMirrorUuid: str,
  /** On a primary: the snapshot since which the image is clean. */
  primarySnapId: u64,
  lastCopiedObjectNumber: u64,
  snapSeqs,
});

/** Who a snapshot belongs to. A type of a future release decodes to "unknown" and loses its body. */
export type SnapshotNamespace =
  | { type: "user" }
  | ({ type: "group" } & Infer<typeof GroupNamespace>)
  | ({ type: "trash" } & Infer<typeof TrashNamespace>)
  | ({ type: "mirror" } & Infer<typeof MirrorNamespace>)
  | { type: "unknown" };

export const USER_NAMESPACE: SnapshotNamespace = Object.freeze({ type: "user" });

/** The number of a namespace's type on the wire. */
export function namespaceType(ns: SnapshotNamespace): number {
  switch (ns.type) {
    case "user":
      return SNAPSHOT_NAMESPACE.USER;
    case "group":
      return SNAPSHOT_NAMESPACE.GROUP;
    case "trash":
      return SNAPSHOT_NAMESPACE.TRASH;
    case "mirror":
      return SNAPSHOT_NAMESPACE.MIRROR;
    case "unknown":
      return 0xffffffff;
  }
}

function decodeNamespaceBody(r: Reader, type: number): SnapshotNamespace {
  switch (type) {
    case SNAPSHOT_NAMESPACE.USER:
      return USER_NAMESPACE;
    case SNAPSHOT_NAMESPACE.GROUP:
      return { type: "group", ...GroupNamespace.decode(r) };
    case SNAPSHOT_NAMESPACE.TRASH:
      return { type: "trash", ...TrashNamespace.decode(r) };
    case SNAPSHOT_NAMESPACE.MIRROR:
      return { type: "mirror", ...MirrorNamespace.decode(r) };
    default:
      return { type: "unknown" };
  }
}

/** hdr(1,1): u32 type, then the type's fields. */
export const SnapshotNamespace: Codec<SnapshotNamespace> = {
  name: "cls::rbd::SnapshotNamespace",
  minSize: 6,
  encode(w, x) {
    const mark = w.begin(1, 1);
    w.u32(namespaceType(x));
    if (x.type === "group") GroupNamespace.encode(w, x);
    else if (x.type === "trash") TrashNamespace.encode(w, x);
    else if (x.type === "mirror") MirrorNamespace.encode(w, x);
    w.end(mark);
  },
  decode(r) {
    r.begin("cls::rbd::SnapshotNamespace", 1);
    const x = decodeNamespaceBody(r, r.u32());
    r.finish();
    return x;
  },
};

function sameEntries<T>(a: ReadonlyMap<T, unknown>, b: ReadonlyMap<T, unknown>): boolean {
  return a.size === b.size && [...a].every(([k, v]) => b.get(k) === v);
}

/** Upstream's equality: two names clash only within equal namespaces; any two in the trash are equal. */
export function sameNamespace(a: SnapshotNamespace, b: SnapshotNamespace): boolean {
  if (a.type === "group" && b.type === "group") {
    return (
      a.groupPool === b.groupPool &&
      a.groupId === b.groupId &&
      a.groupSnapshotId === b.groupSnapshotId
    );
  }
  if (a.type === "mirror" && b.type === "mirror") {
    return (
      a.state === b.state &&
      a.complete === b.complete &&
      a.mirrorPeerUuids.size === b.mirrorPeerUuids.size &&
      [...a.mirrorPeerUuids].every((uuid) => b.mirrorPeerUuids.has(uuid)) &&
      a.primaryMirrorUuid === b.primaryMirrorUuid &&
      a.primarySnapId === b.primarySnapId &&
      a.lastCopiedObjectNumber === b.lastCopiedObjectNumber &&
      sameEntries(a.snapSeqs, b.snapSeqs)
    );
  }
  return a.type === b.type;
}

/** One snapshot of an image as the header keeps it, under snapshot_<16 hex>. */
export interface Snapshot {
  id: bigint;
  name: string;
  /** Bytes. */
  imageSize: number;
  protectionStatus: number;
  flags: bigint;
  namespace: SnapshotNamespace;
  timestamp: Utime;
  /** Clones attached by child_attach. */
  childCount: number;
  /** Bytes that show through to the header's parent; undefined if the snapshot has none. */
  parentOverlap: number | undefined;
  /** The parent as records older than Nautilus kept it; never written. */
  parent: Parent;
}

/*
 * cls_rbd_snap, hdr(8,8): u64 id; string name; u64 size; u8 protection; u64 flags; namespace; utime;
 * u32 children; optional<u64> parent overlap. A compat below 8 has after the size: u64 unused; parent.
 */
export const Snapshot: Codec<Snapshot> = {
  name: "cls_rbd_snap",
  minSize: 6,
  encode(w, x) {
    const mark = w.begin(8, 8);
    w.u64(x.id);
    w.str(x.name);
    w.u64n(x.imageSize);
    w.u8(x.protectionStatus);
    w.u64(x.flags);
    SnapshotNamespace.encode(w, x.namespace);
    Utime.encode(w, x.timestamp);
    w.u32(x.childCount);
    overlap.encode(w, x.parentOverlap);
    w.end(mark);
  },
  decode(r) {
    const compat = r.remaining > 1 ? (r.buffer[r.offset + 1] ?? 0) : 0;
    const v = r.begin("cls_rbd_snap", 8);
    const id = r.u64();
    const name = r.str();
    const imageSize = r.u64n();
    if (compat < 8) r.u64();
    const parent = v >= 2 && compat < 8 ? Parent.decode(r) : NO_PARENT;
    const protectionStatus = v >= 3 ? r.u8() : 0;
    const flags = v >= 4 ? r.u64() : 0n;
    const namespace = v >= 5 ? SnapshotNamespace.decode(r) : USER_NAMESPACE;
    const timestamp = v >= 6 ? Utime.decode(r) : UTIME_ZERO;
    const childCount = v >= 7 ? r.u32() : 0;
    const parentOverlap = v >= 8 ? overlap.decode(r) : undefined;
    r.finish();
    return {
      id,
      name,
      imageSize,
      protectionStatus,
      flags,
      namespace,
      timestamp,
      childCount,
      parentOverlap,
      parent,
    };
  },
};

/** A snapshot as snapshot_get answers. */
export const SnapshotInfo = struct(
  "cls::rbd::SnapshotInfo",
  { v: 1 },
  {
    id: u64,
    namespace: SnapshotNamespace,
    name: str,
    imageSize: u64n,
    timestamp: Utime,
    childCount: u32,
  },
);
export type SnapshotInfo = Infer<typeof SnapshotInfo>;

/** A clone of a snapshot, wherever it lives. */
export const ChildImageSpec = struct(
  "cls::rbd::ChildImageSpec",
  { v: 2 },
  { poolId: s64n, imageId: str, poolNamespace: since(2, str, "") },
);
export type ChildImageSpec = Infer<typeof ChildImageSpec>;

function compareChildren(a: ChildImageSpec, b: ChildImageSpec): number {
  return (
    a.poolId - b.poolId ||
    naturalOrder(a.poolNamespace, b.poolNamespace) ||
    naturalOrder(a.imageId, b.imageId)
  );
}

export function sameChild(a: ChildImageSpec, b: ChildImageSpec): boolean {
  return compareChildren(a, b) === 0;
}

const children = list(ChildImageSpec);

/** set<ChildImageSpec>: by pool, namespace, image. */
export const ChildImageSpecs: Codec<ChildImageSpec[]> = {
  ...children,
  encode: (w, x) => children.encode(w, [...x].sort(compareChildren)),
};

/** An image as a member of a group. */
export const GroupImageSpec = struct(
  "cls::rbd::GroupImageSpec",
  { v: 1 },
  { imageId: str, poolId: s64n },
);
export type GroupImageSpec = Infer<typeof GroupImageSpec>;

export const GroupImageStatus = struct(
  "cls::rbd::GroupImageStatus",
  { v: 1 },
  { spec: GroupImageSpec, state: u8 },
);
export type GroupImageStatus = Infer<typeof GroupImageStatus>;

/** A group, from the point of view of an image in it. */
export const GroupSpec = struct("cls::rbd::GroupSpec", { v: 1 }, { poolId: s64n, groupId: str });
export type GroupSpec = Infer<typeof GroupSpec>;

export const ImageSnapshotSpec = struct(
  "cls::rbd::ImageSnapshotSpec",
  { v: 1 },
  { pool: s64n, imageId: str, snapId: u64 },
);
export type ImageSnapshotSpec = Infer<typeof ImageSnapshotSpec>;

/** A snapshot of a whole group: one image snapshot per member. */
export const GroupSnapshot = struct(
  "cls::rbd::GroupSnapshot",
  { v: 1 },
  { id: str, name: str, state: u8, snaps: list(ImageSnapshotSpec) },
);
export type GroupSnapshot = Infer<typeof GroupSnapshot>;

/** A deleted image that may still come back. */
export const TrashImageSpec = struct(
  "cls::rbd::TrashImageSpec",
  { v: 2 },
  {
    source: u8,
    name: str,
    deletionTime: Utime,
    defermentEndTime: Utime,
    state: since(2, u8, 0),
  },
);
export type TrashImageSpec = Infer<typeof TrashImageSpec>;

/** One end of a live migration, kept in the header of both ends. */
export const MigrationSpec = struct(
  "cls::rbd::MigrationSpec",
  // Only a source that is not an image of this cluster breaks older readers.
  { v: 3, compat: (x) => (x.sourceSpec === "" ? 1 : 3) },
  {
    headerType: u8,
    poolId: s64n,
    poolNamespace: str,
    imageName: str,
    imageId: str,
    snapSeqs,
    overlap: u64n,
    flatten: bool,
    mirroring: bool,
    state: u8,
    stateDescription: str,
    mirrorImageMode: since(2, u8, 0),
    sourceSpec: since(3, str, ""),
  },
);
export type MigrationSpec = Infer<typeof MigrationSpec>;
