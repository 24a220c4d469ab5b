/**
 * Signatures of commands, as daemons describe them: words that are the command's own, and arguments with a
 * type, a name and how many of them.
 * ceph: src/pybind/ceph_argparse.py argdesc, parse_json_funcsigs; src/mon/MonCommands.h
 */

import { ConfigError, type PyJson } from "../../base/index.ts";
import { type ArgumentType, argumentType, type TypeDetails } from "./argument-types.ts";

/** What a command's flags say.  ceph: src/mon/MonCommand.h */
export const COMMAND_FLAG = {
  OBSOLETE: 1 << 1,
  DEPRECATED: 1 << 2,
  /** The manager has it. */
  MGR: 1 << 3,
  /** Is asked again and again, for as long as the user looks. */
  POLL: 1 << 4,
  HIDDEN: 1 << 5,
} as const;

export interface Argument {
  /** `prefix` for the command's own words. */
  readonly name: string;
  readonly type: ArgumentType;
  readonly isRequired: boolean;
  /** How many words it takes if it does not take any number of them. */
  readonly count: number;
  /** It takes any number, at least one. */
  readonly isList: boolean;
  /** It may be said without its name. Since 17.1 some may not. */
  readonly isPositional: boolean;
}

export interface Signature {
  readonly arguments: readonly Argument[];
  readonly help: string;
  readonly flags: number;
}

/** @throws ConfigError if the daemon's answer cannot be understood */
export function parseSignatures(json: string): Signature[] {
  let commands: Record<string, Description>;
  try {
    commands = JSON.parse(json) as Record<string, Description>;
  } catch (error) {
    throw new ConfigError("the daemon's command descriptions are not JSON", error);
  }
  const isForUs = ({ avail }: Description) => avail === undefined || avail.includes("cli");
  return Object.entries(commands)
    .filter(([, command]) => isForUs(command))
    .map(([tag, { sig, help = "", flags = 0 }]) => {
      if (sig === undefined) throw new ConfigError(`JSON descriptor ${tag} has no 'sig'`);
      return { arguments: sig.map(parseArgument), help, flags };
    });
}

interface Description {
  readonly sig?: readonly (string | TypeDetails)[];
  readonly help?: string;
  readonly flags?: number;
  readonly avail?: string;
}

/** One element of a signature: a word, or an argument. */
export function parseArgument(element: string | TypeDetails): Argument {
  if (typeof element === "string") return { ...ONE, name: "prefix", type: prefix(element) };
  const typeName = textOf(element["type"]);
  const type = argumentType(typeName, element);
  if (type === undefined) throw new ConfigError(`unknown type ${typeName} in a daemon's commands`);
  const n = element["n"];
  const isList = n === "n" || n === "N";
  return {
    name: textOf(element["name"]),
    type,
    isRequired: typeName === "CephPrefix" || isTrue(element["req"]),
    count: isList ? 1 : Number(n ?? 1),
    isList,
    isPositional: isTrue(element["positional"]),
  };
}

const ONE = { isRequired: true, count: 1, isList: false, isPositional: true };

function prefix(word: string): ArgumentType {
  const type = argumentType("CephPrefix", { prefix: word });
  if (type === undefined) throw new ConfigError("no type for a command's own words");
  return type;
}

function textOf(x: PyJson | undefined): string {
  return typeof x === "string" ? x : "";
}

/** What is not said is true. */
function isTrue(x: PyJson | undefined): boolean {
  return x === undefined || x === true || x === "true" || x === "True";
}

/** A usage line: `osd pool get <pool> size|min_size|…`. */
export function usageLine({ arguments: all }: Signature): string {
  return all.map(usageWord).join(" ");
}

function usageWord(argument: Argument): string {
  const { isList, isRequired, isPositional } = argument;
  const word = `${isPositional ? positionalWord(argument) : namedWord(argument)}${isList ? "..." : ""}`;
  return isRequired ? word : `[${word}]`;
}

function positionalWord({ name, type }: Argument): string {
  switch (type.name) {
    case "CephBool":
      return `--${name.replaceAll("_", "-")}`;
    case "CephPrefix":
      return type.label;
    case "CephChoices":
      return name === "format" ? `--${name} {${type.label}}` : type.label;
    case "CephOsdName":
      return "<id|osd.id>";
    case "CephName":
      return "<type.id>";
    case "CephInt":
      return `<${name}:int>`;
    case "CephFloat":
      return `<${name}:float>`;
    default:
      return `<${name}>`;
  }
}

function namedWord({ name, type }: Argument): string {
  switch (type.name) {
    case "CephBool":
      return `--${name.replaceAll("_", "-")}`;
    case "CephPrefix":
      return type.label;
    case "CephChoices":
      return `--${name} {${type.label}}`;
    case "CephOsdName":
      return `--${name} <id|osd.id>`;
    case "CephName":
      return `--${name} <type.id>`;
    case "CephInt":
      return `--${name} <int>`;
    case "CephFloat":
      return `--${name} <float>`;
    default:
      return `--${name} <value>`;
  }
}

/** An argument in an error: `pool(<poolname>)`, `[size(<int>)]`. */
export function argumentLabel({ name, type, isList, isRequired }: Argument): string {
  const isWord =
    type.name === "CephPrefix" || (type.name === "CephChoices" && !type.label.includes("|"));
  const label = isWord ? type.label : `${name}(${type.label})${isList ? "..." : ""}`;
  return isRequired ? label : `[${label}]`;
}
