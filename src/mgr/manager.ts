/**
 * The manager: where clients send the commands that are flagged so, and where daemons report. It shares the
 * monitor's state; the separate port is for the clients, who expect one.
 * ceph: src/mgr/DaemonServer.cc
 */

import { ALLOW_ALL_CAPS, parseMgrCap } from "../auth/index.ts";
import { ERRNO, type Logger, type Random, type Timer } from "../base/index.ts";
import { observedBy, type Settings } from "../config/index.ts";
import { byteString, textOf } from "../encoding/index.ts";
import type { OsdReport } from "../maps/index.ts";
import {
  CLOG,
  MCommand,
  MCommandReply,
  MMgrClose,
  MMgrCommand,
  MMgrCommandReply,
  MMgrConfigure,
  MMgrOpen,
  MMgrReport,
  MPing,
  messageName,
} from "../messages/index.ts";
import type { Connection, Dispatcher } from "../messenger/index.ts";
import {
  type AuditEvent,
  type AuditRequest,
  auditLine,
  type Command,
  type CommandContext,
  type CommandReply,
  CommandTable,
  daemonCommandTable,
  daemonConfigCommands,
  daemonSettings,
  isReply,
  type Monitor,
  managerInfoCommands,
  parseSignature,
  refused,
  renderDescriptions,
  versionCommand,
} from "../mon/index.ts";
import type { Rados } from "../rados/index.ts";
import { ENTITY_TYPE, formatAuthEntity, type IncomingMessage } from "../types/index.ts";
import { autoscaleCommands } from "./commands/autoscale.ts";
import { balancerCommands } from "./commands/balancer.ts";
import { configCommands } from "./commands/config.ts";
import { crashCommands } from "./commands/crash.ts";
import { deviceCommands, progressCommands } from "./commands/modules.ts";
import { orchCommands } from "./commands/orch.ts";
import { osdCommands } from "./commands/osd.ts";
import { osdSafetyCommands } from "./commands/osd-safety.ts";
import { pgCommands } from "./commands/pg.ts";
import { pgSummaryLine } from "./commands/pg-summary.ts";
import { rbdCommands } from "./commands/rbd.ts";
import { telemetryCommands } from "./commands/telemetry.ts";
import type { MgrContext } from "./context.ts";
import { ProgressModule } from "./progress.ts";
import { RbdSupport } from "./rbd-support/support.ts";

/** Milliseconds between lines of how the groups are.  ceph: mgr_tick_period */
const TICK_MS = 2000;
/** Seconds between the reports of daemons that register. */
const REPORT_PERIOD_S = 5;
/** Counters below this priority need not be reported.  ceph: PRIO_USEFUL */
const REPORT_THRESHOLD = 5;

const ACCESS_DENIED =
  "access denied: does your client key have mgr caps? See http://docs.ceph.com/en/latest/mgr/administrator/#client-authentication";

const COMMANDS: readonly Command<MgrContext>[] = [
  ...pgCommands,
  ...configCommands,
  ...osdCommands,
  ...osdSafetyCommands,
  ...progressCommands,
  ...deviceCommands,
  ...balancerCommands,
  ...autoscaleCommands,
  ...crashCommands,
  ...orchCommands,
  ...telemetryCommands,
  ...rbdCommands,
  ...managerInfoCommands,
];

/** What the daemon is asked itself, by who may do everything. */
const DAEMON_COMMANDS: readonly Command<MgrContext>[] = daemonConfigCommands("mgr", (ctx) => ({
  name: `mgr.${ctx.state.mgrMap().activeName}`,
  settings: ctx.settings,
}));

/** `ceph tell mgr`: the daemon's own commands come before the cluster's of the same name. */
function tellCommands(): Command<MgrContext>[] {
  const own = [...DAEMON_COMMANDS, versionCommand];
  const prefixes = new Set(own.map(({ sig }) => parseSignature(sig).prefix));
  return [...COMMANDS.filter(({ sig }) => !prefixes.has(parseSignature(sig).prefix)), ...own];
}

export function mgrCommandTable(commands = COMMANDS): CommandTable<MgrContext> {
  return new CommandTable<MgrContext>(commands, (prefix) => `No handler found for '${prefix}'`);
}

export interface ManagerOptions {
  /** `x` */
  readonly name: string;
  readonly monitor: Monitor;
  readonly random: Random;
  readonly log: Logger;
  /** Connects to the cluster as the manager's entity. */
  readonly connect: () => Promise<Rados>;
}

export class Manager implements Dispatcher {
  readonly #monitor: Monitor;
  readonly #log: Logger;
  readonly #commands = mgrCommandTable();
  readonly #tellCommands = mgrCommandTable(tellCommands());
  /** Over the admin socket. */
  readonly #daemonCommands = daemonCommandTable<MgrContext>([...DAEMON_COMMANDS, versionCommand]);
  readonly #settings: Settings;
  readonly #tick: Timer;
  readonly #progress: ProgressModule;
  readonly #rbd: RbdSupport;
  #unsupported = 0;

