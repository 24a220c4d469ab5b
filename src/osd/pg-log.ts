/**
 * What a PG remembers of the writes it has done, so that a resent one is answered, not done again.
 *
 * Entries live in the omap of the PG's own object, one key per version, written in the same transaction
 * as the change itself: a crash can not separate them. Failed writes are remembered too, with their code.
 * ceph: src/osd/PGLog.h, osd_pg_log_dups_tracked
 */

import { type Infer, list, s32, struct, u64n } from "../encoding/index.ts";
import type { TransactionSeq } from "../store/index.ts";
import { EVersion, OsdReqId } from "../types/index.ts";

/** Writes remembered per PG.  ceph: osd_pg_log_dups_tracked */
export const LOG_ENTRIES_MIN = 3000;
/** Trimming in batches keeps deletions out of most transactions. */
const TRIM_BATCH = 100;
export const LOG_KEY_PREFIX = "log.";

export const LogEntry = struct(
  "spirula_log_entry",
  { v: 1 },
  {
    reqid: OsdReqId,
    version: EVersion,
    userVersion: u64n,
    result: s32,
    /** Per-op results, kept only for requests that asked for them (RETURNVEC). */
    rvals: list(s32),
  },
);
export type LogEntry = Infer<typeof LogEntry>;

/** Omap key of a version; hex so that byte order is version order. */
export function logKey(version: number): string {
  return LOG_KEY_PREFIX + version.toString(16).padStart(16, "0");
}

interface Remembered {
  readonly entry: LogEntry;
  readonly seq: TransactionSeq;
}

export class PgLog {
  /** By client incarnation, then by tid. */
  readonly #clients = new Map<string, Map<number, Remembered>>();
  /** Oldest first. */
  #order: LogEntry[] = [];

  static #client(reqid: OsdReqId): string {
    return `${reqid.name.type}.${reqid.name.num}.${reqid.inc}`;
  }

  get length(): number {
    return this.#order.length;
  }

  find(reqid: OsdReqId): Remembered | undefined {
    return this.#clients.get(PgLog.#client(reqid))?.get(reqid.tid);
  }

  add(entry: LogEntry, seq: TransactionSeq): void {
    const client = PgLog.#client(entry.reqid);
    let byTid = this.#clients.get(client);
    if (byTid === undefined) {
      byTid = new Map();
      this.#clients.set(client, byTid);
    }
    byTid.set(entry.reqid.tid, { entry, seq });
    this.#order.push(entry);
  }

  /** Keys of entries that the next transaction should delete; forgets them. */
  trim(): string[] {
    if (this.#order.length < LOG_ENTRIES_MIN + TRIM_BATCH) return [];
    const gone = this.#order.slice(0, TRIM_BATCH);
    this.#order = this.#order.slice(TRIM_BATCH);
    for (const entry of gone) {
      const client = PgLog.#client(entry.reqid);
      const byTid = this.#clients.get(client);
      if (byTid?.get(entry.reqid.tid)?.entry === entry) byTid.delete(entry.reqid.tid);
      if (byTid?.size === 0) this.#clients.delete(client);
    }
    return gone.map((entry) => logKey(entry.version.version));
  }
}
