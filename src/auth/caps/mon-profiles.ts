/**
 * Rules of monitor caps, and what the monitor's profiles stand for, as a table.
 * ceph: src/mon/MonCap.cc (MonCapGrant::expand_profile)
 */

import { CAP, type Constraint, type Constraints } from "./command-grants.ts";

/** One plain rule. Exactly one of service and command may be set; none means everything. */
export interface MonRule {
  readonly service?: string;
  readonly command?: string;
  readonly constraints?: Constraints | ((entity: string) => Constraints);
  readonly allow: number;
}

const RW = CAP.R | CAP.W;
const service = (name: string, allow: number): MonRule => ({ service: name, allow });
const equal = (value: string): Constraint => ({ kind: "equal", value });
const prefix = (value: string): Constraint => ({ kind: "prefix", value });
const regex = (value: string): Constraint => ({ kind: "regex", value });

function command(name: string, conditions?: Readonly<Record<string, Constraint>>): MonRule {
  const rule: MonRule = { command: name, allow: CAP.ALL };
  if (conditions === undefined) return rule;
  return { ...rule, constraints: new Map(Object.entries(conditions)) };
}

/** A daemon's own corner of the config keys. */
const DAEMON_PRIVATE: readonly MonRule[] = ["get", "put", "set", "exists", "delete"].map(
  (verb) => ({
    command: `config-key ${verb}`,
    constraints: (entity: string): Constraints =>
      new Map([["key", prefix(`daemon-private/${entity}/`)]]),
    allow: CAP.ALL,
  }),
);

const READ_MAPS = [service("mon", CAP.R), service("osd", CAP.R)];
const READ_ALL_MAPS = [...READ_MAPS, service("pg", CAP.R)];
/** An address with a nonce: one client instance, never a whole host. */
const ONE_CLIENT = regex("^[^/]+/[0-9]+$");
const BLOCKLIST_ADD = command("osd blocklist", { blocklistop: equal("add"), addr: ONE_CLIENT });
/** compat: the command's name before Pacific. */
const BLACKLIST_ADD = command("osd blacklist", { blacklistop: equal("add"), addr: ONE_CLIENT });
const RBD = [...READ_ALL_MAPS, BLOCKLIST_ADD, BLACKLIST_ADD];

function bootstrapRbd(monCap: string): readonly MonRule[] {
  const osdCaps =
    "^([ ,]*profile(=|[ ]+)['\"]?rbd[^ ,'\"]*['\"]?([ ]+pool(=|[ ]+)['\"]?[^,'\"]+['\"]?)?)+$";
  return [
    service("mon", CAP.R),
    command("auth get-or-create", {
      entity: prefix("client."),
      caps_mon: equal(monCap),
      caps_osd: regex(osdCaps),
    }),
  ];
}

const PROFILES: Readonly<Record<string, readonly MonRule[]>> = {
  "read-only": [{ allow: CAP.R }],
  "read-write": [{ allow: RW }],
  mon: [service("mon", CAP.ALL), service("log", CAP.ALL), ...DAEMON_PRIVATE],
  osd: [
    service("osd", CAP.ALL),
    service("mon", CAP.R),
    service("pg", RW),
    service("log", CAP.W),
    ...DAEMON_PRIVATE,
  ],
  mds: [
    service("mds", CAP.ALL),
    ...READ_MAPS,
    command("osd pool rmsnap"),
    command("osd blocklist"),
    command("osd blacklist"),
    service("log", CAP.W),
    ...DAEMON_PRIVATE,
  ],
  mgr: [
    service("mgr", CAP.ALL),
    service("log", RW),
    service("mon", RW),
    service("mds", RW),
    service("fs", RW),
    service("osd", RW),
    service("auth", CAP.ALL),
    service("config-key", RW),
    service("config", RW),
    command("auth get-or-create"),
    command("auth caps"),
    command("auth rm"),
    command("smart"),
    ...DAEMON_PRIVATE,
  ],
  "bootstrap-osd": [
    ...READ_MAPS,
    command("mon getmap"),
    command("osd new"),
    command("osd purge-new"),
  ],
  "bootstrap-mds": [
    ...READ_MAPS,
    command("mon getmap"),
    command("auth get-or-create", {
      entity: prefix("mds."),
      caps_mon: equal("allow profile mds"),
      caps_osd: equal("allow rwx"),
      caps_mds: equal("allow"),
    }),
  ],
  "bootstrap-mgr": [
    ...READ_MAPS,
    command("mon getmap"),
    command("auth get-or-create", {
      entity: prefix("mgr."),
      caps_mon: equal("allow profile mgr"),
    }),
  ],
  "bootstrap-rgw": [
    ...READ_MAPS,
    command("mon getmap"),
    command("auth get-or-create", {
      entity: prefix("client.rgw."),
      caps_mon: equal("allow rw"),
      caps_osd: equal("allow rwx"),
    }),
  ],
  "bootstrap-rbd": bootstrapRbd("profile rbd"),
  "bootstrap-rbd-mirror": bootstrapRbd("profile rbd-mirror"),
  "fs-client": [...READ_ALL_MAPS, service("mds", CAP.R)],
  "simple-rados-client": READ_ALL_MAPS,
  "simple-rados-client-with-blocklist": [...READ_ALL_MAPS, BLOCKLIST_ADD],
  "rbd-mirror": [...RBD, command("config-key get", { key: prefix("rbd/mirror/") })],
  "rbd-mirror-peer": [
    ...RBD,
    command("config-key get", { key: regex("rbd/mirror/[^/]+") }),
    command("config-key set", { key: prefix("rbd/mirror/peer/") }),
  ],
  crash: [service("mon", CAP.R)],
  "cephfs-mirror": [
    ...READ_ALL_MAPS,
    service("mds", CAP.R),
    command("config-key get", { key: prefix("cephfs/mirror/peer/") }),
  ],
  "role-definer": [service("mon", CAP.R), service("auth", CAP.ALL)],
};

/** Rules of a profile. Any name that begins with rbd is at least rbd; other unknown ones are nothing. */
export function monProfileRules(name: string): readonly MonRule[] {
  if (Object.hasOwn(PROFILES, name)) return PROFILES[name] ?? [];
  return name.startsWith("rbd") ? RBD : [];
}
