/**
 * Doing something on schedule: emptying trash, taking mirror snapshots.
 *
 * What there is to be done with is looked at once a minute; what is due is in a queue by its time. A change
 * of schedules makes the queue anew, without what is due already.
 * ceph: src/pybind/mgr/rbd_support/trash_purge_schedule.py, mirror_snapshot_schedule.py
 */

import { CephError, PRETTY, type PyJson, pythonJson } from "../../base/index.ts";
import type { IoCtx } from "../../rados/index.ts";
import { isRefusal, ModuleError } from "./errors.ts";
import { type ModuleHost, rbdPools } from "./host.ts";
import { levelByName } from "./levels.ts";
import { formatWall, wallMs } from "./local-time.ts";
import { type Level, levelMatches, type Schedule } from "./schedule.ts";
import { type ScheduleKind, Schedules } from "./schedules.ts";

/** How often pools and stored schedules are looked at. */
const REFRESH_MS = 60_000;
/** Wait before the cluster is tried again. */
const RETRY_MS = 1_000;

/** Something that may be scheduled. */
export interface Place {
  readonly poolId: string;
  readonly nspace: string;
  readonly imageId?: string;
}

/** What is done, and with what. */
export interface Work<P extends Place> {
  readonly kind: ScheduleKind;
  /** What there is in a pool. */
  readonly list: (
    io: IoCtx,
    poolName: string,
    isScheduled: (level: Level) => boolean,
  ) => Promise<P[]>;
  /** Does it, or sets it going; its failures are its own to tell. */
  readonly run: (place: P) => Promise<void>;
  /** In `status`: what the list is called, and what is told of each. */
  readonly listName: string;
  readonly describe: (place: P) => { readonly [key: string]: PyJson };
}

function keyOf({ poolId, nspace, imageId = "" }: Place): string {
  return `${poolId}/${nspace}/${imageId}`;
}

function samePlace(a: Place, b: Place): boolean {
  return keyOf(a) === keyOf(b);
}

/** The level that is everything in a pool, or in a namespace of it. */
export function levelOf(poolId: string, nspace?: string): Level {
  const id = nspace === undefined ? poolId : `${poolId}/${nspace}`;
  return { name: "", id, poolId, nspace, imageId: undefined };
}

/** What users ask of any kind of schedule. */
export type ScheduleCommands = Pick<Scheduler<Place>, "add" | "remove" | "list" | "status">;

