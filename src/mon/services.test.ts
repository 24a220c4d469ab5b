import { describe, expect, test } from "vitest";
import { formatKey } from "../auth/index.ts";
import { formatDouble, renderJson, renderJsonPretty } from "../encoding/index.ts";
import {
  mapPg,
  newObjectStatSum,
  OSD_STATE,
  type OsdFullness,
  type OsdMap,
  type OsdReport,
  POOL_FLAG,
} from "../maps/index.ts";
import { CLOG, type LogEntry } from "../messages/index.ts";
import { NoSpaceError } from "../store/index.ts";
import { ENTITY_TYPE } from "../types/index.ts";
import type { ClusterState } from "./commands/context.ts";
import { formatAge, formatBytes, formatCount, parseSize } from "./commands/units.ts";
import { Monitor } from "./monitor.ts";
import { parseTarget } from "./services/config.ts";
import { checkHealth } from "./services/health.ts";
import { formatLogEntry } from "./services/log.ts";
import { updatePool } from "./services/osd-pools.ts";
import { askerOf } from "./testing/ask.ts";
import { createBench, OSD_ADDR, optionsFor, settle } from "./testing/bench.ts";

const CLIENT = { type: 8, id: "glance" };
const REPORT: OsdReport = {
  seq: 1,
  epoch: 1,
  statfs: { total: 1 << 30, available: 1 << 29, data: 0, internal: 0 },
  fullness: "none",
  pgs: [
    {
      pgid: { pool: 1, seed: 0 },
      state: "active+clean",
      version: { version: 0, epoch: 0 },
      stats: newObjectStatSum(),
      allocated: 0,
      stored: 0,
      logSize: 0,
      snapTrimQueueLength: 0,
      damaged: [],
    },
  ],
  perf: { commitLatencyMs: 0, applyLatencyMs: 0 },
};
const ANY_FULL =
  POOL_FLAG.FULL | POOL_FLAG.FULL_QUOTA | POOL_FLAG.NEARFULL | POOL_FLAG.BACKFILLFULL;

function spaceFlags(pools: OsdMap["pools"]): number {
  return pools.get(1)!.flags & ANY_FULL;
}

