import { describe, expect, test } from "vitest";
import { CLOG } from "../../messages/index.ts";
import { Monitor } from "../monitor.ts";
import { formatLogEntry } from "../services/log.ts";
import { askerOf } from "../testing/ask.ts";
import { createBench, OSD_ADDR, optionsFor, settle } from "../testing/bench.ts";

const SPACE = { total: 2 ** 32, available: 2 ** 32, data: 0, internal: 0 };
const REPORT = {
  seq: 1,
  epoch: 1,
  statfs: SPACE,
  fullness: "none",
  pgs: [],
  perf: { commitLatencyMs: 0, applyLatencyMs: 0 },
} as const;

/** With `noout` set, and every OSD heard of. */
async function bench() {
  const { monitor, clock, store } = await createBench();
  monitor.osdReport(0, REPORT);
  const ask = askerOf(monitor);
  const flag = async (op: "set" | "unset", key: string) => {
    await ask(`osd ${op}`, { key });
    await settle();
  };
  const health = async () => (await ask("health")).data;
  const pass = async (ms: number) => {
    clock.advance(ms);
    await settle();
  };
  /** The newest line that the cluster log has of a mute. */
  const said = () =>
    monitor.state.log
      .last(20, CLOG.INFO, "cluster")
      .map(formatLogEntry)
      .findLast((line) => line.includes("alert mute"));
  await flag("set", "noout");
  return { monitor, clock, store, ask, flag, health, pass, said };
}

const MUTE = { code: "OSDMAP_FLAGS" };

describe("a muted health check", () => {
  test("does not count, and says that it is muted", async () => {
    const { ask, health } = await bench();
    expect(await health()).toBe("HEALTH_WARN noout flag(s) set\n");
    expect(await ask("health mute", MUTE)).toEqual({ r: 0, status: "", data: "" });
    expect(await health()).toBe("HEALTH_OK (muted: OSDMAP_FLAGS)\n");
    expect((await ask("health", { detail: "detail" })).data).toBe(
      "HEALTH_OK (muted: OSDMAP_FLAGS)\n(MUTED) [WRN] OSDMAP_FLAGS: noout flag(s) set\n",
    );
    const { data } = await ask("health", { format: "json" });
    expect(JSON.parse(data)).toEqual({
      status: "HEALTH_OK",
      checks: {
        OSDMAP_FLAGS: {
          severity: "HEALTH_WARN",
          summary: { message: "noout flag(s) set", count: 5 },
          muted: true,
        },
      },
      mutes: [{ code: "OSDMAP_FLAGS", sticky: false, summary: "noout flag(s) set", count: 5 }],
    });
    expect((await ask("status")).data).toContain(
      "    health: HEALTH_OK\n            (muted: OSDMAP_FLAGS)\n",
    );
    expect(await ask("health unmute", MUTE)).toMatchObject({ r: 0 });
    expect(await health()).toBe("HEALTH_WARN noout flag(s) set\n");
  });

  test("is heard of again when it gets worse than it ever was less bad", async () => {
    const { ask, flag, health, said } = await bench();
    await flag("set", "norebalance");
    await ask("health mute", MUTE);
    await flag("unset", "norebalance");
    expect(await health()).toBe("HEALTH_OK (muted: OSDMAP_FLAGS)\n");
    await flag("set", "norebalance");
    expect(await health()).toBe("HEALTH_WARN noout,norebalance flag(s) set\n");
    expect(said()).toMatch(/OSDMAP_FLAGS cleared \(count increased from 5 to 17\)$/);
  });

  test("is muted no more once it has been cleared, unless the mute is sticky", async () => {
    const { ask, flag, health, said } = await bench();
    await ask("health mute", MUTE);
    await flag("unset", "noout");
    expect(await health()).toBe("HEALTH_OK\n");
    expect(said()).toMatch(/Health alert mute OSDMAP_FLAGS cleared \(health alert cleared\)$/);
    await ask("health mute", { ...MUTE, sticky: true });
    await flag("set", "noout");
    expect((await ask("health", { detail: "detail" })).data).toBe(
      "HEALTH_OK (muted: OSDMAP_FLAGS)\n(MUTED, STICKY) [WRN] OSDMAP_FLAGS: noout flag(s) set\n",
    );
  });

  test("is heard of again when its time is over, which is told as it passes", async () => {
    const { ask, health, pass, said } = await bench();
    await ask("health mute", { ...MUTE, ttl: "90m" });
    await pass(60_000);
    expect(await health()).toBe("HEALTH_OK (muted: OSDMAP_FLAGS(89m))\n");
    expect((await ask("health", { detail: "detail" })).data).toContain("(MUTED ttl 89m) [WRN]");
    await pass(89 * 60_000);
    expect(await health()).toBe("HEALTH_WARN noout flag(s) set\n");
    expect(said()).toMatch(/cleared \(passed TTL 2023-11-14T23:43:20.000000\+0000\)$/);
  });

  test("is muted after a restart, though all seems worse until the OSDs have come up", async () => {
    const { monitor, ask, store, clock } = await bench();
    await monitor.osdDown(0);
    await ask("health mute", { code: "OSD_DOWN" });
    await ask("health mute", { ...MUTE, ttl: "1h" });
    await monitor.osdBoot(0, [OSD_ADDR], "00000000-1111-4222-8333-555555555555");
    await settle();
    await ask("health mute", { code: "NOSUCH", sticky: true });
    const again = await Monitor.open(optionsFor(store, clock));
    clock.advance(1000);
    await settle();
    const askAgain = askerOf(again);
    const { data } = await askAgain("health");
    expect(data).toMatch(/\(muted: NOSUCH OSDMAP_FLAGS\(59m\)\)\n$/);
    await again.osdBoot(0, [OSD_ADDR], "00000000-1111-4222-8333-555555555555");
    again.osdReport(0, REPORT);
    await askAgain("osd unset", { key: "noout" });
    expect((await askAgain("health")).data).toBe("HEALTH_OK (muted: NOSUCH)\n");
  });

  test("that was down with one OSD stays muted while all are down after a restart", async () => {
    const { store, clock } = await createBench({ numOsds: 2 });
    const first = await Monitor.open(optionsFor(store, clock));
    await first.osdBoot(0, [OSD_ADDR], "00000000-1111-4222-8333-555555555555");
    await askerOf(first)("health mute", { code: "OSD_DOWN" });
    const again = await Monitor.open(optionsFor(store, clock));
    clock.advance(1000);
    await settle();
    expect((await askerOf(again)("health")).data).toContain("(muted: OSD_DOWN)");
    clock.advance(60_000);
    await settle();
    expect((await askerOf(again)("health")).data).not.toContain("muted");
  });
});

describe("muting is refused", () => {
  test.each([
    [{ code: "" }, -22, "must specify an alert code to mute"],
    [{ code: "NOSUCH" }, -2, "health alert NOSUCH is not currently raised"],
    [{ code: "NOSUCH", ttl: "x" }, -22, "invalid duration: x (expected digit)"],
    [{ ...MUTE, ttl: "0s" }, -22, "invalid duration: 0s (timespan = 0)"],
    [{ ...MUTE, ttl: "5ms", sticky: true }, -22, "invalid duration: 5ms (unrecogized unit 'ms')"],
  ])("for %j", async (args, r, status) => {
    const { ask, health } = await bench();
    expect(await ask("health mute", args)).toMatchObject({ r, status });
    expect(await health()).toBe("HEALTH_WARN noout flag(s) set\n");
  });
});