  constructor(options: ManagerOptions) {
    this.#monitor = options.monitor;
    this.#log = options.log;
    const { state } = options.monitor;
    const entity = { type: ENTITY_TYPE.MGR, id: options.name };
    this.#settings = daemonSettings(state.config, entity, state.host, {
      observed: observedBy("mgr"),
    });
    this.#progress = new ProgressModule(state, options.log);
    this.#rbd = new RbdSupport({
      state,
      progress: this.#progress,
      random: options.random,
      log: options.log.child("rbd_support"),
      connect: options.connect,
    });
    options.monitor.registerMgrCommands(this.#forwarded());
    this.#tick = options.monitor.state.clock.every(TICK_MS, () => this.#logGroups());
  }

  /**
   * Starts the modules: there must be OSDs, or soon be.
   * @param countImages has all of them tell what images are read and written, or not any more
   */
  startModules(countImages: (isOn: boolean) => void): void {
    this.#rbd.perf.onAsked = countImages;
    this.#rbd.start();
  }

  /**
   * An OSD tells how it is.
   * @param countImages has this one tell what images are read and written, or not: it may have missed it
   */
  osdReport(report: OsdReport, countImages: (isOn: boolean) => void): void {
    const { perf } = this.#rbd;
    if (report.images !== undefined) perf.collect(report.images);
    if ((report.images !== undefined) !== perf.isAsked) countImages(perf.isAsked);
  }

  /** Stops the modules. Their cluster should still be there. */
  async stopModules(): Promise<void> {
    await this.#rbd.close();
  }

  /** The commands for a client that sends them to the monitor: that one has asked its caps, and is trusted. */
  #forwarded(): CommandTable<CommandContext> {
    const house = { ...this.#house(), authorized: () => true };
    return new CommandTable(
      COMMANDS.map((command) => ({
        ...command,
        run: (ctx: CommandContext, args) => command.run({ ...ctx, ...house }, args),
      })),
      (prefix) => `No handler found for '${prefix}'`,
    );
  }

  /** Stops the timer. */
  close(): void {
    this.#tick.cancel();
  }

  /** ceph: src/mgr/DaemonServer.cc send_report */
  #logGroups(): void {
    const { state } = this.#monitor;
    if (!state.mgrMap().available) return;
    this.#say(`pgmap v${state.stats.version}: ${pgSummaryLine(state)}`);
  }

  /** A line for the cluster log in the manager's own name. */
  #say(line: string, channel = "cluster", prio: number = CLOG.DEBUG): void {
    const { state } = this.#monitor;
    const { activeName, activeGid, activeAddrs } = state.mgrMap();
    const source = {
      name: { type: ENTITY_TYPE.MGR, id: activeName },
      rank: { type: ENTITY_TYPE.MGR, num: activeGid },
      addrs: activeAddrs,
    };
    state.log.say(source, prio, line, channel);
  }

  #audit(request: AuditRequest, what: AuditEvent, prio: number): void {
    const line = auditLine(request, what);
    if (line !== undefined) this.#say(line, "audit", prio);
  }

  /** Messages of types we do not serve, so far. */
  get unsupportedMessages(): number {
    return this.#unsupported;
  }

  onOpen(connection: Connection): void {
    if (connection.identity === undefined) connection.close("not authenticated");
  }

  onClose(): void {}

  onMessage(connection: Connection, message: IncomingMessage): void {
    switch (message.type) {
      case MMgrCommand.type:
        this.#mgrCommand(connection, message);
        break;
      case MCommand.type:
        this.#tell(connection, message);
        break;
      case MMgrOpen.type: {
        const { serviceName, daemonName } = MMgrOpen.decode(message);
        this.#log.info("daemon registered", { service: serviceName, daemon: daemonName });
        connection.send(
          MMgrConfigure.encode({
            statsPeriod: REPORT_PERIOD_S,
            statsThreshold: REPORT_THRESHOLD,
            osdPerfMetricQueries: [],
            metricConfig: undefined,
          }),
        );
        break;
      }
      case MMgrReport.type:
        // Checked and let go: nothing here shows counters of outside daemons.
        MMgrReport.decode(message);
        break;
      case MMgrClose.type:
        // The daemon wants its message back, then hangs up.
        connection.send(MMgrClose.encode(MMgrClose.decode(message), message.tid));
        break;
      case MPing.type:
        break;
      default:
        this.#unsupported++;
        this.#log.warn("unsupported message", { type: messageName(message.type) });
    }
  }

  /** What all commands work on. */
  #house() {
    return { progress: this.#progress, rbd: this.#rbd, settings: this.#settings };
  }

  #context(connection: Connection): MgrContext | undefined {
    const { identity } = connection;
    if (identity === undefined) return undefined;
    return {
      ...this.#house(),
      authorized: () => false,
      state: this.#monitor.state,
      identity,
      peerAddrs: connection.peerAddrs,
      descriptions: () => renderDescriptions(this.#commands.descriptions()),
    };
  }

  async #run(
    connection: Connection,
    table: CommandTable<MgrContext>,
    cmd: readonly string[],
    data: Uint8Array,
  ): Promise<CommandReply> {
    const context = this.#context(connection);
    if (context === undefined) return refused("EACCES", "access denied");
    const parsed = table.parse(cmd.map(textOf), Uint8Array.from(data));
    if (isReply(parsed)) {
      if (!isDescriptionRequest(cmd)) return parsed;
      return { r: 0, status: "", data: renderDescriptions(table.descriptions()) };
    }
    const { command, args, argTexts } = parsed;
    const { peerName, peerAddrs } = connection;
    const { identity } = context;
    const words = { peerName, peerAddrs, identity, prefix: args.prefix, cmd: cmd.map(textOf) };
    const cap = parseMgrCap(context.identity.caps["mgr"] ?? "");
    const { module, pythonModule } = command;
    const wanted = {
      module: pythonModule ?? "",
      read: command.perm.includes("r"),
      write: command.perm.includes("w"),
      exec: command.perm.includes("x"),
      addr: connection.peerAddr.ip,
    };
    const allowed = DAEMON_COMMANDS.includes(command)
      ? cap?.allowsAll
      : cap?.isCapable({
          ...wanted,
          service: pythonModule === undefined ? module : "py",
          command: args.prefix,
          args: argTexts,
        });
    // The command itself was allowed; what it works on is the module's to ask for.
    const authorized = (pool: string, namespace: string): boolean =>
      cap?.isCapable({ ...wanted, service: "py", command: "", args: { pool, namespace } }) === true;
    if (allowed !== true) {
      const who = formatAuthEntity(context.identity.entity);
      this.#log.info("command denied", { command: args.prefix, peer: who });
      this.#audit(words, " access denied", CLOG.INFO);
      return refused("EACCES", ACCESS_DENIED);
    }
    this.#audit(words, "dispatch", CLOG.DEBUG);
    const reply = await command.run({ ...context, authorized }, args);
    // compat: upstream says it again behind a module's own words.
    return reply.r === -ERRNO.EACCES ? { ...reply, status: reply.status + ACCESS_DENIED } : reply;
  }

  /** Answers a command of whoever may do everything, one JSON object, as `ceph daemon mgr.x` sends it. */
  async command(json: string): Promise<CommandReply> {
    const parsed = this.#daemonCommands.parse([json], new Uint8Array(0));
    if (isReply(parsed)) return parsed;
    const { state } = this.#monitor;
    const entity = { type: ENTITY_TYPE.MGR, id: state.mgrMap().activeName };
    const context: MgrContext = {
      ...this.#house(),
      authorized: () => true,
      state,
      identity: { entity, globalId: state.mgrMap().activeGid, caps: ALLOW_ALL_CAPS },
      peerAddrs: [],
      descriptions: () => renderDescriptions(this.#commands.descriptions()),
    };
    return await parsed.command.run(context, parsed.args);
  }

  async #answer(
    connection: Connection,
    run: Promise<CommandReply>,
    send: (reply: CommandReply, data: Uint8Array) => void,
  ): Promise<void> {
    let reply: CommandReply;
    try {
      reply = await run;
    } catch (error) {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#log.error("command failed", { why });
      reply = refused("EIO", "internal error; see the server's log");
    }
    if (!connection.isOpen) return;
    send(reply, typeof reply.data === "string" ? Buffer.from(reply.data, "utf8") : reply.data);
  }

  #mgrCommand(connection: Connection, message: IncomingMessage): void {
    const { cmd, data } = MMgrCommand.decode(message);
    void this.#answer(
      connection,
      this.#run(connection, this.#commands, cmd, data),
      (reply, out) => {
        const answer = { r: reply.r, rs: byteString(reply.status), data: out };
        connection.send(MMgrCommandReply.encode(answer, message.tid));
      },
    );
  }

  #tell(connection: Connection, message: IncomingMessage): void {
    const { cmd, data } = MCommand.decode(message);
    void this.#answer(
      connection,
      this.#run(connection, this.#tellCommands, cmd, data),
      (reply, out) => {
        const answer = { r: reply.r, rs: byteString(reply.status), data: out };
        connection.send(MCommandReply.encode(answer, message.tid));
      },
    );
  }
}

function isDescriptionRequest(cmd: readonly string[]): boolean {
  return /"prefix"\s*:\s*"get_command_descriptions"/.test(cmd.map(textOf).join(""));
}