describe("what the monitor must not forget", () => {
  test("keys, options, config-keys and log lines are there after a restart", async () => {
    const { monitor, store, clock } = await createBench();
    const { auth, config, configKey, log } = monitor.state;
    const key = auth.newKey();
    await auth.set([{ entity: CLIENT, auth: { key, caps: { mon: "allow r" } } }]);
    await config.apply([
      { target: { section: "client", mask: "" }, name: "rbd_cache", value: "x" },
    ]);
    await configKey.set("ä/b", Uint8Array.of(0, 255));
    log.say({ name: CLIENT, rank: { type: 8, num: 1n }, addrs: [] }, 1, "grüezi");
    await settle();
    monitor.close();
    const { state } = await Monitor.open(optionsFor(store, clock));
    expect(formatKey(state.auth.get(CLIENT)!.key)).toBe(formatKey(key));
    expect(state.auth.get(CLIENT)?.caps).toEqual({ mon: "allow r" });
    expect(state.config.get({ section: "client", mask: "" }, "rbd_cache")).toBe("x");
    expect(state.config.history(1)[0]?.changes[0]?.name).toBe("rbd_cache");
    expect(state.configKey.get("ä/b")).toEqual(Uint8Array.of(0, 255));
    expect(state.log.last(1, 0, "*")).toHaveLength(1);
  });

  test("debug lines push out no others, stay off the disk, and no version is given twice", async () => {
    const { monitor, store, clock } = await createBench();
    const { log } = monitor.state;
    const source = { name: CLIENT, rank: { type: 8, num: 1n }, addrs: [] };
    await settle();
    const before = store.lastSubmitted;
    log.say(source, CLOG.WARN, "smoke");
    for (let i = 0; i < 1500; i++) log.say(source, CLOG.DEBUG, `tick ${i}`);
    log.say(source, CLOG.INFO, "done");
    // Two lines, and versions set aside now and then.
    expect(store.lastSubmitted - before).toBeLessThan(6);
    const texts = (lines: LogEntry[]) => lines.map(({ message }) => message);
    expect(texts(log.last(3, CLOG.DEBUG, "*"))).toEqual(["tick 1498", "tick 1499", "done"]);
    expect(texts(log.last(2, CLOG.INFO, "cluster"))).toEqual(["smoke", "done"]);
    const noise = log.last(5000, CLOG.DEBUG, "*").filter(({ prio }) => prio === CLOG.DEBUG);
    expect(noise).toHaveLength(1000);
    const { version } = log;
    await settle();
    monitor.close();
    const { state } = await Monitor.open(optionsFor(store, clock));
    // The restart itself is told of, too.
    const kept = texts(state.log.last(10, CLOG.INFO, "cluster"));
    expect(kept.filter((text) => text === "smoke" || text === "done")).toEqual(["smoke", "done"]);
    state.log.say(source, CLOG.INFO, "again");
    expect(state.log.version).toBeGreaterThan(version);
  });

  test("every new map is a line in the cluster log", async () => {
    const { monitor } = await createBench();
    await monitor.osdDown(0);
    const [line] = monitor.state.log.last(1, CLOG.DEBUG, "cluster").map(formatLogEntry);
    const { epoch } = monitor.osdMap;
    expect(line).toMatch(
      new RegExp(
        `mon\\.a \\(mon\\.0\\) \\d+ : cluster \\[DBG\\] osdmap e${epoch}: 1 total, 0 up, 1 in$`,
      ),
    );
  });

  test("a global id is never given out again, not even after a restart", async () => {
    const { monitor, store, clock } = await createBench();
    const seen = new Set<bigint>();
    for (let i = 0; i < 100; i++) seen.add(monitor.allocateGlobalId());
    monitor.close();
    const again = await Monitor.open(optionsFor(store, clock));
    for (let i = 0; i < 100; i++) seen.add(again.allocateGlobalId());
    expect(seen.size).toBe(200);
  });

  test("tickets sealed before a restart can be read after it", async () => {
    const { monitor, store, clock } = await createBench();
    const { id, key } = monitor.serviceSecrets().forIssue(4);
    monitor.close();
    const again = await Monitor.open(optionsFor(store, clock));
    expect(again.serviceSecrets().find(4, id)).toEqual(key);
  });

  test.each([
    ["8", 8000],
    ["0", 1000],
    ["-5", 1000],
    [undefined, 3_600_000],
  ])("auth_service_ticket_ttl = %s is what tickets get, %d ms", async (value, ttlMs) => {
    const { monitor, store, clock } = await createBench();
    const target = { section: "mon", mask: "" };
    await monitor.state.config.apply([{ target, name: "auth_service_ticket_ttl", value }]);
    expect(monitor.serviceSecrets().forIssue(4).ttlMs).toBe(ttlMs);
    expect(monitor.serviceSecrets().forIssue(ENTITY_TYPE.AUTH).ttlMs).toBe(72 * 3_600_000);
    monitor.close();
    const again = (await Monitor.open(optionsFor(store, clock))).serviceSecrets();
    const { id } = again.forIssue(4);
    clock.advance(2 * ttlMs);
    expect(again.forIssue(4).id).toBeGreaterThan(id);
    expect(again.forIssue(4).ttlMs).toBe(ttlMs);
  });

  const OPTION = { who: "client", name: "rbd_cache", value: "false" };
  const MODULE = { module: "restful" };
  test.each([
    ["config set", OPTION, "", ({ config }: ClusterState) => config.dump().length],
    ["mgr module enable", MODULE, "already", ({ modules }: ClusterState) => modules.enabled.size],
  ] as const)("%s: that it is so already is said of what is stored", async (...what) => {
    const [prefix, args, already, count] = what;
    const { monitor, store, clock } = await createBench();
    const ask = () => askerOf(monitor)(prefix, args);
    const submit = store.submit.bind(store);
    store.submit = () => {
      throw new NoSpaceError();
    };
    expect(await ask()).toMatchObject({ r: -28 });
    expect(count(monitor.state)).toBe(0);
    store.submit = submit;
    store.hold();
    let told = 0;
    const both = [ask(), ask()].map(async (answer) => {
      const { r, status } = await answer;
      told++;
      return [r, status.includes(already)];
    });
    await settle();
    expect(told).toBe(0);
    store.release();
    expect(await Promise.all(both)).toEqual([
      [0, already === ""],
      [0, true],
    ]);
    monitor.close();
    expect(count((await Monitor.open(optionsFor(store, clock))).state)).toBe(1);
  });

  test("a cluster is made once, and opened only as itself", async () => {
    const { store, clock } = await createBench();
    const options = optionsFor(store, clock);
    const first = { pools: [], numOsds: 1, osdBytes: 1 };
    await expect(Monitor.create(options, first)).rejects.toThrow("already");
    const other = { ...options, fsid: options.fsid.replace("0", "9") };
    await expect(Monitor.open(other)).rejects.toThrow("this is cluster");
    expect(Monitor.fsidOf(store)).toBe(options.fsid);
  });
});

