// Every answer here is a real 16.2.15's.
import { describe, expect, test } from "vitest";
import { CONFIG_COMMANDS } from "./commands.ts";
import { Settings } from "./settings.ts";

const HINT = "(not observed, change may require restart) ";

/** A daemon with the observers of a monitor and an OSD that these tests touch. */
function daemon() {
  const observed = new Set(
    "mon_lease mon_allow_pool_delete osd_max_backfills osd_enable_op_tracker osd_op_history_duration".split(
      " ",
    ),
  );
  const settings = new Settings({ observed });
  const run = (prefix: string, args: Readonly<Record<string, string | string[]>> = {}) => {
    const command = CONFIG_COMMANDS.find((known) => known.prefix === prefix);
    if (command === undefined) throw new Error(`no command ${prefix}`);
    const texts = new Map(Object.entries(args).map(([name, text]) => [name, [text].flat()]));
    return command.run({ name: "osd.0", settings }, texts);
  };
  const set = (name: string, ...val: string[]) => run("config set", { var: name, val });
  const inject = (...injected_args: string[]) => run("injectargs", { injected_args });
  return { settings, run, set, inject };
}

describe("config set", () => {
  test("says what the option is now, typed, and nothing if that is what it was told before", () => {
    const { set } = daemon();
    const success = (text: string) => ({ value: { success: text } });
    expect(set("mon_lease", "6")).toEqual(success("mon_lease = '6.000000' "));
    expect(set("mon_lease", "6.0")).toEqual(success(""));
    // As it is by default, but told.
    expect(set("osd_max_backfills", "1")).toEqual(success("osd_max_backfills = '1' "));
    expect(set("mon_pg_warn_min_objects", "3K")).toEqual(
      success(`mon_pg_warn_min_objects = '3000' ${HINT}`),
    );
    expect(set("osd max backfills", "3")).toEqual(success("osd_max_backfills = '3' "));
    expect(set("debug_mon", "11")).toEqual(success(""));
  });

  test("takes the value in several words", () => {
    const { set, settings } = daemon();
    set("osd_pool_default_erasure_code_profile", "k=2", "m=1");
    expect(settings.text("osd_pool_default_erasure_code_profile")).toBe("k=2 m=1");
  });

  test.each([
    ["nosuch", "1", "ENOENT", "error setting 'nosuch' to '1': (2) No such file or directory"],
    ["mon-lease", "6", "ENOENT", "error setting 'mon-lease' to '6': (2) No such file or directory"],
    [
      "mgr/dashboard/ssl",
      "true",
      "ENOENT",
      "error setting 'mgr/dashboard/ssl' to 'true': (2) No such file or directory",
    ],
    [
      "mon_pg_warn_min_objects",
      "10F",
      "EINVAL",
      "error setting 'mon_pg_warn_min_objects' to '10F': (22) Invalid argument",
    ],
    [
      "mon_allow_pool_delete",
      "maybe",
      "EINVAL",
      "error setting 'mon_allow_pool_delete' to 'maybe': (22) Invalid argument",
    ],
    ["mon_data", "/x", "EPERM", "error setting 'mon_data' to '/x': (1) Operation not permitted"],
  ])("does not set %s to %s", (name, value, errno, status) => {
    const { set, settings } = daemon();
    expect(set(name, value)).toEqual({ errno, status });
    expect(settings.overrides.size).toBe(0);
  });
});

describe("config unset", () => {
  test("says what the option is then, and nothing the second time", () => {
    const { run, set } = daemon();
    set("osd_max_backfills", "1");
    const unset = () => run("config unset", { var: "osd_max_backfills" });
    expect(unset()).toEqual({ value: {}, status: "osd_max_backfills = '1' " });
    expect(unset()).toEqual({ value: {}, status: "" });
  });

  test.each(["nosuch", "mon-lease", "mon lease"])("knows no '%s'", (name) => {
    expect(daemon().run("config unset", { var: name })).toEqual({
      errno: "EINVAL",
      status: `error unsetting '${name}': (22) Invalid argument`,
    });
  });
});

describe("config get, show and diff", () => {
  test("get answers by the name it was asked", () => {
    const { run } = daemon();
    const get = (name: string) => run("config get", { var: name });
    expect(get("osd max backfills")).toEqual({ value: { "osd max backfills": "1" } });
    expect(get("mon-lease")).toEqual({
      errno: "ENOENT",
      status: "error getting 'mon-lease': (2) No such file or directory",
    });
  });

  test("show is everything as text, diff what was given in its type", () => {
    const { run, settings } = daemon();
    settings.load([["mon_lease", "7"]]);
    settings.set("mon_lease", "6.000000");
    settings.set("osd_enable_op_tracker", "false");
    const { value: all } = run("config show") as { value: Record<string, string> };
    expect(all).toMatchObject({ name: "osd.0", cluster: "ceph", mon_lease: "6.000000" });
    const diff = {
      mon_lease: { default: 5, mon: 7, override: 6, final: 6 },
      osd_enable_op_tracker: { default: true, override: false, final: false },
    };
    expect(run("config diff")).toEqual({ value: { diff } });
    expect(run("config diff get", { var: "mon_lease" })).toEqual({ value: { diff } });
  });
});

