/**
 * How busy images are: `rbd perf image iostat`. While anybody asks, the OSDs count by image; every few seconds
 * what they have counted is taken, and two such takes make a rate.
 * ceph: src/pybind/mgr/rbd_support/perf.py
 */

import { CephError, PyFloat, type PyJson, pythonJson } from "../../base/index.ts";
import { byteString, textOf } from "../../encoding/index.ts";
import type { ImageIo } from "../../maps/index.ts";
import { listImages } from "../../rbd/index.ts";
import { isRefusal, ModuleError, poolNotFound } from "./errors.ts";
import { type Authorized, type ModuleHost, rbdPools } from "./host.ts";
import { COUNTERS, type CounterName, ImageRates, type RatedImage } from "./rates.ts";

/** Without a question for so long, a query ends.  ceph: QUERY_EXPIRE_INTERVAL */
const EXPIRE_MS = 60_000;
/** How long names are believed.  ceph: POOL_REFRESH_INTERVAL */
const NAMES_MS = 5 * 60_000;
/** The longest that the first answer of a query waits. */
const FIRST_MS = 5_000;
/** Seconds between two takes.  ceph: mgr_stats_period */
const PERIOD_S = 5;
const REPORT_MAX = 64;

/** What a user asks about: everything, or one namespace of a pool. */
interface Query {
  /** Id; undefined: all pools. */
  readonly pool: number | undefined;
  readonly nspace: string | undefined;
  /** Pools to tell of. compat: for all pools it is known only from the second question on. */
  poolNames: ReadonlyMap<number, string>;
  readonly rates: ImageRates;
  askedAt: number;
  /** When an OSD has last told something, milliseconds; and what of it the last take was of. */
  toldAt: number;
  takenAt: number;
}

export class ImagePerf {
  readonly #host: ModuleHost;
  readonly #queries = new Map<string, Query>();
  /** Names by id, by pool and namespace. */
  #names = new Map<string, ReadonlyMap<string, string>>();
  #namesAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  /** Told when somebody begins to want to know, or nobody does any more. */
  onAsked: (isAsked: boolean) => void = () => undefined;
  #wake: () => void = () => undefined;
  #onTick: (() => void)[] = [];

  constructor(host: ModuleHost) {
    this.#host = host;
  }

  /** Does anybody want to know? */
  get isAsked(): boolean {
    return this.#queries.size > 0;
  }

  /** What an OSD has counted. */
  collect(images: readonly ImageIo[]): void {
    for (const query of this.#queries.values()) {
      query.toldAt = this.#host.clock.now();
      for (const image of images) {
        if (query.pool !== undefined && query.pool !== image.pool) continue;
        if (query.nspace !== undefined && query.nspace !== textOf(image.nspace)) continue;
        query.rates.add(image);
      }
    }
  }

