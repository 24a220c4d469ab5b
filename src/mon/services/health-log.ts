/**
 * What the cluster log hears of the cluster's health: each check when it fails, changes or is cleared, and
 * every ten minutes, or a minute after it has changed, the whole in a line.
 * What has been said is kept in the store, so that a restart repeats nothing and a check that was cleared
 * while the server was away is told of.
 * ceph: src/mon/Monitor.cc log_health, do_health_to_clog
 */

import { CLOG } from "../../messages/index.ts";
import { type MonStore, put } from "../mon-store.ts";
import { type Health, type HealthCheck, healthDetail, healthLine } from "./health.ts";

/** A check that goes on failing is told of again no sooner.  ceph: mon_health_log_update_period */
const UPDATE_PERIOD_MS = 5000;
/** ceph: mon_health_to_clog_interval */
const SUMMARY_PERIOD_MS = 600_000;
/** ceph: mon_health_to_clog_tick_interval */
const SUMMARY_TICK_MS = 60_000;

const PRIORITY = { HEALTH_OK: CLOG.INFO, HEALTH_WARN: CLOG.WARN, HEALTH_ERR: CLOG.ERROR } as const;

/** A failed check as it was last told of. */
interface Told {
  readonly severity: HealthCheck["severity"];
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export class HealthLog {
  readonly #store: MonStore;
  readonly #say: (prio: number, line: string) => void;
  readonly #lost: (error: unknown) => void;
  readonly #told: Map<string, Told>;
  #summary: string | undefined;
  #summaryAt: number;

  /**
   * @param options.say adds a line to the cluster log
   * @param options.lost hears that what was told could not be stored
   */
  constructor(options: {
    store: MonStore;
    now: number;
    say: (prio: number, line: string) => void;
    lost: (error: unknown) => void;
  }) {
    this.#store = options.store;
    this.#say = options.say;
    this.#lost = options.lost;
    this.#summaryAt = options.now;
    const text = this.#store.text("monitor", "health_told");
    this.#told = new Map(text === undefined ? [] : (JSON.parse(text) as [string, Told][]));
  }

  /** Tells of what has changed since the last call. */
  update(health: Health, now: number): void {
    let isChanged = false;
    for (const { code, severity, message } of health.checks) {
      const told = this.#told.get(code);
      if (told?.severity === severity) {
        if (told.message === message || now - told.at < UPDATE_PERIOD_MS) continue;
      }
      const verb = told === undefined ? "failed" : "update";
      this.#say(PRIORITY[severity], `Health check ${verb}: ${message} (${code})`);
      this.#told.set(code, { severity, message, at: now });
      isChanged = true;
    }
    for (const [code, { message }] of this.#told) {
      if (health.checks.some((check) => check.code === code)) continue;
      this.#say(CLOG.INFO, `Health check cleared: ${code} (was: ${message})`);
      this.#told.delete(code);
      isChanged = true;
    }
    if (!isChanged) return;
    if (this.#told.size === 0) this.#say(CLOG.INFO, "Cluster is now healthy");
    const value = JSON.stringify([...this.#told]);
    this.#store.commit([put("monitor", "health_told", value)]).catch(this.#lost);
  }

  /** The whole in a line, when it is time for it. */
  summarize(health: Health, now: number): void {
    const line = healthLine(health, { first: " ", separator: "; ", now });
    const isForced =
      Math.floor(now / SUMMARY_PERIOD_MS) > Math.floor(this.#summaryAt / SUMMARY_PERIOD_MS);
    if (!isForced && now - this.#summaryAt < SUMMARY_TICK_MS) return;
    this.#summaryAt = now;
    if (!isForced && line === this.#summary) return;
    const prio = PRIORITY[health.status];
    if (line === this.#summary || health.status === "HEALTH_OK") this.#say(prio, `overall ${line}`);
    else {
      this.#say(prio, `Health detail: ${line}`);
      for (const detail of healthDetail(health, now)) this.#say(prio, detail);
    }
    this.#summary = line;
  }
}
