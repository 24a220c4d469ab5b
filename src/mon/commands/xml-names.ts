/**
 * Names of XML elements that JSON does not have: by command what the whole is called, and by array what its items
 * are. Whoever asks a command that is not here for XML gets plain text, as from upstream's commands that know no
 * format; and so does whoever asks for YAML, which upstream's monitor does not know.
 *
 * As a real 16.2.15 answers; those of arrays that are seldom filled are from the sources.
 * ceph: src/common/Formatter.cc Formatter::create; the dump functions of src/osd/OSDMap.cc, src/osd/osd_types.cc,
 * src/mon/PGMap.cc, src/mon/MonMap.cc, src/mon/MgrMap.h, src/crush/CrushWrapper.cc
 */

import type { Json, XmlNames } from "../../encoding/index.ts";

/** What holds for most arrays of a name. */
const ITEMS: XmlNames["items"] = {
  acting: "osd",
  addrvec: "addr",
  always_on_modules: "module",
  available_modules: "module",
  bad_already_inactive: "pg",
  bad_become_inactive: "pg",
  blocked_by: "osd",
  buckets: "bucket",
  children: "child",
  detail: "detail_item",
  devices: "device",
  disabled_modules: "module",
  enabled_modules: "module",
  enum_allowed: "value",
  flags_set: "flag",
  grade_table: "value",
  hb_peers: "osd",
  items: "item",
  modules: "module",
  mons: "mon",
  mutes: "mute",
  new_purged_snaps: "pool",
  new_removed_snaps: "pool",
  nodes: "item",
  num_pg_by_state: "state",
  ok_become_degraded: "pg",
  optional: "bit_flag",
  osd_perf_infos: "osd",
  osd_stats: "osd_stat",
  osd_xinfo: "xinfo",
  osds: "osd",
  persistent: "bit_flag",
  pg_stats: "pg_stat",
  pgs_by_state: "pgs_by_state_element",
  pool_snaps: "pool_snap_info",
  pool_stats: "pool_stat",
  pools: "pool",
  purged_snaps: "interval",
  quorum: "mon",
  quorum_mon: "bit_flag",
  quorum_names: "mon",
  removed_snaps_queue: "pool",
  required: "bit_flag",
  rules: "rule",
  snaps: "interval",
  steps: "step",
  stored_pgs: "osd",
  stuck_pg_stats: "pg_stat",
  supported: "bit_flag",
  tiers: "pool_id",
  types: "type",
  unknown_pgs: "pg",
  up: "osd",
};

/** It has the property's name. */
const COUNTS = { root: "metadata" };
const VERSIONS = { root: "ceph_version" };
const KEY = { root: "auth" };
const ENTITIES = { root: "auth", items: { auth: "auth_entities", auth_dump: "auth_entities" } };
const OSDS = { root: "osds", items: { osds: "osd" } };
const PG_INFO = { root: "pg_info" };
const BLOCKLIST = {
  root: "blocklist",
  items: { blocklist: "entry", range_blocklist: "entry" },
};
const OPTIONS = { root: "config", items: { config: "value", overrides: "value" } };

