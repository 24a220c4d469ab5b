/** What the words of an rbd command may become, from its table of verbs. */

import { CEPH_ARGUMENT_NAMES } from "../../config/index.ts";
import { type CompletedOption, completeWords } from "../client/index.ts";
import type { RbdOption } from "./options.ts";
import { findVerb, plainWords } from "./parse.ts";
import { VERBS } from "./verbs.ts";

const COMMON: readonly CompletedOption[] = [
  { names: CEPH_ARGUMENT_NAMES, takesValue: true },
  { names: ["-h", "--help"], takesValue: false },
];
/** Every verb's name, and its other one, as words. */
const NAMES = [
  "help",
  ...VERBS.filter(({ run }) => run !== undefined).flatMap(({ name, alias }) =>
    alias === undefined ? [name] : [name, alias],
  ),
].map((name) => name.split(" "));

function completed({ name, short, parse, choices }: RbdOption): CompletedOption {
  const names = short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
  return { names, takesValue: parse !== undefined, choices };
}

export async function completeRbd(words: readonly string[]): Promise<readonly string[]> {
  const verb = findVerb(plainWords(words.slice(0, -1), VERBS), VERBS)?.verb;
  const options = [...(verb?.options.map(completed) ?? []), ...COMMON];
  // Options may stand before their verb.
  const ofOthers = VERBS.flatMap((other) => other.options.map(completed));
  return completeWords(words, options, nextWords, ofOthers);
}

/** The next words of the verbs that begin so. */
function nextWords(before: readonly string[]): string[] {
  const verbWords = before[0] === "help" ? before.slice(1) : before;
  const possible = NAMES.filter((name) => verbWords.every((word, i) => name[i] === word));
  return possible.flatMap((name) => name[verbWords.length] ?? []);
}
