/**
 * Schedules by which the manager does things to images: how they are asked for, and shown.
 * ceph: src/tools/rbd/Schedule.cc
 */

import { ERRNO } from "../../base/index.ts";
import type { Json } from "../../encoding/index.ts";
import { CommandFailure, cppStrerror } from "../client/index.ts";
import type { Call } from "./call.ts";
import { orFail, saying } from "./failure.ts";
import { flag, formatOptions, imageOptions, poolOptions } from "./options.ts";
import { invalid, readSpec, type Spec } from "./spec.ts";
import { left, textTable } from "./table.ts";
import type { Positional, Verb } from "./verb.ts";

/** What it is that is done by a schedule. */
export interface Kind {
  /** Of the verbs, and of the manager's commands after `rbd `: `trash purge schedule`. */
  readonly prefix: string;
  /** Whether single images have schedules. */
  readonly hasImages: boolean;
  /** As in `Have the trash emptied by a schedule`, and in `List by which schedules the trash is emptied`. */
  readonly haveDone: string;
  readonly isDone: string;
  /** What is done next, and when. */
  readonly status: Pick<Verb, "summary" | "run">;
}

const schedulePositional: readonly Positional[] = [
  { name: "interval", help: "how often: 30m, 12h, 1d" },
  { name: "start-time", help: "when the first is: 04:30" },
];

export function scheduleVerbs(kind: Kind): Verb[] {
  const { prefix, hasImages, haveDone, isDone, status } = kind;
  const options = hasImages ? imageOptions() : poolOptions;
  return [
    {
      name: `${prefix} add`,
      summary: `Have ${haveDone} by a schedule.`,
      positional: schedulePositional,
      options,
      run: (call) => addSchedule(call, kind),
    },
    {
      name: `${prefix} list`,
      alias: `${prefix} ls`,
      summary: `List by which schedules ${isDone}.`,
      positional: [],
      options: [...options, flag("recursive", "of all that is below, too", "R"), ...formatOptions],
      run: (call) => listSchedules(call, kind),
    },
    {
      name: `${prefix} remove`,
      alias: `${prefix} rm`,
      summary: `Have ${haveDone} by a schedule no more.`,
      positional: schedulePositional,
      options,
      run: (call) => removeSchedule(call, kind),
    },
    {
      name: `${prefix} status`,
      positional: [],
      options: [...options, ...formatOptions],
      ...status,
    },
  ];
}

interface ScheduleItem {
  readonly interval: string;
  /** null: it has none of its own. */
  readonly start_time: string | null;
}

/** By their ids, as the manager answers with them. */
type Schedules = Readonly<
  Record<string, { readonly name: string; readonly schedule: readonly ScheduleItem[] }>
>;

/**
 * What a schedule is for: `pool/`, `pool/namespace/`, `pool/image`, `pool/namespace/image`, or "" for all pools.
 * ceph: get_level_spec_args, normalize_level_spec_args
 */
async function levelOf(call: Call): Promise<string> {
  const spec: Spec = { pool: "", namespace: "", name: "", snapshot: "" };
  const [image, pool, namespace] = ["image", "pool", "namespace"].map((name) => call.text(name));
  if (image) readSpec(image, spec, "full");
  if (spec.pool !== "" && pool) {
    throw invalid("pool is specified both via pool and image options");
  }
  if (spec.pool !== "" && namespace) {
    throw invalid("namespace is specified both via namespace and image options");
  }
  if (!pool && !namespace && !image) return "";
  const { config } = await call.cluster();
  const start = pool || spec.pool || config.get("rbd_default_pool") || "rbd";
  const parts = [start, namespace || spec.namespace].filter((part) => part !== "");
  return `${parts.join("/")}/${spec.name}`;
}

