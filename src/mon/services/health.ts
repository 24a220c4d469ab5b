/**
 * What is not as it should be, in Ceph's codes and words.
 * ceph: src/osd/OSDMap.cc check_health, src/mon/PGMap.cc get_health_checks, src/mon/HealthMonitor.cc
 */

import { formatAge } from "../../base/index.ts";
import type { Settings } from "../../config/index.ts";
import { textOf } from "../../encoding/index.ts";
import {
  isIn,
  isUp,
  mapPg,
  OSD_STATE,
  OSDMAP_FLAG,
  type OsdMap,
  osdIds,
  POOL_FLAG,
} from "../../maps/index.ts";
import { formatPgId } from "../../types/index.ts";
import type { AuthService } from "./auth.ts";
import type { HealthMute, HealthMutes } from "./health-mutes.ts";
import { downChecks } from "./health-osds.ts";
import type { MgrModules } from "./mgr-modules.ts";
import type { StatsService } from "./stats.ts";

export interface HealthCheck {
  readonly code: string;
  /** HEALTH_OK: worth a line, and no more. */
  readonly severity: "HEALTH_OK" | "HEALTH_WARN" | "HEALTH_ERR";
  readonly message: string;
  readonly count: number;
  readonly detail: readonly string[];
}

export interface Health {
  /** The worst of what is not muted. */
  readonly status: "HEALTH_OK" | "HEALTH_WARN" | "HEALTH_ERR";
  /** In order of their codes. */
  readonly checks: readonly HealthCheck[];
  /** In order of their codes, whether there is such a check or not. */
  readonly mutes: readonly HealthMute[];
}

/** Lines of detail of one check.  ceph: mon_health_max_detail */
const DETAIL_MAX = 50;

/** Flags that somebody set and should not forget. */
const WARN_FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [OSDMAP_FLAG.PAUSERD, "pauserd"],
  [OSDMAP_FLAG.PAUSEWR, "pausewr"],
  [OSDMAP_FLAG.PAUSEREC, "pauserec"],
  [OSDMAP_FLAG.NOUP, "noup"],
  [OSDMAP_FLAG.NODOWN, "nodown"],
  [OSDMAP_FLAG.NOIN, "noin"],
  [OSDMAP_FLAG.NOOUT, "noout"],
  [OSDMAP_FLAG.NOBACKFILL, "nobackfill"],
  [OSDMAP_FLAG.NORECOVER, "norecover"],
  [OSDMAP_FLAG.NOSCRUB, "noscrub"],
  [OSDMAP_FLAG.NODEEP_SCRUB, "nodeep-scrub"],
  [OSDMAP_FLAG.NOTIERAGENT, "notieragent"],
  [OSDMAP_FLAG.NOSNAPTRIM, "nosnaptrim"],
  [OSDMAP_FLAG.NOREBALANCE, "norebalance"],
];

/** Ours: a real cluster without authentication says nothing. */
function openChecks({ openTo }: AuthService): HealthCheck[] {
  if (openTo === undefined) return [];
  return [
    {
      code: "AUTH_NONE",
      severity: "HEALTH_WARN",
      message: "authentication is off, and other machines may connect",
      count: 1,
      detail: [`whoever reaches ${openTo} may do anything: start with --auth cephx`],
    },
  ];
}

/**
 * The monitor's file system is nearly full, which may keep it from writing down anything else that there is to tell.
 * Upstream warns from 30 % on, which is no news on a machine that has other uses.
 * ceph: HealthMonitor::check_member_health
 */
function diskChecks({ name, settings, availablePercent }: HealthSources): HealthCheck[] {
  const percent = availablePercent();
  if (percent > settings.number("mon_data_avail_crit")) return [];
  return [
    {
      code: "MON_DISK_CRIT",
      severity: "HEALTH_ERR",
      message: `mon ${name} is very low on available space`,
      count: 1,
      detail: [`mon.${name} has ${percent}% avail`],
    },
  ];
}

/** Caps that do not parse, which only `auth import` lets in.  ceph: AuthMonitor::encode_pending */
function authChecks(auth: AuthService): HealthCheck[] {
  const { badCaps } = auth;
  const count = new Set(badCaps.map(({ name }) => name)).size;
  if (count === 0) return [];
  return [
    {
      code: "AUTH_BAD_CAPS",
      severity: "HEALTH_ERR",
      message: `${count} auth entities have invalid capabilities`,
      count,
      detail: badCaps.slice(0, DETAIL_MAX).map(({ name, reason }) => `${name} ${reason}`),
    },
  ];
}

