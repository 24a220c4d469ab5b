/**
 * All commands of the monitor, and the few that `ceph tell mon.a` may ask.
 */

import { byKey } from "../../encoding/index.ts";
import { NoSpaceError } from "../../store/index.ts";
import { authCommands } from "./auth.ts";
import { blocklistCommands } from "./blocklist.ts";
import {
  type Args,
  type Command,
  type CommandReply,
  CommandTable,
  ok,
  parseSignature,
  refused,
  renderDescriptions,
} from "./command.ts";
import type { MonCommand } from "./common.ts";
import { configCommands } from "./config.ts";
import { configKeyCommands } from "./config-key.ts";
import type { CommandContext } from "./context.ts";
import { crushCommands } from "./crush.ts";
import { daemonConfigCommands } from "./daemon-config.ts";
import { dfCommands } from "./df.ts";
import { erasureCodeProfileCommands } from "./erasure-code-profile.ts";
import { healthCommands } from "./health.ts";
import { logCommands } from "./log.ts";
import { mgrModuleCommands } from "./mgr-module.ts";
import { minCompatCommands } from "./min-compat.ts";
import { monInfoCommands } from "./mon-info.ts";
import { monQuorumCommands } from "./mon-quorum.ts";
import { monSetCommands } from "./mon-set.ts";
import { monStatusJson } from "./mon-status.ts";
import { osdAdminCommands } from "./osd-admin.ts";
import { osdTierCommands } from "./osd-tier.ts";
import { osdViewCommands } from "./osd-view.ts";
import { poolCommands } from "./pool.ts";
import { poolApplicationCommands } from "./pool-application.ts";
import { poolSetCommands } from "./pool-set.ts";
import { reportCommands } from "./report.ts";
import { statusCommands } from "./status.ts";

export function monCommandTable(): CommandTable<CommandContext> {
  return new CommandTable<CommandContext>(
    [
      ...statusCommands,
      ...healthCommands,
      ...dfCommands,
      ...monInfoCommands,
      ...mgrModuleCommands,
      ...monQuorumCommands,
      ...monSetCommands,
      ...osdViewCommands,
      ...osdAdminCommands,
      ...osdTierCommands,
      ...blocklistCommands,
      ...minCompatCommands,
      ...crushCommands,
      ...erasureCodeProfileCommands,
      ...poolCommands,
      ...poolSetCommands,
      ...poolApplicationCommands,
      ...authCommands,
      ...configCommands,
      ...configKeyCommands,
      ...logCommands,
      ...reportCommands,
    ],
    () => "command not known",
  );
}

function version(ctx: CommandContext, args: Args): CommandReply {
  const { version: short, release } = ctx.state.version;
  return ok(args.json({ version: short, release, release_type: "stable" }));
}

/** What every daemon can be asked. */
export const versionCommand: MonCommand = {
  sig: "version",
  help: "show the daemon's release",
  module: "mon",
  perm: "r",
  run: version,
};

function monStatus(ctx: CommandContext, args: Args): CommandReply {
  return ok(args.json(monStatusJson(ctx.state)));
}

/** The kind of its database is an option's value: there is no other here. ceph: src/mon/Monitor.cc do_admin_command */
async function compact({ state }: CommandContext): Promise<CommandReply> {
  const start = state.clock.monotonic();
  try {
    await state.compact();
  } catch (error) {
    if (!(error instanceof NoSpaceError)) throw error;
    return refused("ENOSPC", "no room for the index to be written anew");
  }
  const seconds = Number(((state.clock.monotonic() - start) / 1000).toPrecision(6));
  return ok(`compacted ${state.settings.text("mon_keyvaluedb")} in ${seconds} seconds\n`);
}

/**
 * What a daemon can be asked itself, over its admin socket and by `ceph tell`: these, and what commands there are.
 * ceph: src/common/admin_socket.cc HelpHook, GetdescsHook
 */
export function daemonCommandTable<C>(commands: readonly Command<C>[]): CommandTable<C> {
  const common = { module: "mon", perm: "r" } as const;
  const own: Command<C>[] = [
    ...commands,
    {
      ...common,
      sig: "get_command_descriptions",
      help: "list the commands",
      run: () => ok(renderDescriptions(table.descriptions())),
    },
    {
      ...common,
      sig: "help",
      help: "say what each command is for",
      run: (_ctx, args) => ok(args.json(helps)),
    },
  ];
  const helps = new Map(
    own.map(({ sig, help }) => [parseSignature(sig).prefix, help] as const).sort(byKey),
  );
  const table = new CommandTable<C>(own, (prefix) => `unknown command '${prefix}'`);
  return table;
}

export function tellCommandTable(): CommandTable<CommandContext> {
  return daemonCommandTable([
    versionCommand,
    {
      sig: "mon_status",
      help: "show the monitor's state",
      module: "mon",
      perm: "r",
      run: monStatus,
    },
    {
      sig: "compact",
      help: "put the index of the monitor's store in order",
      module: "mon",
      perm: "rw",
      run: compact,
    },
    ...daemonConfigCommands<CommandContext>("mon", ({ state }) => ({
      name: `mon.${state.name}`,
      settings: state.settings,
    })),
  ]);
}
