/**
 * The active manager: found by the manager map, followed when another one takes over, and waited for while
 * there is none. Commands without an answer are sent again to the new one.
 *
 * A client that only gives commands does not introduce itself. `MMgrCommand` is for the manager's commands
 * and `MCommand` for what one daemon is told, as every manager since 15.2 has it.
 * ceph: src/mgr/MgrClient.cc
 */

import { decodeFromBytes } from "../encoding/index.ts";
import { MgrMap } from "../maps/index.ts";
import { MCommand, MMgrCommand, MMgrMap } from "../messages/index.ts";
import type { Connection } from "../messenger/index.ts";
import { ENTITY_TYPE, formatAddrVec, type IncomingMessage, UUID_ZERO } from "../types/index.ts";
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
import type { MonClient } from "./mon-client.ts";
import { type LinkContext, ServiceLink } from "./service-link.ts";

/** Wait before the manager is tried again, milliseconds.  ceph: mgr_connect_retry_interval */
const RETRY_MS = 1000;

interface MgrRequest {
  readonly words: CommandWords;
  /** Told to this manager, as a daemon; "" for whichever is active. Undefined: a command of the cluster. */
  readonly tell: string | undefined;
}

export interface MgrClientOptions extends LinkContext {
  readonly mon: MonClient;
  readonly fsid: () => string;
  readonly opTimeoutMs: number;
}

export class MgrClient {
  readonly #options: MgrClientOptions;
  readonly #commands: PendingCommands<MgrRequest>;
  #map: MgrMap | undefined;
  #link: ServiceLink | undefined;
  /** Which manager the link is to. */
  #instance = "";
  #isSubscribed = false;

  constructor(options: MgrClientOptions) {
    this.#options = options;
    this.#commands = new PendingCommands(options.clock, options.opTimeoutMs);
  }

  /** Commands without an answer yet. */
  get pending(): number {
    return this.#commands.size;
  }

  close(): void {
    this.#commands.close();
    this.#link?.close();
  }

  /** A command of the cluster that the manager has: `pg dump`, `rbd task ls` … */
  command(args: CommandArgs, options: CommandOptions): Promise<CommandResult> {
    return this.#submit(args, options, undefined);
  }

  /** What one manager is told. @param name "" for the active one @throws CephError ENXIO if it is not the active one */
  tell(name: string, args: CommandArgs, options: CommandOptions): Promise<CommandResult> {
    return this.#submit(args, options, name);
  }

  #submit(
    args: CommandArgs,
    { input, ...limits }: CommandOptions,
    tell: string | undefined,
  ): Promise<CommandResult> {
    const request = { words: commandWords(args, input), tell };
    const subject = commandSubject(args, tell ? `mgr.${tell}` : "the manager");
    const begin = (tid: number) => {
      // The map is large, and most clients never ask the manager anything.
      if (!this.#isSubscribed) this.#options.mon.subscribe("mgrmap", 0);
      this.#isSubscribed = true;
      this.#send(tid, request);
    };
    return this.#commands.add(request, subject, limits, begin);
  }

  #send(tid: number, { words, tell }: MgrRequest): void {
    const map = this.#map;
    if (map === undefined || !map.available) return;
    if (tell && tell !== map.activeName) {
      const subject = { op: "tell", target: `mgr.${tell}` };
      return this.#commands.fail(tid, unreachable("ENXIO", subject));
    }
    // A cluster id is what tells a manager that it itself is meant.
    const message =
      tell === undefined
        ? MMgrCommand.encode({ fsid: UUID_ZERO, ...words }, tid)
        : MCommand.encode({ fsid: this.#options.fsid(), ...words }, tid);
    this.#link?.connection?.send(message);
  }

  // --- What comes in ----------------------------------------------------------------------------

  /** @returns whether the message was for us */
  onMessage(connection: Connection, message: IncomingMessage): boolean {
    if (message.type === MMgrMap.type) {
      this.#onMap(decodeFromBytes(MgrMap, MMgrMap.decode(message).map));
      return true;
    }
    if (connection !== this.#link?.connection) return false;
    const result = commandResult(message);
    if (result !== undefined) this.#commands.finish(message.tid, result);
    return true;
  }

  onClose(connection: Connection): void {
    this.#link?.onClose(connection);
  }

  #onMap(map: MgrMap): void {
    // Not noted as seen: each session with a monitor gives the newest, whatever its epoch, as upstream has it.
    this.#map = map;
    const instance = map.available ? `${formatAddrVec(map.activeAddrs)} ${map.activeGid}` : "";
    if (instance === this.#instance) return;
    this.#instance = instance;
    this.#link?.close();
    this.#link = undefined;
    if (instance === "") return;
    const service = ENTITY_TYPE.MGR;
    const onOpen = () => {
      for (const [tid, request] of this.#commands) this.#send(tid, request);
    };
    const link = { service, addrs: map.activeAddrs, retryMs: RETRY_MS, onOpen };
    this.#link = new ServiceLink(this.#options, link);
  }
}