/**
 * Keys of types that are known to be weak, and whoever may still use or get one, once the operator wants better.
 * ceph: AuthMonitor::check_health, since 19.2.6 and 20.2.4. Those releases' checks of the secrets that tickets are
 * sealed under have no counterpart: ours are sealed with an AEAD whatever the keys.
 */
function keyTypeChecks({ policy, weakKeys }: AuthService): HealthCheck[] {
  if (!policy.wantsStrong) return [];
  const checks: HealthCheck[] = [];
  for (const [who, severity] of [
    ["client", "HEALTH_WARN"],
    ["service", "HEALTH_ERR"],
  ] as const) {
    const found = weakKeys.filter(({ isClient }) => isClient === (who === "client"));
    if (found.length === 0) continue;
    checks.push({
      code: `AUTH_INSECURE_${who.toUpperCase()}_KEY_TYPE`,
      severity,
      message: `${found.length} auth ${who} entities with insecure key types`,
      count: found.length,
      detail: found
        .slice(0, DETAIL_MAX)
        .map(({ name, keyType }) => `entity ${name} using insecure key type: ${keyType}`),
    });
  }
  const add = (code: string, what: string) =>
    checks.push({
      code,
      severity: "HEALTH_WARN",
      message: `Monitors are configured to allow ${what} insecure key types`,
      count: 1,
      detail: [],
    });
  if (policy.takesWeak) add("AUTH_INSECURE_KEYS_ALLOWED", "auth using");
  if (policy.makesWeak) add("AUTH_INSECURE_KEYS_CREATABLE", "creation of");
  return checks;
}

function osdChecks(map: OsdMap): HealthCheck[] {
  const checks = downChecks(map).map(
    (check): HealthCheck => ({ ...check, severity: "HEALTH_WARN" }),
  );
  const flags = WARN_FLAGS.filter(([bit]) => (map.flags & bit) !== 0).map(([, name]) => name);
  if (flags.length > 0) {
    const text = flags.join(",");
    checks.push({
      code: "OSDMAP_FLAGS",
      severity: "HEALTH_WARN",
      message: `${text} flag(s) set`,
      // compat: upstream counts the characters.
      count: text.length,
      detail: [],
    });
  }
  return checks;
}

/** Fullest first. An OSD or a pool shows with the worst only. */
const FULL_OSDS: readonly (readonly [state: number, code: string, word: string, detail: string])[] =
  [
    [OSD_STATE.FULL, "OSD_FULL", "full", "full"],
    [OSD_STATE.BACKFILLFULL, "OSD_BACKFILLFULL", "backfillfull", "backfill full"],
    [OSD_STATE.NEARFULL, "OSD_NEARFULL", "nearfull", "near full"],
  ];
const FULL_POOLS: readonly (readonly [flag: number, code: string, word: string])[] = [
  [POOL_FLAG.FULL, "POOL_FULL", "full"],
  [POOL_FLAG.BACKFILLFULL, "POOL_BACKFILLFULL", "backfillfull"],
  [POOL_FLAG.NEARFULL, "POOL_NEARFULL", "nearfull"],
];

function spaceChecks(map: OsdMap): HealthCheck[] {
  const ids = osdIds(map).filter((id) => isIn(map, id) && isUp(map, id));
  const checks: HealthCheck[] = [];
  const add = (code: string, message: string, detail: string[]) => {
    if (detail.length === 0) return;
    const severity = code === "OSD_FULL" ? "HEALTH_ERR" : "HEALTH_WARN";
    const text = `${detail.length} ${message}`;
    checks.push({ code, severity, message: text, count: detail.length, detail });
  };
  for (const [state, code, word, words] of FULL_OSDS) {
    const found = ids.filter((id) => ((map.osdState[id] ?? 0) & state) !== 0);
    add(
      code,
      `${word} osd(s)`,
      found.map((id) => `osd.${id} is ${words}`),
    );
  }
  for (const [flag, code, word] of FULL_POOLS) {
    const found = [...map.pools].filter(([, pool]) => (pool.flags & flag) !== 0);
    add(
      code,
      `pool(s) ${word}`,
      found.map(([id, { flags }]) => {
        const hasQuota = (flags & POOL_FLAG.FULL_QUOTA) !== 0;
        const why = hasQuota ? " (running out of quota)" : " (no space)";
        const name = textOf(map.poolNames.get(id) ?? "");
        return `pool '${name}' is ${word}${flag === POOL_FLAG.FULL ? why : ""}`;
      }),
    );
  }
  return checks;
}