  /** Works until closed. */
  async run(): Promise<void> {
    while (!this.#isClosed) {
      this.#expire();
      try {
        await this.#take();
      } catch (error) {
        if (this.#isClosed || !(error instanceof CephError)) throw error;
        this.#host.log.warn("counters of images held up", { why: error.message });
      }
      for (const done of this.#onTick.splice(0)) done();
      if (!this.#isClosed) await this.#wait();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
    for (const done of this.#onTick.splice(0)) done();
  }

  /** @throws ModuleError EINVAL, ENOENT, EACCES */
  stats(spec: string | undefined, sortBy: string | undefined, may: Authorized): Promise<string> {
    return this.#report("stat", { spec, sortBy, may }, ({ rates, key }, i) => rates.rate(key, i));
  }

  /** @throws ModuleError EINVAL, ENOENT, EACCES */
  counters(spec: string | undefined, sortBy: string | undefined, may: Authorized): Promise<string> {
    return this.#report("counter", { spec, sortBy, may }, ({ rates, key }, i) => rates.sum(key, i));
  }

  async #report(
    what: "stat" | "counter",
    asked: { spec: string | undefined; sortBy: string | undefined; may: Authorized },
    value: (of: { rates: ImageRates; key: string }, index: number) => number | PyFloat,
  ): Promise<string> {
    this.#expire();
    const query = await this.#register(asked.spec, asked.may);
    const sortIndex = Math.max(0, COUNTERS.indexOf((asked.sortBy ?? COUNTERS[0]) as CounterName));
    const { rates, poolNames } = query;
    const busiest = rates
      .images()
      .filter(({ pool }) => poolNames.has(pool))
      // By what is going on now, whatever is told.
      .map((image) => ({ image, now: numberOf(rates.rate(image.key, sortIndex)) }))
      .sort((a, b) => b.now - a.now)
      .slice(0, REPORT_MAX);
    const descriptors = new Map<string, number>();
    const lines: PyJson[] = [];
    for (const { image } of busiest) {
      const name = this.#names.get(placeKey(image))?.get(image.id);
      if (name === undefined) continue;
      const pool = [poolNames.get(image.pool) ?? "", image.nspace]
        .filter((x) => x !== "")
        .join("/");
      const index = descriptors.get(pool) ?? descriptors.size;
      descriptors.set(pool, index);
      const values = COUNTERS.map((_, i) => value({ rates, key: image.key }, i));
      if (values.some((x) => numberOf(x) !== 0)) lines.push({ [`${index}/${name}`]: values });
    }
    return pythonJson({
      timestamp: new PyFloat(Math.floor(this.#host.clock.now() / 1000)),
      [`${what}_descriptors`]: COUNTERS,
      pool_descriptors: Object.fromEntries([...descriptors].map(([name, i]) => [String(i), name])),
      [`${what}s`]: lines,
    });
  }

  /** The query that a question is of; a new one answers once there has been a take. */
  async #register(spec: string | undefined, may: Authorized): Promise<Query> {
    const { pool, nspace } = parseSpec(spec);
    if (!may(pool ?? "", nspace ?? "")) {
      const [p, n] = [pool ?? "None", nspace ?? "None"];
      throw new ModuleError("EACCES", `not authorized on pool=${p}, namespace=${n}`);
    }
    const key = spec ?? "";
    const known = this.#queries.get(key);
    const now = this.#host.clock.monotonic();
    if (known !== undefined) {
      known.askedAt = now;
      if (pool === undefined) known.poolNames = rbdPools((await this.#host.rbd()).rados.map);
      return known;
    }
    const id = pool === undefined ? undefined : await this.#poolId(pool);
    const query: Query = {
      pool: id,
      nspace,
      poolNames: new Map(id === undefined || pool === undefined ? [] : [[id, pool]]),
      rates: new ImageRates(),
      askedAt: now,
      toldAt: 0,
      takenAt: 0,
    };
    this.#queries.set(key, query);
    if (this.#queries.size === 1) this.onAsked(true);
    await this.#nextTick();
    return query;
  }

  async #poolId(name: string): Promise<number> {
    const { rados } = await this.#host.rbd();
    for (const [id, bytes] of (await rados.latestMap()).poolNames) {
      if (bytes === byteString(name)) return id;
    }
    throw poolNotFound(name);
  }

  #nextTick(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#host.clock.after(FIRST_MS, resolve);
      this.#onTick.push(() => {
        timer.cancel();
        resolve();
      });
      this.#wake();
    });
  }

  #expire(): void {
    const wasAsked = this.isAsked;
    const now = this.#host.clock.monotonic();
    for (const [key, { askedAt }] of this.#queries) {
      if (now - askedAt > EXPIRE_MS) this.#queries.delete(key);
    }
    if (wasAsked && !this.isAsked) this.onAsked(false);
  }

  async #take(): Promise<void> {
    if (this.#host.clock.monotonic() - this.#namesAt > NAMES_MS) this.#names = new Map();
    const unknown = new Map<string, RatedImage>();
    for (const query of this.#queries.values()) {
      const { rates } = query;
      // The OSDs' period is not ours: a rate is over the time that they tell of.
      if (query.toldAt > query.takenAt) rates.take(query.toldAt);
      query.takenAt = query.toldAt;
      for (const image of rates.images()) {
        const names = this.#names.get(placeKey(image));
        if (names?.has(image.id) !== true) unknown.set(placeKey(image), image);
      }
    }
    if (unknown.size === 0) return;
    this.#namesAt = this.#host.clock.monotonic();
    for (const place of unknown.values()) await this.#readNames(place);
    for (const { rates } of this.#queries.values()) {
      rates.drop((image) => this.#names.get(placeKey(image))?.has(image.id) !== true);
    }
  }

  async #readNames(place: RatedImage): Promise<void> {
    const { rados } = await this.#host.rbd();
    try {
      const io = await rados.openPool(place.pool, byteString(place.nspace));
      const images = [...(await listImages(io))];
      const names = new Map(images.map(([name, id]) => [textOf(id), textOf(name)]));
      this.#names.set(placeKey(place), names);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#host.log.warn("names of images not read", { pool: place.pool, why: error.message });
    }
  }

  #wait(): Promise<void> {
    const { clock } = this.#host;
    const seconds = Number(this.#host.option("mgr_stats_period") ?? PERIOD_S);
    return new Promise((resolve) => {
      const timer = clock.after(seconds * 1000, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

function placeKey({ pool, nspace }: RatedImage): string {
  return `${pool}/${nspace}`;
}

function numberOf(x: number | PyFloat): number {
  return typeof x === "number" ? x : x.value;
}

/** `pool[/namespace]`; nothing: everything. */
function parseSpec(spec: string | undefined): {
  pool: string | undefined;
  nspace: string | undefined;
} {
  if (spec === undefined || spec === "") return { pool: undefined, nspace: undefined };
  const match = /^([^/]+)(?:\/([^/]+))?$/.exec(spec);
  if (match === null) throw new ModuleError("EINVAL", `Invalid pool spec: ${spec}`);
  return { pool: match[1], nspace: match[2] ?? "" };
}
