/**
 * A connected client of a cluster, this package's own or a real one.
 * ceph: src/include/rados/librados.hpp Rados
 */

import { CephError, type Clock, type Logger, type Random } from "../base/index.ts";
import type { ClientConfig } from "../config/index.ts";
import { compareBytes, nameBytes, nameText } from "../encoding/index.ts";
import type { PoolStat } from "../maps/index.ts";
import type { CallOptions, ClusterStats, CommandResult, Rados } from "../rados/index.ts";
import { type AuthEntity, formatAuthEntity } from "../types/index.ts";
import { IoCtx } from "./io-ctx.ts";

export type { CallOptions, ClusterStats } from "../rados/index.ts";

/** A command as Ceph's daemons take it: `{ prefix: "osd pool ls", format: "json" }`. */
export type Command = Readonly<Record<string, unknown>>;

export interface RunOptions extends CallOptions {
  /** What the command reads, as `ceph … -i FILE`. @default nothing */
  readonly input?: Uint8Array | undefined;
}

/** What a command prints. */
export interface CommandOutput {
  readonly data: Buffer;
  /** What there is to say beside it. */
  readonly status: string;
}

export interface ClusterSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What one pool holds, and what was done with it. */
export interface PoolStats {
  /** In the stores, all copies together. */
  readonly bytesUsed: number;
  readonly objects: number;
  readonly clones: number;
  readonly copies: number;
  readonly missingOnPrimary: number;
  readonly unfound: number;
  readonly degraded: number;
  readonly reads: number;
  readonly readKib: number;
  readonly writes: number;
  readonly writtenKib: number;
  /** What compressed data takes in the stores. */
  readonly compressedBytesUsed: number;
  /** What it was before. */
  readonly compressedBytesOriginal: number;
}

export class Cluster implements AsyncDisposable {
  /** The engine that works: byte strings for names. For rooms of this package. */
  readonly engine: Rados;
  /** The options that this client goes by. */
  readonly config: ClientConfig;
  /** What it stands on. For rooms of this package. */
  readonly around: ClusterSurroundings;
  readonly #entity: AuthEntity;
  readonly #release: () => void;

  /** Made by `connect`. @param release called once it is closed: the process may end then */
  constructor(
    engine: Rados,
    {
      config,
      entity,
      around,
      release,
    }: Pick<Cluster, "config" | "around"> & { entity: AuthEntity; release: () => void },
  ) {
    this.engine = engine;
    this.config = config;
    this.around = around;
    this.#entity = entity;
    this.#release = release;
  }

  /** Who we are: `client.admin`. */
  get name(): string {
    return formatAuthEntity(this.#entity);
  }

  /** The cluster's own id: a UUID. */
  get fsid(): string {
    return this.engine.fsid;
  }

  /** What the cluster knows this client by, for as long as it is connected. */
  get instanceId(): bigint {
    return this.engine.globalId;
  }

  /** @throws CephError ENOENT if there is no such pool */
  async openPool(
    pool: string | number,
    options: { readonly namespace?: string | undefined } & CallOptions = {},
  ): Promise<IoCtx> {
    const { namespace = "", ...limits } = options;
    const which = typeof pool === "number" ? pool : nameBytes(pool);
    return new IoCtx(await this.engine.openPool(which, nameBytes(namespace), limits));
  }

  /** The pools there are, in the order of their ids. */
  async pools(
    options: CallOptions = {},
  ): Promise<{ readonly id: number; readonly name: string }[]> {
    const { pools, poolNames } = await this.engine.latestMap(options);
    return [...pools.keys()]
      .toSorted((a, b) => a - b)
      .map((id) => ({ id, name: nameText(poolNames.get(id) ?? "") }));
  }

  /** @returns its id @throws CephError EEXIST if the name is taken */
  async createPool(name: string, options: CallOptions = {}): Promise<number> {
    return await this.engine.createPool(nameBytes(name), options);
  }

  /** Space and objects of the whole cluster. */
  async stats(options: CallOptions = {}): Promise<ClusterStats> {
    return await this.engine.clusterStats(options);
  }

  /** Statistics of pools, by name in the order of their bytes. Pools that are not there are left out. */
  async poolStats(
    names: Iterable<string>,
    options: CallOptions = {},
  ): Promise<Map<string, PoolStats>> {
    const stats = await this.engine.poolStats([...names].map(nameBytes), options);
    const sorted = [...stats].toSorted(([a], [b]) => compareBytes(a, b));
    return new Map(sorted.map(([name, x]) => [nameText(name), statsOf(x)]));
  }

  /**
   * Has the manager run a command; waits while there is none.
   * @throws CephError with the command's errno, and what the manager says to it as the cause
   */
  async mgrCommand(command: Command, options: RunOptions = {}): Promise<CommandOutput> {
    return outputOf(await this.engine.mgrCommand(command, options), command);
  }

  /**
   * Has the monitors run a command.
   * @throws CephError with the command's errno, and what the monitor says to it as the cause
   */
  async monCommand(command: Command, options: RunOptions = {}): Promise<CommandOutput> {
    return outputOf(await this.engine.command(command, options), command);
  }

  /**
   * Gives back watches and connections; whatever is pending fails with ESHUTDOWN. Idempotent. Until then the
   * process does not end by itself.
   */
  async close(): Promise<void> {
    await this.engine.close();
    this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** ceph: src/librados/librados_cxx.cc Rados::get_pool_stats, src/osd/osd_types.h pool_stat_t */
function statsOf({ stats, storeStats, perPool }: PoolStat & { perPool: boolean }): PoolStats {
  const { sum } = stats;
  const used = perPool
    ? storeStats.allocated + storeStats.omapAllocated
    : sum.numBytes + sum.numBytesHitSetArchive + sum.numOmapBytes;
  return {
    bytesUsed: used,
    objects: sum.numObjects,
    clones: sum.numObjectClones,
    copies: sum.numObjectCopies,
    missingOnPrimary: sum.numObjectsMissingOnPrimary,
    unfound: sum.numObjectsUnfound,
    degraded: sum.numObjectsDegraded,
    reads: sum.numRd,
    readKib: sum.numRdKb,
    writes: sum.numWr,
    writtenKib: sum.numWrKb,
    compressedBytesUsed: storeStats.dataCompressedAllocated,
    compressedBytesOriginal: storeStats.dataCompressedOriginal,
  };
}

function outputOf({ result, status, data }: CommandResult, command: Command): CommandOutput {
  if (result < 0) {
    const target = `'${String(command["prefix"])}'`;
    throw new CephError(result, { op: "run", target, cause: new Error(status) });
  }
  return { data: Buffer.from(data), status };
}