describe("what happens by itself", () => {
  test("a lock-out ends with a map change when its time is over, not before", async () => {
    const { monitor, clock } = await createBench();
    const addr = { type: 3, ip: "10.0.0.1", port: 0, nonce: 7 };
    const until = { sec: Math.floor(clock.now() / 1000) + 60, nsec: 0 };
    await monitor.state.maps.change((p) =>
      p.edit((inc) => inc.newBlocklist.set("10.0.0.1:0/7", { addr, until })),
    );
    clock.advance(30_000);
    await settle();
    expect(monitor.osdMap.blocklist.size).toBe(1);
    const { epoch } = monitor.osdMap;
    clock.advance(31_000);
    await settle();
    expect(monitor.osdMap.blocklist.size).toBe(0);
    expect(monitor.osdMap.epoch).toBe(epoch + 1);
  });

  test("a pool over its quota is full until it is under it again", async () => {
    const { monitor, clock } = await createBench();
    const report = (numBytes: number) =>
      monitor.osdReport(0, {
        ...REPORT,
        pgs: [{ ...REPORT.pgs[0]!, stats: { ...newObjectStatSum(), numBytes } }],
      });
    await monitor.state.maps.change((p) => updatePool(p, 1, { quotaMaxBytes: 100 }));
    const seeds = Array.from({ length: monitor.osdMap.pools.get(1)!.pgNum }, (_, seed) => seed);
    const pgs = seeds.map((seed) => ({ ...REPORT.pgs[0]!, pgid: { pool: 1, seed } }));
    monitor.osdReport(0, { ...REPORT, pgs });
    report(100);
    clock.advance(1000);
    await settle();
    const flags = () => monitor.osdMap.pools.get(1)?.flags ?? 0;
    expect(flags() & POOL_FLAG.FULL).not.toBe(0);
    expect(flags() & POOL_FLAG.FULL_QUOTA).not.toBe(0);
    const health = checkHealth(monitor.state);
    expect(health.checks.map((check) => check.code)).toEqual(["POOL_FULL"]);
    report(99);
    clock.advance(1000);
    await settle();
    expect(flags() & POOL_FLAG.FULL).toBe(0);
  });

  test("objects that are damaged show in health, and one that an OSD has met in the log", async () => {
    const { monitor } = await createBench();
    const pg = (seed: number, damaged: string[]) => ({
      pgid: { pool: 1, seed },
      state: damaged.length > 0 ? "active+clean+inconsistent" : "active+clean",
      version: { version: 0, epoch: 0 },
      stats: { ...newObjectStatSum(), numScrubErrors: damaged.length },
      allocated: 0,
      stored: 0,
      logSize: 0,
      snapTrimQueueLength: 0,
      damaged,
    });
    const report = (...pgs: ReturnType<typeof pg>[]) => {
      monitor.osdReport(0, { ...REPORT, pgs });
    };
    report(pg(0x1b, ["1://b:head"]), pg(5, ["1://a:head", "1://a:4"]), pg(6, []));
    const { acting } = mapPg(monitor.osdMap, { pool: 1, seed: 5 });
    const health = checkHealth(monitor.state);
    expect(health).toEqual({
      status: "HEALTH_ERR",
      mutes: [],
      checks: [
        {
          code: "OSD_SCRUB_ERRORS",
          severity: "HEALTH_ERR",
          message: "3 scrub errors",
          count: 3,
          detail: [
            "osd.0 pg 1.5: object 1://a:head is damaged",
            "osd.0 pg 1.5: object 1://a:4 is damaged",
            "osd.0 pg 1.1b: object 1://b:head is damaged",
          ],
        },
        {
          code: "PG_DAMAGED",
          severity: "HEALTH_ERR",
          message: "Possible data damage: 2 pgs inconsistent",
          count: 2,
          detail: [
            `pg 1.5 is active+clean+inconsistent, acting [${acting.join(",")}]`,
            `pg 1.1b is active+clean+inconsistent, acting [${acting.join(",")}]`,
          ],
        },
      ],
    });
    report(pg(0x1b, []), pg(5, []));
    expect(checkHealth(monitor.state).status).toBe("HEALTH_OK");
    monitor.osdDamage(0, "1://a:head");
    const [line] = monitor.state.log.last(1, CLOG.ERROR, "cluster").map(formatLogEntry);
    expect(line).toMatch(
      /osd\.0 \(osd\.0\) \d+ : cluster \[ERR\] object 1:\/\/a:head does not read as it was written$/,
    );
  });

  test("a full OSD: its state, the pools' flags and health follow its reports at once", async () => {
    const { monitor, clock } = await createBench();
    const health = () => {
      const { status, checks } = checkHealth(monitor.state);
      return [
        status,
        ...checks.map(({ code, message, detail }) => `${code} ${message}: ${detail.join(", ")}`),
      ];
    };
    const seen = async (fullness: OsdFullness) => {
      monitor.osdReport(0, { ...REPORT, fullness });
      await settle();
      const { osdState, pools } = monitor.osdMap;
      return { state: osdState[0]! & ~(OSD_STATE.EXISTS | OSD_STATE.UP), pool: spaceFlags(pools) };
    };
    expect(await seen("nearfull")).toEqual({
      state: OSD_STATE.NEARFULL,
      pool: POOL_FLAG.NEARFULL,
    });
    expect(health()).toEqual([
      "HEALTH_WARN",
      "OSD_NEARFULL 1 nearfull osd(s): osd.0 is near full",
      "POOL_NEARFULL 1 pool(s) nearfull: pool 'rbd' is nearfull",
    ]);
    expect(await seen("backfillfull")).toEqual({
      state: OSD_STATE.BACKFILLFULL,
      pool: POOL_FLAG.BACKFILLFULL,
    });
    expect(health()).toEqual([
      "HEALTH_WARN",
      "OSD_BACKFILLFULL 1 backfillfull osd(s): osd.0 is backfill full",
      "POOL_BACKFILLFULL 1 pool(s) backfillfull: pool 'rbd' is backfillfull",
    ]);
    expect(await seen("full")).toEqual({ state: OSD_STATE.FULL, pool: POOL_FLAG.FULL });
    expect(health()).toEqual([
      "HEALTH_ERR",
      "OSD_FULL 1 full osd(s): osd.0 is full",
      "POOL_FULL 1 pool(s) full: pool 'rbd' is full (no space)",
    ]);
    const { epoch } = monitor.osdMap;
    await seen("full");
    clock.advance(1000);
    await settle();
    expect(monitor.osdMap.epoch, "the same again is no news").toBe(epoch);
    expect(await seen("none")).toEqual({ state: 0, pool: 0 });
    expect(health()).toEqual(["HEALTH_OK"]);
  });

  test("reports that contradict each other in one turn leave the OSD up", async () => {
    const { monitor } = await createBench();
    monitor.osdReport(0, { ...REPORT, fullness: "full" });
    monitor.osdReport(0, { ...REPORT, fullness: "none" });
    await settle();
    monitor.osdReport(0, { ...REPORT, fullness: "full" });
    await settle();
    monitor.osdReport(0, { ...REPORT, fullness: "none" });
    await settle();
    expect(monitor.osdMap.osdState[0]).toBe(OSD_STATE.EXISTS | OSD_STATE.UP);
  });

  test("full by quota stays full by quota when the OSD is, and a new pool is full with the rest", async () => {
    const { monitor, clock } = await createBench();
    await monitor.state.maps.change((p) => updatePool(p, 1, { quotaMaxObjects: 1 }));
    const one = { ...REPORT.pgs[0]!, stats: { ...newObjectStatSum(), numObjects: 1 } };
    monitor.osdReport(0, { ...REPORT, pgs: [one], fullness: "full" });
    await monitor.state.maps.change((p) => {
      const pool = p.map.pools.get(1)!;
      p.edit((inc) => {
        inc.newPoolMax = 2;
        inc.newPools.set(2, { ...pool, quotaMaxObjects: 0 });
        inc.newPoolNames.set(2, "other");
      });
    });
    clock.advance(1000);
    await settle();
    const flags = (id: number) => monitor.osdMap.pools.get(id)!.flags & ANY_FULL;
    expect(flags(1)).toBe(POOL_FLAG.FULL | POOL_FLAG.FULL_QUOTA);
    expect(flags(2)).toBe(POOL_FLAG.FULL);
    monitor.osdReport(0, { ...REPORT, pgs: [one], fullness: "none" });
    await settle();
    expect(flags(1)).toBe(POOL_FLAG.FULL | POOL_FLAG.FULL_QUOTA);
    expect(flags(2)).toBe(0);
  });

  test("pools stay full over a restart of the server until the OSD says otherwise", async () => {
    const { monitor, store, clock } = await createBench();
    monitor.osdReport(0, { ...REPORT, fullness: "full" });
    await settle();
    monitor.close();
    const again = await Monitor.open(optionsFor(store, clock));
    clock.advance(1000);
    await settle();
    expect(spaceFlags(again.osdMap.pools)).toBe(POOL_FLAG.FULL);
    await again.osdBoot(0, [OSD_ADDR], "00000000-1111-4222-8333-555555555555");
    again.osdReport(0, { ...REPORT, fullness: "none" });
    await settle();
    expect(spaceFlags(again.osdMap.pools)).toBe(0);
  });

  test("a pool stays over its quota over a restart until all its groups have been heard of", async () => {
    const { monitor, store, clock } = await createBench();
    const report = (to: Monitor, seeds: number, numObjects: number) => {
      const pgs = Array.from({ length: seeds }, (_, seed) => ({
        ...REPORT.pgs[0]!,
        pgid: { pool: 1, seed },
        stats: { ...newObjectStatSum(), numObjects },
      }));
      to.osdReport(0, { ...REPORT, pgs });
    };
    const { pgNum } = monitor.osdMap.pools.get(1)!;
    await monitor.state.maps.change((p) => updatePool(p, 1, { quotaMaxObjects: 2 * pgNum }));
    const seen = async (at: Monitor) => {
      clock.advance(1000);
      await settle();
      return spaceFlags(at.osdMap.pools);
    };
    const overQuota = POOL_FLAG.FULL | POOL_FLAG.FULL_QUOTA;
    report(monitor, pgNum, 2);
    expect(await seen(monitor)).toBe(overQuota);
    monitor.close();
    const again = await Monitor.open(optionsFor(store, clock));
    expect(await seen(again)).toBe(overQuota);
    await again.osdBoot(0, [OSD_ADDR], "00000000-1111-4222-8333-555555555555");
    report(again, pgNum - 1, 1);
    expect(await seen(again)).toBe(overQuota);
    report(again, pgNum, 1);
    expect(await seen(again)).toBe(0);
  });

  test("an OSD that is down shows in health", async () => {
    const { monitor } = await createBench();
    await monitor.osdDown(0);
    const health = checkHealth(monitor.state);
    expect(health.status).toBe("HEALTH_WARN");
    expect(health.checks[0]?.message).toBe("1 osds down");
  });
});

