/**
 * Who a command goes to, told by its first words before any daemon has been asked for its commands.
 * ceph: src/pybind/ceph_argparse.py find_cmd_target
 */

import { ArgumentError } from "./argument-error.ts";
import { daemonName } from "./argument-types.ts";
import { matchWords } from "./match.ts";
import { type Argument, parseArgument } from "./signature.ts";

export type Target =
  /** Any monitor, which passes on what is the manager's. */
  | { readonly type: "mon"; readonly id?: string }
  /** The active manager, or that one if it is the active one. */
  | { readonly type: "mgr"; readonly id?: string }
  /** A command of the cluster that the manager has. */
  | { readonly type: "mon-mgr" }
  | { readonly type: "osd" | "mds"; readonly id: string }
  | { readonly type: "pg"; readonly id: string };

const TELL = ["tell", { name: "target", type: "CephName" }].map(parseArgument);
const TELL_PG = ["tell", { name: "pgid", type: "CephPgid" }].map(parseArgument);
const PG = ["pg", { name: "pgid", type: "CephPgid" }].map(parseArgument);

/**
 * An id of `*` means all of that type.
 * @throws ArgumentError if words behind `tell` are no target
 */
export function findTarget(words: readonly string[]): Target {
  const daemon = valueAfter(words, TELL, "target");
  if (daemon !== undefined) return tellTarget(daemon);
  const told = valueAfter(words, TELL_PG, "pgid");
  if (told !== undefined) return { type: "pg", id: told };
  // Words behind `tell` that are no target must not reach the monitors.
  const [first, second] = words;
  if (first === "tell" && second !== undefined) return tellTarget(second);
  const group = valueAfter(words, PG, "pgid");
  return group === undefined ? { type: "mon" } : { type: "pg", id: group };
}

/** What the words begin with, if it is this signature. */
function valueAfter(
  words: readonly string[],
  signature: readonly Argument[],
  name: string,
): string | undefined {
  try {
    const found = matchWords(words, signature, true);
    const value = found.get(name);
    return found.size === signature.length && typeof value === "string" ? value : undefined;
  } catch (error) {
    if (error instanceof ArgumentError) return undefined;
    throw error;
  }
}

/** @throws ArgumentError */
export function tellTarget(word: string): Target {
  const { type, id } = daemonName(word);
  const ofId = id === undefined ? {} : { id };
  switch (type) {
    case "mon":
    case "mgr":
      return { type, ...ofId };
    case "osd":
    case "mds":
      if (id !== undefined) return { type, id };
      break;
    default:
  }
  throw new ArgumentError("invalid", `Bad target type '${type ?? word}'`);
}

/** `osd.0`, as it stands in front of each answer where many are asked. */
export function targetLabel(target: Target): string {
  return `${target.type}.${"id" in target ? (target.id ?? "") : ""}`;
}
