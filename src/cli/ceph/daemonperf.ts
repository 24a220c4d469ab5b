/**
 * `ceph daemonperf`: a daemon's counters as they grow, a row a second, from its admin socket.
 *
 *     daemonperf WHO [PATTERNS] [PRIORITY] [SECONDS] [COUNT]      daemonperf WHO list [PATTERNS] [PRIORITY]
 *
 * ceph: src/ceph.in daemonperf, src/pybind/ceph_daemon.py DaemonWatcher
 */

import process from "node:process";
import { ERRNO, sleep, systemClock } from "../../base/index.ts";
import { CommandFailure, Output } from "../client/index.ts";
import { PerfTable, type ShownCounter } from "./perf-table.ts";
import { pythonDecimal, pythonNumber } from "./python-text.ts";
import { complain, terminalSize } from "./session.ts";

/** ceph: src/common/perf_counters.h */
const PRIORITIES = {
  critical: 10,
  interesting: 8,
  useful: 5,
  uninteresting: 2,
  debugonly: 0,
} as const;

interface PerfWords {
  readonly isList: boolean;
  readonly patterns: readonly string[] | undefined;
  readonly priority: number;
  readonly seconds: number;
  /** Undefined: until the user has seen enough. */
  readonly count: number | undefined;
}

interface CounterSchema {
  readonly type: number;
  readonly nick: string;
  readonly priority?: number;
}
type Schema = Readonly<Record<string, Readonly<Record<string, CounterSchema>>>>;

/** Answers a command, given in its words. */
export type AskDaemon = (words: readonly string[]) => Promise<Buffer>;

/** @returns the exit code */
export async function runDaemonPerf(words: readonly string[], ask: AskDaemon): Promise<number> {
  const parsed = parseWords(words);
  if (typeof parsed === "string") {
    complain(`daemonperf: ${parsed}`);
    return ERRNO.EINVAL;
  }
  const schema = JSON.parse((await ask(["perf", "schema"])).toString("utf8")) as Schema;
  const counters = chooseCounters(schema, parsed);
  if (counters.length === 0) throw new CommandFailure("no stats selected by filters");
  const out = new Output();
  if (parsed.isList) {
    out.put(listOf(counters));
    await out.flush();
    return 0;
  }
  process.once("SIGINT", () => process.exit(0));
  await watchCounters(counters, parsed, ask, out);
  return 0;
}

/** @returns what is wrong, if something is */
function parseWords(words: readonly string[]): PerfWords | string {
  const firstNumber = words.findIndex((word) => pythonNumber(word) !== undefined);
  const [named, numbers] =
    firstNumber < 0 ? [words, []] : [words.slice(0, firstNumber), words.slice(firstNumber)];
  let isList = false;
  let patterns: string[] | undefined;
  let priority: number = PRIORITIES.interesting;
  for (const word of named) {
    const known = priorityOf(word);
    if (word === "list" || word === "ls") isList = true;
    else if (known !== undefined) priority = known;
    else patterns = word.split(",");
  }
  const seconds = numbers[0] === undefined ? 1 : pythonNumber(numbers[0]);
  if (seconds === undefined || !(seconds >= 0)) return "interval should be a positive number";
  const count = numbers[1] === undefined ? undefined : pythonDecimal(numbers[1]);
  if (numbers[1] !== undefined && (count === undefined || count < 0n)) {
    return "count should be a positive integer";
  }
  return {
    isList,
    patterns,
    priority,
    seconds,
    count: count === undefined ? count : Number(count),
  };
}

/** By its name or the beginning of it. */
function priorityOf(word: string): number | undefined {
  return Object.entries(PRIORITIES).find(([name]) => name.startsWith(word))?.[1];
}

function chooseCounters(schema: Schema, { patterns, priority }: PerfWords): ShownCounter[] {
  const forms = patterns?.map(globForm);
  const isMeant = (section: string, name: string) =>
    forms?.some((form) => form.test(name) || form.test(`${section}.${name}`)) ?? true;
  return Object.entries(schema).flatMap(([section, counters]) =>
    Object.entries(counters)
      .filter(([name, counter]) => isMeant(section, name) && (counter.priority ?? 0) >= priority)
      .map(([name, counter]) => ({
        section,
        name,
        nick: counter.nick,
        type: counter.type,
        priority: counter.priority ?? 0,
      })),
  );
}

/** A shell's pattern: `*`, `?`, `[a-z]`, `[!a-z]`. */
function globForm(glob: string): RegExp {
  const parts = glob.match(/\*|\?|\[[!]?\]?[^\]]*\]|[\s\S]/g) ?? [];
  const form = parts.map((part) => {
    if (part === "*") return "[\\s\\S]*";
    if (part === "?") return "[\\s\\S]";
    if (part.length > 1) return part.replace(/^\[!/, "[^").replaceAll("\\", "\\\\");
    return part.replace(/[.+^${}()|[\]\\]/, "\\$&");
  });
  return new RegExp(`^${form.join("")}$`);
}

function listOf(counters: readonly ShownCounter[]): string {
  const rows = counters.map(({ section, name, nick, priority }) => [
    section,
    name,
    nick,
    String(priority),
  ]);
  const head = ["section", "name", "nick", "prio"];
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (row: readonly string[]) => {
    const cells = row.map((cell, i) => {
      const width = widths[i] ?? 0;
      return i === head.length - 1 ? cell.padStart(width) : cell.padEnd(width);
    });
    return `| ${cells.join(" | ")} |\n`;
  };
  const rule = `+${widths.map((width) => "-".repeat(width + 2)).join("+")}+\n`;
  return line(head) + rule + rows.map(line).join("");
}

async function watchCounters(
  counters: readonly ShownCounter[],
  { seconds, count }: PerfWords,
  ask: AskDaemon,
  out: Output,
): Promise<void> {
  const table = new PerfTable(counters, process.stdout.isTTY);
  const dump = async () => JSON.parse((await ask(["perf", "dump"])).toString("utf8")) as never;
  let before = await dump();
  for (let shown = 0; !out.isGone; ) {
    const now = await dump();
    const { rows, columns } = terminalSize();
    if (shown % Math.max(rows - 1, 1) === 0) out.put(table.head(columns));
    out.put(table.row(now, before, columns));
    await out.flush();
    shown++;
    if (count !== undefined && shown >= count) return;
    before = now;
    await sleep(systemClock, seconds * 1000);
  }
}
