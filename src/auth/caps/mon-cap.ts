/**
 * Monitor caps: which services of the monitor an entity may read, write and execute, which commands it may
 * give, and with which arguments.
 *
 *     grant := "allow" rwxa [network] [fsname F] | ["allow"] "profile" P [network]
 *            | "allow" "service" S rwxa [network] | "allow" "command" C [with k=v | k prefix v ...] [network]
 *
 * Grants add up. `config-key` is closed to plain `allow rwx`: it takes `allow *`, its service or a command.
 * ceph: src/mon/MonCap.cc
 */

import {
  areSatisfied,
  CAP,
  type CommandArgs,
  scanNamed,
  scanRwxa,
  scanSeparator,
  scanWith,
} from "./command-grants.ts";
import { type MonRule, monProfileRules } from "./mon-profiles.ts";
import { type Network, parseNetwork } from "./network.ts";
import { CapScanner, cachedByText, grantList } from "./scanner.ts";

/** What a message or command wants of the monitor. */
export interface MonCapQuery {
  /** "mon", "osd", "auth", "config-key" ... */
  readonly service: string;
  /** Command prefix, "" for a message. */
  readonly command: string;
  readonly args: CommandArgs;
  readonly read: boolean;
  readonly write: boolean;
  readonly exec: boolean;
  /** Peer's IP address, for grants limited to a network. */
  readonly addr: string;
  /** Who asks, as `osd.0`: profiles of daemons let each at its own config keys. @default "" */
  readonly entity?: string;
}

interface MonGrant {
  readonly network: Network | undefined;
  /** A plain grant is a list of one; a profile is the list it stands for. */
  readonly rules: readonly MonRule[];
  readonly allowsAll: boolean;
}

export class MonCap {
  readonly #grants: readonly MonGrant[];

  /** Use parseMonCap. */
  constructor(grants: readonly MonGrant[]) {
    this.#grants = grants;
  }

  /** `allow *`? A limit to a network does not count here, as upstream has it. */
  get allowsAll(): boolean {
    return this.#grants.some((grant) => grant.allowsAll);
  }

  isCapable(query: MonCapQuery): boolean {
    const wanted = (query.read ? CAP.R : 0) | (query.write ? CAP.W : 0) | (query.exec ? CAP.X : 0);
    let allow = 0;
    for (const grant of this.#grants) {
      if (grant.network !== undefined && !grant.network.contains(query.addr)) continue;
      if (grant.allowsAll) return true;
      for (const rule of grant.rules) allow |= allowedBy(rule, query);
      if ((allow & wanted) === wanted) return true;
    }
    return false;
  }
}

function allowedBy(rule: MonRule, query: MonCapQuery): number {
  if (rule.service !== undefined) return rule.service === query.service ? rule.allow : 0;
  if (rule.command !== undefined) {
    if (rule.command !== query.command) return 0;
    const { constraints } = rule;
    const conditions =
      typeof constraints === "function" ? constraints(query.entity ?? "") : constraints;
    return conditions === undefined || areSatisfied(conditions, query.args) ? CAP.ALL : 0;
  }
  return query.service === "config-key" ? 0 : rule.allow;
}

function scanGrant(s: CapScanner): MonGrant | undefined {
  s.spaces();
  const grant =
    s.attempt(() => scanPlain(s)) ??
    s.attempt(() => scanProfile(s)) ??
    s.attempt(() => scanService(s)) ??
    s.attempt(() => scanCommand(s));
  s.spaces();
  return grant;
}

function finish(s: CapScanner, rules: readonly MonRule[], allowsAll = false): MonGrant {
  const network = s.network();
  return { rules, allowsAll, network: network === undefined ? undefined : parseNetwork(network) };
}

function scanPlain(s: CapScanner): MonGrant | undefined {
  const allow = s.lit("allow") && s.spaces() ? scanRwxa(s) : undefined;
  if (allow === undefined) return undefined;
  const grant = finish(s, [{ allow }]);
  // A file system's name narrows only what is told of MDS maps; there is none here.
  const fsName = s.attempt(
    () => s.keyword("fsname") && s.equalsOrSpaces() && s.match(/[a-zA-Z0-9_.-]+/y),
  );
  return { ...grant, allowsAll: allow === CAP.ANY && fsName === undefined };
}

function scanProfile(s: CapScanner): MonGrant | undefined {
  s.attempt(() => s.lit("allow") && s.spaces());
  const name = s.lit("profile") && s.equalsOrSpaces() ? s.str() : undefined;
  return name === undefined ? undefined : finish(s, monProfileRules(name));
}

function scanService(s: CapScanner): MonGrant | undefined {
  const service = scanNamed(s, "service");
  const allow = service !== undefined && s.spaces() ? scanRwxa(s) : undefined;
  if (service === undefined || allow === undefined) return undefined;
  return finish(s, [{ service, allow }]);
}

function scanCommand(s: CapScanner): MonGrant | undefined {
  const command = scanNamed(s, "command");
  if (command === undefined) return undefined;
  const constraints = scanWith(s, { looseEquals: false });
  const rule: MonRule = { command, allow: CAP.ALL };
  return finish(s, [constraints === undefined ? rule : { ...rule, constraints }]);
}

/** Caps of the text; undefined if upstream would refuse it (EINVAL). Parsed once per text. */
export const parseMonCap: (text: string) => MonCap | undefined = cachedByText((text) => {
  const s = new CapScanner(text, "blank-and-newline");
  const grants = grantList(
    s,
    () => s.attempt(() => scanGrant(s)),
    () => scanSeparator(s),
  );
  return grants !== undefined && s.isAtEnd ? new MonCap(grants) : undefined;
});
