/**
 * OSD caps: which objects an entity may read, write and call classes on.
 *
 *     grant    := "allow" spec match [network] | "allow" match spec [network] | profile [network]
 *     spec     := "*" | "all" | [r][w][x] [class-read] [class-write] | "class" name [method]
 *     match    := tag app key=value | namespace tag ... | [pool P] [namespace N[*]] [object_prefix S]
 *     profile  := "profile" name [pool P [namespace N]]
 *
 * Grants are separated by "," or ";". Nothing is allowed that no grant allows.
 * ceph: src/osd/OSDCap.cc
 */

import { type Network, parseNetwork } from "./network.ts";
import { CapScanner, cachedByText, grantList } from "./scanner.ts";

/** Bits of what a grant allows.  ceph: src/osd/OSDCap.h */
const R = 2;
const W = 4;
const CLASS_READ = 8;
const CLASS_WRITE = 16;
const X = CLASS_READ | CLASS_WRITE;
const ANY = 0xff;

/** Tags of a pool: application, key, value. */
export type AppMetadata = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** One class call of an op, as the op's caps check sees it. */
export interface ClassCall {
  readonly name: string;
  readonly method: string;
  /** Does the method read, does it write: its registered flags. */
  readonly read: boolean;
  readonly write: boolean;
  /** Is the class on osd_class_default_list? Others need `allow *` or `allow class <name>`. */
  readonly allowlisted: boolean;
}

/** What an op wants to do. */
export interface OsdCapQuery {
  readonly poolName: string;
  readonly nspace: string;
  readonly appMetadata: AppMetadata;
  readonly object: string;
  /** Reads or writes besides what its class calls do. */
  readonly read: boolean;
  readonly write: boolean;
  readonly classCalls: readonly ClassCall[];
  /** Peer's IP address, for grants limited to a network. */
  readonly addr: string;
}

interface Tag {
  readonly application: string;
  readonly key: string;
  readonly value: string;
}

interface Match {
  readonly pool: string;
  /** Undefined matches any namespace; "" only the default one. */
  readonly nspace: string | undefined;
  readonly tag: Tag | undefined;
  readonly objectPrefix: string;
}

interface Spec {
  readonly allow: number;
  readonly className: string;
  readonly methodName: string;
}

interface Grant {
  readonly network: Network | undefined;
  /** A plain grant is a list of one; a profile is the list it stands for. */
  readonly rules: readonly { match: Match; spec: Spec }[];
}

const ANYWHERE: Match = { pool: "", nspace: undefined, tag: undefined, objectPrefix: "" };
const bits = (allow: number): Spec => ({ allow, className: "", methodName: "" });
const method = (className: string, methodName: string): Spec => ({
  allow: 0,
  className,
  methodName,
});

export class OsdCap {
  readonly #grants: readonly Grant[];

  /** Use parseOsdCap. */
  constructor(grants: readonly Grant[]) {
    this.#grants = grants;
  }

  /** `allow *` without any limit. */
  get allowsAll(): boolean {
    return this.#grants.some(({ rules }) =>
      rules.some(({ match, spec }) => spec.allow === ANY && isEverywhere(match)),
    );
  }

  /**
   * May it have ids of self-managed snapshots of the pool (undefined: of one that is not there)? Whoever may write
   * everywhere, or somewhere in a pool that the grant names; networks and tags do not count.
   * ceph: src/mon/OSDMonitor.cc is_unmanaged_snap_op_permitted
   */
  maySnap(poolName: string | undefined): boolean {
    return this.#grants.some(({ rules }) =>
      rules.some(
        ({ match, spec }) =>
          (spec.allow & W) !== 0 &&
          (isEverywhere(match) || (match.pool !== "" && match.pool === poolName)),
      ),
    );
  }

  isCapable(query: OsdCapQuery): boolean {
    // Several grants may each allow some of an op's class calls; reads and writes need one grant.
    const isClassAllowed: boolean[] = query.classCalls.map(() => false);
    return this.#grants.some(
      (grant) =>
        (grant.network === undefined || grant.network.contains(query.addr)) &&
        grant.rules.some(({ match, spec }) => isRuleCapable(match, spec, query, isClassAllowed)),
    );
  }
}

