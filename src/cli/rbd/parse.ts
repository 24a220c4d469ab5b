/**
 * From a command line's words to a verb, its words and its options.
 * ceph: src/tools/rbd/Shell.cc; what is wrong is said as boost's program_options says it
 */

import { CommandFailure } from "../client/index.ts";
import type { OptionValue, RbdOption } from "./options.ts";
import type { Verb } from "./verb.ts";

export interface ParsedVerb {
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, OptionValue>;
}

/** Options that stand alone, by how they are written: they take no word after them. */
function flagsOf(verbs: readonly Verb[]): Set<string> {
  const flags = new Set(["-h", "--help"]);
  for (const { options } of verbs) {
    for (const { name, short, parse } of options) {
      if (parse !== undefined) continue;
      flags.add(`--${name}`);
      if (short !== undefined) flags.add(`-${short}`);
    }
  }
  return flags;
}

/** The words that are neither options nor their values. */
export function plainWords(args: readonly string[], verbs: readonly Verb[]): string[] {
  const flags = flagsOf(verbs);
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") return [...words, ...args.slice(i + 1)];
    if (!arg.startsWith("-") || arg === "-") words.push(arg);
    else if (!flags.has(arg) && !arg.includes("=") && !isShortWithValue(arg)) i++;
  }
  return words;
}

/** `-prbd` */
function isShortWithValue(arg: string): boolean {
  return !arg.startsWith("--") && arg.length > 2;
}

/** The verb whose name, or alias, the words begin with; the longest of several. */
export function findVerb(
  words: readonly string[],
  verbs: readonly Verb[],
): { readonly verb: Verb; readonly name: readonly string[] } | undefined {
  let found: { verb: Verb; name: readonly string[] } | undefined;
  for (const verb of verbs) {
    for (const text of [verb.name, verb.alias]) {
      const name = text?.split(" ") ?? [];
      const isIt = name.length > 0 && name.every((word, i) => words[i] === word);
      if (isIt && name.length > (found?.name.length ?? 0)) found = { verb, name };
    }
  }
  return found;
}

/** @throws CommandFailure if an option is unknown, or lacks its value, or there are too many words */
export function parseVerb(
  verb: Verb,
  name: readonly string[],
  args: readonly string[],
): ParsedVerb {
  const options = new Map<string, OptionValue>();
  const words: string[] = [];
  const add = (option: RbdOption, written: string, text: string | undefined) => {
    const value = valueOf(option, written, text);
    const before = options.get(option.name);
    if (before !== undefined && value !== true && option.adds === undefined) {
      throw bad(`option '--${option.name}' cannot be specified more than once`);
    }
    const all = before === undefined ? value : (option.adds?.(before, value) ?? value);
    options.set(option.name, all);
  };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") {
      words.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      words.push(arg);
      continue;
    }
    for (const part of apart(verb, arg)) {
      const { option, inline } = optionOf(verb, part);
      if (option === undefined) throw bad(`unrecognised option '${part.split("=")[0]}'`);
      const takesNext = option.parse !== undefined && inline === undefined;
      add(option, part, takesNext ? args[++i] : inline);
    }
  }
  const own = words.slice(name.length);
  if (words.slice(0, name.length).join(" ") !== name.join(" ")) {
    throw bad("failed to parse command");
  }
  const isMany = verb.positional.at(-1)?.isMany === true;
  if (own.length > verb.positional.length && !isMany) throw bad("too many arguments");
  return { words: own, options };
}

/** `-al` is `-a -l`, where `-a` stands alone. */
function apart(verb: Verb, arg: string): string[] {
  const { option, inline = "" } = optionOf(verb, arg);
  if (arg.startsWith("--") || option === undefined || option.parse !== undefined) return [arg];
  if (inline === "" || arg[2] === "=") return [arg];
  return [arg.slice(0, 2), ...apart(verb, `-${inline}`)];
}

function optionOf(
  { options }: Verb,
  arg: string,
): { readonly option: RbdOption | undefined; readonly inline: string | undefined } {
  if (arg.startsWith("--")) {
    const equals = arg.indexOf("=");
    const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
    const inline = equals < 0 ? undefined : arg.slice(equals + 1);
    return { option: options.find((option) => option.name === name), inline };
  }
  const option = options.find(({ short }) => short === arg[1]);
  const rest = arg.slice(arg[2] === "=" ? 3 : 2);
  return { option, inline: arg.length > 2 ? rest : undefined };
}

function valueOf(option: RbdOption, written: string, text: string | undefined): OptionValue {
  if (option.parse === undefined) {
    if (text === undefined) return true;
    throw bad(`option '${written.split("=")[0]}' does not take any arguments`);
  }
  if (text === undefined) {
    throw bad(`the required argument for option '--${option.name}' is missing`);
  }
  const value = option.parse(text);
  // compat: the original names the option alone, but for plain numbers.
  if (value === undefined) {
    const quoted = option.isQuoted === true ? `('${text}') ` : "";
    throw bad(`the argument ${quoted}for option '--${option.name}' is invalid`);
  }
  return value;
}

function bad(message: string): CommandFailure {
  return new CommandFailure(`rbd: ${message}`);
}
