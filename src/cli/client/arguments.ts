/**
 * A command line's words: first those that every Ceph command knows, then the command's own options, wherever
 * among the other words they stand.
 *
 *     -p rbd  -p=rbd  --pool rbd  --pool=rbd  --show-time  --show_time  --
 *
 * ceph: src/common/ceph_argparse.cc ceph_argparse_flag, ceph_argparse_witharg
 */

import process from "node:process";
import { type CephArguments, parseCephArguments, withEnvironment } from "../../config/index.ts";
import { CommandFailure } from "./failure.ts";

/**
 * Takes out the words that every Ceph command knows, of `CEPH_ARGS` too.
 * @throws CommandFailure if one lacks its value
 */
export function cephArguments(words: readonly string[]): CephArguments {
  const parsed = parseCephArguments(withEnvironment(process.env["CEPH_ARGS"], words));
  if ("error" in parsed) throw new CommandFailure(parsed.error);
  return parsed;
}

/** Whether one of the words stands among the options: what is behind `--` are none. */
export function asksFor({ rest }: CephArguments, ...words: string[]): boolean {
  const ends = rest.indexOf("--");
  return (ends < 0 ? rest : rest.slice(0, ends)).some((word) => words.includes(word));
}

export interface OptionSpec {
  /** `-p`, `--pool`. */
  readonly names: readonly string[];
  /** What its value is called in the help: `POOL`; undefined: it has none. */
  readonly value?: string;
  readonly help?: string;
}

export interface OwnOptions<K extends string> {
  /** Values as they were written; "" for an option that has none. The last of several counts. */
  readonly options: ReadonlyMap<K, string>;
  /** All other words, in their order, those that look like options too. */
  readonly rest: readonly string[];
}

/** @throws CommandFailure if an option lacks its value */
export function takeOptions<K extends string>(
  words: readonly string[],
  table: Readonly<Record<K, OptionSpec>>,
): OwnOptions<K> {
  const byName = new Map<string, K>();
  for (const key of Object.keys(table) as K[]) {
    for (const name of table[key].names) byName.set(canonical(name), key);
  }
  const options = new Map<K, string>();
  const rest: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") {
      rest.push(...words.slice(i + 1));
      break;
    }
    const equals = word.startsWith("-") ? word.indexOf("=") : -1;
    const name = equals < 0 ? word : word.slice(0, equals);
    const key = byName.get(canonical(name));
    if (key === undefined || (equals >= 0 && table[key].value === undefined)) {
      rest.push(word);
    } else if (table[key].value === undefined) {
      options.set(key, "");
    } else {
      const value = equals < 0 ? words[++i] : word.slice(equals + 1);
      if (value === undefined) throw new CommandFailure(`Option ${word} requires an argument.`);
      options.set(key, value);
    }
  }
  return { options, rest };
}

/** Dashes and underscores are one, but for the first two. */
function canonical(name: string): string {
  return name.slice(0, 2) + name.slice(2).replaceAll("-", "_");
}