function isEverywhere(match: Match): boolean {
  return (
    match.pool === "" &&
    match.nspace === undefined &&
    match.tag === undefined &&
    match.objectPrefix === ""
  );
}

function isTagMatch(tag: Tag, metadata: AppMetadata): boolean {
  const values = metadata.get(tag.application);
  if (values === undefined) return false;
  const isAnyValue = tag.value === "*";
  if (tag.key === "*") return isAnyValue || [...values.values()].includes(tag.value);
  const value = values.get(tag.key);
  return value !== undefined && (isAnyValue || value === tag.value);
}

function isNspaceMatch(pattern: string, nspace: string): boolean {
  return (pattern.endsWith("*") && nspace.startsWith(pattern.slice(0, -1))) || pattern === nspace;
}

function isMatch(match: Match, query: OsdCapQuery): boolean {
  return (
    (match.pool === "" || match.pool === query.poolName) &&
    (match.nspace === undefined || isNspaceMatch(match.nspace, query.nspace)) &&
    (match.tag === undefined || isTagMatch(match.tag, query.appMetadata)) &&
    query.object.startsWith(match.objectPrefix)
  );
}

function isClassCallAllowed(spec: Spec, call: ClassCall): boolean {
  if (spec.className !== "" && spec.className === call.name) {
    if (spec.methodName === "" || spec.methodName === call.method) return true;
  }
  return (
    call.allowlisted &&
    (!call.read || (spec.allow & CLASS_READ) !== 0) &&
    (!call.write || (spec.allow & CLASS_WRITE) !== 0)
  );
}

/** Also notes in `isClassAllowed` which class calls this rule allows. */
function isRuleCapable(
  match: Match,
  spec: Spec,
  query: OsdCapQuery,
  isClassAllowed: boolean[],
): boolean {
  if (!isMatch(match, query)) return false;
  if (query.read && (spec.allow & R) === 0) return false;
  if (query.write && (spec.allow & W) === 0) return false;
  if (spec.allow === ANY) return true;
  for (const [i, call] of query.classCalls.entries()) {
    if (isClassCallAllowed(spec, call)) isClassAllowed[i] = true;
  }
  return isClassAllowed.every(Boolean);
}

/** What a profile stands for. Unknown ones stand for nothing, as upstream has it. */
function profileRules(name: string, pool: string, nspace: string | undefined): Grant["rules"] {
  const here: Match = { ...ANYWHERE, pool, nspace };
  const prefix = (objectPrefix: string): Match => ({ ...ANYWHERE, objectPrefix });
  /** Options of all the pool's images are kept in its default namespace, whichever one a client may use. */
  const poolMetadata = {
    match: { ...ANYWHERE, pool, nspace: "", objectPrefix: "rbd_info" },
    spec: method("rbd", "metadata_list"),
  };
  switch (name) {
    case "read-only":
      return [{ match: here, spec: bits(R) }];
    case "read-write":
      return [{ match: here, spec: bits(R | W) }];
    case "rbd":
      return [
        // In any pool: where images of older clients and parents in other pools are looked up.
        { match: prefix("rbd_info"), spec: bits(R) },
        { match: prefix("rbd_children"), spec: bits(CLASS_READ) },
        { match: prefix("rbd_mirroring"), spec: bits(CLASS_READ) },
        poolMetadata,
        { match: here, spec: bits(R | W | X) },
      ];
    case "rbd-read-only":
      return [
        poolMetadata,
        { match: here, spec: bits(R | CLASS_READ) },
        { match: { ...here, objectPrefix: "rbd_header." }, spec: method("rbd", "child_attach") },
        { match: { ...here, objectPrefix: "rbd_header." }, spec: method("rbd", "child_detach") },
      ];
    default:
      return [];
  }
}

/** The grammar, rule by rule under upstream's names. */
class OsdCapParser {
  readonly #s: CapScanner;

  constructor(text: string) {
    this.#s = new CapScanner(text, "ascii");
  }