const COMMANDS: Readonly<Record<string, XmlNames>> = {
  "auth export": ENTITIES,
  "auth get": ENTITIES,
  "auth get-key": KEY,
  "auth get-or-create": ENTITIES,
  "auth get-or-create-key": KEY,
  "auth ls": ENTITIES,
  "auth print-key": KEY,
  "auth print_key": KEY,
  "config dump": { root: "config", items: { config: "option" } },
  "config log": { root: "changesets", items: { changesets: "changeset", changes: "change" } },
  "config ls": { root: "options", items: { options: "option" } },
  "config show": OPTIONS,
  "config show-with-defaults": OPTIONS,
  "config-key ls": { root: "keys", items: { keys: "key" } },
  df: { root: "stats" },
  features: {
    root: "features",
    items: { mon: "group", mgr: "group", osd: "group", client: "group" },
  },
  "fs dump": { root: "fsmap" },
  "fs ls": { root: "filesystems" },
  fsid: { root: "fsid" },
  health: { root: "health" },
  "mds stat": { root: "mds_stat" },
  "mgr count-metadata": COUNTS,
  "mgr dump": { root: "mgrmap" },
  "mgr metadata": { root: "mgr_metadata", items: { mgr_metadata: "mgr" } },
  "mgr module ls": { root: "modules" },
  "mgr services": { root: "services" },
  "mgr stat": { root: "stat" },
  "mgr versions": VERSIONS,
  "mon count-metadata": COUNTS,
  "mon dump": { root: "monmap" },
  "mon feature ls": { root: "features" },
  "mon metadata": { root: "mon_metadata", items: { mon_metadata: "mon" } },
  "mon stat": { root: "monmap" },
  "mon versions": VERSIONS,
  "node ls": { root: "nodes" },
  "osd blacklist ls": BLOCKLIST,
  "osd blocklist ls": BLOCKLIST,
  "osd count-metadata": COUNTS,
  "osd crush class ls": { root: "crush_classes", items: { crush_classes: "class" } },
  "osd crush dump": { root: "crush_map" },
  "osd crush ls": { root: "items" },
  "osd crush rule dump": { root: "rules" },
  "osd crush rule ls": { root: "rules", items: { rules: "name" } },
  "osd crush show-tunables": { root: "crush_map_tunables" },
  "osd crush tree": { root: "crush_tree", items: { stray: "item" } },
  "osd df": { root: "df", items: { stray: "item" } },
  "osd dump": {
    root: "osdmap",
    items: { pg_upmap: "mapping", pg_upmap_items: "mapping", mappings: "mapping" },
  },
  "osd erasure-code-profile get": { root: "profile" },
  "osd erasure-code-profile ls": {
    root: "erasure-code-profiles",
    items: { "erasure-code-profiles": "profile" },
  },
  "osd find": { root: "osd_location" },
  "osd getmaxosd": { root: "getmaxosd" },
  "osd info": { root: "osd_info", items: { osd_info: "osd" } },
  "osd ls": OSDS,
  "osd ls-tree": OSDS,
  "osd lspools": { root: "pools" },
  "osd map": { root: "osd_map" },
  "osd metadata": { root: "osd_metadata", items: { osd_metadata: "osd" } },
  "osd ok-to-stop": { root: "ok_to_stop" },
  "osd perf": PG_INFO,
  "osd pool application get": { root: "pools" },
  "osd pool get": { root: "pool" },
  "osd pool get-quota": { root: "pool_quotas" },
  "osd pool ls": {
    root: "pools",
    items: { pools: (item: Json) => (typeof item === "string" ? "pool_name" : "pool") },
  },
  "osd pool stats": { root: "pool_stats", items: { pool_stats: "pool" } },
  "osd safe-to-destroy": {
    root: "osd_status",
    items: { safe_to_destroy: "osd", active: "osd", missing_stats: "osd" },
  },
  "osd stat": { root: "osdmap" },
  "osd tree": { root: "tree", items: { stray: "item" } },
  "osd utilization": { root: "utilization" },
  "osd versions": VERSIONS,
  "pg dump": PG_INFO,
  "pg dump_stuck": PG_INFO,
  "pg ls": PG_INFO,
  "pg ls-by-osd": PG_INFO,
  "pg ls-by-pool": PG_INFO,
  "pg ls-by-primary": PG_INFO,
  "pg map": { root: "pg_map", items: { up: "up_osd", acting: "acting_osd" } },
  "pg stat": PG_INFO,
  quorum_status: { root: "quorum_status" },
  "service dump": { root: "service_map" },
  status: { root: "status", items: { quorum: "rank", quorum_names: "id" } },
  "time-sync-status": { root: "time_sync" },
  versions: { root: "version" },
};

/** What a command's XML is called; undefined: it knows none. */
export function xmlNamesOf(prefix: string): XmlNames | undefined {
  if (!Object.hasOwn(COMMANDS, prefix)) return undefined;
  const names = COMMANDS[prefix] as XmlNames;
  return { ...names, items: { ...ITEMS, ...names.items } };
}