export class Scheduler<P extends Place> {
  readonly #host: ModuleHost;
  readonly #work: Work<P>;
  #schedules: Schedules | undefined;
  #places: readonly P[] = [];
  /** What is to be done, by when: `2026-11-28 22:40:00`. */
  readonly #queue = new Map<string, P[]>();
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  #wake: () => void = () => undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(host: ModuleHost, work: Work<P>) {
    this.#host = host;
    this.#work = work;
  }

  /** Works until closed. */
  async run(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#next();
      } catch (error) {
        if (this.#isClosed || !(error instanceof CephError)) throw error;
        this.#host.log.warn("schedules held up", { of: this.#work.kind.oid, why: error.message });
        await this.#wait(RETRY_MS);
      }
    }
  }

  /** Does what is due, or waits for something to be. */
  async #next(): Promise<void> {
    await this.#inTurn(() => this.#refresh());
    const due = this.#dequeue();
    if (due === undefined) return await this.#wait();
    // What was due stays in the queue when schedules change, and may have none any more.
    if (this.#scheduleOf(due) !== undefined) await this.#work.run(due);
    this.#enqueue(due);
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** @throws ModuleError EINVAL */
  async add(levelName: string, interval: string, start: string | undefined): Promise<void> {
    const level = await this.#level(levelName);
    await this.#inTurn(async () => (await this.#loaded()).add(level, interval, start));
    this.#rebuild();
  }

  /** @throws ModuleError EINVAL */
  async remove(levelName: string, interval: string | undefined, start: string | undefined) {
    const level = await this.#level(levelName);
    await this.#inTurn(async () => (await this.#loaded()).remove(level, interval, start));
    this.#rebuild();
  }

  async list(levelName: string): Promise<string> {
    const level = await this.#level(levelName);
    return pythonJson((await this.#loaded()).toJson(level), PRETTY);
  }

  async status(levelName: string): Promise<string> {
    const level = await this.#level(levelName);
    const scheduled = [...this.#queue]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([time, places]) =>
        places
          .filter((place) => levelMatches(level, place))
          .map((place) => ({ schedule_time: time, ...this.#work.describe(place) })),
      );
    return pythonJson({ [this.#work.listName]: scheduled }, PRETTY);
  }

  async #level(name: string): Promise<Level> {
    try {
      return await levelByName(this.#host, name, this.#work.kind.rules);
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
      throw new ModuleError("EINVAL", `Invalid level spec ${name}: ${error.message}`);
    }
  }

  async #loaded(): Promise<Schedules> {
    this.#schedules ??= await Schedules.load(this.#host, this.#work.kind);
    return this.#schedules;
  }

  /** One change after the other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(work);
    this.#turn = run.catch(() => undefined);
    return run;
  }

  #wall(): number {
    return wallMs(this.#host.clock.now());
  }

  async #refresh(): Promise<void> {
    const now = this.#host.clock.monotonic();
    if (now - this.#refreshedAt < REFRESH_MS) return;
    const { rados } = await this.#host.rbd();
    const schedules = await Schedules.load(this.#host, this.#work.kind);
    const places: P[] = [];
    const isScheduled = (level: Level) => schedules.intersects(level);
    for (const [id, poolName] of rbdPools(rados.map)) {
      if (!isScheduled(levelOf(String(id)))) continue;
      try {
        places.push(...(await this.#work.list(await rados.openPool(id), poolName, isScheduled)));
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.#host.log.error("pool not looked at", { pool: poolName, why: error.message });
      }
    }
    const known = new Set(places.map(keyOf));
    const gone = this.#places.filter((place) => !known.has(keyOf(place)));
    this.#schedules = schedules;
    this.#places = places;
    this.#refreshedAt = now;
    for (const place of gone) this.#dropFromQueue(place);
    // Those that are new, and those that had no schedule when it was their turn: it may not have been read then.
    const queued = new Set([...this.#queue.values()].flat().map(keyOf));
    for (const place of places) if (!queued.has(keyOf(place))) this.#enqueue(place);
  }

  /** The queue as the schedules have it now; what is due stays. */
  #rebuild(): void {
    const now = `${formatWall(this.#wall()).slice(0, 16)}:00`;
    for (const time of this.#queue.keys()) if (time > now) this.#queue.delete(time);
    for (const place of this.#places) this.#enqueue(place);
    this.#wake();
  }

  #scheduleOf({ poolId, nspace, imageId }: P): Schedule | undefined {
    return this.#schedules?.find(poolId, nspace, imageId);
  }

  #enqueue(place: P): void {
    const schedule = this.#scheduleOf(place);
    if (schedule === undefined) return;
    const time = schedule.nextRun(this.#wall());
    const places = this.#queue.get(time) ?? [];
    if (!places.some((other) => samePlace(other, place))) places.push(place);
    this.#queue.set(time, places);
  }

  #dropFromQueue(place: P): void {
    for (const [time, places] of this.#queue) {
      const left = places.filter((other) => !samePlace(other, place));
      if (left.length > 0) this.#queue.set(time, left);
      else this.#queue.delete(time);
    }
  }

  /** Takes what is due first. */
  #dequeue(): P | undefined {
    const [time] = [...this.#queue.keys()].sort();
    if (time === undefined || formatWall(this.#wall()) < time) return undefined;
    const places = this.#queue.get(time) ?? [];
    const place = places.shift();
    if (places.length === 0) this.#queue.delete(time);
    return place;
  }

  /** Until the next is due, something changes, or pools are to be looked at. */
  #wait(leastMs = 1): Promise<void> {
    const { clock } = this.#host;
    const [next] = [...this.#queue.keys()].sort();
    const untilDue = next === undefined ? REFRESH_MS : Date.parse(`${next}Z`) - this.#wall();
    return new Promise((resolve) => {
      const timer = clock.after(Math.max(leastMs, Math.min(untilDue, REFRESH_MS)), resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
      if (this.#isClosed) this.#wake();
    });
  }
}
