/**
 * What a PG remembers of the writes it has done, so that a resent one is answered, not done again.
 *
 * Entries live in the omap of the PG's own object, written in the same transaction as the change itself: a
 * crash can not separate them. Failed writes are remembered too, with their code. They are in chunks, one key
 * each: a chunk is put again with every entry it gets, at its full length from the first, and when all are full
 * the oldest one's key is taken for the next. So the store's index has few keys that are overwritten in place,
 * not one that comes and one that goes with every write. In memory entries are columns of numbers, at the same
 * places: thousands of them per PG are kept all the time.
 *
 * A chunk: u8 format, u8 entries, the entries, zeros.
 * ceph: src/osd/PGLog.h, osd_pg_log_dups_tracked
 */

import {
  blob,
  DecodeError,
  type Infer,
  list,
  Reader,
  s32,
  since,
  struct,
  u32,
  u64n,
  Writer,
} from "../encoding/index.ts";
import type { TransactionSeq } from "../store/index.ts";
import { EVersion, OsdReqId } from "../types/index.ts";

/** Writes remembered per PG.  ceph: osd_pg_log_dups_tracked */
export const LOG_ENTRIES_MIN = 3000;
export const CHUNK_ENTRIES = 8;
/** Of the newest chunk only a part may be there yet. */
const CHUNKS = Math.ceil(LOG_ENTRIES_MIN / CHUNK_ENTRIES) + 1;
const SLOTS = CHUNKS * CHUNK_ENTRIES;
const CHUNK_FORMAT = 1;
const CHUNK_HEAD = 2;
/** An entry without per-op results. */
const ENTRY_BYTES = 69;
const CHUNK_BYTES = CHUNK_HEAD + CHUNK_ENTRIES * ENTRY_BYTES;
export const LOG_KEY_PREFIX = "log.";
const CHUNK_KEYS = Array.from(
  { length: CHUNKS },
  (_, chunk) => LOG_KEY_PREFIX + chunk.toString(16).padStart(3, "0"),
);
const CHUNK_OF: ReadonlyMap<string, number> = new Map(CHUNK_KEYS.map((key, i) => [key, i]));

/** The hash in entries of an older format. Were it an object's, no harm would be done: see `part`. */
export const HASH_UNKNOWN = 0xffff_ffff;

export const LogEntry = struct(
  "spirula_log_entry",
  { v: 3, oldest: 1 },
  {
    reqid: OsdReqId,
    version: EVersion,
    userVersion: u64n,
    result: s32,
    /** Per-op results, kept only for requests that asked for them (RETURNVEC). */
    rvals: list(s32),
    /** Of the object: says which PG remembers it when this one splits. */
    hash: since(2, u32, HASH_UNKNOWN),
    /** What the ops gave, with their results: none at all if none gave anything. */
    outputs: since(3, list(blob), []),
  },
);
export type LogEntry = Infer<typeof LogEntry>;

/** What the ops of a request are remembered by. */
export type OpReturns = Pick<LogEntry, "rvals" | "outputs">;
/** Of one that did not ask for results. */
export const NO_RETURNS: OpReturns = { rvals: [], outputs: [] };

/** What a resend of a remembered write is told, and when that is durable. */
export interface Remembered extends Omit<LogEntry, "reqid" | "hash"> {
  readonly seq: TransactionSeq;
}

/** One incarnation of a client: where its writes are, by tid. */
interface Client {
  readonly key: string;
  readonly name: OsdReqId["name"];
  readonly inc: number;
  readonly slots: Map<number, number>;
  /** The highest there has been: a client counts up, so that what is above it is no resend. */
  lastTid: number;
}

export class PgLog {
  readonly #clients = new Map<string, Client>();
  /** The one seen last: one client's requests come in rows. */
  #last: Client | undefined;
  #count = 0;
  /** Where the next entry goes. */
  #next = 0;
  /** By slot: chunk after chunk, up to SLOTS as they are needed. No owner: no entry. */
  #owners: (Client | undefined)[] = [];
  #tids = new Float64Array(0);
  #versions = new Float64Array(0);
  #epochs = new Uint32Array(0);
  #userVersions = new Float64Array(0);
  #results = new Int32Array(0);
  #hashes = new Uint32Array(0);
  #seqs = new Float64Array(0);
  /** By slot; few have any. */
  readonly #returns = new Map<number, OpReturns>();
  /** The newest chunk as it is stored, where its entries end, and where with the one that is staged. */
  readonly #chunk = new Writer(0);
  #chunkEnd = 0;
  #stagedEnd = 0;

