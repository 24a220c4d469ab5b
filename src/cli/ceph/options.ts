/**
 * The command's own options, wherever among the words they stand; other words are the cluster's to judge.
 *
 * Long options may be shortened as far as they stay unambiguous; short ones may be joined and carry their
 * value: `-sf json`, `-fjson`.
 * ceph: src/ceph.in parse_cmdargs, which is Python's argparse.parse_known_args
 */

import { CEPH_ARGUMENT_NAMES } from "../../config/index.ts";
import { CommandFailure, type CompletedOption } from "../client/index.ts";
import { pythonDecimal, pythonNumber } from "./python-text.ts";

/** Exit code of an option that cannot be understood. */
const EXIT_USAGE = 2;

export const FORMATS = ["json", "json-pretty", "xml", "xml-pretty", "plain", "yaml"];

interface OptionRow {
  readonly names: readonly string[];
  /** What its value is called; without one it is a switch. */
  readonly value?: string;
  readonly choices?: readonly string[];
  /** What a value must be, and what it is called where it is not. */
  readonly number?: "int" | "float";
  /** Nobody needs to know. */
  readonly isHidden?: boolean;
  readonly help: string;
}

export const OPTIONS = {
  completion: { names: ["--completion"], isHidden: true, help: "what the last word may become" },
  help: { names: ["-h", "--help"], help: "this, and the cluster's commands that begin so" },
  conf: { names: ["-c", "--conf"], value: "CONF", help: "path of the cluster's ceph.conf" },
  inFile: { names: ["-i", "--in-file"], value: "FILE", help: "the command's input; - for stdin" },
  outFile: { names: ["-o", "--out-file"], value: "FILE", help: "where output goes; - for stdout" },
  setuser: { names: ["--setuser"], value: "USER", help: "owner of the output file" },
  setgroup: { names: ["--setgroup"], value: "GROUP", help: "group of the output file" },
  id: { names: ["--id", "--user"], value: "ID", help: "who asks, without its type" },
  name: { names: ["--name", "-n"], value: "NAME", help: "who asks: TYPE.ID" },
  cluster: { names: ["--cluster"], value: "CLUSTER", help: "the cluster's name" },
  adminDaemon: {
    names: ["--admin-daemon"],
    value: "SOCKET",
    help: "ask the daemon at that admin socket",
  },
  status: { names: ["-s", "--status"], help: "show the cluster's state" },
  watch: { names: ["-w", "--watch"], help: "show the state, then the cluster log as it grows" },
  watchDebug: { names: ["--watch-debug"], help: "watch entries of level debug and above" },
  watchInfo: { names: ["--watch-info"], help: "watch entries of level info and above" },
  watchSec: { names: ["--watch-sec"], help: "watch entries of level sec and above" },
  watchWarn: { names: ["--watch-warn"], help: "watch warnings and errors" },
  watchError: { names: ["--watch-error"], help: "watch errors" },
  watchChannel: {
    names: ["-W", "--watch-channel"],
    value: "CHANNEL",
    help: "watch one channel (cluster, audit …), or * for all",
  },
  version: { names: ["--version", "-v"], help: "show the version" },
  verbose: { names: ["--verbose"], help: "tell what is done" },
  concise: { names: ["--concise"], help: "tell less" },
  format: {
    names: ["-f", "--format"],
    value: "FORMAT",
    choices: FORMATS,
    help: "form of the output",
  },
  connectTimeout: {
    names: ["--connect-timeout"],
    value: "SECONDS",
    number: "int",
    help: "how long to try to connect",
  },
  block: { names: ["--block"], help: "wait until a scrub or deep-scrub is done" },
  period: {
    names: ["--period", "-p"],
    value: "SECONDS",
    number: "float",
    help: "between two polls of commands like iostat (1)",
  },
} as const satisfies Record<string, OptionRow>;

/** Those that a shell completes, with what every Ceph command knows. */
export const COMPLETED_OPTIONS: readonly CompletedOption[] = [
  ...(Object.values(OPTIONS) as OptionRow[])
    .filter(({ isHidden }) => isHidden !== true)
    .map(({ names, value, choices }) => ({ names, choices, takesValue: value !== undefined })),
  { names: CEPH_ARGUMENT_NAMES, takesValue: true },
];

export type OptionKey = keyof typeof OPTIONS;

export interface ParsedOptions {
  /** Values as written; "" for switches. The last of several counts. */
  readonly options: ReadonlyMap<OptionKey, string>;
  /** The other words, in their order; of two dashes the dashes too. */
  readonly rest: readonly string[];
}

