/**
 * Messages about pools: snapshot ids for librbd (MPoolOp), and space (MStatfs, MGetPoolStats).
 * ceph: src/mon/OSDMonitor.cc prepare_pool_op, src/mon/MgrStatMonitor.cc
 */

import { parseOsdCap } from "../auth/index.ts";
import { ERRNO, type Logger } from "../base/index.ts";
import { encodeToBytes, textOf, u64 } from "../encoding/index.ts";
import { newPoolStat, PoolStat, poolByName } from "../maps/index.ts";
import {
  type MGetPoolStats,
  MGetPoolStatsReply,
  type MPoolOp,
  MPoolOpReply,
  type MStatfs,
  MStatfsReply,
  POOL_OP,
} from "../messages/index.ts";
import { utimeFromMs } from "../types/index.ts";
import type { ClusterState } from "./commands/context.ts";
import { ruleAvailable } from "./commands/df.ts";
import type { PendingMap } from "./services/osd-map.ts";
import {
  createPool,
  createPoolSnap,
  createSelfManagedSnap,
  deletePool,
  Refusal,
  removePoolSnap,
  removeSelfManagedSnap,
} from "./services/osd-pools.ts";
import { isTier, removalRefusal } from "./services/osd-tiers.ts";
import { usedBytes } from "./services/stats.ts";
import type { MonSession } from "./session.ts";

/** What an op comes to: a code, and the new snap id if there is one. */
interface Outcome {
  readonly code: number;
  readonly snapid?: bigint;
}

const DONE: Outcome = { code: 0 };

function outcome(result: Refusal | undefined): Outcome {
  return result === undefined ? DONE : { code: result.errno };
}

/**
 * May this peer take and drop self-managed snap ids? Either its monitor cap says so (as the rbd profiles do),
 * or its OSD cap lets it write to the pool.
 */
function maySnap(state: ClusterState, session: MonSession, pool: number): boolean {
  const name = textOf(state.maps.map.poolNames.get(pool) ?? "");
  const capable = session.isCapable({
    service: "osd",
    command: "osd pool op unmanaged-snap",
    args: name === "" ? {} : { poolname: name },
    read: false,
    write: true,
    exec: false,
  });
  if (capable) return true;
  const { identity } = session;
  const text = identity.caps["osd"] ?? state.auth.get(identity.entity)?.caps["osd"];
  const cap = text === undefined ? undefined : parseOsdCap(text);
  return cap?.maySnap(name === "" ? undefined : name) ?? false;
}

function isAllowed(state: ClusterState, session: MonSession, message: MPoolOp): boolean {
  const isSnap =
    message.op === POOL_OP.CREATE_UNMANAGED_SNAP || message.op === POOL_OP.DELETE_UNMANAGED_SNAP;
  return isSnap ? maySnap(state, session, message.pool) : session.mayWrite("osd");
}

function apply(state: ClusterState, pending: PendingMap, message: MPoolOp): Outcome {
  const { pool, poolName, op, snapid } = message;
  const stamp = utimeFromMs(state.clock.now());
  switch (op) {
    case POOL_OP.CREATE: {
      // It may be a resend: librados looks for the name itself before it asks.
      if (poolByName(pending.map, poolName) !== undefined) return DONE;
      const id = createPool(pending, {
        name: poolName,
        pgNum: 0,
        size: 0,
        crushRule: 0,
        expectedNumObjects: 0,
        opts: new Map(),
        createTime: stamp,
      });
      return id instanceof Refusal ? { code: id.errno } : DONE;
    }
    case POOL_OP.DELETE: {
      if (!pending.map.pools.has(pool)) return DONE;
      const isFree = state.settings.flag("mon_allow_pool_delete");
      const refusal = removalRefusal(pending.map, pool, isFree);
      if (refusal !== undefined) return outcome(refusal);
      deletePool(pending, pool);
      return DONE;
    }
    case POOL_OP.CREATE_SNAP: {
      const found = pending.map.pools.get(pool);
      if (found !== undefined && isTier(found)) return { code: -ERRNO.EINVAL };
      return outcome(createPoolSnap(pending, pool, poolName, stamp));
    }
    case POOL_OP.DELETE_SNAP:
      return outcome(removePoolSnap(pending, pool, poolName));
    case POOL_OP.CREATE_UNMANAGED_SNAP: {
      const id = createSelfManagedSnap(pending, pool);
      return id instanceof Refusal ? { code: id.errno } : { code: 0, snapid: id };
    }
    case POOL_OP.DELETE_UNMANAGED_SNAP:
      return outcome(removeSelfManagedSnap(pending, pool, snapid));
    default:
      return { code: -ERRNO.EOPNOTSUPP };
  }
}