  get length(): number {
    return this.#count;
  }

  #client({ name, inc }: OsdReqId): Client | undefined {
    const last = this.#last;
    if (last?.name.num === name.num && last.inc === inc && last.name.type === name.type) {
      return last;
    }
    const found = this.#clients.get(`${name.type}.${name.num}.${inc}`);
    this.#last = found;
    return found;
  }

  #addClient({ name, inc }: OsdReqId): Client {
    const key = `${name.type}.${name.num}.${inc}`;
    const client = { key, name, inc, slots: new Map<number, number>(), lastTid: -1 };
    this.#clients.set(key, client);
    this.#last = client;
    return client;
  }

  find(reqid: OsdReqId): Remembered | undefined {
    const client = this.#client(reqid);
    if (client === undefined || reqid.tid > client.lastTid) return undefined;
    const slot = client.slots.get(reqid.tid);
    if (slot === undefined) return undefined;
    const { version, userVersion, result, rvals, outputs } = this.#entry(slot)!;
    return { version, userVersion, result, rvals, outputs, seq: this.#seqs[slot]! };
  }

  #entry(slot: number): LogEntry | undefined {
    const owner = this.#owners[slot];
    if (owner === undefined) return undefined;
    const { rvals, outputs } = this.#returns.get(slot) ?? NO_RETURNS;
    return {
      reqid: { name: owner.name, tid: this.#tids[slot]!, inc: owner.inc },
      version: { version: this.#versions[slot]!, epoch: this.#epochs[slot]! },
      userVersion: this.#userVersions[slot]!,
      result: this.#results[slot]!,
      rvals,
      hash: this.#hashes[slot]!,
      outputs,
    };
  }

  /**
   * The key and value that hold the entry together with others. They are to go into the transaction of its change,
   * and the entry is to be added when the store has taken that; the value is good until the next call.
   */
  stage(entry: LogEntry): [key: string, value: Uint8Array] {
    const inChunk = this.#next % CHUNK_ENTRIES;
    if (inChunk === 0) this.#beginChunk();
    const w = this.#chunk;
    w.length = this.#chunkEnd;
    LogEntry.encode(w, entry);
    this.#stagedEnd = w.length;
    w.buffer[1] = inChunk + 1;
    return [
      CHUNK_KEYS[Math.floor(this.#next / CHUNK_ENTRIES)]!,
      w.buffer.subarray(0, Math.max(CHUNK_BYTES, w.length)),
    ];
  }

  #beginChunk(): void {
    const w = this.#chunk;
    w.reset();
    w.zeros(CHUNK_BYTES);
    w.buffer[0] = CHUNK_FORMAT;
    this.#chunkEnd = CHUNK_HEAD;
  }

  /** The entry staged last is stored, by transaction `seq`. */
  add(entry: LogEntry, seq: TransactionSeq): void {
    const slot = this.#next;
    if (slot % CHUNK_ENTRIES === 0) {
      for (let i = 0; i < CHUNK_ENTRIES; i++) this.#forget(slot + i);
    }
    this.#put(slot, entry, seq);
    this.#chunkEnd = this.#stagedEnd;
    this.#next = (slot + 1) % SLOTS;
  }

  #put(slot: number, entry: LogEntry, seq: TransactionSeq): void {
    if (slot >= this.#tids.length) this.#grow(slot + 1);
    const { reqid } = entry;
    const client = this.#client(reqid) ?? this.#addClient(reqid);
    client.slots.set(reqid.tid, slot);
    client.lastTid = Math.max(client.lastTid, reqid.tid);
    this.#owners[slot] = client;
    this.#tids[slot] = reqid.tid;
    this.#versions[slot] = entry.version.version;
    this.#epochs[slot] = entry.version.epoch;
    this.#userVersions[slot] = entry.userVersion;
    this.#results[slot] = entry.result;
    this.#hashes[slot] = entry.hash;
    this.#seqs[slot] = seq;
    const { rvals, outputs } = entry;
    if (rvals.length > 0) this.#returns.set(slot, { rvals, outputs });
    this.#count++;
  }

  #grow(need: number): void {
    const size = Math.min(SLOTS, Math.max(64, need, this.#tids.length * 2));
    const larger = <T extends Float64Array | Uint32Array | Int32Array>(old: T, into: T): T => {
      into.set(old);
      return into;
    };
    this.#tids = larger(this.#tids, new Float64Array(size));
    this.#versions = larger(this.#versions, new Float64Array(size));
    this.#epochs = larger(this.#epochs, new Uint32Array(size));
    this.#userVersions = larger(this.#userVersions, new Float64Array(size));
    this.#results = larger(this.#results, new Int32Array(size));
    this.#hashes = larger(this.#hashes, new Uint32Array(size));
    this.#seqs = larger(this.#seqs, new Float64Array(size));
  }

  #forget(slot: number): void {
    const client = this.#owners[slot];
    if (client === undefined) return;
    const tid = this.#tids[slot]!;
    // A tid may have come again since, after a client's restart.
    if (client.slots.get(tid) === slot) client.slots.delete(tid);
    if (client.slots.size === 0) {
      this.#clients.delete(client.key);
      if (this.#last === client) this.#last = undefined;
    }
    this.#owners[slot] = undefined;
    this.#returns.delete(slot);
    this.#count--;
  }

  /**
   * Takes what the omap holds, all of it stored by transaction `seq` at the latest.
   * @returns keys of the format before chunks, one per entry: to be removed when `chunks` are put in their place
   */
  load(stored: Iterable<[key: string, value: Uint8Array]>, seq: TransactionSeq): string[] {
    const single: LogEntry[] = [];
    const oldKeys: string[] = [];
    let newest = -1;
    for (const [key, value] of stored) {
      if (!key.startsWith(LOG_KEY_PREFIX)) break;
      const chunk = CHUNK_OF.get(key);
      if (chunk === undefined) {
        single.push(readEntry(new Reader(value)));
        oldKeys.push(key);
        continue;
      }
      let slot = chunk * CHUNK_ENTRIES;
      for (const entry of chunkEntries(value)) this.#put(slot++, entry, seq);
      const last = slot - 1;
      if (newest < 0 || this.#versions[last]! > this.#versions[newest]!) newest = last;
    }
    // In the order of their versions, as their keys are; there are no chunks then.
    for (const entry of single.slice(-LOG_ENTRIES_MIN)) this.#put(++newest, entry, seq);
    this.#next = (newest + 1) % SLOTS;
    this.#reopen();
    return oldKeys;
  }

  /** Makes the newest chunk ready for its next entry. */
  #reopen(): void {
    const begin = this.#next - (this.#next % CHUNK_ENTRIES);
    this.#beginChunk();
    this.#chunk.length = this.#chunkEnd;
    for (let slot = begin; slot < this.#next; slot++) {
      LogEntry.encode(this.#chunk, this.#entry(slot)!);
    }
    this.#chunkEnd = this.#chunk.length;
  }

  /**
   * What a PG that splits off remembers of it, as it is stored.
   * @param isTheirs is an object of that hash the new PG's? What has no hash may be anybody's, and is kept by all
   */
  part(isTheirs: (hash: number) => boolean): Iterable<[key: string, value: Uint8Array]> {
    const log = new PgLog();
    for (let i = 0, slot = 0; i < SLOTS; i++) {
      const entry = this.#entry((this.#next + i) % SLOTS);
      if (entry === undefined) continue;
      if (entry.hash === HASH_UNKNOWN || isTheirs(entry.hash)) log.#put(slot++, entry, 0);
    }
    return log.chunks();
  }

  /** All that is remembered, as it is stored. */
  *chunks(): Iterable<[key: string, value: Uint8Array]> {
    for (const [chunk, key] of CHUNK_KEYS.entries()) {
      const w = new Writer(CHUNK_BYTES);
      w.u8(CHUNK_FORMAT);
      w.u8(0);
      for (let i = 0; i < CHUNK_ENTRIES; i++) {
        const entry = this.#entry(chunk * CHUNK_ENTRIES + i);
        if (entry === undefined) break;
        LogEntry.encode(w, entry);
        w.buffer[1] = i + 1;
      }
      if (w.buffer[1] === 0) return;
      w.zeros(Math.max(0, CHUNK_BYTES - w.length));
      yield [key, w.finish()];
    }
  }
}

function* chunkEntries(value: Uint8Array): Iterable<LogEntry> {
  const r = new Reader(value);
  const format = r.u8();
  if (format !== CHUNK_FORMAT) throw new DecodeError("log chunk", 0, `format ${format}`);
  for (let n = r.u8(); n > 0; n--) yield readEntry(r);
}

/** What it is read from is the store's: the entry keeps nothing of that. */
function readEntry(r: Reader): LogEntry {
  const entry = LogEntry.decode(r);
  return { ...entry, outputs: entry.outputs.map((output) => Uint8Array.from(output)) };
}
