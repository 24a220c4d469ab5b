/**
 * The words of `injectargs`, read as upstream reads a command line: what can be set is set, whatever becomes of
 * the rest.
 * ceph: src/common/config.cc injectargs, parse_option; src/common/ceph_argparse.cc
 */

import type { ConfigOption } from "./options.ts";
import type { SettingRefusal, Settings } from "./settings.ts";

/** What came of it. */
export interface Injected {
  /** Names of the options that were told anything new. */
  readonly changed: ReadonlySet<string>;
  /** Of what was refused: a line each, in order. */
  readonly complaints: string;
  /** The last refusal's. */
  readonly errno: "EINVAL" | "EPERM" | undefined;
}

/** compat: blanks alone divide words, and those at the start leave an empty one. */
function wordsOf(text: string): string[] {
  return text === "" ? [] : text.replace(/ +$/, "").split(/ +/);
}

/** `--osd-max-backfills=3` → its name with underscores, and what follows the sign. */
function takeApart(word: string): { name: string; inline: string | undefined } | undefined {
  const [, flag, inline] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
  return flag === undefined ? undefined : { name: flag.replaceAll("-", "_"), inline };
}

const TRUTHS: Readonly<Record<string, "true" | "false">> = {
  true: "true",
  "1": "true",
  false: "false",
  "0": "false",
};

function truthOf(word: string | undefined): "true" | "false" | undefined {
  return word !== undefined && Object.hasOwn(TRUTHS, word) ? TRUTHS[word] : undefined;
}

/** What a word says: an option and its text, or why that is none; and how many words that takes. */
type Assignment =
  | { readonly option: ConfigOption; readonly text: string; readonly words: number }
  | { readonly option: ConfigOption; readonly why: string; readonly words: number };

/** A truth needs no argument: `--x`, `--x=false`, `--x false`. */
function readTruth(option: ConfigOption, inline: string | undefined, next: string | undefined) {
  if (inline === undefined) {
    const said = truthOf(next);
    return { option, text: said ?? "true", words: said === undefined ? 1 : 2 };
  }
  const said = truthOf(inline);
  if (said !== undefined) return { option, text: said, words: 1 };
  const why = `Parse error parsing binary flag  --${option.name}. Expected true or false, but got '${inline}'\n`;
  return { option, why: `${why}${complaint(option.name, "")}`, words: 1 };
}

function readWord(
  word: string,
  next: string | undefined,
  settings: Settings,
): Assignment | undefined {
  const parts = takeApart(word);
  if (parts === undefined) return undefined;
  const { name, inline } = parts;
  const option = settings.get(name)?.option;
  if (option === undefined) {
    const denied = name.startsWith("no_") ? settings.get(name.slice(3))?.option : undefined;
    if (denied?.type !== "bool" || inline !== undefined) return undefined;
    return { option: denied, text: "false", words: 1 };
  }
  if (option.type === "bool") return readTruth(option, inline, next);
  if (inline !== undefined) return { option, text: inline, words: 1 };
  if (next !== undefined) return { option, text: next, words: 2 };
  const why = `Option ${word} requires an argument.\n`;
  return { option, why: complaint(name, "", why), words: 1 };
}

function complaint(name: string, text: string, why = ""): string {
  const because = why === "" ? "" : ` (${why})`;
  return `Parse error setting ${name} to '${text}' using injectargs${because}.\n`;
}

function refusalText({ option, text }: { option: ConfigOption; text: string }, r: SettingRefusal) {
  // compat: what a truth was given is not told.
  return complaint(option.name, option.type === "bool" ? "" : text, "why" in r ? r.why : "");
}

/** Sets what `text` says, from left to right. */
export function injectArguments(settings: Settings, text: string): Injected {
  const words = wordsOf(text);
  const changed = new Set<string>();
  const left: string[] = [];
  let complaints = "";
  let errno: Injected["errno"];
  for (let i = 0; i < words.length; ) {
    const word = words[i] ?? "";
    const said = readWord(word, words[i + 1], settings);
    i += said?.words ?? 1;
    if (said === undefined) {
      left.push(word);
    } else if ("why" in said) {
      complaints += said.why;
      errno = "EINVAL";
    } else {
      const value = settings.check(said.option.name, said.text);
      if (typeof value === "string") {
        if (settings.set(said.option.name, value)) changed.add(said.option.name);
      } else {
        complaints += refusalText(said, value);
        errno = value.errno === "EPERM" ? "EPERM" : "EINVAL";
      }
    }
  }
  if (left.length > 0) {
    complaints += ` failed to parse arguments: ${left.join(",")}\n`;
    errno = "EINVAL";
  }
  return { changed, complaints, errno };
}
