/**
 * What a user's object keeps: buckets by name, and their sum in the omap's header.
 * ceph: src/cls/user/cls_user_types.h
 */

import {
  type Codec,
  type Infer,
  type Reader,
  struct,
  u64,
  type Writer,
} from "../../encoding/index.ts";
import { RealTime, UTIME_ZERO, type Utime } from "../../types/index.ts";

/** `placementId` or, if that is empty, the three pools: only those are kept. */
export interface UserBucket {
  name: string;
  marker: string;
  bucketId: string;
  placementId: string;
  dataPool: string;
  indexPool: string;
  dataExtraPool: string;
}

/** A bucket with a placement is written in version 9, which old gateways cannot read; others in 7. */
function encodeBucket(w: Writer, x: UserBucket): void {
  if (x.placementId !== "") {
    const mark = w.begin(9, 8);
    for (const text of [x.name, x.marker, x.bucketId, x.placementId]) w.str(text);
    w.end(mark);
    return;
  }
  const mark = w.begin(7, 3);
  for (const text of [x.name, x.dataPool, x.marker, x.bucketId, x.indexPool, x.dataExtraPool]) {
    w.str(text);
  }
  w.end(mark);
}

function decodeBucket(r: Reader): UserBucket {
  const v = r.begin("cls_user_bucket", 8);
  const name = r.str();
  const dataPool = v < 8 ? r.str() : "";
  const marker = r.str();
  const bucketId = v <= 3 ? String(r.u64()) : r.str();
  const bucket = { name, marker, bucketId, placementId: "", dataPool };
  const pools = v < 8 ? oldPools(r, v, dataPool) : newPools(r, v);
  r.finish();
  return { ...bucket, ...pools };
}

function oldPools(r: Reader, v: number, dataPool: string) {
  const indexPool = v >= 5 ? r.str() : dataPool;
  return { indexPool, dataExtraPool: v >= 7 ? r.str() : "" };
}

function newPools(r: Reader, v: number) {
  const placementId = r.str();
  if (v !== 8 || placementId !== "") return { placementId, indexPool: "", dataExtraPool: "" };
  return { placementId, dataPool: r.str(), indexPool: r.str(), dataExtraPool: r.str() };
}

export const UserBucket: Codec<UserBucket> = {
  name: "cls_user_bucket",
  minSize: 6,
  encode: encodeBucket,
  decode: decodeBucket,
};

export interface UserBucketEntry {
  bucket: UserBucket;
  size: bigint;
  sizeRounded: bigint;
  creationTime: Utime;
  count: bigint;
  /** Counted in the header. */
  synced: boolean;
}

/*
 * hdr(9,5){ string empty, u64 size, u32 seconds of the creation time, u64 count, bucket, u64 rounded
 * size, u8 synced, time of creation }; version 8 had a string more.
 */
function encodeEntry(w: Writer, x: UserBucketEntry): void {
  const mark = w.begin(9, 5);
  w.str("");
  w.u64(x.size);
  w.u32(x.creationTime.sec);
  w.u64(x.count);
  UserBucket.encode(w, x.bucket);
  w.u64(x.sizeRounded);
  w.bool(x.synced);
  RealTime.encode(w, x.creationTime);
  w.end(mark);
}

function decodeEntry(r: Reader): UserBucketEntry {
  const v = r.begin("cls_user_bucket_entry", 9);
  r.str();
  const size = r.u64();
  const sec = r.u32();
  const count = r.u64();
  const bucket = UserBucket.decode(r);
  const sizeRounded = r.u64();
  const synced = v >= 6 && r.bool();
  const creationTime = v >= 7 ? RealTime.decode(r) : { sec, nsec: 0 };
  if (v === 8) r.str();
  r.finish();
  return { bucket, size, sizeRounded, creationTime, count, synced };
}

export const UserBucketEntry: Codec<UserBucketEntry> = {
  name: "cls_user_bucket_entry",
  minSize: 6,
  encode: encodeEntry,
  decode: decodeEntry,
};

export const UserStats = struct(
  "cls_user_stats",
  { v: 1 },
  { entries: u64, bytes: u64, bytesRounded: u64 },
);
export type UserStats = Infer<typeof UserStats>;
export const NO_STATS: UserStats = Object.freeze({ entries: 0n, bytes: 0n, bytesRounded: 0n });

export const UserHeader = struct(
  "cls_user_header",
  { v: 1 },
  { stats: UserStats, lastSync: RealTime, lastUpdate: RealTime },
);
export type UserHeader = Infer<typeof UserHeader>;
export const NO_HEADER: UserHeader = Object.freeze({
  stats: NO_STATS,
  lastSync: UTIME_ZERO,
  lastUpdate: UTIME_ZERO,
});
