/**
 * What comes in at the monitor's port, message by message.
 * ceph: src/mon/Monitor.cc dispatch_op
 */

import { ALLOW_ALL_CAPS, type MonAuthServer } from "../auth/index.ts";
import { ERRNO, type Logger } from "../base/index.ts";
import { byteString, EMPTY, renderJsonPretty, textOf } from "../encoding/index.ts";
import {
  CLOG,
  MAuth,
  MAuthReply,
  MCommand,
  MCommandReply,
  MGetPoolStats,
  MLog,
  MLogAck,
  MMonCommand,
  MMonCommandAck,
  MMonGetMap,
  MMonGetVersion,
  MMonGetVersionReply,
  MMonSubscribe,
  MPing,
  MPoolOp,
  MStatfs,
  messageName,
} from "../messages/index.ts";
import type { Connection, Dispatcher } from "../messenger/index.ts";
import { NoSpaceError, TooLargeError } from "../store/index.ts";
import { ENTITY_TYPE, formatAuthEntity, type IncomingMessage } from "../types/index.ts";
import { auditLine } from "./audit.ts";
import {
  COMMAND_FLAG,
  type CommandReply,
  type CommandTable,
  isReply,
  refused,
  renderDescriptions,
} from "./commands/command.ts";
import type { ClusterState, CommandContext } from "./commands/context.ts";
import { healthJson } from "./commands/health.ts";
import { monStatusJson } from "./commands/mon-status.ts";
import { monCommandTable, tellCommandTable } from "./commands/table.ts";
import { handleGetPoolStats, handlePoolOp, handleStatfs } from "./pool-ops.ts";
import { checkHealth } from "./services/health.ts";
import { monLogSource } from "./services/log.ts";
import { MonSession } from "./session.ts";
import { Subscriptions } from "./subscriptions.ts";

type Handler = (session: MonSession, message: IncomingMessage) => void;

/** Lines a peer may add to the cluster log with one message. */
export const LOG_ENTRIES_MAX = 1000;
/** Commands and pool operations of one peer under way, before it is read from no more. */
export const REQUESTS_RUNNING_MAX = 64;

export class MonDispatcher implements Dispatcher {
  readonly #state: ClusterState;
  readonly #log: Logger;
  readonly #sessions = new Set<MonSession>();
  readonly #subscriptions: Subscriptions;
  readonly #commands = monCommandTable();
  readonly #tell = tellCommandTable();
  readonly #handlers: ReadonlyMap<number, Handler>;
  #mgrCommands: CommandTable<CommandContext> | undefined;
  #authServer: MonAuthServer | undefined;
  #unsupported = 0;

