/**
 * `log …`: the cluster log.
 * ceph: src/mon/LogMonitor.cc
 */

import { textOf } from "../../encoding/index.ts";
import { dumpAddrVec } from "../../maps/index.ts";
import { CLOG } from "../../messages/index.ts";
import { ENTITY_TYPE, formatAuthEntity, formatEntityName, formatUtime } from "../../types/index.ts";
import { CLOG_LEVELS, formatLogEntry, priorityText } from "../services/log.ts";
import { type Args, type CommandReply, ok, refused } from "./command.ts";
import type { MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";

function add(ctx: CommandContext, args: Args): CommandReply {
  const source = {
    name: ctx.identity.entity,
    rank: { type: ENTITY_TYPE.CLIENT, num: -1n },
    addrs: ctx.peerAddrs,
  };
  ctx.state.log.say(source, CLOG.INFO, args.list("logtext").join(" "));
  return ok();
}

function last(ctx: CommandContext, args: Args): CommandReply {
  const levelName = args.text("level");
  const level = levelName === undefined ? CLOG.INFO : CLOG_LEVELS.indexOf(levelName);
  if (level < 0) return refused("EINVAL", `Invalid severity '${levelName}'`);
  const entries = ctx.state.log.last(
    args.number("num") ?? 20,
    level,
    args.text("channel") ?? "cluster",
  );
  return ok(
    args.render(
      () => entries.map((entry) => `${formatLogEntry(entry)}\n`).join(""),
      () =>
        entries.map((entry) => ({
          name: formatAuthEntity(entry.name),
          rank: formatEntityName(entry.rank),
          addrs: dumpAddrVec(entry.addrs),
          stamp: formatUtime(entry.stamp),
          seq: entry.seq,
          channel: textOf(entry.channel),
          priority: priorityText(entry),
          message: textOf(entry.message),
        })),
    ),
  );
}

export const logCommands: readonly MonCommand[] = [
  {
    sig: "log name=logtext,type=CephString,n=N",
    help: "write a line to the cluster log",
    module: "mon",
    perm: "rw",
    run: add,
  },
  {
    sig: "log last name=num,type=CephInt,range=1,req=false name=level,type=CephChoices,strings=debug|info|sec|warn|error,req=false name=channel,type=CephChoices,strings=*|cluster|audit|cephadm,req=false",
    help: "show the newest lines of the cluster log",
    module: "mon",
    perm: "r",
    run: last,
  },
];