const BY_NAME = new Map(
  (Object.entries(OPTIONS) as [OptionKey, OptionRow][]).flatMap(([key, row]) =>
    row.names.map((name) => [name, { key, row }] as const),
  ),
);
type Known = { readonly key: OptionKey; readonly row: OptionRow };

/** @throws CommandFailure */
export function parseOptions(words: readonly string[]): ParsedOptions {
  const options = new Map<OptionKey, string>();
  const rest: string[] = [];
  const queue = [...words];
  const take = (known: Known, inline: string | undefined): void => {
    const value = inline ?? (isWord(queue[0]) ? queue.shift() : undefined);
    if (value === undefined) throw usageError(`${argumentOf(known)}: expected one argument`);
    checkValue(known, value);
    options.set(known.key, value);
  };
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === "--") {
      rest.push(word, ...queue);
      break;
    }
    let found = isWord(word) ? undefined : optionOf(word);
    if (found === undefined) rest.push(word);
    while (found !== undefined) {
      const { known, inline } = found;
      found = undefined;
      if (known.row.value !== undefined) {
        take(known, inline);
        continue;
      }
      if (known.key === "concise") options.delete("verbose");
      options.set(known.key, "");
      if (inline !== undefined) found = joined(known, word, inline);
    }
  }
  return { options, rest };
}

/** Not an option, as far as an option's value is concerned. */
function isWord(word: string | undefined): boolean {
  if (word === undefined) return false;
  if (!word.startsWith("-") || word === "-") return true;
  if (word === "--") return false;
  return optionOf(word) === undefined && (/^-\d+$|^-\d*\.\d+$/.test(word) || word.includes(" "));
}

function optionOf(word: string): { known: Known; inline: string | undefined } | undefined {
  const exact = BY_NAME.get(word);
  if (exact !== undefined) return { known: exact, inline: undefined };
  const equals = word.indexOf("=");
  const [name, value] =
    equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
  const withValue = BY_NAME.get(name);
  if (withValue !== undefined) return { known: withValue, inline: value };
  if (word.startsWith("--")) {
    const possible = [...BY_NAME.keys()].filter((x) => x.startsWith(name));
    if (possible.length > 1) {
      throw usageError(`ambiguous option: ${word} could match ${possible.join(", ")}`);
    }
    const known = BY_NAME.get(possible[0] ?? "");
    return known === undefined ? undefined : { known, inline: value };
  }
  const short = BY_NAME.get(word.slice(0, 2));
  return short === undefined ? undefined : { known: short, inline: word.slice(2) };
}

/** What stands behind a switch: another one, joined to it. */
function joined(
  known: Known,
  word: string,
  behind: string,
): { known: Known; inline: string | undefined } {
  const next = word.startsWith("--") ? undefined : BY_NAME.get(`-${behind[0] ?? ""}`);
  if (next === undefined) {
    throw usageError(`${argumentOf(known)}: ignored explicit argument '${behind}'`);
  }
  return { known: next, inline: behind.length > 1 ? behind.slice(1) : undefined };
}

function checkValue(known: Known, value: string): void {
  const { choices, number } = known.row;
  if (choices !== undefined && !choices.includes(value)) {
    const all = choices.map((choice) => `'${choice}'`).join(", ");
    throw usageError(`${argumentOf(known)}: invalid choice: '${value}' (choose from ${all})`);
  }
  const isNumber =
    number === undefined ||
    (number === "int" ? pythonDecimal(value) : pythonNumber(value)) !== undefined;
  if (!isNumber) throw usageError(`${argumentOf(known)}: invalid ${number} value: '${value}'`);
}

function argumentOf({ row }: Known): string {
  return `argument ${row.names.join("/")}`;
}

function usageError(message: string): CommandFailure {
  return new CommandFailure(
    `ceph: error: ${message}\n'spirula ceph --help' lists the options.`,
    EXIT_USAGE,
  );
}

/** The options, a line each. */
export function optionsHelp(): string {
  const rows = (Object.values(OPTIONS) as OptionRow[]).filter(({ isHidden }) => isHidden !== true);
  const lines = rows.map(({ names, value, choices, help }) => {
    const shown = choices === undefined ? value : `{${choices.join(",")}}`;
    const spelled = names
      .map((name) => (shown === undefined ? name : `${name} ${shown}`))
      .join(", ");
    return spelled.length < 24
      ? `  ${spelled.padEnd(24)}${help}`
      : `  ${spelled}\n${" ".repeat(26)}${help}`;
  });
  return `${lines.join("\n")}\n`;
}
