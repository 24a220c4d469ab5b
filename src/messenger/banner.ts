/**
 * The banner, the first bytes in each direction: `ceph v2\n`, u16 length, u64 supported and u64 required
 * messenger features. We speak revision 1 (msgr2.1) only and require it; clients older than 15.2 lack it.
 * ceph: src/msg/async/ProtocolV2.cc (_banner_exchange), src/include/msgr.h
 */

import { DecodeError } from "../encoding/index.ts";
import { MSGR2_FEATURE_REVISION_1 } from "../types/index.ts";
import { BANNER_PAYLOAD_BYTES_MAX } from "./limits.ts";
import { ProtocolError } from "./protocol-error.ts";

const MAGIC = Buffer.from("ceph v2\n", "latin1");
const PAYLOAD_SIZE = 16;
/** Magic and length. */
export const BANNER_HEAD_SIZE: number = MAGIC.length + 2;

export interface BannerFeatures {
  supported: bigint;
  required: bigint;
}

/** The banner we send. */
export function makeBanner(): Buffer {
  const banner = Buffer.alloc(BANNER_HEAD_SIZE + PAYLOAD_SIZE);
  MAGIC.copy(banner);
  banner.writeUInt16LE(PAYLOAD_SIZE, MAGIC.length);
  banner.writeBigUInt64LE(MSGR2_FEATURE_REVISION_1, BANNER_HEAD_SIZE);
  banner.writeBigUInt64LE(MSGR2_FEATURE_REVISION_1, BANNER_HEAD_SIZE + 8);
  return banner;
}

/**
 * Length of the payload after the head, as far as `bytes` tell: 0 while the head is not complete.
 * @throws DecodeError at the first byte that cannot be a banner
 */
export function readBannerHead(bytes: Buffer): number {
  const seen = Math.min(bytes.length, MAGIC.length);
  if (bytes.compare(MAGIC, 0, seen, 0, seen) !== 0) {
    throw new DecodeError("banner", 0, "not messenger v2");
  }
  if (bytes.length < BANNER_HEAD_SIZE) return 0;
  const length = bytes.readUInt16LE(MAGIC.length);
  if (length < PAYLOAD_SIZE || length > BANNER_PAYLOAD_BYTES_MAX) {
    throw new DecodeError("banner", MAGIC.length, `payload of ${length} bytes`);
  }
  return length;
}

export function readBanner(payload: Buffer): BannerFeatures {
  return { supported: payload.readBigUInt64LE(0), required: payload.readBigUInt64LE(8) };
}

/** @throws ProtocolError if the two sides cannot talk */
export function checkBanner(features: BannerFeatures): void {
  if ((features.supported & MSGR2_FEATURE_REVISION_1) === 0n) {
    throw new ProtocolError("peer speaks msgr2.0 only");
  }
  if ((features.required & ~MSGR2_FEATURE_REVISION_1) !== 0n) {
    throw new ProtocolError(`peer requires messenger features ${features.required.toString(16)}`);
  }
}
