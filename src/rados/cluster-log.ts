/**
 * Watching the cluster log, as `ceph -w` does: entries from now on, of one level and above.
 *
 * The monitor knows no word for less, so the lowest level that anybody watches is what is subscribed to, and
 * what nobody wants any more is dropped here.
 * ceph: src/librados/RadosClient.cc monitor_log, handle_log
 */

import { textOf } from "../encoding/index.ts";
import { CLOG, type LogEntry, MLog } from "../messages/index.ts";
import {
  type AddrVec,
  formatAuthEntity,
  formatEntityName,
  type IncomingMessage,
  utimeToMs,
} from "../types/index.ts";
import type { MonClient } from "./mon-client.ts";

export type LogLevelName = "debug" | "info" | "sec" | "warn" | "error";

const LEVELS: Readonly<Record<LogLevelName, number>> = {
  debug: CLOG.DEBUG,
  info: CLOG.INFO,
  sec: CLOG.SEC,
  warn: CLOG.WARN,
  error: CLOG.ERROR,
};
const NAMES = Object.keys(LEVELS) as LogLevelName[];

/** One line of the cluster log. */
export interface ClusterLogEntry {
  /** Milliseconds since 1970, by the sender's clock. */
  readonly stampMs: number;
  /** Who says so: `mon.a`, `osd.3`, `client.admin`. */
  readonly name: string;
  /** The same with its number: `mon.0`, `client.4123`. */
  readonly rank: string;
  readonly addrs: AddrVec;
  /** Counts up per sender. */
  readonly seq: number;
  readonly level: LogLevelName;
  /** `cluster`, `audit` … */
  readonly channel: string;
  readonly message: string;
}

interface Watcher {
  readonly prio: number;
  readonly onEntry: (entry: ClusterLogEntry) => void;
}

function entryOf(entry: LogEntry): ClusterLogEntry {
  return {
    stampMs: utimeToMs(entry.stamp),
    name: formatAuthEntity(entry.name),
    rank: formatEntityName(entry.rank),
    addrs: entry.addrs,
    seq: entry.seq,
    level: NAMES.find((name) => LEVELS[name] === entry.prio) ?? "error",
    channel: textOf(entry.channel),
    message: textOf(entry.message),
  };
}

export class ClusterLog {
  readonly #mon: MonClient;
  readonly #watchers = new Set<Watcher>();
  #subscribed: LogLevelName | undefined;
  /** The last version that has come, and what of it: two subscriptions tell the same twice. */
  #version = 0;
  #seen = new Set<string>();

  constructor(mon: MonClient) {
    this.#mon = mon;
  }

  /** @returns what ends the watch */
  watch(level: LogLevelName, onEntry: (entry: ClusterLogEntry) => void): () => void {
    const watcher = { prio: LEVELS[level], onEntry };
    this.#watchers.add(watcher);
    this.#subscribe();
    return () => {
      this.#watchers.delete(watcher);
      this.#subscribe();
    };
  }

  #subscribe(): void {
    const lowest = Math.min(...[...this.#watchers].map(({ prio }) => prio));
    const level = NAMES.find((name) => LEVELS[name] === lowest);
    if (level === this.#subscribed) return;
    if (this.#subscribed !== undefined) this.#mon.unsubscribe(`log-${this.#subscribed}`);
    this.#subscribed = level;
    if (level !== undefined) this.#mon.subscribe(`log-${level}`, 0);
  }

  onMessage(message: IncomingMessage): void {
    const { version, entries } = MLog.decode(message);
    if (version < this.#version) return;
    if (version > this.#version) this.#seen = new Set();
    this.#version = version;
    if (this.#subscribed !== undefined) this.#mon.got(`log-${this.#subscribed}`, version);
    for (const entry of entries) {
      const told = entryOf(entry);
      const key = `${told.name} ${told.rank} ${told.seq} ${told.stampMs}`;
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      for (const { prio, onEntry } of this.#watchers) {
        if (entry.prio >= prio) onEntry(told);
      }
    }
  }
}
