/**
 * The recorded conversations with a real monitor, held with ours.
 * What differs on purpose is listed with its reason; everything else must be equal after blanking.
 */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ALLOW_ALL_CAPS } from "../../../src/auth/index.ts";
import { seededRandom, silentLogger, systemClock } from "../../../src/base/index.ts";
import { Settings } from "../../../src/config/index.ts";
import { newObjectStatSum } from "../../../src/maps/index.ts";
import { mgrCommandTable } from "../../../src/mgr/index.ts";
import { isReply, type CommandReply, Monitor } from "../../../src/mon/index.ts";
import type { MgrContext } from "../../../src/mgr/context.ts";
import { ProgressModule } from "../../../src/mgr/progress.ts";
import { RbdSupport } from "../../../src/mgr/rbd-support/support.ts";
import { monCommandTable } from "../../../src/mon/commands/table.ts";
import { MemStore } from "../../../src/store/index.ts";

interface Block {
  readonly mgr: boolean;
  readonly request: string;
  readonly input: string;
  readonly r: number;
  readonly status: string;
  readonly data: string;
}

function readBlocks(family: string): Block[] {
  const text = readFileSync(new URL(`${family}.txt`, import.meta.url), "utf8");
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const lines = part.split("\n").slice(0, -1);
      const head = lines.shift() ?? "";
      const input = lines[0]?.startsWith("< ") ? (JSON.parse(lines.shift()!.slice(2)) as string) : "";
      const [, code = "", status = ""] = /^= (-?\d+) (.*)$/.exec(lines.shift() ?? "") ?? [];
      const data = lines.map((line) => line.slice(2) + (line.startsWith("|") ? "\n" : "")).join("");
      const mgr = head.startsWith("mgr ");
      const request = mgr ? head.slice(4) : head;
      return { mgr, request, input, r: Number(code), status: JSON.parse(status) as string, data };
    });
}

/** What no two clusters have in common. Blanks next to blanked numbers go too: columns are as wide as they. */
function blank(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(\+0000|Z)/g, "<time>")
    .replaceAll(/[A-Za-z0-9+/]{38}==/g, "<key>")
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uuid>")
    .replaceAll(/\b(since|age) [\d.]+[smhd]\b/g, "$1 <age>")
    .replaceAll(/\[?(v[12]:)127\.0\.0\.1:\d+\/\d+(,v1:127\.0\.0\.1:\d+\/\d+\])?/g, "<addr>")
    .replaceAll(/\be\d+\b/g, "e<n>")
    .replaceAll(/"(epoch|osd_up_since|osd_in_since|quorum_age|reported_seq|pool_id|poolnum|nonce|stamp|version)": ?\d+/g, '"$1": <n>')
    .replaceAll(/\b(set pool|last_change|in epoch|epoch) \d+/g, "$1 <n>")
    .replaceAll(/^\d+ (?=\w+$)/gm, "<n> ")
    .replaceAll(/config-history[^"]*"/g, "");
}

const VERSION =
  "ceph version 16.2.15 (618f440892089921c3e944a991122ddc44e60516) pacific (stable)";

/** Request prefix or whole request → why ours is not the same. */
type Differences = Readonly<Record<string, string>>;

const OUR_CONTENT: Differences = {
  "osd pool ls detail": "flags and application of the pools that were there before",
};