  constructor(state: ClusterState, log: Logger) {
    this.#state = state;
    this.#log = log;
    this.#subscriptions = new Subscriptions(state, log);
    this.#handlers = this.#table();
    state.maps.onMap(() => this.publish("osdmap"));
    state.config.onChange(() => this.publish("config"));
    state.log.onEntry((entry) => this.#subscriptions.publishLog(this.#sessions, entry));
  }

  get unsupportedMessages(): number {
    return this.#unsupported;
  }

  setMgrCommands(table: CommandTable<CommandContext>): void {
    this.#mgrCommands = table;
  }

  setAuthServer(server: MonAuthServer): void {
    this.#authServer = server;
  }

  sessions(): Iterable<MonSession> {
    return this.#sessions;
  }

  publish(what: string): void {
    this.#subscriptions.publish(this.#sessions, what);
  }

  #table(): ReadonlyMap<number, Handler> {
    return new Map<number, Handler>([
      [MMonGetMap.type, (s) => this.#subscriptions.sendMonMap(s)],
      [MMonSubscribe.type, (s, m) => this.#subscriptions.handle(s, MMonSubscribe.decode(m))],
      [MMonGetVersion.type, (s, m) => this.#getVersion(s, m)],
      [MMonCommand.type, (s, m) => this.#monCommand(s, m)],
      [MCommand.type, (s, m) => this.#tellCommand(s, m)],
      [MPoolOp.type, (s, m) => this.#poolOp(s, m)],
      [MStatfs.type, (s, m) => handleStatfs(this.#state, s, MStatfs.decode(m), m.tid, this.#log)],
      [
        MGetPoolStats.type,
        (s, m) => handleGetPoolStats(this.#state, s, MGetPoolStats.decode(m), m.tid, this.#log),
      ],
      [MAuth.type, (s, m) => this.#renew(s, m)],
      [MPing.type, (s, m) => this.#ping(s, m)],
      [MLog.type, (s, m) => this.#clientLog(s, m)],
    ]);
  }

  onOpen(connection: Connection): void {
    const { identity } = connection;
    if (identity === undefined) {
      connection.close("not authenticated");
      return;
    }
    const session = new MonSession(connection, identity);
    connection.session = session;
    this.#sessions.add(session);
  }

  onClose(connection: Connection): void {
    if (connection.session instanceof MonSession) this.#sessions.delete(connection.session);
  }

  onMessage(connection: Connection, message: IncomingMessage): void {
    const { session } = connection;
    if (!(session instanceof MonSession)) return;
    const handler = this.#handlers.get(message.type);
    if (handler === undefined) {
      this.#unsupported++;
      this.#log.warn("unsupported message", {
        type: messageName(message.type),
        peer: formatAuthEntity(session.identity.entity),
      });
      return;
    }
    handler(session, message);
  }

  #getVersion(session: MonSession, message: IncomingMessage): void {
    const { handle, what } = MMonGetVersion.decode(message);
    const { maps, monMap, mgrMap } = this.#state;
    const versions: Readonly<Record<string, readonly [newest: number, oldest: number]>> = {
      osdmap: [maps.map.epoch, maps.oldestEpoch],
      monmap: [monMap.epoch, 1],
      mgrmap: [mgrMap().epoch, 1],
      // There is no file system, and the map that says so never changes.
      mdsmap: [1, 1],
      fsmap: [1, 1],
    };
    const found = Object.hasOwn(versions, what) ? versions[what] : undefined;
    if (found === undefined) this.#log.warn("get_version of an unknown map", { what });
    const [version, oldestVersion] = found ?? [0, 0];
    session.send(MMonGetVersionReply, { handle, version, oldestVersion }, message.tid);
  }

  #poolOp(session: MonSession, message: IncomingMessage): void {
    const op = MPoolOp.decode(message);
    this.#begin(session);
    handlePoolOp(this.#state, session, op, message.tid)
      .catch((error: unknown) => {
        this.#log.error("poolop failed", { op: op.op, why: String(error) });
        session.connection.close("internal error");
      })
      .finally(() => this.#end(session));
  }

  #renew(session: MonSession, message: IncomingMessage): void {
    const { protocol, payload } = MAuth.decode(message);
    const reply =
      this.#authServer === undefined
        ? { errno: -ERRNO.EOPNOTSUPP, blob: new Uint8Array(0) }
        : this.#authServer.renew(session.identity, payload);
    const { globalId } = session.identity;
    session.send(
      MAuthReply,
      { protocol, result: reply.errno, globalId, payload: reply.blob, resultMessage: "" },
      message.tid,
    );
  }

  #ping(session: MonSession, message: IncomingMessage): void {
    const text = renderJsonPretty({
      health: healthJson(checkHealth(this.#state), false),
      mon_status: monStatusJson(this.#state),
    });
    session.send(MPing, { text: byteString(text) }, message.tid);
  }

  #clientLog(session: MonSession, message: IncomingMessage): void {
    const { entries } = MLog.decode(message);
    if (!session.mayWrite("log")) {
      this.#log.info("log denied", { peer: formatAuthEntity(session.identity.entity) });
      return;
    }
    for (const entry of entries.slice(0, LOG_ENTRIES_MAX)) this.#state.log.append(entry);
    const last = entries.at(-1);
    if (last === undefined) return;
    const { fsid } = this.#state;
    session.send(MLogAck, { fsid, last: last.seq, channel: last.channel }, message.tid);
  }

  #context(session: MonSession): CommandContext {
    return {
      state: this.#state,
      identity: session.identity,
      peerAddrs: session.connection.peerAddrs,
      descriptions: () =>
        renderDescriptions([
          ...this.#commands.descriptions(),
          ...(this.#mgrCommands?.descriptions() ?? []),
        ]),
    };
  }

  async #run(
    session: MonSession,
    table: CommandTable<CommandContext>,
    cmd: readonly string[],
    data: Uint8Array,
  ): Promise<CommandReply> {
    // Kept beyond this turn, so not a view of the frame.
    const input = Uint8Array.from(data);
    const texts = cmd.map(textOf);
    let parsed = table.parse(texts, input);
    if (isReply(parsed) && this.#mgrCommands !== undefined) {
      // compat: some tools send the manager's commands here, and upstream passes them on.
      const other = this.#mgrCommands.parse(texts, input);
      if (!isReply(other)) parsed = other;
    }
    if (isReply(parsed)) return parsed;
    const { command, args, argTexts } = parsed;
    const { prefix } = args;
    if (prefix === "get_command_descriptions") {
      return await command.run(this.#context(session), args);
    }
    if (this.#isObsolete(command.flags ?? 0)) {
      return refused("EOPNOTSUPP", "command is obsolete; please check usage and/or man page");
    }
    const { peerName, peerAddrs } = session.connection;
    const request = { peerName, peerAddrs, identity: session.identity, prefix, cmd: texts };
    const isWrite = /[wx]/.test(command.perm);
    const prio = isWrite ? CLOG.INFO : CLOG.DEBUG;
    const allowed = session.isCapable({
      service: command.module,
      command: prefix,
      args: argTexts,
      read: command.perm.includes("r"),
      write: command.perm.includes("w"),
      exec: command.perm.includes("x"),
    });
    if (!allowed) {
      this.#audit(prio, auditLine(request, " access denied"));
      return refused("EACCES", "access denied");
    }
    this.#audit(prio, auditLine(request, "dispatch"));
    const reply = await command.run(this.#context(session), args);
    if (isWrite && reply.r >= 0) this.#audit(prio, auditLine(request, "finished"));
    return reply;
  }

  /** What is to go one day goes now if the monitor is told so. */
  #isObsolete(flags: number): boolean {
    if ((flags & COMMAND_FLAG.OBSOLETE) !== 0) return true;
    const isDeprecated = (flags & COMMAND_FLAG.DEPRECATED) !== 0;
    return isDeprecated && this.#state.settings.flag("mon_debug_deprecated_as_obsolete");
  }

  /** Answers a command of whoever may do everything, one JSON object: what the monitor is asked itself. */
  async command(json: string): Promise<CommandReply> {
    const parsed = this.#tell.parse([json], EMPTY);
    if (isReply(parsed)) return parsed;
    const { name } = this.#state;
    const identity = {
      entity: { type: ENTITY_TYPE.MON, id: name },
      globalId: 0n,
      caps: ALLOW_ALL_CAPS,
    };
    const context = { state: this.#state, identity, peerAddrs: [], descriptions: () => "" };
    return await parsed.command.run(context, parsed.args);
  }

  #audit(prio: number, line: string | undefined): void {
    if (line === undefined) return;
    const { log, name, monMap } = this.#state;
    log.say(monLogSource(name, monMap.monInfo.get(name)?.publicAddrs ?? []), prio, line, "audit");
  }

  /** A peer that sends faster than its requests end has to wait. */
  #begin(session: MonSession): void {
    if (++session.running === REQUESTS_RUNNING_MAX) session.connection.pause();
  }

  #end(session: MonSession): void {
    if (session.running-- === REQUESTS_RUNNING_MAX) session.connection.resume();
  }

  #failed(error: unknown): CommandReply {
    if (error instanceof NoSpaceError) {
      return refused("ENOSPC", "the file system of the monitor's store is full: make room there");
    }
    if (error instanceof TooLargeError) return refused("EMSGSIZE", error.message);
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#log.error("command failed", { why });
    return refused("EIO", "internal error; see the server's log");
  }

  /** Answers when a command has ended, whatever it comes to. */
  async #answer(
    session: MonSession,
    run: Promise<CommandReply>,
    send: (reply: CommandReply, data: Uint8Array) => void,
  ): Promise<void> {
    this.#begin(session);
    let reply: CommandReply;
    try {
      reply = await run;
    } catch (error) {
      reply = this.#failed(error);
    }
    this.#end(session);
    if (!session.connection.isOpen) return;
    send(reply, typeof reply.data === "string" ? Buffer.from(reply.data, "utf8") : reply.data);
  }

  #monCommand(session: MonSession, message: IncomingMessage): void {
    const { cmd, data, fsid } = MMonCommand.decode(message);
    const run =
      fsid === this.#state.fsid
        ? this.#run(session, this.#commands, cmd, data)
        : Promise.resolve(refused("EPERM", "wrong fsid"));
    void this.#answer(session, run, (reply, out) =>
      session.send(
        MMonCommandAck,
        {
          version: this.#state.maps.map.epoch,
          r: reply.r,
          rs: byteString(reply.status),
          cmd,
          data: out,
        },
        message.tid,
      ),
    );
  }

  #tellCommand(session: MonSession, message: IncomingMessage): void {
    const { cmd, data } = MCommand.decode(message);
    const run =
      session.cap?.allowsAll === true
        ? this.#run(session, this.#tell, cmd, data)
        : Promise.resolve(refused("EPERM", "access denied"));
    void this.#answer(session, run, (reply, out) =>
      session.send(
        MCommandReply,
        { r: reply.r, rs: byteString(reply.status), data: out },
        message.tid,
      ),
    );
  }
}
