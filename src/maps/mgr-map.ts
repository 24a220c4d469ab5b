/**
 * The manager map: which manager is active, where, and with which modules.
 * ceph: src/mon/MgrMap.h
 */

import {
  bool,
  type Codec,
  type Infer,
  list,
  map,
  set,
  since,
  str,
  struct,
  u8,
  u32,
  u64,
} from "../encoding/index.ts";
import { AddrVec, UTIME_ZERO, Utime } from "../types/index.ts";

export const MgrModuleOption = struct(
  "MgrMap::ModuleOption",
  { v: 1 },
  {
    name: str,
    type: u8,
    level: u8,
    flags: u32,
    defaultValue: str,
    min: str,
    max: str,
    enumAllowed: set(str),
    desc: str,
    longDesc: str,
    tags: set(str),
    seeAlso: set(str),
  },
);
export type MgrModuleOption = Infer<typeof MgrModuleOption>;

export const MgrModuleInfo = struct(
  "MgrMap::ModuleInfo",
  { v: 2, oldest: 2 },
  { name: str, canRun: bool, errorString: str, moduleOptions: map(str, MgrModuleOption) },
);
export type MgrModuleInfo = Infer<typeof MgrModuleInfo>;

const modules = list(MgrModuleInfo);
const names = set(str);

export interface MgrStandby {
  gid: bigint;
  name: string;
  availableModules: MgrModuleInfo[];
  features: bigint;
}
/* hdr(4,1): u64 gid; str name; set<str> module names (for old readers); list<ModuleInfo>; u64 features */
const MgrStandby: Codec<MgrStandby> = {
  name: "MgrMap::StandbyInfo",
  minSize: 6,
  encode(w, x) {
    const mark = w.begin(4, 1);
    w.u64(x.gid);
    w.str(x.name);
    names.encode(w, new Set(x.availableModules.map((m) => m.name)));
    modules.encode(w, x.availableModules);
    w.u64(x.features);
    w.end(mark);
  },
  decode(r) {
    const v = r.begin("MgrMap::StandbyInfo", 4);
    if (v < 4) throw r.fail(`version ${v} is older than 4`);
    const gid = r.u64();
    const name = r.str();
    names.decode(r);
    const availableModules = modules.decode(r);
    const features = r.u64();
    r.finish();
    return { gid, name, availableModules, features };
  },
};

export const MgrMap = struct(
  "MgrMap",
  { v: 12, oldest: 11, compat: 6 },
  {
    epoch: u32,
    activeAddrs: AddrVec,
    /** Global id of the active manager; 0 for none. */
    activeGid: u64,
    available: bool,
    activeName: str,
    standbys: map(u64, MgrStandby),
    /** Enabled modules. */
    modules: names,
    /** Service name → URI. */
    services: map(str, str),
    availableModules: modules,
    activeChange: Utime,
    /** Release number → modules that cannot be switched off in it. */
    alwaysOnModules: map(u32, names),
    activeMgrFeatures: u64,
    lastFailureOsdEpoch: u32,
    /** The active manager's own clients, to be locked out when it fails. */
    clientAddrs: list(AddrVec),
    clientNames: since(12, list(str), []),
  },
);
export type MgrMap = Infer<typeof MgrMap>;

/** A map with no manager in it. */
export function newMgrMap(): MgrMap {
  return {
    epoch: 1,
    activeAddrs: [],
    activeGid: 0n,
    available: false,
    activeName: "",
    standbys: new Map(),
    modules: new Set(),
    services: new Map(),
    availableModules: [],
    activeChange: UTIME_ZERO,
    alwaysOnModules: new Map(),
    activeMgrFeatures: 0n,
    lastFailureOsdEpoch: 0,
    clientAddrs: [],
    clientNames: [],
  };
}
