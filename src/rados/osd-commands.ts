/**
 * What single OSDs are told: one by its id, or whichever is the primary of a placement group.
 * ceph: src/osdc/Objecter.cc CommandOp
 */

import { type Clock, ERRNO } from "../base/index.ts";
import { isUp, type OsdMap, osdExists } from "../maps/index.ts";
import { MCommand, OSD_FLAG } from "../messages/index.ts";
import type { Connection } from "../messenger/index.ts";
import { formatPgId, type IncomingMessage, type PgId } from "../types/index.ts";
import {
  type CommandArgs,
  type CommandOptions,
  type CommandResult,
  type CommandWords,
  commandResult,
  commandSubject,
  commandWords,
  PendingCommands,
  unreachable,
} from "./command.ts";
import { type CallOptions, type Subject, shared } from "./limits.ts";
import type { Objecter } from "./objecter.ts";
import { targetOf } from "./op-target.ts";

type Addressee = { readonly osd: number } | { readonly pg: PgId };

interface OsdRequest {
  readonly to: Addressee;
  readonly words: CommandWords;
  readonly subject: Subject;
  /** The way it went last: link and, of a placement group, interval. */
  sentBy: { connection: Connection; interval: string } | undefined;
}

export interface OsdCommandsOptions {
  readonly objecter: Objecter;
  readonly clock: Clock;
  readonly opTimeoutMs: number;
  /** Resolves with a map no older than the monitor's newest. */
  readonly latestMap: (limits: CallOptions) => Promise<OsdMap>;
}

export class OsdCommands {
  readonly #options: OsdCommandsOptions;
  readonly #commands: PendingCommands<OsdRequest>;

  constructor(options: OsdCommandsOptions) {
    this.#options = options;
    this.#commands = new PendingCommands(options.clock, options.opTimeoutMs);
  }

  /** Commands without an answer yet. */
  get pending(): number {
    return this.#commands.size;
  }

  close(): void {
    this.#commands.close();
  }

  /** @throws CephError ENOENT if there is no such OSD, ENXIO if it is down */
  toOsd(osd: number, args: CommandArgs, options: CommandOptions): Promise<CommandResult> {
    return this.#submit({ osd }, args, options, commandSubject(args, `osd.${osd}`));
  }

  /** Waits while the group has no primary. @throws CephError ENOENT if there is no such pool */
  toPg(pg: PgId, args: CommandArgs, options: CommandOptions): Promise<CommandResult> {
    const pgid = formatPgId(pg);
    return this.#submit({ pg }, { ...args, pgid }, options, commandSubject(args, `pg ${pgid}`));
  }

  async #submit(
    to: Addressee,
    args: CommandArgs,
    options: CommandOptions,
    subject: Subject,
  ): Promise<CommandResult> {
    const { input, ...limits } = options;
    const { objecter, latestMap, clock } = this.#options;
    const left = shared(clock, limits);
    // Ours may be older than the OSD: the newest one decides.
    if (this.#missing(objecter.map, to) !== undefined) await latestMap(left());
    const words = commandWords(args, input);
    const request: OsdRequest = { to, words, subject, sentBy: undefined };
    return await this.#commands.add(request, subject, left(), (tid) => this.#send(tid, request));
  }

  #missing(map: OsdMap | undefined, to: Addressee): "ENOENT" | "ENXIO" | undefined {
    if (map === undefined) return "ENXIO";
    if ("pg" in to) {
      const pgNum = map.pools.get(to.pg.pool)?.pgNum ?? 0;
      return to.pg.seed < pgNum ? undefined : "ENOENT";
    }
    if (!osdExists(map, to.osd)) return "ENOENT";
    return isUp(map, to.osd) ? undefined : "ENXIO";
  }

  #send(tid: number, request: OsdRequest): void {
    const { to, words, subject, sentBy } = request;
    const { map, sessions } = this.#options.objecter;
    const missing = this.#missing(map, to);
    if (map === undefined) return;
    if (missing !== undefined) return this.#commands.fail(tid, unreachable(missing, subject));
    const target = this.#targetOf(map, to);
    if (target === undefined) return;
    const { connection } = sessions.get(map, target.osd).link;
    if (connection === undefined) return;
    const { interval } = target;
    if (sentBy?.connection === connection && sentBy.interval === interval) return;
    request.sentBy = { connection, interval };
    connection.send(MCommand.encode({ fsid: map.fsid, ...words }, tid));
  }

  #targetOf(map: OsdMap, to: Addressee): { osd: number; interval: string } | undefined {
    if ("osd" in to) return { osd: to.osd, interval: "" };
    const { pool, seed } = to.pg;
    return targetOf(map, { pool, hash: seed, flags: OSD_FLAG.READ | OSD_FLAG.IGNORE_OVERLAY });
  }

  /** Sessions or the map have changed. */
  onChange(): void {
    for (const [tid, request] of this.#commands) this.#send(tid, request);
  }

  /** @returns whether the message was for us */
  onMessage(connection: Connection, message: IncomingMessage): boolean {
    const request = this.#commands.get(message.tid);
    if (request?.sentBy?.connection !== connection) return false;
    const result = commandResult(message);
    if (result === undefined) return false;
    if (result.result === -ERRNO.EAGAIN) {
      request.sentBy = undefined;
      this.#send(message.tid, request);
    } else {
      this.#commands.finish(message.tid, result);
    }
    return true;
  }
}
