/**
 * The next epoch as its maker commits it: the map itself, and both encodings of the step to it.
 * ceph: src/mon/OSDMonitor.cc encode_pending
 */

import { encodeToBytes } from "../encoding/index.ts";
import { applyIncremental } from "./apply-incremental.ts";
import { encodeOsdMap, type OsdMap } from "./osd-map.ts";
import { OsdMapIncremental } from "./osd-map-incremental.ts";
import { propagateToTiers } from "./propagate-to-tiers.ts";

/** One epoch, ready to store and to publish. */
export interface CommittedEpoch {
  readonly map: OsdMap;
  readonly full: Buffer;
  readonly incremental: Buffer;
}

/** Completes a change with what tiers take from their pools, applies it and encodes both forms, the incremental with the crc of the full map it leads to. */
export function commitIncremental(base: OsdMap, inc: OsdMapIncremental): CommittedEpoch {
  propagateToTiers(base, inc);
  const next = applyIncremental(base, inc);
  const { bytes, crc } = encodeOsdMap(next);
  return {
    map: next,
    full: bytes,
    incremental: encodeToBytes(OsdMapIncremental, { ...inc, fullCrc: crc }),
  };
}
