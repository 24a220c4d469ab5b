/**
 * All schedules of one kind, as they are kept: those of a pool in an object of the pool, by level; the one
 * for everything in the manager's configuration.
 * ceph: src/pybind/mgr/rbd_support/schedule.py class Schedules
 */

import { PRETTY, type PyJson, pythonJson } from "../../base/index.ts";
import { byteString, byteStringOf, textOf } from "../../encoding/index.ts";
import { opOmapRmKeys, opOmapSetVals } from "../../messages/index.ts";
import type { IoCtx } from "../../rados/index.ts";
import { isRefusal, ModuleError } from "./errors.ts";
import { type ModuleHost, rbdPools } from "./host.ts";
import { type LevelRules, levelById } from "./levels.ts";
import { readOmap } from "./omap.ts";
import {
  GLOBAL_LEVEL,
  isChildOf,
  type Level,
  levelsIntersect,
  parseInterval,
  parseStartTime,
  Schedule,
} from "./schedule.ts";

/** Where a kind of schedule is kept. */
export interface ScheduleKind {
  /** Object in each pool. */
  readonly oid: string;
  /** The module's option with the schedule for everything. */
  readonly option: string;
  readonly rules: LevelRules;
}

export class Schedules {
  readonly #host: ModuleHost;
  readonly #kind: ScheduleKind;
  readonly #byLevel = new Map<string, { level: Level; schedule: Schedule }>();

  private constructor(host: ModuleHost, kind: ScheduleKind) {
    this.#host = host;
    this.#kind = kind;
  }

  /** Reads them all. Levels that are gone are removed from where they are kept. */
  static async load(host: ModuleHost, kind: ScheduleKind): Promise<Schedules> {
    const schedules = new Schedules(host, kind);
    const stored = host.option(`mgr/rbd_support/${kind.option}`);
    if (stored !== undefined && stored !== "") schedules.#take(GLOBAL_LEVEL, stored);
    const { rados } = await host.rbd();
    for (const [id, name] of rbdPools(await rados.latestMap())) {
      try {
        await schedules.#loadPool(await rados.openPool(id));
      } catch (error) {
        if (!isRefusal(error)) throw error;
        host.log.error("schedules of a pool not read", { pool: name, why: error.message });
      }
    }
    return schedules;
  }

  /** The schedule of the deepest level that has one. */
  find(poolId: string, nspace: string, imageId?: string): Schedule | undefined {
    const levels = [poolId, nspace, ...(imageId === undefined ? [] : [imageId])];
    for (; levels.length > 0; levels.pop()) {
      const found = this.#byLevel.get(levels.join("/"));
      if (found !== undefined) return found.schedule;
    }
    return this.#byLevel.get("")?.schedule;
  }

  /** Is anything scheduled that may concern the level? */
  intersects(level: Level): boolean {
    return [...this.#byLevel.values()].some((entry) => levelsIntersect(entry.level, level));
  }

  /** @throws ModuleError EINVAL */
  async add(level: Level, interval: string, start: string | undefined): Promise<void> {
    const item = { interval: parseInterval(interval), start: parseStartTime(start) };
    const schedule = this.#byLevel.get(level.id)?.schedule ?? new Schedule(level.name);
    schedule.add(item);
    this.#byLevel.set(level.id, { level, schedule });
    await this.#save(level, schedule);
  }

  /** One item, or without an interval all. What is not there is no failure. @throws ModuleError EINVAL */
  async remove(level: Level, interval: string | undefined, start: string | undefined) {
    const schedule = this.#byLevel.get(level.id)?.schedule;
    if (schedule !== undefined && interval !== undefined) {
      schedule.remove({ interval: parseInterval(interval), start: parseStartTime(start) });
    }
    const left = interval === undefined || schedule?.isEmpty === true ? undefined : schedule;
    if (left === undefined) this.#byLevel.delete(level.id);
    await this.#save(level, left);
  }

  /** Those of the level and below it; and the one above that counts for it. */
  toJson(level: Level): PyJson {
    const parent = this.#byLevel.has(level.id) ? level : (this.#parentOf(level) ?? level);
    const result: Record<string, PyJson> = {};
    for (const [id, entry] of this.#byLevel) {
      if (id === parent.id || id === level.id || isChildOf(entry.level, level)) {
        result[id] = { name: entry.schedule.name, schedule: entry.schedule.toJson() };
      }
    }
    return result;
  }

  #parentOf(level: Level): Level | undefined {
    let parent: Level | undefined;
    for (const { level: other } of this.#byLevel.values()) {
      if (!isChildOf(level, other)) continue;
      if (parent === undefined || isChildOf(other, parent)) parent = other;
    }
    return parent;
  }

  #take(level: Level, text: string): void {
    try {
      this.#byLevel.set(level.id, { level, schedule: Schedule.parse(level.name, text) });
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
      this.#host.log.error("schedule not understood", { level: level.id, why: error.message });
    }
  }

  async #loadPool(io: IoCtx): Promise<void> {
    const stale: string[] = [];
    for (const [key, value] of await readOmap(io, this.#kind.oid)) {
      try {
        const level = await levelById(this.#host, textOf(key), this.#kind.rules);
        this.#take(level, textOf(byteStringOf(value)));
      } catch (error) {
        if (error instanceof ModuleError) stale.push(key);
        else if (!isRefusal(error)) throw error;
        // One image that cannot be opened keeps nobody else from having a schedule.
        else this.#host.log.error("schedule not read", { level: textOf(key), why: error.message });
      }
    }
    if (stale.length > 0) await io.write(this.#kind.oid, [opOmapRmKeys(stale)]);
  }

  async #save(level: Level, schedule: Schedule | undefined): Promise<void> {
    const text = schedule === undefined ? undefined : pythonJson(schedule.toJson(), PRETTY);
    const { rados } = await this.#host.rbd();
    if (level.poolId === undefined) {
      await this.#host.setOption(`mgr/rbd_support/${this.#kind.option}`, text);
      return;
    }
    const io = await rados.openPool(Number(level.poolId));
    const key = byteString(level.id);
    await io.write(this.#kind.oid, [
      text === undefined
        ? opOmapRmKeys([key])
        : opOmapSetVals(new Map([[key, Buffer.from(text, "utf8")]])),
    ]);
  }
}
