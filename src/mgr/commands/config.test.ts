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

  test.each([
    [{ who: "osd.9" }, -2, "no config state for daemon osd.9"],
    [{ who: "client.admin" }, -2, "no config state for daemon client.admin"],
    [{ who: "osd" }, -22, "invalid daemon name: use <type>.<id>"],
    [{ who: "foo.1" }, -2, "no config state for daemon foo.1"],
    [{ who: "osd.0", key: "nosuch" }, -2, ""],
  ])("is not known of %j", async (args, r, status) => {
    const { ask } = await askManager();
    expect(await ask("config show", args)).toMatchObject({ r, status, data: "" });
  });
});