function poolChecks(map: OsdMap, stats: StatsService): HealthCheck[] {
  const noApp: string[] = [];
  for (const [id, pool] of map.pools) {
    const name = textOf(map.poolNames.get(id) ?? "");
    if (pool.applicationMetadata.size === 0 && stats.poolSums(id).stats.numObjects > 0) {
      noApp.push(`application not enabled on pool '${name}'`);
    }
  }
  const checks: HealthCheck[] = scrubFlagChecks(map);
  if (noApp.length > 0) {
    checks.push({
      code: "POOL_APP_NOT_ENABLED",
      severity: "HEALTH_WARN",
      message: `${noApp.length} pool(s) do not have an application enabled`,
      count: noApp.length,
      detail: [
        ...noApp,
        "use 'ceph osd pool application enable <pool-name> <app-name>', where <app-name> is 'cephfs', 'rbd', 'rgw', or freeform for custom applications.",
      ],
    });
  }
  return checks;
}

/** Pools that somebody has taken out of scrubbing.  ceph: OSDMap::check_health */
function scrubFlagChecks(map: OsdMap): HealthCheck[] {
  const flags: readonly (readonly [bit: number, name: string])[] = [
    [POOL_FLAG.NOSCRUB, "noscrub"],
    [POOL_FLAG.NODEEP_SCRUB, "nodeep-scrub"],
  ];
  const found = new Set<string>();
  const detail: string[] = [];
  for (const [id, pool] of map.pools) {
    for (const [bit, name] of flags) {
      if ((pool.flags & bit) === 0) continue;
      found.add(name);
      detail.push(`Pool ${textOf(map.poolNames.get(id) ?? "")} has ${name} flag`);
    }
  }
  if (found.size === 0) return [];
  const names = flags.map(([, name]) => name).filter((name) => found.has(name));
  const message = `Some pool(s) have the ${names.join(", ")} flag(s) set`;
  return [
    {
      code: "POOL_SCRUB_FLAGS",
      severity: "HEALTH_OK",
      message,
      count: 0,
      detail: detail.slice(0, DETAIL_MAX),
    },
  ];
}

function pgChecks(map: OsdMap, stats: StatsService): HealthCheck[] {
  const states = stats.states(map);
  let inactive = 0;
  let damaged = 0;
  for (const [state, count] of states) {
    if (!state.includes("active")) inactive += count;
    if (state.includes("inconsistent")) damaged += count;
  }
  const checks: HealthCheck[] = damageChecks(map, stats, damaged);
  // Groups nobody has reported yet are normal in the first moments.
  inactive -= states.get("unknown") ?? 0;
  if (inactive > 0) {
    checks.push({
      code: "PG_AVAILABILITY",
      severity: "HEALTH_WARN",
      message: `Reduced data availability: ${inactive} ${inactive === 1 ? "pg" : "pgs"} inactive`,
      count: inactive,
      detail: [],
    });
  }
  return checks;
}

/**
 * Groups with objects that did not read as they were written. `PG_DAMAGED` is upstream's word for word; the
 * objects, which upstream leaves to `rados list-inconsistent-obj`, are details of `OSD_SCRUB_ERRORS`.
 */
function damageChecks(map: OsdMap, stats: StatsService, damaged: number): HealthCheck[] {
  if (damaged === 0) return [];
  const pgs = [...stats.pgs()]
    .filter((pg) => map.pools.has(pg.pgid.pool) && pg.state.includes("inconsistent"))
    .sort((a, b) => a.pgid.pool - b.pgid.pool || a.pgid.seed - b.pgid.seed);
  const errors = pgs.reduce((sum, pg) => sum + pg.stats.numScrubErrors, 0);
  const objects = pgs.flatMap((pg) =>
    pg.damaged.map(
      (object) => `osd.${pg.osd} pg ${formatPgId(pg.pgid)}: object ${object} is damaged`,
    ),
  );
  return [
    {
      code: "OSD_SCRUB_ERRORS",
      severity: "HEALTH_ERR",
      message: `${errors} scrub errors`,
      count: errors,
      detail: objects.slice(0, DETAIL_MAX),
    },
    {
      code: "PG_DAMAGED",
      severity: "HEALTH_ERR",
      message: `Possible data damage: ${damaged} ${damaged === 1 ? "pg" : "pgs"} inconsistent`,
      count: damaged,
      detail: pgs.slice(0, DETAIL_MAX).map(({ pgid, state }) => {
        const { acting } = mapPg(map, pgid);
        return `pg ${formatPgId(pgid)} is ${state}, acting [${acting.join(",")}]`;
      }),
    },
  ];
}

