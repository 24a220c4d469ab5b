/**
 * The cluster log: a ring of lines that `ceph log last` shows and `ceph -w` follows.
 * Lines are kept across restarts, but nobody waits for them to be durable.
 * ceph: src/common/LogEntry.h, src/mon/LogMonitor.cc
 */

import type { Clock, Logger } from "../../base/index.ts";
import { byteString, decodeFromBytes, encodeToBytes, textOf } from "../../encoding/index.ts";
import { LogEntry } from "../../messages/index.ts";
import {
  type AddrVec,
  type AuthEntity,
  type EntityName,
  formatAuthEntity,
  formatEntityName,
  formatUtime,
  utimeFromMs,
} from "../../types/index.ts";
import { type Change, type MonStore, numberKey } from "../mon-store.ts";

const PRIORITY_TEXT = ["[DBG]", "[INF]", "[SEC]", "[WRN]", "[ERR]"];
/** Names in commands and subscriptions (`log-info`), by CLOG number. */
export const CLOG_LEVELS: readonly string[] = ["debug", "info", "sec", "warn", "error"];

/** Lines kept. */
const LOG_LINES_MAX = 1000;
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

export class LogService {
  readonly #store: MonStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #entries: LogEntry[] = [];
  readonly #listeners = new Set<(entry: LogEntry) => void>();
  #version = 0;
  #seq = 0;

  constructor(store: MonStore, clock: Clock, log: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    for (const [key, value] of store.entries("logm")) {
      this.#version = Number.parseInt(key.slice(1), 16);
      this.#entries.push(decodeFromBytes(LogEntry, Uint8Array.from(value)));
    }
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
    this.append({
      ...source,
      stamp: utimeFromMs(this.#clock.now()),
      seq: ++this.#seq,
      prio,
      message: byteString(message),
      channel,
    });
  }

  append(entry: LogEntry): void {
    const full: LogEntry = { ...entry, message: entry.message.slice(0, LOG_MESSAGE_MAX) };
    this.#version++;
    this.#entries.push(full);
    const changes: Change[] = [
      {
        service: "logm",
        key: numberKey("l", this.#version),
        value: encodeToBytes(LogEntry, full),
      },
    ];
    if (this.#entries.length > LOG_LINES_MAX) {
      this.#entries.shift();
      const oldest = numberKey("l", this.#version - LOG_LINES_MAX);
      changes.push({ service: "logm", key: oldest, value: undefined });
    }
    this.#store.commit(changes).catch((error: unknown) => {
      // The disk is gone: the store has told its owner, and a log line is not worth more.
      this.#log.warn("cluster log line lost", { why: String(error) });
    });
    for (const listener of this.#listeners) listener(full);
  }

  /** The newest `count` lines of a channel (`*`: of all) at or above a level, oldest first. */
  last(count: number, level: number, channel: string): LogEntry[] {
    const wanted = this.#entries.filter(
      (e) => e.prio >= level && (channel === "*" || e.channel === channel),
    );
    return wanted.slice(Math.max(0, wanted.length - count));
  }
}