/** Answers once the epoch with the change is durable and published. */
export async function handlePoolOp(
  state: ClusterState,
  session: MonSession,
  message: MPoolOp,
  tid: number,
): Promise<void> {
  let result: Outcome;
  if (!isAllowed(state, session, message)) result = { code: -ERRNO.EPERM };
  else if (message.fsid !== state.fsid) result = { code: -ERRNO.EINVAL };
  else result = await state.maps.change((pending) => apply(state, pending, message));
  const { epoch } = state.maps.map;
  session.send(
    MPoolOpReply,
    {
      version: epoch,
      fsid: state.fsid,
      replyCode: result.code,
      epoch,
      responseData: result.snapid === undefined ? undefined : encodeToBytes(u64, result.snapid),
    },
    tid,
  );
}

const kib = (bytes: number): number => Math.floor(bytes / 1024);

export function handleStatfs(
  state: ClusterState,
  session: MonSession,
  message: MStatfs,
  tid: number,
  log: Logger,
): void {
  if (!session.mayRead("pg") || message.fsid !== state.fsid) {
    // There is no code in the reply to refuse with; upstream drops it as well.
    log.info("statfs denied", { peer: session.identity.entity.id });
    return;
  }
  const { map } = state.maps;
  const reply = { fsid: state.fsid, version: state.stats.version };
  if (message.dataPool !== undefined) {
    const sums = state.stats.poolSums(message.dataPool);
    const size = map.pools.get(message.dataPool)?.size ?? 1;
    const kbUsed = kib(sums.allocated / size);
    const kbAvail = kib(ruleAvailable(state) / size);
    const { numObjects } = sums.stats;
    session.send(
      MStatfsReply,
      { ...reply, kb: kbUsed + kbAvail, kbUsed, kbAvail, numObjects },
      tid,
    );
    return;
  }
  const statfs = state.stats.statfs();
  session.send(
    MStatfsReply,
    {
      ...reply,
      kb: kib(statfs.total),
      kbUsed: kib(usedBytes(statfs)),
      kbAvail: kib(statfs.available),
      numObjects: state.stats.totals(map).stats.numObjects,
    },
    tid,
  );
}

/** A pool's statistics as librados shows them (`rados df`). */
function poolStat(state: ClusterState, pool: number): PoolStat {
  const sums = state.stats.poolSums(pool);
  const stat = newPoolStat();
  return {
    ...stat,
    stats: { ...stat.stats, sum: sums.stats },
    logSize: sums.logSize,
    ondiskLogSize: sums.logSize,
    up: sums.pgs,
    acting: sums.pgs,
    storeStats: {
      ...stat.storeStats,
      allocated: sums.allocated,
      dataStored: sums.stats.numBytes,
    },
    numStoreStats: 1,
  };
}

export function handleGetPoolStats(
  state: ClusterState,
  session: MonSession,
  message: MGetPoolStats,
  tid: number,
  log: Logger,
): void {
  if (!session.mayRead("pg") || message.fsid !== state.fsid) {
    log.info("getpoolstats denied", { peer: session.identity.entity.id });
    return;
  }
  const { map } = state.maps;
  const poolStats = new Map<string, Uint8Array>();
  for (const name of new Set(message.pools)) {
    const id = poolByName(map, name);
    if (id !== undefined) poolStats.set(name, encodeToBytes(PoolStat, poolStat(state, id)));
  }
  session.send(
    MGetPoolStatsReply,
    { version: state.stats.version, fsid: state.fsid, poolStats, perPool: true },
    tid,
  );
}
