/**
 * All groups in one line: for `pg stat`, and for the line that the manager adds to the cluster log.
 * ceph: src/mon/PGMap.cc PGMapDigest::print_oneline_summary
 */

import { type JsonObject } from "../../encoding/index.ts";
import { type ClusterState, formatBytes, formatCount, usedBytes } from "../../mon/index.ts";

interface Summary {
  readonly states: readonly (readonly [name: string, count: number])[];
  readonly pgs: number;
  /** Bytes in objects. */
  readonly bytes: number;
  readonly total: number;
  readonly available: number;
  readonly used: number;
}

function summarize({ maps, stats }: ClusterState): Summary {
  const states = [...stats.states(maps.map)];
  const { total, available } = stats.statfs();
  return {
    states,
    pgs: states.reduce((n, [, count]) => n + count, 0),
    bytes: stats.totals(maps.map).stats.numBytes,
    total,
    available,
    used: usedBytes(stats.statfs()),
  };
}

/** `; 1.2 MiB/s rd, 4 KiB/s wr, 12 op/s`; "" while nothing happens. */
function ioLine({ stats }: ClusterState): string {
  const { readOps, writeOps, readBytes, writeBytes } = stats.rates();
  if (readOps === 0 && writeOps === 0) return "";
  const read = readOps > 0 ? `${formatBytes(readBytes)}/s rd, ` : "";
  const write = writeOps > 0 ? `${formatBytes(writeBytes)}/s wr, ` : "";
  return `; ${read}${write}${formatCount(readOps + writeOps)} op/s`;
}

/** `33 pgs: 33 active+clean; 19 B data, 290 MiB used, 3.7 GiB / 4 GiB avail` and what clients do. */
export function pgSummaryLine(state: ClusterState): string {
  const { states, pgs, bytes, total, available, used } = summarize(state);
  const counts = states.map(([name, count]) => `${count} ${name}`).join(", ");
  const space = `${formatBytes(used)} used, ${formatBytes(available)} / ${formatBytes(total)} avail`;
  return `${pgs} pgs: ${counts}; ${formatBytes(bytes)} data, ${space}${ioLine(state)}`;
}

export function pgSummaryJson(state: ClusterState): JsonObject {
  const { states, pgs, bytes, total, available, used } = summarize(state);
  const { readOps, writeOps, readBytes, writeBytes } = state.stats.rates();
  return {
    num_pg_by_state: states.map(([name, num]) => ({ name, num })),
    num_pgs: pgs,
    num_bytes: bytes,
    total_bytes: total,
    total_avail_bytes: available,
    total_used_bytes: used,
    total_used_raw_bytes: used,
    read_bytes_sec: readOps > 0 ? readBytes : undefined,
    write_bytes_sec: writeOps > 0 ? writeBytes : undefined,
    io_sec: readOps + writeOps > 0 ? readOps + writeOps : undefined,
  };
}
