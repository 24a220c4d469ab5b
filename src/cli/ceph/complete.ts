/**
 * What the last of the words may become, for a shell.
 * ceph: src/ceph.in complete
 */

import { type Argument, COMMAND_FLAG, type Signature } from "./signature.ts";

/** @returns the possibilities, each once; or the help of the one command that is left */
export function completions(
  signatures: readonly Signature[],
  words: readonly string[],
): readonly string[] {
  const possible: string[] = [];
  let help = "";
  let matching = 0;
  for (const { arguments: all, flags, help: itsHelp } of signatures) {
    if ((flags & (COMMAND_FLAG.OBSOLETE | COMMAND_FLAG.HIDDEN)) !== 0) continue;
    const next = nextArgument(all, words.slice(0, -1));
    if (next === "another command") continue;
    const last = words.at(-1);
    if (last !== undefined) possible.push(...(next?.type.complete(last) ?? []));
    matching++;
    help = itsHelp;
  }
  if (matching === 1 && possible.length === 0) possible.push(" ", `#${help}`);
  return [...new Set(possible)].toSorted((a, b) => (a === b ? 0 : a < b ? -1 : 1));
}

/** The argument that follows on these words; undefined behind the last one. */
function nextArgument(
  all: readonly Argument[],
  words: readonly string[],
): Argument | "another command" | undefined {
  let at = 0;
  for (const word of words) {
    const argument = all[at];
    if (argument === undefined) return "another command";
    if (!argument.type.complete(word).includes(word) && argument.isRequired) {
      return "another command";
    }
    if (!argument.isList) at++;
  }
  return all[at];
}
