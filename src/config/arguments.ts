/**
 * What every Ceph command takes on its command line, and in `CEPH_ARGS`: who is asking, where the cluster is,
 * and `--any-option value`. What is left is the command's own.
 * ceph: src/common/ceph_argparse.cc ceph_argparse_early_args, src/common/config.cc parse_argv
 */

import { canonicalName, findOption } from "./options.ts";

export interface CephArguments {
  /** `-c`, `--conf`: one path, or several with `,` or `;` between. */
  conf?: string;
  /** `--no-config-file`. */
  noConfigFile: boolean;
  /** `--no-mon-config`: the monitors' options are not asked for. */
  noMonConfig: boolean;
  /** `--cluster`. */
  cluster?: string;
  /** `-n`, `--name`: type and id. */
  name?: string;
  /** `--id`, `--user`: the id alone. */
  id?: string;
  /** Options by their canonical names, as text. */
  options: Map<string, string>;
  /** Words that are none of these, in their order; all of those behind `--`, and `--` itself. */
  rest: string[];
}

/** Names of one argument beside the option's own. */
const SHORT: Readonly<Record<string, string>> = {
  "-m": "mon_host",
  "-k": "keyring",
  "-K": "keyfile",
};
const WHO: Readonly<Record<string, "conf" | "cluster" | "name" | "id">> = {
  "-c": "conf",
  "--conf": "conf",
  "--cluster": "cluster",
  "-n": "name",
  "--name": "name",
  "--id": "id",
  "--user": "id",
};

/** How those of them are written that take a value, besides the options' own names; for a shell to complete. */
export const CEPH_ARGUMENT_NAMES: readonly string[] = [
  ...Object.keys(WHO),
  ...Object.entries(SHORT).flatMap(([short, name]) => [short, `--${name}`]),
];

/** @returns a line that says what is wrong, if something is */
export function parseCephArguments(words: readonly string[]): CephArguments | { error: string } {
  const out: CephArguments = {
    noConfigFile: false,
    noMonConfig: false,
    options: new Map(),
    rest: [],
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") {
      out.rest.push(...words.slice(i));
      break;
    }
    const [flag, inline] = splitInline(word);
    const who = Object.hasOwn(WHO, flag) ? WHO[flag] : undefined;
    const option = optionOf(flag);
    if (flag === "--no-config-file") {
      out.noConfigFile = true;
    } else if (flag === "--no-mon-config" || flag === "--mon-config") {
      out.noMonConfig = flag === "--no-mon-config";
    } else if (who === undefined && option === undefined) {
      out.rest.push(word);
    } else if (option?.isFlag === true) {
      const next = words[i + 1];
      const isNext = inline === undefined && option.fixed === undefined && isTruth(next);
      if (isNext) i++;
      out.options.set(option.name, option.fixed ?? inline ?? (isNext ? (next ?? "") : "true"));
    } else {
      const value = inline ?? words[++i];
      if (value === undefined) return { error: `Option ${flag} requires an argument.` };
      if (who !== undefined) out[who] = value;
      else if (option !== undefined) out.options.set(option.name, value);
    }
  }
  return out;
}

/** `CEPH_ARGS` goes in front: what the command line says is said last. */
export function withEnvironment(args: string | undefined, words: readonly string[]): string[] {
  const [options, behind] = splitDoubleDash((args ?? "").split(" ").filter((word) => word !== ""));
  const [ownOptions, ownBehind] = splitDoubleDash(words);
  const all = [...options, ...ownOptions];
  const rest = [...behind, ...ownBehind];
  return rest.length === 0 ? all : [...all, "--", ...rest];
}

function splitDoubleDash(words: readonly string[]): [readonly string[], readonly string[]] {
  const at = words.indexOf("--");
  return at < 0 ? [words, []] : [words.slice(0, at), words.slice(at + 1)];
}

function splitInline(word: string): [flag: string, inline: string | undefined] {
  const at = word.startsWith("--") ? word.indexOf("=") : -1;
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

interface Known {
  readonly name: string;
  /** It may stand alone. */
  readonly isFlag: boolean;
  /** What it says by itself: `--no-…`. */
  readonly fixed?: string;
}

function optionOf(flag: string): Known | undefined {
  const short = Object.hasOwn(SHORT, flag) ? SHORT[flag] : undefined;
  if (short !== undefined) return { name: short, isFlag: false };
  if (!flag.startsWith("--") || flag === "--") return undefined;
  const name = canonicalName(flag.slice(2));
  const option = findOption(name);
  if (option !== undefined) return { name, isFlag: option.type === "bool" };
  const positive = name.startsWith("no_") ? findOption(name.slice(3)) : undefined;
  if (positive?.type !== "bool") return undefined;
  return { name: positive.name, isFlag: true, fixed: "false" };
}

/** Truths that a flag takes as a word of its own; any other word is not its. */
function isTruth(word: string | undefined): boolean {
  return word !== undefined && ["true", "false", "0", "1"].includes(word);
}