const DIFFERENCES: Readonly<Record<string, Differences>> = {
  pool: {
    ...OUR_CONTENT,
    '{"prefix": "osd pool create", "pool": "monv7", "pg_num": 8, "size": 3}': "only size 1",
    '{"prefix": "osd pool rm", "pool": "monv7", "pool2": "monv7", "yes_i_really_really_mean_it": true}': "was not made",
    '{"prefix": "osd pool get", "pool": "monv", "var": "all"}': "there a manager splits PGs little by little",
    '{"prefix": "health"}': "follows from pg_num",
    '{"prefix": "health", "detail": "detail", "format": "json-pretty"}': "follows from pg_num",
    '{"prefix": "health", "detail": "detail"}': "follows from pg_num",
    '{"prefix": "osd pool application get"}': "pools that were there before",
    '{"prefix": "osd pool application get", "format": "json"}': "pools that were there before",
    '{"prefix": "osd pool application get", "format": "json-pretty"}': "pools that were there before",
  },
  status: {
    status: "sizes; the text is compared below",
    df: "sizes; compared in the room's own tests",
    features: "who is connected",
    "mon stat": "addresses in brackets",
    "mon dump": "two addresses; compared by the maps room",
    quorum_status: "two addresses",
    "log last": "numbering, and the sender's address",
    "fs status": "not asked of the monitor",
    "service dump": "versions",
    "osd crush tree": "shadow trees",
    "osd last-stat-seq": "not there",
    "osd numa-status": "not there",
    "osd utilization": "not there",
    "osd crush weight-set ls": "not there",
    "osd crush weight-set dump": "not there",
    "osd crush get-tunable": "not there",
    "osd crush rule ls-by-class": "not there",
    "osd crush show-tunables": "how new the rules are",
    mon_status: "worded by whoever answers",
    "osd ok-to-stop": "other groups",
    "osd safe-to-destroy": "other groups",
    "osd erasure-code-profile get": "that cluster had another default",
    report: "times, sizes and addresses; compared in the room's own tests",
    "mds stat": "not there",
  },
  auth: {
    "auth ls": "the daemons' own entities",
    "auth list": "the daemons' own entities",
    '{"prefix": "auth caps", "entity": "client.monv", "caps": ["mon", "bogus bogus"]}': "where the parser stopped",
    '{"prefix": "auth get-or-create", "entity": "client.monv6", "caps": ["mon", "allow rwxq"]}': "where the parser stopped",
  },
  config: {
    "config help": "no descriptions",
    "config-key ls": "upstream keeps its history there",
    "config-key list": "upstream keeps its history there",
    "config generate-minimal-conf": "addresses",
    "config log": "what a version number counts",
  },
  osd: {
    "osd dump": "times, features and addresses; compared by the maps room",
    "osd info": "addresses and history",
    "osd lost": "not there",
    "osd set": "see below",
    "osd df": "sizes",
    "osd perf": "latencies",
    "pg stat": "sizes",
    "pg ls": "other groups",
    "pg ls-by-pool": "other groups",
    "pg ls-by-osd": "upstream refuses the name form of its own signature",
    "pg ls-by-primary": "upstream refuses the name form of its own signature",
    "pg dump": "other groups",
    "balancer status": "when it last looked",
    "osd pool autoscale-status": "there is no autoscaler",
    iostat: "not there",
    "rbd trash purge schedule status": "reads the same, checked by hand",
    '{"prefix": "osd blocklist", "blocklistop": "frob", "addr": "10.9.9.9"}': "upstream does nothing and says so of nothing",
    '{"prefix": "status"}': "sizes",
    "osd blacklist ls": "order is by time here",
    "osd blocklist ls": "order is by time here",
  },
};

/** Answered from objects: compared in the walk-through, where there are some. */
const NEEDS_OSDS = /"prefix": "rbd (?:task|trash purge schedule|mirror snapshot schedule|perf image) /;

function isDifferent(family: string, request: string): boolean {
  const list = DIFFERENCES[family] ?? {};
  const { prefix, detail } = JSON.parse(request) as { prefix: string; detail?: string };
  const long = detail === undefined ? prefix : `${prefix} ${detail}`;
  return Object.hasOwn(list, request) || Object.hasOwn(list, prefix) || Object.hasOwn(list, long);
}

async function openMonitor(): Promise<{ ctx: MgrContext; close: () => void }> {
  const monitor = await Monitor.create(
    {
      fsid: "00000000-1111-4222-8333-444444444444",
      name: "a",
      addrs: [{ type: 2, ip: "127.0.0.1", port: 3300, nonce: 0 }],
      host: "vm",
      store: new MemStore(),
      clock: systemClock,
      random: seededRandom(7),
      log: silentLogger,
      version: { version: "16.2.15", release: "pacific", text: VERSION },
    },
    { pools: ["device_health_metrics", "rbd"], numOsds: 1, osdBytes: 4 * 2 ** 30, deviceClass: "hdd" },
  );
  const addr = { type: 2, ip: "127.0.0.1", port: 6800, nonce: 1 };
  await monitor.osdBoot(0, [addr], "00000000-1111-4222-8333-555555555555");
  const pgs = [...monitor.osdMap.pools].flatMap(([pool, { pgNum }]) =>
    Array.from({ length: pgNum }, (_, seed) => ({
      pgid: { pool, seed },
      state: "active+clean",
      version: { version: 0, epoch: 0 },
      stats: newObjectStatSum(),
      allocated: 0,
      stored: 0,
      logSize: 0,
      snapTrimQueueLength: 0,
 damaged: [],
    })),
  );
  const total = 4 * 2 ** 30;
  monitor.osdReport(0, {
    seq: 1,
    epoch: monitor.osdMap.epoch,
    statfs: { total, available: total - 304_361_472, data: 143_360, internal: 304_218_112 },
    fullness: "none",
    pgs,
    perf: { commitLatencyMs: 3, applyLatencyMs: 3 },
  });
  monitor.mgrBoot([addr], 4098n);
  const { state } = monitor;
  const progress = new ProgressModule(state, silentLogger);
  const ctx: MgrContext = {
    state,
    progress,
    // With no cluster behind it: what it answers then is not among the recorded commands.
    rbd: new RbdSupport({
      state,
      progress,
      random: seededRandom(3),
      log: silentLogger,
      connect: () => Promise.reject(new Error("no network")),
    }),
    authorized: () => true,
    settings: new Settings(),
    identity: { entity: { type: 8, id: "admin" }, globalId: 4100n, caps: ALLOW_ALL_CAPS },
    peerAddrs: [],
    descriptions: () => "{}",
  };
  return { ctx, close: () => monitor.close() };
}