/** Modules of the manager that are switched on, and do not run.  ceph: PyModuleRegistry::get_health_checks */
function moduleChecks({ missing }: MgrModules): HealthCheck[] {
  if (missing.length === 0) return [];
  const lines = missing.map(({ name, why }) => `Module '${name}' has failed dependency: ${why}`);
  const many = `${missing.length} mgr modules have failed dependencies`;
  return [
    {
      code: "MGR_MODULE_DEPENDENCY",
      severity: "HEALTH_WARN",
      message: missing.length === 1 ? (lines[0] ?? "") : many,
      count: missing.length,
      detail: lines.slice(0, DETAIL_MAX),
    },
  ];
}

/** What health is a matter of. */
export interface HealthSources {
  readonly maps: { readonly map: OsdMap };
  readonly stats: StatsService;
  readonly auth: AuthService;
  readonly mutes: HealthMutes;
  readonly modules: MgrModules;
  /** The monitor's. */
  readonly name: string;
  readonly settings: Pick<Settings, "number">;
  /** What is available of the file system that its store lies on, in per cent. */
  readonly availablePercent: () => number;
}

export function checkHealth(sources: HealthSources): Health {
  const { stats, auth, mutes, modules } = sources;
  const { map } = sources.maps;
  const checks = [
    ...authChecks(auth),
    ...openChecks(auth),
    ...keyTypeChecks(auth),
    ...osdChecks(map),
    ...spaceChecks(map),
    ...diskChecks(sources),
    ...poolChecks(map, stats),
    ...pgChecks(map, stats),
    ...moduleChecks(modules),
  ].sort((a, b) => (a.code < b.code ? -1 : 1));
  const loud = checks.filter((check) => !mutes.all.has(check.code));
  const status = loud.some((check) => check.severity === "HEALTH_ERR")
    ? "HEALTH_ERR"
    : loud.some((check) => check.severity === "HEALTH_WARN")
      ? "HEALTH_WARN"
      : "HEALTH_OK";
  return { status, checks, mutes: [...mutes.all.values()] };
}

/** What is left of a mute's time; undefined if it has no end. */
function timeLeft({ until }: HealthMute, now: number): string | undefined {
  if (until === undefined) return undefined;
  return until > now ? formatAge(until - now) : "0s";
}

/** Where a line has its breaks, and when it is printed. */
export interface HealthLineOptions {
  /** Behind the status. */
  readonly first: string;
  /** Between checks. */
  readonly separator: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** `HEALTH_WARN noout flag(s) set (muted: OSD_DOWN(59m))` */
export function healthLine(health: Health, { first, separator, now }: HealthLineOptions): string {
  const { status, checks, mutes } = health;
  const muted = new Set(mutes.map((mute) => mute.code));
  const parts = checks.filter(({ code }) => !muted.has(code)).map(({ message }) => message);
  if (mutes.length > 0) {
    const codes = mutes.map((mute) => {
      const left = timeLeft(mute, now);
      return ` ${mute.code}${left === undefined ? "" : `(${left})`}`;
    });
    parts.push(`(muted:${codes.join("")})`);
  }
  return parts.length === 0 ? status : `${status}${first}${parts.join(separator)}`;
}

/** `(MUTED ttl 59m, STICKY) `; "" for a check that is not muted. */
function mutedPrefix(mute: HealthMute | undefined, now: number): string {
  if (mute === undefined) return "";
  const left = timeLeft(mute, now);
  return `(MUTED${left === undefined ? "" : ` ttl ${left}`}${mute.sticky ? ", STICKY" : ""}) `;
}

/** A line for each check, and under it what there is to say of it, as `ceph health detail` prints them. */
export function healthDetail({ checks, mutes }: Health, now: number): string[] {
  const byCode = new Map(mutes.map((mute) => [mute.code, mute]));
  return checks.flatMap(({ code, severity, message, detail }) => {
    const level = { HEALTH_OK: "OK", HEALTH_WARN: "WRN", HEALTH_ERR: "ERR" }[severity];
    const muted = mutedPrefix(byCode.get(code), now);
    return [`${muted}[${level}] ${code}: ${message}`, ...detail.map((line) => `    ${line}`)];
  });
}
