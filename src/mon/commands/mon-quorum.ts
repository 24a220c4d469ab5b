/**
 * Would there still be a quorum? With one monitor hardly ever, but tools ask before they do anything.
 * ceph: src/mon/Monitor.cc
 */

import { type Args, type CommandReply, ok, refused } from "./command.ts";
import type { MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";

function okToStop(ctx: CommandContext, args: Args): CommandReply {
  const ids = args.list("ids");
  const { name } = ctx.state;
  const stopped = `[${ids.join(",")}]`;
  if (!ids.includes(name))
    return ok("", `quorum should be preserved (${name}) after stopping ${stopped}`);
  const why = `not enough monitors would be available () after stopping mons ${stopped}`;
  return refused("EBUSY", why);
}

function okToAddOffline(): CommandReply {
  return refused("EBUSY", "adding a monitor may break quorum (until that monitor starts)");
}

function okToRm(ctx: CommandContext, args: Args): CommandReply {
  const id = args.text("id") ?? "";
  if (id !== ctx.state.name) return ok("", `mon.${id} does not exist`);
  return refused("EBUSY", `removing mon.${id} would break quorum`);
}

export const monQuorumCommands: readonly MonCommand[] = [
  {
    sig: "mon ok-to-stop name=ids,type=CephString,n=N",
    help: "say whether there is a quorum without these monitors",
    module: "mon",
    perm: "r",
    run: okToStop,
  },
  {
    sig: "mon ok-to-add-offline",
    help: "say whether there is a quorum with another monitor that has not started",
    module: "mon",
    perm: "r",
    run: okToAddOffline,
  },
  {
    sig: "mon ok-to-rm name=id,type=CephString",
    help: "say whether there is a quorum when a monitor is removed",
    module: "mon",
    perm: "r",
    run: okToRm,
  },
];
