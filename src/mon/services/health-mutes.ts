/**
 * Health checks that somebody does not want to hear of: by their codes, in the store. A mute ends when its time
 * is over and, unless it is sticky, when the check is cleared or gets worse.
 * ceph: src/mon/HealthMonitor.cc prepare_command, check_mutes
 */

import { CLOG } from "../../messages/index.ts";
import { formatUtime, utimeFromMs } from "../../types/index.ts";
import { type MonStore, put } from "../mon-store.ts";
import type { HealthCheck } from "./health.ts";

/** More codes than there are. */
export const HEALTH_MUTES_MAX = 1000;

export interface HealthMute {
  readonly code: string;
  /** When it ends, milliseconds since 1970; undefined: not by time. */
  readonly until: number | undefined;
  /** Whatever becomes of the check. */
  readonly sticky: boolean;
  /** The check's line when it was muted; "" if sticky. */
  readonly summary: string;
  /** How many it was then, or less if there were less since; 0 if sticky. */
  readonly count: number;
}

export class HealthMutes {
  readonly #store: MonStore;
  readonly #say: (prio: number, line: string) => void;
  readonly #lost: (error: unknown) => void;
  #mutes: ReadonlyMap<string, HealthMute>;

  /**
   * @param options.say adds a line to the cluster log
   * @param options.lost hears that the end of a mute could not be stored
   */
  constructor(options: {
    store: MonStore;
    say: (prio: number, line: string) => void;
    lost: (error: unknown) => void;
  }) {
    this.#store = options.store;
    this.#say = options.say;
    this.#lost = options.lost;
    const text = this.#store.text("monitor", "health_mutes");
    this.#mutes = new Map(text === undefined ? [] : (JSON.parse(text) as [string, HealthMute][]));
  }

  /** By code, in order; another map after each change. */
  get all(): ReadonlyMap<string, HealthMute> {
    return this.#mutes;
  }

  async mute(mute: HealthMute): Promise<void> {
    await this.#change(new Map(this.#mutes).set(mute.code, mute));
  }

  /** All of them if no code is given. */
  async unmute(code?: string): Promise<void> {
    const left = [...this.#mutes].filter(([other]) => code !== undefined && other !== code);
    if (left.length !== this.#mutes.size) await this.#change(new Map(left));
  }

  /** Ends what is over by time. */
  expire(now: number): void {
    this.#review(({ until }) => {
      if (until === undefined || until > now) return undefined;
      return `passed TTL ${formatUtime(utimeFromMs(until))}`;
    });
  }

  /** Ends mutes of checks that are no more, or have become worse. A count that falls may not rise again. */
  follow(checks: readonly HealthCheck[]): void {
    const byCode = new Map(checks.map((check) => [check.code, check]));
    this.#review((mute) => {
      if (mute.sticky) return undefined;
      const check = byCode.get(mute.code);
      if (check === undefined) return "health alert cleared";
      if (mute.count === 0) return check.message === mute.summary ? undefined : "summary changed";
      if (check.count > mute.count) return `count increased from ${mute.count} to ${check.count}`;
      return check.count < mute.count ? { ...mute, count: check.count } : undefined;
    });
  }

  /** @param judge says why a mute ends, or what it is from now on; undefined leaves it */
  #review(judge: (mute: HealthMute) => string | HealthMute | undefined): void {
    const left = new Map(this.#mutes);
    let isChanged = false;
    for (const [code, mute] of this.#mutes) {
      const verdict = judge(mute);
      if (verdict === undefined) continue;
      isChanged = true;
      if (typeof verdict === "string") {
        this.#say(CLOG.INFO, `Health alert mute ${code} cleared (${verdict})`);
        left.delete(code);
      } else left.set(code, verdict);
    }
    if (isChanged) this.#change(left).catch(this.#lost);
  }

  async #change(mutes: ReadonlyMap<string, HealthMute>): Promise<void> {
    const sorted = [...mutes].sort(([a], [b]) => (a < b ? -1 : 1));
    // Before the wait: of two changes at once the second must build on the first.
    this.#mutes = new Map(sorted);
    await this.#store.commit([put("monitor", "health_mutes", JSON.stringify(sorted))]);
  }
}
