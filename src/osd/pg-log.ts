/**
 * What a PG remembers of the writes it has done, so that a resent one is answered, not done again.
 *
 * Entries live in the omap of the PG's own object, one key per version, written in the same transaction
 * as the change itself: a crash can not separate them. Failed writes are remembered too, with their code.
 * In memory they are columns of numbers in a ring: thousands of them per PG are kept all the time.
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

/** The prefix and what fills a number of so many digits up to 16. */
const LOG_KEY_HEADS = Array.from({ length: 17 }, (_, n) => LOG_KEY_PREFIX + "0".repeat(16 - n));

/** Omap key of a version; hex so that byte order is version order. */
export function logKey(version: number): string {
  const digits = version.toString(16);
  return LOG_KEY_HEADS[digits.length]! + digits;
}

/** What a resend of a remembered write is told, and when that is durable. */
export interface Remembered extends Omit<LogEntry, "reqid"> {
  readonly seq: TransactionSeq;
}

/** One incarnation of a client: where its writes are in the ring, by tid. */
interface Client {
  readonly key: string;
  readonly type: number;
  readonly num: bigint;
  readonly inc: number;
  readonly slots: Map<number, number>;
}

const NO_RVALS: number[] = [];

export class PgLog {
  readonly #clients = new Map<string, Client>();
  /** The one seen last: one client's requests come in rows. */
  #last: Client | undefined;
  /** The ring: slots from `#first` on, `#count` of them, oldest first. The columns are as long as it. */
  #first = 0;
  #count = 0;
  #owners: Client[] = [];
  #tids = new Float64Array(0);
  #versions = new Float64Array(0);
  #epochs = new Uint32Array(0);
  #userVersions = new Float64Array(0);
  #results = new Int32Array(0);
  #seqs = new Float64Array(0);
  /** By slot; few have any. */
  readonly #rvals = new Map<number, number[]>();

  get length(): number {
    return this.#count;
  }

  #client({ name, inc }: OsdReqId): Client | undefined {
    const last = this.#last;
    if (last?.num === name.num && last.inc === inc && last.type === name.type) return last;
    const found = this.#clients.get(`${name.type}.${name.num}.${inc}`);
    this.#last = found;
    return found;
  }

  #addClient({ name, inc }: OsdReqId): Client {
    const key = `${name.type}.${name.num}.${inc}`;
    const client = { key, type: name.type, num: name.num, inc, slots: new Map() };
    this.#clients.set(key, client);
    this.#last = client;
    return client;
  }

  find(reqid: OsdReqId): Remembered | undefined {
    const slot = this.#client(reqid)?.slots.get(reqid.tid);
    if (slot === undefined) return undefined;
    return {
      version: { version: this.#versions[slot]!, epoch: this.#epochs[slot]! },
      userVersion: this.#userVersions[slot]!,
      result: this.#results[slot]!,
      rvals: this.#rvals.get(slot) ?? NO_RVALS,
      seq: this.#seqs[slot]!,
    };
  }

  add(entry: LogEntry, seq: TransactionSeq): void {
    if (this.#count === this.#tids.length) this.#grow();
    const slot = (this.#first + this.#count++) % this.#tids.length;
    const { reqid } = entry;
    const client = this.#client(reqid) ?? this.#addClient(reqid);
    client.slots.set(reqid.tid, slot);
    this.#owners[slot] = client;
    this.#tids[slot] = reqid.tid;
    this.#versions[slot] = entry.version.version;
    this.#epochs[slot] = entry.version.epoch;
    this.#userVersions[slot] = entry.userVersion;
    this.#results[slot] = entry.result;
    this.#seqs[slot] = seq;
    if (entry.rvals.length > 0) this.#rvals.set(slot, entry.rvals);
  }

  /** Doubles the ring. It is full, so turning it to begin at slot 0 keeps the order. */
  #grow(): void {
    const size = this.#tids.length;
    const first = this.#first;
    const grown = Math.max(64, size * 2);
    const turn = <T extends Float64Array | Uint32Array | Int32Array>(old: T, into: T): T => {
      into.set(old.subarray(first));
      into.set(old.subarray(0, first), size - first);
      return into;
    };
    this.#tids = turn(this.#tids, new Float64Array(grown));
    this.#versions = turn(this.#versions, new Float64Array(grown));
    this.#epochs = turn(this.#epochs, new Uint32Array(grown));
    this.#userVersions = turn(this.#userVersions, new Float64Array(grown));
    this.#results = turn(this.#results, new Int32Array(grown));
    this.#seqs = turn(this.#seqs, new Float64Array(grown));
    this.#owners = [...this.#owners.slice(first), ...this.#owners.slice(0, first)];
    const moved = (slot: number) => (slot - first + size) % size;
    const rvals = [...this.#rvals];
    this.#rvals.clear();
    for (const [slot, values] of rvals) this.#rvals.set(moved(slot), values);
    if (first > 0) {
      for (const { slots } of this.#clients.values()) {
        for (const [tid, slot] of slots) slots.set(tid, moved(slot));
      }
    }
    this.#first = 0;
  }

  /** Keys of entries that the next transaction should delete; forgets them. */
  trim(): string[] {
    if (this.#count < LOG_ENTRIES_MIN + TRIM_BATCH) return [];
    const keys: string[] = [];
    for (let i = 0; i < TRIM_BATCH; i++) {
      const slot = this.#first;
      const client = this.#owners[slot]!;
      const tid = this.#tids[slot]!;
      // A tid may have come again since, after a client's restart.
      if (client.slots.get(tid) === slot) client.slots.delete(tid);
      if (client.slots.size === 0) this.#forget(client);
      this.#rvals.delete(slot);
      keys.push(logKey(this.#versions[slot]!));
      this.#first = (slot + 1) % this.#tids.length;
      this.#count--;
    }
    return keys;
  }

  #forget(client: Client): void {
    this.#clients.delete(client.key);
    if (this.#last === client) this.#last = undefined;
  }
}
