/**
 * `spirula fsck`: proves that what a data directory holds is sound, or names what is not, a line each.
 * docs/tools.md has the lines and the exit codes.
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { ConfigError, systemClock } from "../base/index.ts";
import { checkStore, findStores, type StorePlace, takeForReading } from "../cluster/index.ts";
import type { FsckReport } from "../store/index.ts";
import { completeWords, optionsOf } from "./client/complete-words.ts";
import { writeAll } from "./client/output.ts";

const HELP = `usage: spirula fsck [--deep] DIR

Checks a cluster's data directory, or one store in it, that no server is using. Changes nothing.
Prints each fault on a line, then a line for each store. Exits with 0 if all is sound, else with 1.

  --deep      also read all data and compare it with its checksums
`;

interface FsckArguments {
  readonly directory: string;
  readonly deep: boolean;
  readonly help: boolean;
}

const OPTIONS = {
  deep: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** What the last of the words may become. */
export async function completeFsck(words: readonly string[]): Promise<readonly string[]> {
  return completeWords(words, optionsOf(OPTIONS), () => []);
}

export function parseFsckArguments(args: string[]): FsckArguments {
  let parsed: ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args, options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    throw new ConfigError(`fsck: ${(error as Error).message}`, error);
  }
  const [directory = "", ...more] = parsed.positionals;
  const { deep, help } = parsed.values;
  if (!help && (directory === "" || more.length > 0)) {
    throw new ConfigError("fsck: one directory is needed: spirula fsck [--deep] DIR");
  }
  return { directory, deep, help };
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** The line that sums up one store. */
export function summary(name: string, report: FsckReport, deep: boolean, seconds: number): string {
  const found = report.faultCount === 0 ? "sound" : count(report.faultCount, "fault");
  const shown =
    report.faultCount > report.faults.length ? ` (the first ${report.faults.length} shown)` : "";
  const took = `${seconds.toFixed(2)} s`;
  if (!report.complete) return `${name}: ${found}${shown}; the rest could not be checked; ${took}`;
  const what = [
    count(report.collections, "collection"),
    count(report.objects, "object"),
    `${report.data} bytes of data${deep ? "" : " (not read)"}`,
    ...(report.clean ? [] : ["not closed cleanly"]),
    took,
  ];
  return `${name}: ${found}${shown}; ${what.join(", ")}`;
}

/** Checks one store and prints what it found. @returns whether it is sound */
async function check(place: StorePlace, deep: boolean): Promise<boolean> {
  const start = systemClock.monotonic();
  const report = checkStore(place, { deep });
  const seconds = (systemClock.monotonic() - start) / 1000;
  const lines = report.faults.map((line) => `${place.name}: ${line}\n`);
  await writeAll([...lines, `${summary(place.name, report, deep, seconds)}\n`]);
  return report.faultCount === 0;
}

export async function runFsck(args: string[]): Promise<number> {
  const { directory, deep, help } = parseFsckArguments(args);
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  const found = await findStores(directory);
  const release = takeForReading(found);
  try {
    let sound = true;
    for (const place of found.stores) if (!(await check(place, deep))) sound = false;
    return sound ? 0 : 1;
  } finally {
    release();
  }
}
