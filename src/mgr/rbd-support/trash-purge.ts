/**
 * Emptying the trash of pools and namespaces on schedule.
 *
 * Which pools there are is looked at once a minute; what is due is in a queue by its time. A change of
 * schedules makes the queue anew, without what is due already.
 * ceph: src/pybind/mgr/rbd_support/trash_purge_schedule.py
 */

import { byteString, textOf } from "../../encoding/index.ts";
import { listNamespaces, purgeTrash } from "../../rbd/index.ts";
import { PRETTY, pythonJson } from "../python-json.ts";
import { isRefusal, ModuleError } from "./errors.ts";
import { type ModuleHost, rbdPools } from "./host.ts";
import { levelByName } from "./levels.ts";
import { formatWall, wallMs } from "./local-time.ts";
import { type Level, levelMatches } from "./schedule.ts";
import { type ScheduleKind, Schedules } from "./schedules.ts";

const KIND: ScheduleKind = {
  oid: "rbd_trash_purge_schedule",
  option: "trash_purge_schedule",
  rules: { images: false },
};
/** How often pools and stored schedules are looked at. */
const REFRESH_MS = 60_000;

interface Place {
  readonly poolId: string;
  readonly poolName: string;
  readonly nspace: string;
}

function samePlace(a: Place, b: Place): boolean {
  return a.poolId === b.poolId && a.nspace === b.nspace;
}

export class TrashPurge {
  readonly #host: ModuleHost;
  #schedules: Schedules | undefined;
  #places: readonly Place[] = [];
  /** What is to be done, by when: `2026-11-28 22:40:00`. */
  readonly #queue = new Map<string, Place[]>();
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  #wake: () => void = () => undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(host: ModuleHost) {
    this.#host = host;
  }

  /** Works until closed. */
  async run(): Promise<void> {
    while (!this.#isClosed) {
      await this.#inTurn(() => this.#refresh());
      const due = this.#dequeue();
      if (due === undefined) {
        await this.#wait();
        continue;
      }
      await this.#purge(due);
      this.#enqueue(due);
    }
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
          .map(({ poolId, poolName, nspace }) => ({
            schedule_time: time,
            pool_id: poolId,
            pool_name: poolName,
            namespace: nspace,
          })),
      );
    return pythonJson({ scheduled }, PRETTY);
  }

  async #level(name: string): Promise<Level> {
    try {
      return await levelByName(this.#host, name, KIND.rules);
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
      throw new ModuleError("EINVAL", `Invalid level spec ${name}: ${error.message}`);
    }
  }

  async #loaded(): Promise<Schedules> {
    this.#schedules ??= await Schedules.load(this.#host, KIND);
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
    const schedules = await Schedules.load(this.#host, KIND);
    const places: Place[] = [];
    for (const [id, poolName] of rbdPools(rados.map)) {
      const poolId = String(id);
      const level = { name: "", id: poolId, poolId, nspace: undefined, imageId: undefined };
      if (!schedules.intersects(level)) continue;
      try {
        const namespaces = await listNamespaces(await rados.openPool(id));
        for (const nspace of ["", ...namespaces]) {
          places.push({ poolId, poolName, nspace: textOf(nspace) });
        }
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.#host.log.error("pool not looked at", { pool: poolName, why: error.message });
      }
    }
    const isIn = (place: Place, list: readonly Place[]) => list.some((x) => samePlace(x, place));
    const gone = this.#places.filter((place) => !isIn(place, places));
    const fresh = places.filter((place) => !isIn(place, this.#places));
    this.#schedules = schedules;
    this.#places = places;
    this.#refreshedAt = now;
    for (const place of gone) this.#dropFromQueue(place);
    for (const place of fresh) this.#enqueue(place);
  }

  /** The queue as the schedules have it now; what is due stays. */
  #rebuild(): void {
    const now = `${formatWall(this.#wall()).slice(0, 16)}:00`;
    for (const time of this.#queue.keys()) if (time > now) this.#queue.delete(time);
    for (const place of this.#places) this.#enqueue(place);
    this.#wake();
  }

  #enqueue(place: Place): void {
    const schedule = this.#schedules?.find(place.poolId, place.nspace);
    if (schedule === undefined) return;
    const time = schedule.nextRun(this.#wall());
    const places = this.#queue.get(time) ?? [];
    if (!places.some((other) => samePlace(other, place))) places.push(place);
    this.#queue.set(time, places);
  }

  #dropFromQueue(place: Place): void {
    for (const [time, places] of this.#queue) {
      const left = places.filter((other) => !samePlace(other, place));
      if (left.length > 0) this.#queue.set(time, left);
      else this.#queue.delete(time);
    }
  }

  /** Takes what is due first. */
  #dequeue(): Place | undefined {
    const [time] = [...this.#queue.keys()].sort();
    if (time === undefined || formatWall(this.#wall()) < time) return undefined;
    const places = this.#queue.get(time) ?? [];
    const place = places.shift();
    if (places.length === 0) this.#queue.delete(time);
    return place;
  }

  async #purge({ poolId, poolName, nspace }: Place): Promise<void> {
    const context = await this.#host.rbd();
    try {
      const io = await context.rados.openPool(Number(poolId), byteString(nspace));
      await purgeTrash(context, io);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#host.log.error("trash not purged", { pool: poolName, nspace, why: error.message });
    }
  }

  /** Until the next is due, something changes, or pools are to be looked at. */
  #wait(): Promise<void> {
    const { clock } = this.#host;
    const [next] = [...this.#queue.keys()].sort();
    const untilDue = next === undefined ? REFRESH_MS : Date.parse(`${next}Z`) - this.#wall();
    return new Promise((resolve) => {
      const timer = clock.after(Math.max(1, Math.min(untilDue, REFRESH_MS)), resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
      if (this.#isClosed) this.#wake();
    });
  }
}
