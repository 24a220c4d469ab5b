import { describe, expect, test } from "vitest";
import { MemStore } from "../../store/index.ts";
import { MonStore } from "../mon-store.ts";
import type { Health, HealthCheck } from "./health.ts";
import { HealthLog } from "./health-log.ts";

/** A minute after a full ten minutes, so that the first summary is a while away. */
const NOW = 1_700_000_460_000;
const DOWN = check("OSD_DOWN", "HEALTH_WARN", "1 osds down");
const FULL = check("OSD_FULL", "HEALTH_ERR", "1 full osd(s)");

function check(code: string, severity: HealthCheck["severity"], message: string): HealthCheck {
  return { code, severity, message, count: 1, detail: [`more of ${code}`] };
}

function health(...checks: HealthCheck[]): Health {
  const isErr = checks.some(({ severity }) => severity === "HEALTH_ERR");
  const status = isErr ? "HEALTH_ERR" : checks.length > 0 ? "HEALTH_WARN" : "HEALTH_OK";
  return { status, checks, mutes: [] };
}

function bench(store = new MemStore()) {
  const lines: string[] = [];
  const said = () => lines.splice(0);
  const log = new HealthLog({
    store: new MonStore(store),
    now: NOW,
    say: (prio, line) => lines.push(`${prio} ${line}`),
    lost: (error) => {
      throw error;
    },
  });
  return { log, said, store };
}

describe("what the cluster log hears of health", () => {
  test("a check is told of when it fails, gets worse, and is cleared", () => {
    const { log, said } = bench();
    log.update(health(DOWN), NOW);
    expect(said()).toEqual(["3 Health check failed: 1 osds down (OSD_DOWN)"]);
    log.update(health({ ...DOWN, severity: "HEALTH_ERR" }, FULL), NOW + 1);
    expect(said()).toEqual([
      "4 Health check update: 1 osds down (OSD_DOWN)",
      "4 Health check failed: 1 full osd(s) (OSD_FULL)",
    ]);
    log.update(health(FULL), NOW + 2);
    expect(said()).toEqual(["1 Health check cleared: OSD_DOWN (was: 1 osds down)"]);
    log.update(health(), NOW + 3);
    expect(said()).toEqual([
      "1 Health check cleared: OSD_FULL (was: 1 full osd(s))",
      "1 Cluster is now healthy",
    ]);
    log.update(health(), NOW + 4);
    expect(said()).toEqual([]);
  });

  test("other words for the same are told five seconds apart, the last of them in the end", () => {
    const { log, said } = bench();
    log.update(health(DOWN), NOW);
    said();
    for (let i = 2; i < 9; i++) {
      log.update(health({ ...DOWN, message: `${i} osds down` }), NOW + 500 * i);
    }
    expect(said()).toEqual([]);
    log.update(health({ ...DOWN, message: "8 osds down" }), NOW + 5000);
    expect(said()).toEqual(["3 Health check update: 8 osds down (OSD_DOWN)"]);
  });

  test("a restart repeats nothing, and tells of what was cleared meanwhile", async () => {
    const { log, store } = bench();
    log.update(health(DOWN, FULL), NOW);
    await store.flush();
    const { log: again, said } = bench(store);
    again.update(health(DOWN), NOW + 60_000);
    expect(said()).toEqual(["1 Health check cleared: OSD_FULL (was: 1 full osd(s))"]);
  });

  test("the whole is told of at every full ten minutes, and a minute after a change", () => {
    const { log, said } = bench();
    log.summarize(health(), NOW + 59_000);
    expect(said()).toEqual([]);
    log.summarize(health(), NOW + 60_000);
    expect(said()).toEqual(["1 overall HEALTH_OK"]);
    log.summarize(health(DOWN), NOW + 119_000);
    log.summarize(health(DOWN), NOW + 120_000);
    expect(said()).toEqual([
      "3 Health detail: HEALTH_WARN 1 osds down",
      "3 [WRN] OSD_DOWN: 1 osds down",
      "3     more of OSD_DOWN",
    ]);
    log.summarize(health(DOWN), NOW + 180_000);
    expect(said()).toEqual([]);
    const full = Math.ceil(NOW / 600_000) * 600_000;
    log.summarize(health(DOWN), full - 1);
    expect(said()).toEqual([]);
    log.summarize(health(DOWN), full);
    expect(said()).toEqual(["3 overall HEALTH_WARN 1 osds down"]);
  });
});