/** @returns what the manager answers @throws CommandFailure with the manager's reason */
async function ask(
  call: Call,
  { prefix }: Kind,
  what: "add" | "remove" | "list" | "status",
  args: Readonly<Record<string, string>> = {},
): Promise<string> {
  const command = `rbd ${prefix} ${what}`;
  const level = await levelOf(call);
  const cluster = await call.cluster();
  const asked = cluster.mgrCommand({ prefix: command, level_spec: level, ...args });
  const { data } = await orFail(asked, (error) => {
    const why = error.cause instanceof Error ? error.cause.message : "";
    const message = `rbd: ${command} failed: ${cppStrerror(error.errno)}`;
    return saying(why === "" ? message : `${message}: ${why}`, error);
  });
  return data.toString("utf8");
}

/** @throws CommandFailure EBADMSG: the manager's answer is no JSON */
function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandFailure(`rbd: invalid ${what} JSON received`, ERRNO.EBADMSG, error);
  }
}

/** @param isNeeded whether an interval has to be said */
function scheduleArgs(call: Call, isNeeded: boolean): Readonly<Record<string, string>> {
  const every = call.word();
  if (every === "" && isNeeded) throw invalid("missing 'interval' argument");
  const start = call.word();
  return {
    ...(every === "" ? {} : { interval: every }),
    ...(start === "" ? {} : { start_time: start }),
  };
}

async function addSchedule(call: Call, kind: Kind): Promise<void> {
  await call.out.write(await ask(call, kind, "add", scheduleArgs(call, true)));
}

async function removeSchedule(call: Call, kind: Kind): Promise<void> {
  await call.out.write(await ask(call, kind, "remove", scheduleArgs(call, false)));
}

/** What the manager says of what comes next. */
export async function scheduleStatus(call: Call, kind: Kind): Promise<unknown> {
  return parsed(await ask(call, kind, "status"), "schedule status");
}

async function listSchedules(call: Call, kind: Kind): Promise<void> {
  call.checkFormat();
  const found = parsed(await ask(call, kind, "list"), "schedule list") as Schedules;
  const schedules = new Map(Object.values(found).map(({ name, schedule }) => [name, schedule]));
  if (call.has("recursive")) return await listAll(call, kind, schedules);
  const items = schedules.get(await levelOf(call));
  if (items === undefined) throw new CommandFailure("", ERRNO.ENOENT);
  const names = { root: "items", items: { items: "item" } };
  await call.show(
    () => itemsJson(items),
    names,
    () => `${itemsText(items)}\n`,
  );
}

/** Shows every schedule, in the order of what it is for. */
async function listAll(
  call: Call,
  { hasImages }: Kind,
  schedules: ReadonlyMap<string, readonly ScheduleItem[]>,
): Promise<void> {
  const sorted = [...schedules]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, items]) => ({ place: placeOf(name, hasImages), items }));
  const columns = ["POOL", "NAMESPACE", ...(hasImages ? ["IMAGE"] : []), "SCHEDULE"];
  await call.show(
    () => sorted.map(({ place, items }) => ({ ...place, items: itemsJson(items) })),
    { root: "schedules", items: { schedules: "schedule", items: "item" } },
    () => {
      const rows = sorted.map(({ place, items }) => [...Object.values(place), itemsText(items)]);
      return textTable(columns.map(left), rows);
    },
  );
}

/** `-` stands for all of them; an image without a namespace is in none. ceph: parse_schedule_name */
function placeOf(name: string, hasImages: boolean): Readonly<Record<string, string>> {
  const parts = name.split("/");
  const image = parts.length > 1 ? (parts.pop() ?? "") : "";
  const [pool = "", namespace = ""] = parts;
  const place = { pool: pool || "-", namespace: namespace || (image === "" ? "-" : "") };
  return hasImages ? { ...place, image: image || "-" } : place;
}

function itemsJson(items: readonly ScheduleItem[]): Json[] {
  return items.map(({ interval: every, start_time: start }) => ({
    interval: every,
    start_time: start ?? "",
  }));
}

function itemsText(items: readonly ScheduleItem[]): string {
  return items
    .map(({ interval: every, start_time: start }) =>
      start === null ? `every ${every}` : `every ${every} starting at ${start}`,
    )
    .join(", ");
}
