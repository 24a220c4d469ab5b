/**
 * `crash …`: reports of daemons that died, as tools post them. Each is a value of the configuration-key store,
 * under the name that upstream's module gives it there.
 * ceph: src/pybind/mgr/crash/module.py
 */

import { createHash } from "node:crypto";
import { PRETTY, type PyJson, pythonJson } from "../../base/index.ts";
import { type Args, type CommandContext, type CommandReply, ok } from "../../mon/index.ts";
import { moduleAnswer } from "./module-answer.ts";
import { commandsOf } from "./row.ts";

const PREFIX = "mgr/crash/crash/";
const DAY_MS = 86_400_000;
/** `crash stat` counts those older than so many days. */
const AGES = [1, 3, 7] as const;
/** compat: a positive errno, so that `ceph` prints what is wrong and ends well. */
const EINVAL = 22;

type Crash = Readonly<Record<string, PyJson>> & { readonly crash_id: string };

function complaint(status: string): CommandReply {
  return { r: EINVAL, status, data: "" };
}

function parse(text: string): Crash {
  return JSON.parse(text) as Crash;
}

/** In order of their ids, which begin with the time. */
function crashes(ctx: CommandContext): Crash[] {
  const { configKey } = ctx.state;
  return configKey
    .keys(PREFIX)
    .map((key) => parse(Buffer.from(configKey.get(key) ?? []).toString("utf8")));
}

function find(ctx: CommandContext, id: string): Crash | undefined {
  const value = ctx.state.configKey.get(PREFIX + id);
  return value === undefined ? undefined : parse(Buffer.from(value).toString("utf8"));
}

async function store(ctx: CommandContext, crash: Crash): Promise<void> {
  const text = pythonJson(crash);
  await ctx.state.configKey.set(PREFIX + crash.crash_id, Buffer.from(text, "utf8"));
}

/** As Python's PrettyTable draws it: names to the left, the mark in the middle of its column. */
function table(found: readonly Crash[]): string {
  if (found.length === 0) return "";
  const rows = found.map((crash) => [
    crash.crash_id,
    typeof crash["entity_name"] === "string" ? crash["entity_name"] : "unknown",
    "archived" in crash ? "" : "*",
  ]);
  const heads = ["ID", "ENTITY", "NEW"];
  const widths = heads.map((head, i) =>
    Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = ([id = "", entity = "", mark = ""]: readonly string[]) => {
    const [idWidth = 0, entityWidth = 0, markWidth = 0] = widths;
    const left = Math.floor((markWidth - mark.length) / 2);
    const middle = (" ".repeat(left) + mark).padEnd(markWidth);
    return `${id.padEnd(idWidth)}  ${entity.padEnd(entityWidth)}  ${middle}  `;
  };
  return [heads, ...rows].map(line).join("\n");
}

function ls(ctx: CommandContext, args: Args): CommandReply {
  const all = crashes(ctx);
  const found = args.prefix === "crash ls" ? all : all.filter((crash) => !("archived" in crash));
  return moduleAnswer(args.format === "plain" ? table(found) : pythonJson(found, PRETTY));
}

/** A report is what its sender makes of it. */
function textOr(value: PyJson | undefined): string {
  return typeof value === "string" ? value : "";
}

function stat(ctx: CommandContext): CommandReply {
  const all = crashes(ctx);
  const now = ctx.state.clock.now();
  const lines = AGES.map((days) => {
    const old = all.filter(({ timestamp }) => Date.parse(textOr(timestamp)) <= now - days * DAY_MS);
    if (old.length === 0) return "";
    const ids = old.map(({ crash_id: id }) => id);
    return [`${old.length} older than ${days} days old:`, ...ids].join("\n");
  });
  return moduleAnswer([`${all.length} crashes recorded`, ...lines].join("\n"));
}

function notFound(id: string): CommandReply {
  return complaint(`crash info: ${id} not found`);
}

function info(ctx: CommandContext, args: Args): CommandReply {
  const id = args.text("id") ?? "";
  const crash = find(ctx, id);
  return crash === undefined ? notFound(id) : moduleAnswer(pythonJson(crash, PRETTY));
}

/** `2026-11-29 02:18:49.211480`: Python's own way of writing a time, in UTC. */
function pythonTime(ms: number): string {
  return `${new Date(ms).toISOString().replace("T", " ").replace("Z", "")}000`;
}

async function archiveOne(ctx: CommandContext, crash: Crash): Promise<void> {
  if ("archived" in crash) return;
  await store(ctx, { ...crash, archived: pythonTime(ctx.state.clock.now()) });
}

async function archive(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const id = args.text("id") ?? "";
  const crash = find(ctx, id);
  if (crash === undefined) return notFound(id);
  await archiveOne(ctx, crash);
  return ok();
}

async function archiveAll(ctx: CommandContext): Promise<CommandReply> {
  for (const crash of crashes(ctx)) await archiveOne(ctx, crash);
  return ok();
}

async function rm(ctx: CommandContext, args: Args): Promise<CommandReply> {
  await ctx.state.configKey.remove(PREFIX + (args.text("id") ?? ""));
  return ok();
}

/** Crashes at the same place have the same signature: the names of the functions, and nothing of addresses. */
function signature(backtrace: readonly PyJson[]): string {
  const hash = createHash("sha256");
  for (const frame of backtrace) {
    const text = textOr(frame);
    const end = text.lastIndexOf(" ");
    hash.update((end < 0 ? text : text.slice(0, end)).slice(1, -1).split("+")[0] ?? "");
  }
  return hash.digest("hex");
}

async function post(ctx: CommandContext, args: Args): Promise<CommandReply> {
  let value: PyJson;
  try {
    value = JSON.parse(Buffer.from(args.input).toString("utf8")) as PyJson;
  } catch {
    return complaint("malformed crash metadata: Expecting value: line 1 column 1 (char 0)");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return complaint("malformed crash metadata: not an object");
  }
  const fields = value as Readonly<Record<string, PyJson>>;
  for (const name of ["crash_id", "timestamp"]) {
    if (typeof fields[name] === "string" && fields[name] !== "") continue;
    return complaint(`malformed crash metadata: missing '${name}' field`);
  }
  if (ctx.state.configKey.isFull) return { r: -28, status: "there are too many keys", data: "" };
  const { backtrace } = fields;
  const sig =
    Array.isArray(backtrace) && !("assert_msg" in fields)
      ? { stack_sig: signature(backtrace as readonly PyJson[]) }
      : {};
  const crash: Crash = { ...fields, ...sig, crash_id: textOr(fields["crash_id"]) };
  if (find(ctx, crash.crash_id) === undefined) await store(ctx, crash);
  return ok();
}

const ID = "name=id,type=CephString";
export const crashCommands = commandsOf<CommandContext>("crash", [
  ["crash ls", "r", "list crashes of daemons", ls],
  ["crash ls-new", "r", "list crashes nobody has looked at", ls],
  ["crash stat", "r", "count crashes by age", stat],
  [`crash info ${ID}`, "r", "show a crash", info],
  [`crash archive ${ID}`, "w", "say that a crash has been looked at", archive],
  ["crash archive-all", "w", "say that all crashes have been looked at", archiveAll],
  [`crash rm ${ID}`, "rw", "forget a crash", rm],
  ["crash post", "rw", "add a crash (-i)", post],
]);
