/**
 * `ceph tell mon.a config …` and `injectargs`, and the manager's: what every daemon is told of its options, as
 * commands of a table.
 */

import {
  CONFIG_COMMANDS,
  type ConfigCommand,
  type ConfigOutcome,
  type ConfiguredDaemon,
} from "../../config/index.ts";
import { type Args, type Command, type CommandReply, ok, refused } from "./command.ts";

function replyOf(args: Args, outcome: ConfigOutcome): CommandReply {
  if ("errno" in outcome) return refused(outcome.errno, outcome.status);
  return ok(args.json(outcome.value), outcome.status);
}

/** For who may do everything.  @param daemonOf finds the daemon that is asked */
export function daemonConfigCommands<C>(
  module: string,
  daemonOf: (ctx: C) => ConfiguredDaemon,
): Command<C>[] {
  const command = ({ prefix, help, texts, run }: ConfigCommand): Command<C> => ({
    sig: [
      prefix,
      ...texts.map(
        ({ name, many }) => `name=${name},type=CephString${many === true ? ",n=N" : ""}`,
      ),
    ].join(" "),
    help,
    module,
    perm: "rw",
    run: (ctx, args) => {
      const words = texts.map(({ name, many }): [string, readonly string[]] => [
        name,
        many === true ? args.list(name) : [args.text(name) ?? ""],
      ]);
      return replyOf(args, run(daemonOf(ctx), new Map(words)));
    },
  });
  return CONFIG_COMMANDS.map(command);
}
