/**
 * Which of a daemon's commands the words are; or, where they are none, what the user is told.
 *
 * The signatures that go along with the words for longest are tried, those with the fewest required arguments
 * first, until one takes them all or one says that an argument is wrong.
 * ceph: src/pybind/ceph_argparse.py validate_command
 */

import { ArgumentError } from "./argument-error.ts";
import { type CommandWords, matchCount, matchWords, UnusedArguments } from "./match.ts";
import { COMMAND_FLAG, type Signature, usageLine } from "./signature.ts";

/** How many commands are shown when no command is meant. */
const SHOWN_MAX = 10;

export interface Chosen {
  readonly words: CommandWords;
  readonly signature: Signature;
}

/** No command is meant: lines for the user. */
export interface Unchosen {
  readonly advice: readonly string[];
}

export interface ChooseOptions {
  /** Told which signatures fit better and better. */
  readonly onBetter?: (line: string) => void;
}

export function chooseCommand(
  signatures: readonly Signature[],
  words: readonly string[],
  { onBetter }: ChooseOptions = {},
): Chosen | Unchosen {
  const best = bestMatches(signatures, words, onBetter);
  const sorted = best.toSorted((a, b) => requiredCount(a) - requiredCount(b));
  for (const signature of sorted) {
    try {
      return { words: matchWords(words, signature.arguments), signature };
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      const { kind } = error;
      if (kind === "prefix" || kind === "too-few") continue;
      if (kind === "missing" && best.length > 1) break;
      return { advice: [...refusedAdvice(error), ...wrongAdvice(error, signature)] };
    }
  }
  return { advice: closestAdvice(best) };
}

function requiredCount({ arguments: all }: Signature): number {
  return all.filter(({ isRequired }) => isRequired).length;
}

/** Those that share the highest grade. */
function bestMatches(
  signatures: readonly Signature[],
  words: readonly string[],
  onBetter: ChooseOptions["onBetter"],
): Signature[] {
  let bestGrade = 0;
  let best: Signature[] = [];
  for (const signature of signatures) {
    if ((signature.flags & COMMAND_FLAG.OBSOLETE) !== 0) continue;
    let grade = matchCount(words, signature.arguments, true);
    // Whole words before beginnings of words.
    const isWhole = () => grade === matchCount(words, signature.arguments, false);
    if (grade >= Math.floor(bestGrade) && isWhole()) grade += 0.5;
    if (grade < bestGrade) continue;
    onBetter?.(`better match: ${grade} > ${bestGrade}: ${usageLine(signature)} `);
    if (grade > bestGrade) best = [];
    best.push(signature);
    bestGrade = grade;
  }
  return best;
}

function refusedAdvice(error: ArgumentError): string[] {
  const refused = error instanceof UnusedArguments ? error.refused : undefined;
  return refused === undefined ? [] : [`${refused.word} not valid:  ${refused.error.message}`];
}

function wrongAdvice(error: ArgumentError, signature: Signature): string[] {
  return [`Invalid command: ${error.message}`, `${usageLine(signature)} :  ${signature.help}`];
}

function closestAdvice(best: readonly Signature[]): string[] {
  const shown = best
    .filter(({ flags }) => (flags & (COMMAND_FLAG.DEPRECATED | COMMAND_FLAG.HIDDEN)) === 0)
    .slice(0, SHOWN_MAX);
  return [
    `no valid command found; ${shown.length} closest matches:`,
    ...shown.map((signature) => usageLine(signature)),
  ];
}
