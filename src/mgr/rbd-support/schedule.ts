/**
 * Schedules: how often something is done, from which time of the day on, and for what: everything, a pool, a
 * namespace, an image.
 * ceph: src/pybind/mgr/rbd_support/schedule.py
 */

import type { PyJson } from "../../base/index.ts";
import { ModuleError } from "./errors.ts";
import { formatWall } from "./local-time.ts";

const MINUTES_A_DAY = 24 * 60;
const MINUTE_MS = 60_000;

/** With more, years would come to have five digits. */
const INTERVAL_MAX = 1_000_000 * MINUTES_A_DAY;

/**
 * `10m`, `2h`, `1d`; minutes where no unit is said.
 * compat: upstream takes any number, and nothing is scheduled any more once it is one that no time can be told with.
 * @throws ModuleError EINVAL
 */
export function parseInterval(text: string): number {
  const match = /^(\d+)(d|h|m)?$/.exec(text);
  const factor = match?.[2] === "d" ? MINUTES_A_DAY : match?.[2] === "h" ? 60 : 1;
  const minutes = Number(match?.[1] ?? 0) * factor;
  if (minutes >= 1 && minutes <= INTERVAL_MAX) return minutes;
  throw new ModuleError("EINVAL", `Invalid interval (${text})`);
}

export function formatInterval(minutes: number): string {
  if (minutes % MINUTES_A_DAY === 0) return `${minutes / MINUTES_A_DAY}d`;
  return minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`;
}

/** A time of the day. */
export interface StartTime {
  /** `14:00:00`, `14:00:00+02:00` */
  readonly text: string;
  /** Of the day. Two start times that agree in it are the same. */
  readonly minutes: number;
}

const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(?:(Z|UTC)|([+-])(\d{2}):?(\d{2}))?$/i;

/** @throws ModuleError EINVAL */
export function parseStartTime(text: string | undefined): StartTime | undefined {
  if (text === undefined || text === "") return undefined;
  const bad = (why: string) => new ModuleError("EINVAL", `Invalid start time ${text}: ${why}`);
  const match = TIME.exec(text.trim());
  if (match === null) throw bad(`Unknown string format: ${text}`);
  const [, hours = "", minutes = "", seconds = "0", utc, sign, zoneHours = "0", zoneMinutes = "0"] =
    match;
  if (Number(hours) > 23) throw bad(`hour must be in 0..23: ${text}`);
  if (Number(minutes) > 59) throw bad(`minute must be in 0..59: ${text}`);
  if (Number(seconds) > 59) throw bad(`second must be in 0..59: ${text}`);
  const zone = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === "-" ? -1 : 1);
  const zoneText =
    utc !== undefined
      ? "+00:00"
      : sign === undefined
        ? ""
        : `${sign}${zoneHours.padStart(2, "0")}:${zoneMinutes.padStart(2, "0")}`;
  const ofDay = Number(hours) * 60 + Number(minutes);
  // compat: the offset is added, and a negative one counts from the day before.
  const offset = zone < 0 ? MINUTES_A_DAY + zone : zone;
  return { text: `${hours.padStart(2, "0")}:${minutes}:00${zoneText}`, minutes: ofDay + offset };
}

interface Item {
  /** Minutes. */
  readonly interval: number;
  readonly start: StartTime | undefined;
}

function sameItem(a: Item, b: Item): boolean {
  return a.interval === b.interval && a.start?.minutes === b.start?.minutes;
}

/** Everything that is scheduled for one level. */
export class Schedule {
  readonly name: string;
  #items: Item[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  add(item: Item): void {
    if (!this.#items.some((known) => sameItem(known, item))) this.#items.push(item);
  }

  remove(item: Item): void {
    this.#items = this.#items.filter((known) => !sameItem(known, item));
  }

  /** The next time after `wall` (milliseconds on the wall), `2026-11-28 22:40:00`. */
  nextRun(wall: number): string {
    const times = this.#items.map(({ interval, start }) => {
      const period = interval * MINUTE_MS;
      const first = (start?.minutes ?? 0) * MINUTE_MS;
      return first + (Math.trunc((wall - first) / period) + 1) * period;
    });
    return formatWall(Math.min(...times));
  }

  toJson(): PyJson {
    return this.#items.map(({ interval, start }) => ({
      interval: formatInterval(interval),
      start_time: start?.text ?? null,
    }));
  }

  /** Reads what is stored. @throws ModuleError EINVAL */
  static parse(name: string, text: string): Schedule {
    const schedule = new Schedule(name);
    let items: unknown;
    try {
      items = JSON.parse(text);
    } catch (error) {
      throw new ModuleError("EINVAL", `Invalid JSON (${(error as Error).message})`);
    }
    if (!Array.isArray(items)) throw new ModuleError("EINVAL", "Invalid schedule format");
    for (const item of items as readonly { interval?: unknown; start_time?: unknown }[]) {
      const { interval, start_time: start } = item;
      if (typeof interval !== "string") throw new ModuleError("EINVAL", "Invalid schedule format");
      schedule.add({
        interval: parseInterval(interval),
        start: parseStartTime(typeof start === "string" ? start : undefined),
      });
    }
    return schedule;
  }
}

/** What a schedule is for. Deeper levels have the shallower ones set. */
export interface Level {
  /** `""`, `rbd/`, `rbd/ns/`, `rbd/ns/image`, `rbd/image` */
  readonly name: string;
  /** `""`, `2`, `2/ns`, `2//id` */
  readonly id: string;
  readonly poolId: string | undefined;
  readonly nspace: string | undefined;
  readonly imageId: string | undefined;
}

export const GLOBAL_LEVEL: Level = Object.freeze({
  name: "",
  id: "",
  poolId: undefined,
  nspace: undefined,
  imageId: undefined,
});

export function isChildOf(child: Level, level: Level): boolean {
  if (level.poolId === undefined) return child.poolId !== undefined;
  if (level.poolId !== child.poolId) return false;
  if (level.nspace === undefined) return child.nspace !== undefined;
  if (level.nspace !== child.nspace) return false;
  return level.imageId === undefined && child.imageId !== undefined;
}

/** Is what is at `place` of this level? */
export function levelMatches(
  level: Level,
  place: { poolId: string; nspace: string; imageId?: string },
): boolean {
  if (level.poolId !== undefined && level.poolId !== place.poolId) return false;
  // compat: the default namespace is no condition.
  if (level.nspace !== undefined && level.nspace !== "" && level.nspace !== place.nspace)
    return false;
  return level.imageId === undefined || level.imageId === place.imageId;
}

/** May the two levels have anything in common? */
export function levelsIntersect(a: Level, b: Level): boolean {
  if (a.poolId === undefined || b.poolId === undefined) return true;
  if (a.poolId !== b.poolId) return false;
  if (a.nspace === undefined || b.nspace === undefined) return true;
  if (a.nspace !== b.nspace) return false;
  return a.imageId === undefined || b.imageId === undefined || a.imageId === b.imageId;
}
