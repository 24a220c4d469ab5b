/**
 * A connected client of a cluster, this package's own or a real one.
 * ceph: src/include/rados/librados.hpp Rados
 */

import { CephError, type Clock, type Logger, type Random } from "../base/index.ts";
import type { ClientConfig } from "../config/index.ts";
import { nameBytes, nameText } from "../encoding/index.ts";
import type { CommandResult, Rados } from "../rados/index.ts";
import { type AuthEntity, formatAuthEntity } from "../types/index.ts";
import { IoCtx } from "./io-ctx.ts";

/** A command as Ceph's daemons take it: `{ prefix: "osd pool ls", format: "json" }`. */
export type Command = Readonly<Record<string, unknown>>;

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

export class Cluster implements AsyncDisposable {
  /** The engine that works: byte strings for names. For rooms of this package. */
  readonly engine: Rados;
  /** The options that this client goes by. */
  readonly config: ClientConfig;
  /** What it stands on. For rooms of this package. */
  readonly around: ClusterSurroundings;
  readonly #entity: AuthEntity;

  /** Made by `connect`. */
  constructor(
    engine: Rados,
    { config, entity, around }: Pick<Cluster, "config" | "around"> & { entity: AuthEntity },
  ) {
    this.engine = engine;
    this.config = config;
    this.around = around;
    this.#entity = entity;
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
    options: { readonly namespace?: string } = {},
  ): Promise<IoCtx> {
    const which = typeof pool === "number" ? pool : nameBytes(pool);
    return new IoCtx(await this.engine.openPool(which, nameBytes(options.namespace ?? "")));
  }

  /** The pools there are, in the order of their ids. */
  async pools(): Promise<{ readonly id: number; readonly name: string }[]> {
    const { pools, poolNames } = await this.engine.latestMap();
    return [...pools.keys()]
      .toSorted((a, b) => a - b)
      .map((id) => ({ id, name: nameText(poolNames.get(id) ?? "") }));
  }

  /**
   * Has the monitors run a command.
   * @throws CephError with the command's errno, and what the monitor says to it as the cause
   */
  async monCommand(command: Command): Promise<CommandOutput> {
    return outputOf(await this.engine.command(command), command);
  }

  /** Gives back watches and connections; whatever is pending fails with ESHUTDOWN. Idempotent. */
  async close(): Promise<void> {
    await this.engine.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function outputOf({ result, status, data }: CommandResult, command: Command): CommandOutput {
  if (result < 0) {
    const target = `'${String(command["prefix"])}'`;
    throw new CephError(result, { op: "run", target, cause: new Error(status) });
  }
  return { data: Buffer.from(data), status };
}