describe("options", () => {
  test("the most specific target wins", async () => {
    const { monitor } = await createBench();
    const set = (who: string, value: string) =>
      monitor.state.config.apply([{ target: parseTarget(who)!, name: "a", value }]);
    await set("client.glance", "entity");
    await set("global", "global");
    await set("client", "type");
    await set("client/host:h", "host");
    const value = (id: string, host: string) =>
      monitor.state.config.resolve({ type: 8, id }, host).get("a")?.value;
    expect(value("glance", "h")).toBe("entity");
    expect(value("other", "h")).toBe("host");
    expect(value("other", "g")).toBe("type");
    await set("client.glance.a", "deeper");
    expect(value("glance.b.c", "h")).toBe("entity");
    expect(value("glance.a.c", "h")).toBe("deeper");
    expect(value("glancer", "g")).toBe("type");
  });

  test.each(["bogus", "client.", "osd/frob:x", "osd/class:ssd/host:a", ""])(
    "%j is no target",
    (who) => {
      expect(parseTarget(who)).toBeUndefined();
    },
  );
});

describe("words and numbers", () => {
  test("doubles have 17 digits and C's exponents", () => {
    expect(formatDouble(Math.fround(0.95))).toBe("0.94999998807907104");
    expect(formatDouble(1.084785594684945e-6)).toBe("1.084785594684945e-06");
    expect(formatDouble(0.0038909912109375)).toBe("0.0038909912109375");
    expect(formatDouble(0.95, 6)).toBe("0.95");
    expect(formatDouble(1e20)).toBe("1e+20");
  });

  test("JSON keeps the order of a map's keys and leaves out what is undefined", () => {
    const value = new Map([
      ["b", 1],
      ["2", 2],
      ["1", 3],
    ]);
    expect(renderJson({ a: undefined, m: value, l: [], o: {} })).toBe(
      '{"m":{"b":1,"2":2,"1":3},"l":[],"o":{}}',
    );
    expect(renderJsonPretty({ a: [1] })).toBe('{\n    "a": [\n        1\n    ]\n}\n');
    expect(renderJson(0xffff_ffff_ffff_fffen)).toBe("18446744073709551614");
  });

  test.each([
    [19, "19 B"],
    [4096, "4 KiB"],
    [304_361_472, "290 MiB"],
    [3_990_605_824, "3.7 GiB"],
    [1024 * 1024 - 1, "1024 KiB"],
  ])("%d bytes are %s", (n, text) => {
    expect(formatBytes(n)).toBe(text);
  });

  test("counts and ages are coarse", () => {
    expect(formatCount(1234)).toBe("1.23k");
    expect(formatAge(500)).toBe("0.5s");
    expect(formatAge(119_000)).toBe("119s");
    expect(formatAge(121_000)).toBe("2m");
    expect(formatAge(3 * 86_400_000)).toBe("3d");
  });

  test("sizes take units and refuse nonsense", () => {
    expect(parseSize("10M", 1024)).toBe(10_485_760);
    expect(parseSize("1Ki", 1024)).toBe(1024);
    expect(parseSize("5", 1000)).toBe(5);
    expect(parseSize("zz", 1024)).toHaveProperty("error");
    expect(parseSize("99999999999999999999", 1024)).toHaveProperty("error");
  });
});