describe("injectargs", () => {
  test.each([
    [["--mon_lease 6 --mon_lease 7"], "mon_lease = '7.000000' "],
    [
      ["--osd-max-backfills=7", "--mon-lease", "6"],
      "mon_lease = '6.000000' osd_max_backfills = '7' ",
    ],
    [["--debug_mon 20"], ""],
    [[""], ""],
    [["--no-osd_enable_op_tracker"], "osd_enable_op_tracker = 'false' "],
    [["--no_osd-enable-op_tracker"], "osd_enable_op_tracker = 'false' "],
    [["--osd_enable_op_tracker=false"], "osd_enable_op_tracker = 'false' "],
    [["--osd_enable_op_tracker 0"], "osd_enable_op_tracker = 'false' "],
    [["--osd_enable-op_tracker true"], "osd_enable_op_tracker = 'true' "],
    [
      ["--osd_enable_op_tracker --mon_lease 6"],
      "mon_lease = '6.000000' osd_enable_op_tracker = 'true' ",
    ],
    [["--mon_pg_warn_min_objects -1"], `mon_pg_warn_min_objects = '-1' ${HINT}`],
    [["--mon_pg_warn_min_objects 10K "], `mon_pg_warn_min_objects = '10000' ${HINT}`],
  ])("%j is done", (words, status) => {
    expect(daemon().inject(...words)).toEqual({ value: {}, status });
  });

  test("tells nothing of what it was told before", () => {
    const { inject } = daemon();
    inject("--mon_lease 7");
    expect(inject("--mon_lease 7")).toEqual({ value: {}, status: "" });
  });

  test.each([
    [["--nosuch 3"], "EINVAL", " failed to parse arguments: --nosuch,3\n"],
    [["x"], "EINVAL", " failed to parse arguments: x\n"],
    [["--"], "EINVAL", " failed to parse arguments: --\n"],
    [["--mon_lease\t6"], "EINVAL", " failed to parse arguments: --mon_lease\t6\n"],
    [["--no-mon_lease"], "EINVAL", " failed to parse arguments: --no-mon_lease\n"],
    [
      ["--no-osd_enable_op_tracker=true"],
      "EINVAL",
      " failed to parse arguments: --no-osd_enable_op_tracker=true\n",
    ],
    [
      ["--osd_enable_op_tracker=yes"],
      "EINVAL",
      "Parse error parsing binary flag  --osd_enable_op_tracker. Expected true or false, but got 'yes'\nParse error setting osd_enable_op_tracker to '' using injectargs.\n",
    ],
    [
      ["--osd_enable_op_tracker="],
      "EINVAL",
      "Parse error parsing binary flag  --osd_enable_op_tracker. Expected true or false, but got ''\nParse error setting osd_enable_op_tracker to '' using injectargs.\n",
    ],
    [
      ["--mon_pg_warn_min_objects="],
      "EINVAL",
      "Parse error setting mon_pg_warn_min_objects to '' using injectargs (strict_sistrtoll: value not specified).\n",
    ],
    [
      ["--osd-scrub-auto-repair-num-errors", "-1"],
      "EINVAL",
      "Parse error setting osd_scrub_auto_repair_num_errors to '-1' using injectargs (strict_sistrtoll: value should not be negative).\n",
    ],
    [
      ["--mon-pg-warn-min-objects"],
      "EINVAL",
      "Parse error setting mon_pg_warn_min_objects to '' using injectargs (Option --mon-pg-warn-min-objects requires an argument.\n).\n",
    ],
    [
      ["--debug_mon foo"],
      "EINVAL",
      "Parse error setting debug_mon to 'foo' using injectargs (value must take the form N or N/M, where N and M are integers).\n",
    ],
    [
      ["--mon_data /x"],
      "EPERM",
      "Parse error setting mon_data to '/x' using injectargs (Configuration option 'mon_data' may not be modified at runtime).\n",
    ],
    [
      ["--osd_mclock_profile xx --osd_max_object_name_len=5x"],
      "EINVAL",
      "Parse error setting osd_mclock_profile to 'xx' using injectargs ('xx' is not one of the permitted values: balanced, high_recovery_ops, high_client_ops, custom).\nParse error setting osd_max_object_name_len to '5x' using injectargs (strict_si_cast: unit prefix not recognized).\n",
    ],
    [
      ["--osd_max_backfills --osd_max_scrubs 4"],
      "EINVAL",
      "Parse error setting osd_max_backfills to '--osd_max_scrubs' using injectargs (strict_si_cast: unit prefix not recognized).\n failed to parse arguments: 4\n",
    ],
  ] as const)("%j is refused, and what goes before it is done", (words, errno, complaint) => {
    const { inject, settings } = daemon();
    expect(inject("--osd_op_history_duration 700", ...words)).toEqual({
      errno,
      status: `${complaint}osd_op_history_duration = '700' `,
    });
    expect([...settings.overrides.keys()]).toEqual(["osd_op_history_duration"]);
  });

  test("takes what a truth is not for something else, and blanks before all for a word", () => {
    const { inject, settings } = daemon();
    expect(inject("--mon_allow_pool_delete no")).toEqual({
      errno: "EINVAL",
      status: " failed to parse arguments: no\nmon_allow_pool_delete = 'true' ",
    });
    expect(settings.flag("mon_allow_pool_delete")).toBe(true);
    expect(inject("  --osd_max_backfills  5")).toEqual({
      errno: "EINVAL",
      status: " failed to parse arguments: \nosd_max_backfills = '5' ",
    });
  });
});
