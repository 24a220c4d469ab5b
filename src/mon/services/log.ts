/**
 * The cluster log: a ring of lines that `ceph log last` shows and `ceph -w` follows.
 * Lines are kept across restarts, but nobody waits for them to be durable. Debug lines are another matter:
 * they come every few seconds also when nothing happens, so they have a ring of their own, in which they
 * push out no warning, and stay in memory, so that an idle cluster leaves its disk alone. The same goes for
 * the channel `audit`, which has a line or two for every command.
 * Every line has a version of its own, never given twice: followers pass over what they think they have.
 * ceph: src/common/LogEntry.h, src/mon/LogMonitor.cc
 */

import type { Clock, Logger } from "../../base/index.ts";
import { byteString, decodeFromBytes, encodeToBytes, textOf } from "../../encoding/index.ts";
import { CLOG, LogEntry } from "../../messages/index.ts";
import {
  type AddrVec,
  type AuthEntity,
  ENTITY_TYPE,
  type EntityName,
  formatAuthEntity,
  formatEntityName,
  formatUtime,
  utimeFromMs,
} from "../../types/index.ts";
import { type Change, type MonStore, numberKey, put, remove } from "../mon-store.ts";

const PRIORITY_TEXT = ["[DBG]", "[INF]", "[SEC]", "[WRN]", "[ERR]"];
/** Names in commands and subscriptions (`log-info`), by CLOG number. */
export const CLOG_LEVELS: readonly string[] = ["debug", "info", "sec", "warn", "error"];

/** Lines kept of each kind: of commands, of everything else, and as many debug lines of each. */
const LOG_LINES_MAX = 1000;
/** Versions set aside in the store at once: what is given out beyond the stored lines' stays below that. */
const VERSIONS_RESERVED = 1000;
/** Lines removed with one that is stored. */
const REMOVED_MAX = 100;
/** Longer lines are cut. */
const LOG_MESSAGE_MAX = 4096;

export function priorityText(entry: LogEntry): string {
  return PRIORITY_TEXT[entry.prio] ?? "[INF]";
}

/** One line as `ceph log last` and `ceph -w` print it. */
export function formatLogEntry(entry: LogEntry): string {
  const who = `${formatAuthEntity(entry.name)} (${formatEntityName(entry.rank)})`;
  const head = `${formatUtime(entry.stamp)} ${who} ${entry.seq} : ${textOf(entry.channel)}`;
  return `${head} ${priorityText(entry)} ${textOf(entry.message)}`;
}

/** Who is speaking. */
export interface LogSource {
  readonly name: AuthEntity;
  readonly rank: EntityName;
  readonly addrs: AddrVec;
}

/** The monitor itself. */
export function monLogSource(name: string, addrs: AddrVec): LogSource {
  return {
    name: { type: ENTITY_TYPE.MON, id: name },
    rank: { type: ENTITY_TYPE.MON, num: 0n },
    addrs,
  };
}

interface Line {
  readonly version: number;
  readonly entry: LogEntry;
}

function kindOf(entry: LogEntry): "audit" | "other" {
  return textOf(entry.channel) === "audit" ? "audit" : "other";
}

export class LogService {
  readonly #store: MonStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** Newest last. */
  readonly #kept = { audit: [] as Line[], other: [] as Line[] };
  readonly #debug = { audit: [] as Line[], other: [] as Line[] };
  readonly #listeners = new Set<(entry: LogEntry) => void>();
  /** Lines said by each of our own, by name. */
  readonly #said = new Map<string, number>();
  #version = 0;
  #reserved: number;

  constructor(store: MonStore, clock: Clock, log: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    for (const [key, value] of store.entries("logm")) {
      this.#version = Number.parseInt(key.slice(1), 16);
      const entry = decodeFromBytes(LogEntry, Uint8Array.from(value));
      this.#kept[kindOf(entry)].push({ version: this.#version, entry });
    }
    this.#reserved = Number(store.text("monitor", "log_versions") ?? 0);
    this.#version = Math.max(this.#version, this.#reserved);
  }

  get version(): number {
    return this.#version;
  }

  onEntry(listener: (entry: LogEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A line of our own making. */
  say(source: LogSource, prio: number, message: string, channel = "cluster"): void {
    const name = formatAuthEntity(source.name);
    const seq = (this.#said.get(name) ?? 0) + 1;
    this.#said.set(name, seq);
    const stamp = utimeFromMs(this.#clock.now());
    this.append({ ...source, stamp, seq, prio, message: byteString(message), channel });
  }

  append(entry: LogEntry): void {
    const full: LogEntry = { ...entry, message: entry.message.slice(0, LOG_MESSAGE_MAX) };
    const line = { version: ++this.#version, entry: full };
    const changes: Change[] = [];
    const reserved = this.#reserved;
    if (this.#version > reserved) {
      this.#reserved = this.#version + VERSIONS_RESERVED;
      changes.push(put("monitor", "log_versions", String(this.#reserved)));
    }
    if (full.prio === CLOG.DEBUG) {
      const ring = this.#debug[kindOf(full)];
      ring.push(line);
      if (ring.length > LOG_LINES_MAX) ring.shift();
    } else {
      changes.push(...this.#keep(line));
    }
    this.#store.commit(changes).catch((error: unknown) => {
      // The disk is full, or gone: the store has told its owner, and a log line is not worth more.
      this.#log.warn("cluster log line lost", { why: String(error) });
      // What was to be set aside with it is with the next.
      if (line.version > reserved) this.#reserved = reserved;
    });
    for (const listener of this.#listeners) listener(full);
  }

  #keep({ version, entry }: Line): Change[] {
    const value = encodeToBytes(LogEntry, entry);
    const changes: Change[] = [{ service: "logm", key: numberKey("l", version), value }];
    const ring = this.#kept[kindOf(entry)];
    ring.push({ version, entry });
    // After a start there may be more: what was to be removed with a line that was lost has stayed.
    const over = Math.max(0, Math.min(ring.length - LOG_LINES_MAX, REMOVED_MAX));
    for (const old of ring.splice(0, over)) {
      changes.push(remove("logm", numberKey("l", old.version)));
    }
    return changes;
  }

  /** The newest `count` lines of a channel (`*`: of all) at or above a level, oldest first. */
  last(count: number, level: number, channel: string): LogEntry[] {
    const rings = [this.#kept, this.#debug].flatMap(({ audit, other }) => [...audit, ...other]);
    const wanted = rings.filter(
      ({ entry }) => entry.prio >= level && (channel === "*" || entry.channel === channel),
    );
    wanted.sort((a, b) => a.version - b.version);
    return wanted.slice(Math.max(0, wanted.length - count)).map(({ entry }) => entry);
  }
}
