/**
 * Naming images, snapshots and groups: by `pool/namespace/image@snap`, by options, or by both.
 * ceph: src/tools/rbd/Utils.cc extract_spec, get_pool_generic_snapshot_names
 */

import { ERRNO } from "../../base/index.ts";
import { CommandFailure } from "../client/index.ts";

/** "": not said. */
export interface Spec {
  pool: string;
  namespace: string;
  name: string;
  snapshot: string;
}

/**
 * What names may not have in them: any `/` and `@` in none; only in none of a snapshot's; or what comes first
 * ends the name before it.
 */
export type NameCheck = "full" | "snapshot" | "none";

const PATTERNS: Readonly<Record<NameCheck, RegExp>> = {
  full: /^(?:([^/@]+)\/(?:([^/@]+)\/)?)?([^/@]+)(?:@([^/@]+))?$/s,
  snapshot: /^(?:([^/]+)\/(?:([^/@]+)\/)?)?([^@]+)(?:@([^/@]+))?$/s,
  none: /^(?:([^/]+)\/(?:([^/@]+)\/)?)?([^@]+)(?:@(.+))?$/s,
};

export function invalid(message: string): CommandFailure {
  return new CommandFailure(`rbd: ${message}`, ERRNO.EINVAL);
}

/** Takes a word apart; what it does not say stays as it is. @throws CommandFailure */
export function readSpec(word: string, into: Spec, check: NameCheck): void {
  const match = PATTERNS[check].exec(word);
  if (match === null) throw invalid(`invalid spec '${word}'`);
  const [, pool, namespace, name = "", snapshot] = match;
  if (pool !== undefined) into.pool = pool;
  if (namespace !== undefined) into.namespace = namespace;
  into.name = name;
  if (snapshot !== undefined) into.snapshot = snapshot;
}

export interface SpecRules {
  /** What the thing is called: `image`. */
  readonly noun: string;
  /** Before it in messages: `destination `. */
  readonly prefix: string;
  readonly isOptional: boolean;
  readonly snapshot: "none" | "permitted" | "required";
  readonly check: NameCheck;
}

/** @throws CommandFailure EINVAL: something is missing, too much, or no name */
export function checkSpec(spec: Spec, rules: SpecRules): void {
  const { noun, prefix, check } = rules;
  const hasBad = (name: string) => /[@/]/.test(name);
  if (!rules.isOptional && spec.name === "") {
    throw invalid(`${prefix}${noun} name was not specified`);
  }
  if (check === "full" && hasBad(spec.pool)) throw invalid(`invalid pool name '${spec.pool}'`);
  if (hasBad(spec.namespace)) throw invalid(`invalid namespace name '${spec.namespace}'`);
  if (rules.snapshot === "none" && spec.snapshot !== "") {
    throw invalid(`${prefix}snapshot name specified for a command that doesn't use it`);
  }
  if (rules.snapshot === "required" && spec.snapshot === "") {
    throw invalid(`${prefix}snapshot name was not specified`);
  }
  if (check === "snapshot" && hasBad(spec.snapshot)) {
    throw invalid(`invalid snap name '${spec.snapshot}'`);
  }
}
