import { describe, expect, test } from "vitest";
import { askManager } from "../testing/ask.ts";

describe("what a running daemon goes by", () => {
  test("is what the monitor told it, the most specific, and otherwise the defaults", async () => {
    const { monitor, ask } = await askManager();
    await monitor.state.config.apply([
      { target: { section: "osd", mask: "" }, name: "osd_max_backfills", value: "3" },
      { target: { section: "osd.0", mask: "" }, name: "osd_max_backfills", value: "4" },
    ]);
    expect((await ask("config show", { who: "osd.0", key: "osd_max_backfills" })).data).toBe("4\n");
    expect((await ask("config show", { who: "osd.0", key: "osd_recovery_sleep" })).data).toBe(
      "0.000000\n",
    );
    expect((await ask("config show", { who: "mon.a", key: "osd_max_backfills" })).data).toBe("1\n");
    expect(JSON.parse((await ask("config show", { who: "osd.0", format: "json" })).data)).toEqual([
      { name: "osd_max_backfills", value: "4", source: "mon" },
    ]);
    const all = (await ask("config show-with-defaults", { who: "osd.0" })).data.split("\n");
    expect(all[0]).toMatch(/^NAME +VALUE +SOURCE +OVERRIDES +IGNORES$/);
    expect(all.find((line) => line.startsWith("osd_scrub_cost "))).toMatch(/52428800 +default/);
  });

  test("is what it was told itself before all else, and what that hides", async () => {
    const { monitor, ask, tell } = await askManager();
    const target = { section: "osd.0", mask: "" };
    await monitor.state.config.apply([
      { target, name: "debug_asok", value: "33/33" },
      { target, name: "osd_recovery_max_active", value: "5" },
    ]);
    const overrides = new Map([
      ["debug_asok", "99/99"],
      ["osd_max_backfills", "3"],
      ["osd_recovery_max_active", "5"],
    ]);
    const statfs = { total: 1, available: 1, data: 0, internal: 0 };
    const perf = { commitLatencyMs: 0, applyLatencyMs: 0 };
    const report = { seq: 1, epoch: 1, statfs, fullness: "none", pgs: [], perf } as const;
    monitor.osdReport(0, { ...report, overrides });
    const rows = async (who: string) =>
      (await ask("config show", { who })).data.split("\n").map((row) => row.trim().split(/ {2,}/));
    expect(await rows("osd.0")).toEqual([
      ["NAME", "VALUE", "SOURCE", "OVERRIDES", "IGNORES"],
      ["debug_asok", "99/99", "override", "mon[33/33]"],
      ["osd_max_backfills", "3", "override"],
      ["osd_recovery_max_active", "5", "override", "(mon[5])"],
      [""],
    ]);
    const json = async (who: string) =>
      JSON.parse((await ask("config show", { who, format: "json" })).data) as unknown;
    expect(await json("osd.0")).toEqual([
      {
        name: "debug_asok",
        value: "99/99",
        source: "override",
        overrides: [{ source: "mon", value: "33/33" }],
      },
      { name: "osd_max_backfills", value: "3", source: "override" },
      {
        name: "osd_recovery_max_active",
        value: "5",
        source: "override",
        overrides: [{ source: "mon", value: "5" }],
      },
    ]);
    expect((await ask("config show", { who: "osd.0", key: "debug_asok" })).data).toBe("99/99\n");

    // Ours by default, which upstream would show so as well.
    expect(await json("mon.a")).toEqual([
      { name: "mon_allow_pool_delete", value: "true", source: "default" },
    ]);
    monitor.state.settings.set("mon_allow_pool_delete", "false");
    expect((await rows("mon.a"))[1]).toEqual([
      "mon_allow_pool_delete",
      "false",
      "override",
      "default[true]",
    ]);

    expect(await tell("config set", { var: "mgr_stats_period", val: ["7"] })).toMatchObject({
      r: 0,
      data: `{\n    "success": "mgr_stats_period = '7' "\n}\n`,
    });
    expect(await json("mgr.x")).toEqual([
      { name: "mgr_stats_period", value: "7", source: "override" },
    ]);
    monitor.osdReport(0, report);
    expect(await json("osd.0")).toMatchObject([{ source: "mon" }, { source: "mon" }]);
  });

  test("only who may do everything tells the manager", async () => {
    const { tell, manager } = await askManager({ caps: { mgr: "allow rwx" } });
    expect((await tell("config set", { var: "mgr_tick_period", val: ["3"] })).r).toBe(-13);
    expect((await tell("config get", { var: "mgr_tick_period" })).r).toBe(-13);
    const get = JSON.stringify({ prefix: "config get", var: "mgr_tick_period", format: "json" });
    expect(await manager.command(get)).toMatchObject({ r: 0, data: '{"mgr_tick_period":"2"}' });
    expect((await manager.command('{"prefix":"pg dump"}')).r).toBe(-22);
  });

  test.each([
    [{ who: "osd.9" }, -2, "no config state for daemon osd.9"],
    [{ who: "client.admin" }, -2, "no config state for daemon client.admin"],
    [{ who: "osd" }, -22, "invalid daemon name: use <type>.<id>"],
    [{ who: "foo.1" }, -2, "no config state for daemon foo.1"],
    [{ who: "osd.0", key: "nosuch" }, -2, ""],
    [{ who: "osd.0", key: "osd-max-backfills" }, -2, ""],
  ])("is not known of %j", async (args, r, status) => {
    const { ask } = await askManager();
    expect(await ask("config show", args)).toMatchObject({ r, status, data: "" });
  });
});
