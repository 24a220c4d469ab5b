/**
 * Manager caps: which modules and commands of the manager an entity may use.
 *
 *     grant := "allow" rwxa | ["allow"] "profile" P [k=v ...] | "allow" "service" S rwxa
 *            | "allow" "module" M [with k=v ...] rwxa | "allow" "command" C [with k=v ...], each [network]
 *
 * ceph: src/mgr/MgrCap.cc
 */

import {
  areSatisfied,
  CAP,
  type CommandArgs,
  type Constraints,
  scanConstraints,
  scanNamed,
  scanRwxa,
  scanSeparator,
  scanWith,
} from "./command-grants.ts";
import { type Network, parseNetwork } from "./network.ts";
import { CapScanner, cachedByText, grantList } from "./scanner.ts";

/** What a command wants of the manager. */
export interface MgrCapQuery {
  readonly service: string;
  /** Module that serves the command, "" if the manager itself does. */
  readonly module: string;
  /** Command prefix, "" when a module checks its own objects (pool, namespace in `args`). */
  readonly command: string;
  readonly args: CommandArgs;
  readonly read: boolean;
  readonly write: boolean;
  readonly exec: boolean;
  /** Peer's IP address, for grants limited to a network. */
  readonly addr: string;
}

/** One plain rule. At most one of service, module and command is set; none means everything. */
interface MgrRule {
  readonly service?: string;
  readonly module?: string;
  readonly command?: string;
  readonly constraints: Constraints;
  readonly allow: number;
}

interface MgrGrant {
  readonly network: Network | undefined;
  readonly rule: MgrRule;
  readonly allowsAll: boolean;
}

const LOOSE = { looseEquals: true };
const NO_CONDITIONS: Constraints = new Map();
const NOTHING: MgrRule = { constraints: NO_CONDITIONS, allow: 0 };

export class MgrCap {
  readonly #grants: readonly MgrGrant[];

  /** Use parseMgrCap. */
  constructor(grants: readonly MgrGrant[]) {
    this.#grants = grants;
  }

  /** `allow *`? A limit to a network does not count here, as upstream has it. */
  get allowsAll(): boolean {
    return this.#grants.some((grant) => grant.allowsAll);
  }

  isCapable(query: MgrCapQuery): boolean {
    const wanted = (query.read ? CAP.R : 0) | (query.write ? CAP.W : 0) | (query.exec ? CAP.X : 0);
    let allow = 0;
    for (const { network, rule, allowsAll } of this.#grants) {
      if (network !== undefined && !network.contains(query.addr)) continue;
      if (allowsAll) return true;
      allow |= allowedBy(rule, query);
      if ((allow & wanted) === wanted) return true;
    }
    return false;
  }
}

function allowedBy(rule: MgrRule, query: MgrCapQuery): number {
  if (rule.service !== undefined) return rule.service === query.service ? rule.allow : 0;
  if (rule.module !== undefined) {
    if (rule.module !== query.module) return 0;
    // A command as such is not about one pool: the module checks again with its objects.
    const isAllowed = query.command !== "" || areSatisfied(rule.constraints, query.args);
    return isAllowed ? rule.allow : 0;
  }
  if (rule.command !== undefined) {
    const isAllowed = rule.command === query.command && areSatisfied(rule.constraints, query.args);
    return isAllowed ? CAP.ANY : 0;
  }
  return rule.allow;
}

/** What a profile stands for; undefined makes the whole text invalid, as upstream has it. */
function profileRule(name: string, constraints: Constraints): MgrRule | undefined {
  switch (name) {
    case "read-only":
      return { ...NOTHING, allow: CAP.R };
    case "read-write":
      return { ...NOTHING, allow: CAP.R | CAP.W };
    case "crash":
      return { ...NOTHING, command: "crash post" };
    case "osd":
    case "mds":
      return NOTHING; // known names that allow nothing
    case "rbd":
    case "rbd-read-only": {
      const isKnown = [...constraints.keys()].every((k) => k === "pool" || k === "namespace");
      const allow = name === "rbd" ? CAP.R | CAP.W : CAP.R;
      return isKnown ? { module: "rbd_support", constraints, allow } : undefined;
    }
    default:
      return undefined;
  }
}

function scanRule(s: CapScanner): MgrRule | "unknown profile" | undefined {
  const plain = s.attempt(() => (s.lit("allow") && s.spaces() ? scanRwxa(s) : undefined));
  if (plain !== undefined) return { ...NOTHING, allow: plain };
  const profile = s.attempt(() => {
    s.attempt(() => s.lit("allow") && s.spaces());
    return s.lit("profile") && s.equalsOrSpaces() ? s.str() : undefined;
  });
  if (profile !== undefined) {
    const conditions = s.attempt(() => (s.spaces() ? scanConstraints(s, LOOSE) : undefined));
    return profileRule(profile, conditions ?? NO_CONDITIONS) ?? "unknown profile";
  }
  const service = s.attempt(() => {
    const name = scanNamed(s, "service");
    const allow = name !== undefined && s.spaces() ? scanRwxa(s) : undefined;
    return name === undefined || allow === undefined
      ? undefined
      : { ...NOTHING, service: name, allow };
  });
  if (service !== undefined) return service;
  const module = s.attempt(() => {
    const name = scanNamed(s, "module");
    const constraints = name === undefined ? undefined : (scanWith(s, LOOSE) ?? NO_CONDITIONS);
    const allow = constraints !== undefined && s.spaces() ? scanRwxa(s) : undefined;
    if (name === undefined || constraints === undefined || allow === undefined) return undefined;
    return { module: name, constraints, allow };
  });
  if (module !== undefined) return module;
  const command = s.attempt(() => scanNamed(s, "command"));
  if (command === undefined) return undefined;
  return { command, constraints: scanWith(s, LOOSE) ?? NO_CONDITIONS, allow: 0 };
}

/** Caps of the text; undefined if upstream would refuse it (EINVAL). Parsed once per text. */
export const parseMgrCap: (text: string) => MgrCap | undefined = cachedByText((text) => {
  const s = new CapScanner(text, "blank-and-newline");
  let isValid = true;
  const grant = (): MgrGrant | undefined => {
    s.spaces();
    const rule = scanRule(s);
    if (rule === undefined) return undefined;
    const cidr = s.network();
    s.spaces();
    const network = cidr === undefined ? undefined : parseNetwork(cidr);
    if (rule === "unknown profile") {
      isValid = false;
      return { rule: NOTHING, network, allowsAll: false };
    }
    const isPlain =
      rule.service === undefined && rule.module === undefined && rule.command === undefined;
    return { rule, network, allowsAll: isPlain && rule.allow === CAP.ANY };
  };
  const grants = grantList(
    s,
    () => s.attempt(grant),
    () => scanSeparator(s),
  );
  return grants !== undefined && isValid && s.isAtEnd ? new MgrCap(grants) : undefined;
});
