/**
 * Schedules by which the manager empties the trash of pools and namespaces.
 * ceph: src/tools/rbd/action/TrashPurgeSchedule.cc, src/tools/rbd/Schedule.cc
 */

import { ERRNO } from "../../base/index.ts";
import type { Json } from "../../encoding/index.ts";
import { CommandFailure, cppStrerror } from "../client/index.ts";
import type { Call } from "./call.ts";
import { orFail, saying } from "./failure.ts";
import { flag, formatOptions, poolOptions } from "./options.ts";
import { invalid } from "./spec.ts";
import { left, textTable } from "./table.ts";
import type { Positional, Verb } from "./verb.ts";

const PREFIX = "trash purge schedule";
const interval: Positional = { name: "interval", help: "how often: 30m, 12h, 1d" };
const startTime: Positional = { name: "start-time", help: "when the first is: 04:30" };

export const trashScheduleVerbs: readonly Verb[] = [
  {
    name: `${PREFIX} add`,
    summary: "Have the trash emptied by a schedule.",
    positional: [interval, startTime],
    options: poolOptions,
    run: add,
  },
  {
    name: `${PREFIX} list`,
    alias: `${PREFIX} ls`,
    summary: "List by which schedules the trash is emptied.",
    positional: [],
    options: [
      ...poolOptions,
      flag("recursive", "of all that is below, too", "R"),
      ...formatOptions,
    ],
    run: list,
  },
  {
    name: `${PREFIX} remove`,
    alias: `${PREFIX} rm`,
    summary: "Have the trash emptied by a schedule no more.",
    positional: [interval, startTime],
    options: poolOptions,
    run: remove,
  },
  {
    name: `${PREFIX} status`,
    summary: "Show when which trash is emptied next.",
    positional: [],
    options: [...poolOptions, ...formatOptions],
    run: status,
  },
];

interface ScheduleItem {
  readonly interval: string;
  /** null: it has none of its own. */
  readonly start_time: string | null;
}

/** By their ids, as the manager answers with them. */
type Schedules = Readonly<
  Record<string, { readonly name: string; readonly schedule: readonly ScheduleItem[] }>
>;

interface Statuses {
  readonly scheduled: readonly {
    readonly pool_name: string;
    readonly namespace: string;
    readonly schedule_time: string;
  }[];
}

/** What a schedule is for: `pool/`, `pool/namespace/`, or "" for all pools. ceph: get_level_spec_args */
async function levelOf(call: Call): Promise<string> {
  const pool = call.text("pool");
  const namespace = call.text("namespace");
  if (pool === "" && namespace === "") return "";
  const { config } = await call.cluster();
  const level = `${pool || config.get("rbd_default_pool") || "rbd"}/`;
  return namespace === "" ? level : `${level}${namespace}/`;
}

/** @returns what the manager answers @throws CommandFailure with the manager's reason */
async function ask(
  call: Call,
  what: "add" | "remove" | "list" | "status",
  args: Readonly<Record<string, string>> = {},
): Promise<string> {
  const prefix = `rbd ${PREFIX} ${what}`;
  const level = await levelOf(call);
  const cluster = await call.cluster();
  const command = cluster.mgrCommand({ prefix, level_spec: level, ...args });
  const { data } = await orFail(command, (error) => {
    const why = error.cause instanceof Error ? error.cause.message : "";
    const message = `rbd: ${prefix} failed: ${cppStrerror(error.errno)}`;
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

async function add(call: Call): Promise<void> {
  await call.out.write(await ask(call, "add", scheduleArgs(call, true)));
}

async function remove(call: Call): Promise<void> {
  await call.out.write(await ask(call, "remove", scheduleArgs(call, false)));
}

async function list(call: Call): Promise<void> {
  call.checkFormat();
  const found = parsed(await ask(call, "list"), "schedule list") as Schedules;
  const schedules = new Map(Object.values(found).map(({ name, schedule }) => [name, schedule]));
  if (call.has("recursive")) return await listAll(call, schedules);
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
  schedules: ReadonlyMap<string, readonly ScheduleItem[]>,
): Promise<void> {
  const sorted = [...schedules]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, items]) => ({ ...placeOf(name), items }));
  await call.show(
    () => sorted.map(({ items, ...place }) => ({ ...place, items: itemsJson(items) })),
    { root: "schedules", items: { schedules: "schedule", items: "item" } },
    () => {
      const rows = sorted.map(({ pool, namespace, items }) => [pool, namespace, itemsText(items)]);
      return textTable([left("POOL"), left("NAMESPACE"), left("SCHEDULE")], rows);
    },
  );
}

/** `-` stands for all of them. */
function placeOf(name: string): { readonly pool: string; readonly namespace: string } {
  const [pool = "", namespace = ""] = name.split("/");
  return { pool: pool || "-", namespace: namespace || "-" };
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

async function status(call: Call): Promise<void> {
  call.checkFormat();
  const { scheduled } = parsed(await ask(call, "status"), "schedule status") as Statuses;
  const keyOf = (item: (typeof scheduled)[number]) => `${item.pool_name}/${item.namespace}`;
  const sorted = [...scheduled].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  await call.show(
    () =>
      sorted.map((item) => ({
        pool: item.pool_name,
        // compat: the original's spelling.
        namespce: item.namespace,
        schedule_time: item.schedule_time,
      })),
    { root: "scheduled", items: { scheduled: "item" } },
    () => {
      const rows = sorted.map((item) => [item.pool_name, item.namespace, item.schedule_time]);
      return textTable([left("POOL"), left("NAMESPACE"), left("SCHEDULE TIME")], rows);
    },
  );
}
