import { describe, expect, test } from "vitest";
import { Settings } from "./settings.ts";

describe("the options of a daemon", () => {
  test("are what it was told, before the monitor's, before the defaults", () => {
    const settings = new Settings({ defaults: { osd_max_backfills: "2" } });
    const value = () => settings.text("osd_max_backfills");
    expect(value()).toBe("2");
    settings.load([["osd_max_backfills", "3"]]);
    expect(value()).toBe("3");
    settings.set("osd_max_backfills", "4");
    expect(value()).toBe("4");
    expect(settings.get("osd_max_backfills")?.layers).toEqual([
      { source: "default", value: "2" },
      { source: "mon", value: "3" },
      { source: "override", value: "4" },
    ]);
    settings.load([]);
    settings.unset("osd_max_backfills");
    expect(settings.get("osd_max_backfills")?.layers).toEqual([{ source: "default", value: "2" }]);
  });

  test("are read as what they are", () => {
    const settings = new Settings();
    expect(settings.number("osd_max_object_size")).toBe(134217728);
    expect(settings.flag("osd_enable_op_tracker")).toBe(true);
    expect(settings.text("osd_recovery_sleep")).toBe("0.000000");
    expect(() => settings.text("nosuch")).toThrow(RangeError);
  });

  test("pass over what the monitor has and no option can be", () => {
    const settings = new Settings();
    settings.load([
      ["osd_max_backfills", "many"],
      ["nosuch", "1"],
      ["mgr/balancer/active", "false"],
    ]);
    expect(settings.text("osd_max_backfills")).toBe("1");
    expect(settings.get("mgr/balancer/active")).toBeUndefined();
    expect(settings.all().every(({ layers }) => layers.length === 0)).toBe(true);
  });

  test("tell of every change, and of nothing else", () => {
    const settings = new Settings();
    let changes = 0;
    settings.onChange(() => changes++);
    expect(settings.set("osd_max_backfills", "4")).toBe(true);
    expect(settings.set("osd_max_backfills", "4")).toBe(false);
    expect(changes).toBe(1);
    expect(settings.unset("osd_max_backfills")).toBe(true);
    expect(settings.unset("osd_max_backfills")).toBe(false);
    expect(changes).toBe(2);
    settings.load([]);
    expect(changes).toBe(3);
  });

  test("that cannot change while it runs take only the value they have, unless that is acted upon", () => {
    const settings = new Settings({ observed: new Set(["osd_objectstore_fuse"]) });
    const was = settings.text("osd_data");
    expect(settings.check("osd_data", was)).toBe(was);
    expect(settings.check("osd_data", "/x")).toEqual({
      errno: "EPERM",
      why: "Configuration option 'osd_data' may not be modified at runtime",
    });
    expect(settings.check("osd_objectstore_fuse", "true")).toBe("true");
  });

  test("have names in which blanks stand for underscores, and dashes for nothing", () => {
    const settings = new Settings();
    expect(settings.get(" osd max  backfills ")?.option.name).toBe("osd_max_backfills");
    expect(settings.get("osd-max-backfills")).toBeUndefined();
    settings.set("osd max backfills", "7");
    expect(settings.overrides).toEqual(new Map([["osd_max_backfills", "7"]]));
  });
});
