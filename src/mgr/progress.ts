/**
 * What is under way for long, and what has been: the manager's progress module. What has ended is kept, the
 * last fifty, in the monitor's key-value store, and so outlives a restart.
 * ceph: src/pybind/mgr/progress/module.py
 */

import {
  type Clock,
  type Logger,
  PRETTY,
  PyFloat,
  type PyJson,
  pythonJson,
} from "../base/index.ts";
import type { ClusterState } from "../mon/index.ts";

/** ceph: mgr/progress/max_completed_events */
const COMPLETED_MAX = 50;
/** ceph: MgrModule.set_store */
const STORE_KEY = "mgr/progress/completed";
/** Version of what is stored. */
const VERSION = 2;

type Refs = { readonly [key: string]: PyJson };

interface Event {
  readonly id: string;
  message: string;
  readonly refs: Refs;
  /** Seconds since 1970. */
  readonly startedAt: number;
  /** Zero to one. */
  progress: number;
}

interface Completed extends Omit<Event, "progress"> {
  readonly finishedAt: number;
  /** Why it failed, if it did. */
  readonly failure: string | undefined;
}

/** `85s`, `17m`.  ceph: src/pybind/mgr/mgr_util.py to_pretty_timedelta */
export function prettyDuration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  if (seconds < 120) return `${Math.floor(seconds)}s`;
  if (seconds < 120 * 60) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)}h`;
  if (days < 14) return `${days}d`;
  if (days < 7 * 12) return `${Math.floor(days / 7)}w`;
  if (days < 365 * 2) return `${Math.floor(days / 30)}M`;
  return `${Math.floor(days / 365)}y`;
}

export class ProgressModule {
  readonly #state: ClusterState;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #events = new Map<string, Event>();
  #completed: Completed[] = [];

  constructor(state: ClusterState, log: Logger) {
    this.#state = state;
    this.#clock = state.clock;
    this.#log = log;
    this.#load();
  }

  /** Begins an event, or says how far it is. */
  update(id: string, message: string, progress: number, refs: Refs): void {
    const event = this.#events.get(id);
    if (event === undefined) {
      this.#events.set(id, { id, message, refs, startedAt: this.#now(), progress });
    } else {
      event.progress = progress;
      event.message = message;
    }
  }

  complete(id: string): void {
    this.#end(id, undefined);
  }

  fail(id: string, message: string): void {
    this.#end(id, message);
  }

  /** `ceph progress`; undefined when there is nothing to show. */
  text(): string | undefined {
    if (this.#events.size === 0 && this.#completed.length === 0) return undefined;
    const running = [...this.#events.values()].sort((a, b) => b.startedAt - a.startedAt);
    const lines = running.map((event) => {
      const remaining = this.#remaining(event);
      const note = remaining === null ? "" : `(remaining: ${prettyDuration(remaining)})`;
      return `${this.#twoLines(event, event.progress)} ${note}\n`;
    });
    const ended = this.#completed.map((event) => {
      const how = event.failure === undefined ? "Complete" : "Failed";
      return `[${how}]: ${this.#twoLines(event, 1)} \n`;
    });
    return lines.join("") + ended.join("");
  }

  /** `ceph progress json` */
  json(): string {
    return pythonJson(
      {
        events: [...this.#events.values()].map((event) => ({
          id: event.id,
          message: event.message,
          duration: `(${this.#age(event)})`,
          refs: event.refs,
          progress: event.progress === 0 ? 0 : new PyFloat(event.progress),
          started_at: new PyFloat(event.startedAt),
          time_remaining: this.#remaining(event),
        })),
        completed: this.#completed.map(completedJson),
      },
      PRETTY,
    );
  }

  /** Forgets everything. */
  async clear(): Promise<void> {
    this.#events.clear();
    this.#completed = [];
    await this.#save();
  }

  #end(id: string, failure: string | undefined): void {
    const event = this.#events.get(id);
    if (event === undefined) return;
    this.#events.delete(id);
    const { message, refs, startedAt } = event;
    this.#completed.push({ id, message, refs, startedAt, finishedAt: this.#now(), failure });
    this.#completed = this.#completed.slice(-COMPLETED_MAX);
    this.#save().catch((error: unknown) => {
      this.#log.warn("progress not kept", { why: (error as Error).message });
    });
  }

  #now(): number {
    return this.#clock.now() / 1000;
  }

  #age({ startedAt }: { startedAt: number }): string {
    return prettyDuration(Math.max(0, this.#now() - startedAt));
  }

  #remaining({ startedAt, progress }: Event): number | null {
    if (progress === 0) return null;
    return Math.trunc(((this.#now() - startedAt) * (1 - progress)) / progress);
  }

  #twoLines(event: { message: string; startedAt: number }, progress: number): string {
    const width = 28;
    const done = Math.trunc(progress * width);
    const bar = `[${"=".repeat(done)}${".".repeat(width - done)}]`;
    return `${event.message} (${this.#age(event)})\n    ${bar}`;
  }

  async #save(): Promise<void> {
    const value = pythonJson({
      events: this.#completed.map(completedJson),
      version: VERSION,
      compat_version: VERSION,
    });
    await this.#state.configKey.set(STORE_KEY, Buffer.from(value));
  }

  #load(): void {
    const stored = this.#state.configKey.get(STORE_KEY);
    if (stored === undefined) return;
    try {
      const value = JSON.parse(Buffer.from(stored).toString("utf8")) as StoredEvents;
      if (value.compat_version > VERSION) return;
      this.#completed = value.events.slice(-COMPLETED_MAX).map((event) => ({
        id: event.id,
        message: event.message,
        refs: event.refs,
        startedAt: event.started_at,
        finishedAt: event.finished_at,
        failure: event.failed === true ? (event.failure_message ?? "") : undefined,
      }));
    } catch (error) {
      // Anybody may write there.
      this.#log.warn("kept progress not readable", { why: (error as Error).message });
    }
  }
}

interface StoredEvents {
  readonly compat_version: number;
  readonly events: readonly {
    readonly id: string;
    readonly message: string;
    readonly refs: Refs;
    readonly started_at: number;
    readonly finished_at: number;
    readonly failed?: boolean;
    readonly failure_message?: string;
  }[];
}

function completedJson(event: Completed): PyJson {
  return {
    id: event.id,
    message: event.message,
    refs: event.refs,
    started_at: new PyFloat(event.startedAt),
    finished_at: new PyFloat(event.finishedAt),
    // compat: the colon is upstream's.
    "add_to_ceph_s:": false,
    ...(event.failure === undefined ? {} : { failed: true, failure_message: event.failure }),
  };
}
