/**
 * `osd (get|set)-require-min-compat-client`: the oldest release whose clients are let alone.
 * ceph: src/mon/OSDMonitor.cc, src/common/ceph_strings.cc, src/common/ceph_releases.h
 */

import { minCompatClient, releaseName, releaseNumber } from "../../maps/index.ts";
import { type Args, type CommandReply, ok, refused } from "./command.ts";
import { changeMap, type MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";

/** Feature bits that a release brought in, oldest first.  ceph: src/include/ceph_features.h */
const FEATURES_SINCE: readonly (readonly [release: string, bits: bigint])[] = [
  // CRUSH_TUNABLES
  ["argonaut", 1n << 18n],
  // CRUSH_TUNABLES2, OSDHASHPSPOOL
  ["dumpling", (1n << 25n) | (1n << 30n)],
  // CRUSH_TUNABLES3 with OSD_PRIMARY_AFFINITY, OSD_CACHEPOOL
  ["firefly", (1n << 41n) | (1n << 35n)],
  // CRUSH_V4
  ["hammer", 1n << 48n],
  // CRUSH_TUNABLES5
  ["jewel", 1n << 58n],
  // MSG_ADDR2
  ["kraken", 1n << 59n],
  // CRUSH_CHOOSE_ARGS: the bit of SERVER_LUMINOUS in its second life
  ["luminous", (1n << 21n) | (1n << 57n)],
];

/** What clients of a release are sure to have. */
function featuresOf(release: number): bigint {
  return FEATURES_SINCE.filter(([name]) => releaseNumber(name) <= release).reduce(
    (sum, [, bits]) => sum | bits,
    0n,
  );
}

/** The oldest release that clients with these features can be. */
function releaseOf(features: bigint): string {
  const since = FEATURES_SINCE.filter(
    ([name]) => (featuresOf(releaseNumber(name)) & ~features) === 0n,
  );
  return since.at(-1)?.[0] ?? "unknown";
}

async function setMinCompat(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const name = args.text("version") ?? "";
  const release = releaseNumber(name);
  if (release < 1) return refused("EINVAL", `version ${name} is not recognized`);
  return await changeMap(ctx, (pending) => {
    const least = minCompatClient(pending.map);
    if (release < releaseNumber(least)) {
      const why = `osdmap current utilizes features that require ${least}`;
      return refused("EPERM", `${why}; cannot set require_min_compat_client below that to ${name}`);
    }
    const older = args.flag("yes_i_really_mean_it") ? [] : olderPeers(ctx, release);
    if (older.length > 0) {
      return refused(
        "EPERM",
        `cannot set require_min_compat_client to ${name}: ${older.join("; ")}; add --yes-i-really-mean-it to do it anyway`,
      );
    }
    pending.edit((inc) => (inc.newRequireMinCompatClient = release));
    return `set require_min_compat_client to ${name}`;
  });
}

/** Who is connected and lacks what clients of a release have, in words. */
function olderPeers(ctx: CommandContext, release: number): string[] {
  const wanted = featuresOf(release);
  return ctx.state.sessions().flatMap(({ type, features, count }) => {
    const missing = wanted & ~features;
    if (missing === 0n || !["client", "mds", "mgr"].includes(type)) return [];
    const looks = `look like ${releaseOf(features)} (missing 0x${missing.toString(16)})`;
    return [`${count} connected ${type}(s) ${looks}`];
  });
}

function getMinCompat(ctx: CommandContext): CommandReply {
  return ok(`${releaseName(ctx.state.maps.map.requireMinCompatClient)}\n`);
}

export const minCompatCommands: readonly MonCommand[] = [
  {
    sig: "osd get-require-min-compat-client",
    help: "show how old clients may be",
    module: "osd",
    perm: "r",
    run: getMinCompat,
  },
  {
    sig: "osd set-require-min-compat-client name=version,type=CephString name=yes_i_really_mean_it,type=CephBool,req=false",
    help: "say how old clients may be",
    module: "osd",
    perm: "rw",
    run: setMinCompat,
  },
];