  parse(): OsdCap | undefined {
    const s = this.#s;
    // Upstream skips white space at both ends (a newline from a file), but not around separators.
    s.spaces();
    const separator = () => s.lit(";") || s.lit(",");
    const grants = grantList(s, () => s.attempt(() => this.#grant()), separator);
    s.spaces();
    return grants !== undefined && s.isAtEnd ? new OsdCap(grants) : undefined;
  }

  #grant(): Grant | undefined {
    const s = this.#s;
    s.match(/[ \t]+/y);
    const plain =
      s.attempt(() => {
        const spec = s.lit("allow") ? this.#spec() : undefined;
        return spec === undefined ? undefined : { spec, match: this.#match() };
      }) ??
      s.attempt(() => {
        const match = s.lit("allow") ? this.#match() : undefined;
        const spec = match === undefined ? undefined : this.#spec();
        return match === undefined || spec === undefined ? undefined : { spec, match };
      });
    const rules = plain === undefined ? this.#profile() : [plain];
    if (rules === undefined) return undefined;
    const network = s.network();
    s.match(/[ \t]+/y);
    return { rules, network: network === undefined ? undefined : parseNetwork(network) };
  }

  #profile(): Grant["rules"] | undefined {
    const s = this.#s;
    const name = s.attempt(() => s.lit("profile") && s.equalsOrSpaces() && s.str());
    if (name === undefined) return undefined;
    return profileRules(name, this.#pool(), this.#nspace());
  }

  #spec(): Spec | undefined {
    const s = this.#s;
    const allow = this.#rwxa();
    if (allow !== undefined) return bits(allow);
    const name = s.attempt(() => s.keyword("class") && s.spaces() && s.str());
    if (name === undefined) return undefined;
    return method(name, s.attempt(() => s.spaces() && s.str()) ?? "");
  }

  #rwxa(): number | undefined {
    const s = this.#s;
    if (s.attempt(() => s.spaces() && this.#wildcard()) !== undefined) return ANY;
    let allow = 0;
    s.attempt(() => {
      if (!s.spaces()) return false;
      if (s.lit("r")) allow |= R;
      if (s.lit("w")) allow |= W;
      if (s.lit("x")) allow |= X;
      return allow !== 0;
    });
    if (s.keyword("class-read")) allow |= CLASS_READ;
    if (s.keyword("class-write")) allow |= CLASS_WRITE;
    return allow === 0 ? undefined : allow;
  }

  #wildcard(): "*" | undefined {
    return this.#s.lit("*") || this.#s.lit("all") ? "*" : undefined;
  }

  /** May match nothing, and then matches everything. */
  #match(): Match {
    const s = this.#s;
    const tagged = s.attempt(() => {
      const tag = this.#tag();
      return tag === undefined ? undefined : { ...ANYWHERE, tag };
    });
    if (tagged !== undefined) return tagged;
    const taggedNspace = s.attempt(() => {
      const nspace = this.#nspace();
      const tag = nspace === undefined ? undefined : this.#tag();
      return tag === undefined ? undefined : { ...ANYWHERE, nspace, tag };
    });
    if (taggedNspace !== undefined) return taggedNspace;
    const pool = this.#pool();
    const nspace = this.#nspace();
    const prefix = s.attempt(() => s.keyword("object_prefix") && s.spaces() && s.str());
    return { pool, nspace, tag: undefined, objectPrefix: prefix ?? "" };
  }

  #pool(): string {
    const s = this.#s;
    return s.attempt(() => s.keyword("pool") && s.equalsOrSpaces() && s.str()) ?? "";
  }

  #nspace(): string | undefined {
    const s = this.#s;
    return s.attempt(() => {
      const name = s.keyword("namespace") && s.equalsOrSpaces() ? s.estr() : undefined;
      return name === undefined ? undefined : name + (s.lit("*") ? "*" : "");
    });
  }

  #tag(): Tag | undefined {
    const s = this.#s;
    const word = () => this.#wildcard() ?? s.str();
    return s.attempt(() => {
      const application = s.keyword("tag") && s.spaces() ? s.str() : undefined;
      const key = application !== undefined && s.spaces() ? word() : undefined;
      if (application === undefined || key === undefined) return undefined;
      s.spaces();
      if (!s.lit("=")) return undefined;
      s.spaces();
      const value = word();
      return value === undefined ? undefined : { application, key, value };
    });
  }
}

/** Caps of the text; undefined if upstream would refuse it (EINVAL). Parsed once per text. */
export const parseOsdCap: (text: string) => OsdCap | undefined = cachedByText((text) =>
  new OsdCapParser(text).parse(),
);
