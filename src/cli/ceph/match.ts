/**
 * Words against one signature: how far they go along with it, and the command that they make.
 *
 * Words stand for arguments in the signature's order; `--name value`, `--name=value` and, for truths, `--name`
 * may stand anywhere. An argument that is not required is passed over when the word is not one of its values.
 * compat: an argument that was given by name does not lose its place, so a word in that place wins.
 * ceph: src/pybind/ceph_argparse.py matchnum, validate
 */

import { ArgumentError, invalid } from "./argument-error.ts";
import type { ArgumentValue } from "./argument-types.ts";
import { pythonList, pythonQuoted } from "./python-text.ts";
import { type Argument, argumentLabel } from "./signature.ts";

/** A command's words by name; `prefix` is the command's own. */
export type CommandWords = Map<string, ArgumentValue | ArgumentValue[]>;

/** An argument and how many of its words have come. */
class Place {
  readonly argument: Argument;
  /** How many there may be: one more than there are where any number is taken. */
  wanted: number;
  seen = 0;

  constructor(argument: Argument) {
    this.argument = argument;
    this.wanted = argument.count;
  }

  /** @throws ArgumentError */
  take(word: string, options: { isNamed: boolean; partial: boolean }): ArgumentValue[] {
    const { type, isList } = this.argument;
    // A string may have commas of its own, unless it is given by name.
    const isSplit = isList && (options.isNamed || type.name !== "CephString");
    const values = (isSplit ? word.split(",") : [word]).map((x) => type.value(x, options.partial));
    this.seen++;
    if (isList) this.wanted = this.seen + 1;
    return values;
  }
}

/**
 * How many required arguments the words go along with.
 * @param partial the last word may be the beginning of what is possible
 */
export function matchCount(
  words: readonly string[],
  signature: readonly Argument[],
  partial: boolean,
): number {
  let at = 0;
  let matched = 0;
  for (const argument of signature) {
    const place = new Place(argument);
    while (place.seen < place.wanted) {
      const word = words[at];
      if (word === undefined) return matched;
      const isLast = at === words.length - 1;
      if (!isTaken(place, word, partial && isLast)) {
        if (argument.isRequired) return matched;
        break;
      }
      at++;
    }
    if (argument.isRequired) matched++;
  }
  return matched;
}

function isTaken(place: Place, word: string, partial: boolean): boolean {
  try {
    place.take(word, { isNamed: false, partial });
    return true;
  } catch (error) {
    if (error instanceof ArgumentError) return false;
    throw error;
  }
}

/** A word that an argument did not take, and why. */
export interface Refused {
  readonly word: string;
  readonly error: ArgumentError;
}

/** Words are left over. `refused`: the last argument that was passed over, and what it said. */
export class UnusedArguments extends ArgumentError {
  readonly refused: Refused | undefined;

  constructor(words: readonly string[], refused: Refused | undefined) {
    super("invalid", `unused arguments: ${pythonList(words.map(pythonQuoted))}`);
    this.refused = refused;
  }
}

/** Confirmations are values as well: before 14.2 daemons took them as strings. */
const CONFIRMATIONS = [
  "--yes-i-really-mean-it",
  "--yes-i-really-really-mean-it",
  "--yes-i-really-really-mean-it-not-faking",
  "--force",
];

/**
 * The command that the words are.
 * @param partial what there is up to the first argument that does not fit, and no error for words left over
 * @throws ArgumentError
 */
export function matchWords(
  words: readonly string[],
  signature: readonly Argument[],
  partial = false,
): CommandWords {
  return new Match(words, signature, partial).run();
}

class Match {
  readonly #words: string[];
  readonly #partial: boolean;
  readonly #places: Place[];
  readonly #named: Map<string, Place>;
  /** `ceph injectargs --debug_osd 20`: options as values, the old way of setting them. */
  readonly #isInjectArgs: boolean;
  readonly #found: CommandWords = new Map();
  #matched = 0;
  #refused: Refused | undefined;

  constructor(words: readonly string[], signature: readonly Argument[], partial: boolean) {
    this.#words = [...words];
    this.#partial = partial;
    this.#places = signature.map((argument) => new Place(argument));
    this.#named = new Map(
      this.#places
        .filter(({ argument }) => argument.type.name !== "CephPrefix")
        .map((place) => [place.argument.name, place]),
    );
    this.#isInjectArgs = words[0] === "injectargs";
  }

  run(): CommandWords {
    for (const place of this.#places) {
      place.seen = 0;
      if (this.#fill(place) === "stop") return this.#found;
    }
    const required = this.#places.filter(({ argument }) => argument.isRequired).length;
    if (this.#matched < required) {
      throw new ArgumentError("too-few", "not enough arguments given");
    }
    if (this.#words.length > 0 && !this.#partial) {
      throw new UnusedArguments(this.#words, this.#refused);
    }
    return this.#found;
  }

  /** Takes words for one argument, and for those that are named in between. */
  #fill(place: Place): "done" | "stop" {
    const { argument } = place;
    while (place.seen < place.wanted) {
      const word = this.#words.shift();
      if (word === undefined) {
        if (!argument.isRequired || this.#found.has(argument.name)) return "done";
        if (this.#partial) return "stop";
        throw missing(place);
      }
      if (this.#takeNamed(word)) continue;
      if (!argument.isPositional) throw unexpected(word);
      if (word.startsWith("--") && !this.#isValue(word, argument)) throw unexpected(word);
      try {
        this.#store(place, place.take(word, { isNamed: false, partial: false }));
      } catch (error) {
        if (!(error instanceof ArgumentError)) throw error;
        if (argument.isRequired) {
          if (this.#partial) return "stop";
          throw error;
        }
        // The next argument may take it.
        this.#refused = { word, error };
        this.#words.unshift(word);
        return "done";
      }
      this.#refused = undefined;
    }
    return "done";
  }

  #takeNamed(word: string): boolean {
    const match = /^--([^=]+)(?:=(.+))?/s.exec(word);
    const place = this.#named.get((match?.[1] ?? "").replaceAll("-", "_"));
    if (place === undefined) return false;
    const inline = match?.[2];
    const isTruth = place.argument.type.name === "CephBool";
    const value = inline ?? (isTruth ? "true" : this.#words.shift());
    if (value === undefined) return false;
    this.#store(place, place.take(value, { isNamed: true, partial: false }));
    return true;
  }

  #isValue(word: string, argument: Argument): boolean {
    return (
      argument.type.name === "CephChoices" || CONFIRMATIONS.includes(word) || this.#isInjectArgs
    );
  }

  #store({ argument }: Place, values: ArgumentValue[]): void {
    this.#matched++;
    const { name, type, isList } = argument;
    const before = this.#found.get(name);
    const last = values.at(-1) ?? "";
    if (isList) {
      this.#found.set(name, [...(Array.isArray(before) ? before : []), ...values]);
    } else if (
      type.name === "CephPrefix" &&
      typeof before === "string" &&
      typeof last === "string"
    ) {
      this.#found.set(name, `${before} ${last}`);
    } else {
      this.#found.set(name, last);
    }
  }
}

function unexpected(word: string): ArgumentError {
  return invalid(`Unexpected argument '${word}'`);
}

function missing({ argument, seen }: Place): ArgumentError {
  const label = argumentLabel(argument);
  if (argument.isList) return invalid(`saw ${seen} of ${label}, expected at least 1`);
  if (seen === 0 && argument.count === 1) {
    return new ArgumentError("missing", `missing required parameter ${label}`);
  }
  return invalid(`saw ${seen} of ${label}, expected ${argument.count}`);
}
