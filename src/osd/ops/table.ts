/**
 * Every op code there is, and what we do with it. A new code does not compile until someone decides.
 * ceph: src/include/rados.h __CEPH_FORALL_OSD_OPS
 */

import type { OsdOpName } from "../../messages/index.ts";
import { OSD_OP } from "../../messages/index.ts";
import { call } from "./call.ts";
import { copyFrom, copyGet } from "./copy.ts";
import { listSnaps } from "./list-snaps.ts";
import {
  omapClear,
  omapCompare,
  omapGetHeader,
  omapGetKeys,
  omapGetVals,
  omapGetValsByKeys,
  omapRemoveKeys,
  omapRemoveRange,
  omapSetHeader,
  omapSetVals,
} from "./omap.ts";
import { type OpSpec, unsupported } from "./op.ts";
import {
  assertVersion,
  checksum,
  compareExtent,
  mapExtents,
  read,
  sparseReadOp,
  stat,
} from "./read.ts";
import { tmapGet, tmapPut, tmapToOmap, tmapUpdate } from "./trivial-map.ts";
import { listWatchers, notify, notifyAck, watch } from "./watch.ts";
import {
  append,
  create,
  remove,
  rollbackOp,
  setAllocHint,
  startSync,
  trimTruncate,
  truncate,
  write,
  writeFull,
  writeSame,
  zero,
} from "./write.ts";
import { compareXattr, getXattrOp, getXattrsOp, removeXattrOp, setXattrOp } from "./xattr.ts";

/** `pg`: an op on the PG, not on an object; the PG answers it itself (see pg-op.ts). */
export const pgOp = "pg";

export const OP_TABLE = {
  READ: read,
  SYNC_READ: read,
  SPARSE_READ: sparseReadOp,
  STAT: stat,
  MAPEXT: mapExtents,
  CMPEXT: compareExtent,
  CHECKSUM: checksum,
  ASSERT_VER: assertVersion,
  LIST_WATCHERS: listWatchers,
  LIST_SNAPS: listSnaps,
  NOTIFY: notify,
  NOTIFY_ACK: notifyAck,
  WATCH: watch,
  GETXATTR: getXattrOp,
  GETXATTRS: getXattrsOp,
  CMPXATTR: compareXattr,
  SETXATTR: setXattrOp,
  RMXATTR: removeXattrOp,
  OMAPGETKEYS: omapGetKeys,
  OMAPGETVALS: omapGetVals,
  OMAPGETHEADER: omapGetHeader,
  OMAPGETVALSBYKEYS: omapGetValsByKeys,
  OMAP_CMP: omapCompare,
  OMAPSETVALS: omapSetVals,
  OMAPSETHEADER: omapSetHeader,
  OMAPCLEAR: omapClear,
  OMAPRMKEYS: omapRemoveKeys,
  OMAPRMKEYRANGE: omapRemoveRange,
  WRITE: write,
  WRITEFULL: writeFull,
  WRITESAME: writeSame,
  APPEND: append,
  TRUNCATE: truncate,
  TRIMTRUNC: trimTruncate,
  ZERO: zero,
  CREATE: create,
  DELETE: remove,
  ROLLBACK: rollbackOp,
  SETALLOCHINT: setAllocHint,
  STARTSYNC: startSync,
  CALL: call,
  TMAPGET: tmapGet,
  TMAPPUT: tmapPut,
  TMAPUP: tmapUpdate,
  TMAP2OMAP: tmapToOmap,
  PGNLS: pgOp,
  PGLS: pgOp,
  SCRUBLS: pgOp,
  COPY_GET: copyGet,
  COPY_FROM: copyFrom,
  COPY_FROM2: copyFrom,
  // Cache tiers, manifests and hit sets are off here for good.
  ISDIRTY: unsupported,
  UNDIRTY: unsupported,
  CACHE_PIN: unsupported,
  CACHE_UNPIN: unsupported,
  CACHE_FLUSH: unsupported,
  CACHE_EVICT: unsupported,
  CACHE_TRY_FLUSH: unsupported,
  SET_REDIRECT: unsupported,
  SET_CHUNK: unsupported,
  TIER_PROMOTE: unsupported,
  TIER_FLUSH: unsupported,
  TIER_EVICT: unsupported,
  UNSET_MANIFEST: unsupported,
  PG_HITSET_LS: unsupported,
  PG_HITSET_GET: unsupported,
  // Filters have no client among our tools.
  PGLS_FILTER: unsupported,
  PGNLS_FILTER: unsupported,
  // Obsolete: upstream defines the codes and no server runs them for today's clients.
  MASKTRUNC: unsupported,
  SETTRUNC: unsupported,
  SETXATTRS: unsupported,
  RESETXATTRS: unsupported,
  // Between OSDs of older releases.
  PULL: unsupported,
  PUSH: unsupported,
  BALANCEREADS: unsupported,
  UNBALANCEREADS: unsupported,
  SCRUB: unsupported,
  SCRUB_RESERVE: unsupported,
  SCRUB_UNRESERVE: unsupported,
  SCRUB_MAP: unsupported,
} as const satisfies Record<OsdOpName, OpSpec | typeof unsupported | typeof pgOp>;

type Entry = OpSpec | typeof unsupported | typeof pgOp;

const BY_CODE = new Map<number, Entry>(
  (Object.entries(OSD_OP) as [OsdOpName, number][]).map(([name, code]) => [code, OP_TABLE[name]]),
);

/** What to do with an op code; `unsupported` for codes that nobody knows. */
export function opEntry(code: number): Entry {
  return BY_CODE.get(code) ?? unsupported;
}