const mon = monCommandTable();
const mgr = mgrCommandTable();

async function send(ctx: MgrContext, block: Block): Promise<CommandReply> {
  const input = Buffer.from(block.input);
  let parsed = (block.mgr ? mgr : mon).parse([block.request], input);
  // The monitor passes on what only the manager knows.
  if (isReply(parsed) && !block.mgr) {
    const passed = mgr.parse([block.request], input);
    if (!isReply(passed)) parsed = passed;
  }
  return isReply(parsed) ? parsed : await parsed.command.run(ctx, parsed.args);
}

describe.each(["status", "pool", "auth", "config", "osd"])("recorded %s commands", (family) => {
  test("get the recorded answers", async () => {
    const { ctx, close } = await openMonitor();
    let compared = 0;
    for (const block of readBlocks(family)) {
      if (NEEDS_OSDS.test(block.request)) continue;
      const reply = await send(ctx, block);
      if (isDifferent(family, block.request)) continue;
      compared++;
      const ours = { r: reply.r, status: blank(reply.status), data: blank(Buffer.from(reply.data).toString()) };
      const theirs = { r: block.r, status: blank(block.status), data: blank(block.data) };
      expect(ours, block.request).toEqual(theirs);
    }
    expect(compared).toBeGreaterThan(40);
    close();
  });
});

/** Arguments of later releases, which the recorded one does not have: all may be left out. */
const LATER_ARGUMENTS = ["key_type"];

test("signatures, permissions and flags are those of a real monitor", () => {
  const recorded = JSON.parse(
    readFileSync(new URL("descriptions.json", import.meta.url), "utf8"),
  ) as { sig: (string | Record<string, string>)[]; perm: string; flags: number }[];
  const prefixOf = (sig: readonly unknown[]) => sig.filter((w) => typeof w === "string").join(" ");
  const theirs = new Map(recorded.map((entry) => [prefixOf(entry.sig), entry]));
  let compared = 0;
  for (const table of [mon, mgr]) {
    for (const entry of table.descriptions() as unknown as (typeof recorded)[number][]) {
      const other = theirs.get(prefixOf(entry.sig));
      if (other === undefined) continue;
      compared++;
      const plain = (sig: readonly unknown[]) =>
        sig.map((part) => (part instanceof Map ? Object.fromEntries(part) : part));
      const normal = (sig: readonly unknown[]) =>
        plain(sig).map((part) =>
          typeof part === "string"
            ? part
            : Object.fromEntries(
                Object.entries(part as Record<string, string>).map(([key, value]) => [
                  key,
                  // compat: upstream spells some of these False and fasle; clients read them all as no.
                  key === "req" && value !== "true" ? "false" : value,
                ]),
              ),
        );
      const isLater = (part: unknown): boolean =>
        LATER_ARGUMENTS.includes((part as { name?: string }).name ?? "") &&
        (part as { req?: string }).req === "false";
      expect(normal(entry.sig).filter((part) => !isLater(part))).toEqual(normal(other.sig));
      expect({ sig: prefixOf(entry.sig), perm: entry.perm, flags: entry.flags }).toEqual({
        sig: prefixOf(entry.sig),
        perm: other.perm,
        flags: other.flags,
      });
    }
  }
  expect(compared).toBeGreaterThan(60);
});
