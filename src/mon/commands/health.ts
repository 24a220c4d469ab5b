/**
 * `health`, and what somebody does not want to hear of it.
 * ceph: src/mon/HealthMonitor.cc
 */

import { parseTimespan } from "../../base/index.ts";
import { type Json, type JsonObject } from "../../encoding/index.ts";
import { formatUtime, utimeFromMs } from "../../types/index.ts";
import { checkHealth, type Health, healthDetail, healthLine } from "../services/health.ts";
import { HEALTH_MUTES_MAX, type HealthMute } from "../services/health-mutes.ts";
import { type Args, type CommandReply, ok, refused } from "./command.ts";
import type { MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";

/** Times are 32 bits of seconds. */
const UNTIL_MAX_MS = 0xffff_ffff * 1000;

function muteJson({ code, until, sticky, summary, count }: HealthMute): JsonObject {
  const ttl = until === undefined ? undefined : formatUtime(utimeFromMs(until));
  return { code, ttl, sticky, summary, count };
}

export function healthJson(health: Health, detail: boolean): JsonObject {
  const muted = new Set(health.mutes.map(({ code }) => code));
  const checks = health.checks.map((check): [string, Json] => [
    check.code,
    {
      severity: check.severity,
      summary: { message: check.message, count: check.count },
      detail: detail ? check.detail.map((message) => ({ message })) : undefined,
      muted: muted.has(check.code),
    },
  ]);
  return { status: health.status, checks: new Map(checks), mutes: health.mutes.map(muteJson) };
}

function health(ctx: CommandContext, args: Args): CommandReply {
  const found = checkHealth(ctx.state);
  const detail = args.text("detail") === "detail";
  const text = () => {
    const now = ctx.state.clock.now();
    const line = healthLine(found, { first: " ", separator: "; ", now });
    return [line, ...(detail ? healthDetail(found, now) : [])].map((row) => `${row}\n`).join("");
  };
  return ok(args.render(text, () => healthJson(found, detail)));
}

async function mute(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const { state } = ctx;
  const code = args.text("code") ?? "";
  if (code === "") return refused("EINVAL", "must specify an alert code to mute");
  const ttl = args.text("ttl");
  let until: number | undefined;
  if (ttl !== undefined) {
    const seconds = parseTimespan(ttl);
    const why = typeof seconds === "object" ? seconds.error : seconds === 0 ? "timespan = 0" : "";
    if (why !== "") return refused("EINVAL", `invalid duration: ${ttl} (${why})`);
    until = Math.min(state.clock.now() + Number(seconds) * 1000, UNTIL_MAX_MS);
  }
  const sticky = args.flag("sticky");
  const check = checkHealth(state).checks.find((other) => other.code === code);
  if (!sticky && check === undefined) {
    return refused("ENOENT", `health alert ${code} is not currently raised`);
  }
  if (!state.mutes.all.has(code) && state.mutes.all.size >= HEALTH_MUTES_MAX) {
    return refused("ENOSPC", `there are ${HEALTH_MUTES_MAX} mutes already`);
  }
  const then = sticky || check === undefined ? { message: "", count: 0 } : check;
  await state.mutes.mute({ code, until, sticky, summary: then.message, count: then.count });
  return ok();
}

async function unmute(ctx: CommandContext, args: Args): Promise<CommandReply> {
  await ctx.state.mutes.unmute(args.text("code"));
  return ok();
}

export const healthCommands: readonly MonCommand[] = [
  {
    sig: "health name=detail,type=CephChoices,strings=detail,req=false",
    help: "show whether all is well, and what is not",
    module: "mon",
    perm: "r",
    run: health,
  },
  {
    sig: "health mute name=code,type=CephString name=ttl,type=CephString,req=false name=sticky,type=CephBool,req=false",
    help: "hear no more of a check until it is gone or worse, for some time, or for good",
    module: "mon",
    perm: "w",
    run: mute,
  },
  {
    sig: "health unmute name=code,type=CephString,req=false",
    help: "hear of a check again, or of all",
    module: "mon",
    perm: "w",
    run: unmute,
  },
];
