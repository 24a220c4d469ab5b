/**
 * What the monitor's and the manager's caps have in common: permission bits and conditions on arguments.
 * ceph: src/mon/MonCap.cc, src/mgr/MgrCap.cc
 */

import { matchesWhole } from "./posix-regex.ts";
import type { CapScanner } from "./scanner.ts";

/** Bits of what a grant allows.  ceph: src/mon/MonCap.h, src/mgr/MgrCap.h */
export const CAP = { R: 2, W: 4, X: 8, ALL: 14, ANY: 0xff } as const;

/** Arguments of a command, as texts. */
export type CommandArgs = Readonly<Record<string, string>>;

/** A condition on one argument of a command. */
export interface Constraint {
  readonly kind: "equal" | "prefix" | "regex";
  readonly value: string;
}
/** Conditions by argument name. */
export type Constraints = ReadonlyMap<string, Constraint>;

/** Longer arguments match no regular expression: a bound on the work a client can cause. */
const REGEX_ARGUMENT_MAX = 1024;

function isSatisfied(constraint: Constraint, value: string): boolean {
  switch (constraint.kind) {
    case "equal":
      return value === constraint.value;
    case "prefix":
      return value.startsWith(constraint.value);
    case "regex":
      return value.length <= REGEX_ARGUMENT_MAX && matchesWhole(constraint.value, value);
  }
}

/** Does every constrained argument exist and satisfy its condition? */
export function areSatisfied(constraints: Constraints, args: CommandArgs): boolean {
  for (const [name, constraint] of constraints) {
    const value = Object.hasOwn(args, name) ? args[name] : undefined;
    if (value === undefined || !isSatisfied(constraint, value)) return false;
  }
  return true;
}

/** `*`, `all` or r, w, x in this order, at least one. */
export function scanRwxa(s: CapScanner): number | undefined {
  if (s.lit("*") || s.lit("all")) return CAP.ANY;
  let allow = 0;
  if (s.lit("r")) allow |= CAP.R;
  if (s.lit("w")) allow |= CAP.W;
  if (s.lit("x")) allow |= CAP.X;
  return allow === 0 ? undefined : allow;
}

/** `k=v`, `k prefix v` or `k regex v`, one or more. @param looseEquals allow white space around `=` */
export function scanConstraints(
  s: CapScanner,
  options: { looseEquals: boolean },
): Constraints | undefined {
  const pair = () =>
    s.attempt(() => {
      const name = s.str();
      const constraint = name === undefined ? undefined : scanConstraint(s, options.looseEquals);
      return name === undefined || constraint === undefined ? undefined : { name, constraint };
    });
  const first = pair();
  if (first === undefined) return undefined;
  const out = new Map([[first.name, first.constraint]]);
  for (;;) {
    const next = s.attempt(() => (s.spaces() ? pair() : undefined));
    if (next === undefined) return out;
    // The first condition on a name stays, as in upstream's map.
    if (!out.has(next.name)) out.set(next.name, next.constraint);
  }
}

function scanConstraint(s: CapScanner, looseEquals: boolean): Constraint | undefined {
  const equal = s.attempt(() => {
    if (looseEquals) s.spaces();
    if (!s.lit("=")) return undefined;
    if (looseEquals) s.spaces();
    return s.str();
  });
  if (equal !== undefined) return { kind: "equal", value: equal };
  for (const kind of ["prefix", "regex"] as const) {
    const value = s.attempt(() => s.keyword(kind) && s.spaces() && s.str());
    if (value !== undefined) return { kind, value };
  }
  return undefined;
}

/** `[with k=v ...]`; undefined if there is none. */
export function scanWith(
  s: CapScanner,
  options: { looseEquals: boolean },
): Constraints | undefined {
  return s.attempt(() =>
    s.keyword("with") && s.spaces() ? scanConstraints(s, options) : undefined,
  );
}

/** `allow <kind>=` or `allow <kind> `, and a word. */
export function scanNamed(s: CapScanner, kind: string): string | undefined {
  return s.lit("allow") && s.spaces() && s.lit(kind) && s.equalsOrSpaces() ? s.str() : undefined;
}

/** `*lit(' ') (;|,) *lit(' ')` between grants. */
export function scanSeparator(s: CapScanner): boolean {
  s.match(/ +/y);
  if (!s.lit(";") && !s.lit(",")) return false;
  s.match(/ +/y);
  return true;
}
