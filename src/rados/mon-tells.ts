/**
 * What single monitors are told, each in a session of its own: the client's session is with any one of them.
 * ceph: src/mon/MonClient.cc _send_command (tell)
 */

import { CephError, ERRNO, type ErrnoName } from "../base/index.ts";
import { bytesOf } from "../encoding/index.ts";
import type { MonMap } from "../maps/index.ts";
import { MCommand, MPing } from "../messages/index.ts";
import type { Connection } from "../messenger/index.ts";
import {
  type AddrVec,
  ENTITY_TYPE,
  type IncomingMessage,
  type OutgoingMessage,
} from "../types/index.ts";
import {
  type CommandArgs,
  type CommandOptions,
  type CommandResult,
  commandResult,
  commandSubject,
  commandWords,
  PendingCommands,
  unreachable,
} from "./command.ts";
import { bounded, type CallOptions, type Subject, shared } from "./limits.ts";
import type { MonClient } from "./mon-client.ts";
import type { LinkContext } from "./service-link.ts";

/** Attempts at a monitor, and how long each may take to connect.  ceph: mon_client_directed_command_retry, mon_client_hunt_interval */
const ATTEMPTS = 2;
const CONNECT_MS = 3_000;

export interface MonTellsOptions extends Omit<LinkContext, "renewTickets"> {
  readonly mon: MonClient;
  readonly opTimeoutMs: number;
}

export class MonTells {
  readonly #options: MonTellsOptions;
  readonly #commands: PendingCommands<Connection>;

  constructor(options: MonTellsOptions) {
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

  /**
   * @param who a monitor's name, or its rank
   * @throws CephError ENOENT if there is no such monitor; ETIMEDOUT if it cannot be reached
   */
  async tell(
    who: string | number,
    args: CommandArgs,
    options: CommandOptions,
  ): Promise<CommandResult> {
    const { input, ...limits } = options;
    const words = commandWords(args, input);
    const subject = commandSubject(args, `mon.${who}`);
    const encode = (tid: number, { fsid }: MonMap) => MCommand.encode({ fsid, ...words }, tid);
    return await this.#request(who, encode, subject, limits);
  }

  /**
   * Asks a monitor for a sign of life.
   * @returns its health and its state, as JSON
   * @throws CephError like `tell`
   */
  async ping(who: string | number, limits: CallOptions): Promise<string> {
    const subject = { op: "ping", target: `mon.${who}` };
    const encode = (tid: number) => MPing.encode({}, tid);
    const { data } = await this.#request(who, encode, subject, limits);
    return Buffer.from(data).toString("utf8");
  }

  async #request(
    who: string | number,
    encode: (tid: number, map: MonMap) => OutgoingMessage,
    subject: Subject,
    limits: CallOptions,
  ): Promise<CommandResult> {
    const { mon, clock, opTimeoutMs } = this.#options;
    const left = shared(clock, limits, opTimeoutMs);
    const map = await mon.waitForMonMap(left());
    const name = typeof who === "number" ? map.ranks[who] : who;
    const addrs = map.monInfo.get(name ?? "")?.publicAddrs;
    if (addrs === undefined) throw unreachable("ENOENT", subject);
    let cause: unknown;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      let connection: Connection;
      try {
        connection = await this.#connect(addrs, subject, left());
      } catch (error) {
        if (limits.signal?.aborted === true || isErrno(error, "EACCES", "ESHUTDOWN")) throw error;
        cause = error;
        continue;
      }
      try {
        const send = (tid: number) => connection.send(encode(tid, map));
        return await this.#ask(connection, send, { subject, limits: left() });
      } catch (error) {
        if (!isErrno(error, "ENOTCONN")) throw error;
        cause = error;
      }
    }
    throw new CephError(-ERRNO.ETIMEDOUT, { ...subject, cause });
  }

  async #connect(addrs: AddrVec, subject: Subject, limits: CallOptions): Promise<Connection> {
    const { messenger, auth, clock } = this.#options;
    // Another session with a monitor would mix up what the client's own one has been given.
    const late = new AbortController();
    const attempt = messenger.connect(addrs, ENTITY_TYPE.MON, auth.another().monInitiator(), {
      signal: late.signal,
    });
    const timeoutMs = Math.min(limits.timeoutMs || CONNECT_MS, CONNECT_MS);
    try {
      return await bounded(clock, { ...limits, timeoutMs }, () => subject, attempt);
    } catch (error) {
      late.abort(error);
      throw error;
    }
  }

  async #ask(
    connection: Connection,
    send: (tid: number) => void,
    { subject, limits }: { subject: Subject; limits: CallOptions },
  ): Promise<CommandResult> {
    try {
      return await this.#commands.add(connection, subject, limits, (tid) => {
        if (!connection.isOpen) return this.#commands.fail(tid, lost(subject));
        send(tid);
      });
    } finally {
      connection.close("the monitor has answered");
    }
  }

  /** @returns whether the message was for us */
  onMessage(connection: Connection, message: IncomingMessage): boolean {
    if (message.type === MPing.type) return this.#onPing(connection, message);
    if (this.#commands.get(message.tid) !== connection) return false;
    const result = commandResult(message);
    if (result === undefined) return false;
    this.#commands.finish(message.tid, result);
    return true;
  }

  /** A sign of life says only by its connection what it answers. */
  #onPing(connection: Connection, message: IncomingMessage): boolean {
    const tid = [...this.#commands].find(([, by]) => by === connection)?.[0];
    if (tid === undefined) return false;
    const { text = "" } = MPing.decode(message);
    this.#commands.finish(tid, { result: 0, status: "", data: bytesOf(text) });
    return true;
  }

  onClose(connection: Connection): void {
    for (const [tid, by] of this.#commands) {
      if (by === connection) this.#commands.fail(tid, lost({ op: "tell", target: "a monitor" }));
    }
  }
}

function lost(subject: Subject): CephError {
  return new CephError(-ERRNO.ENOTCONN, subject);
}

function isErrno(error: unknown, ...names: ErrnoName[]): boolean {
  return error instanceof CephError && names.some((name) => error.errno === -ERRNO[name]);
}
