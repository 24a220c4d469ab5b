import { describe, expect, test } from "vitest";
import { findOption, parseOptionValue } from "./options.ts";

function parse(name: string, text: string) {
  const option = findOption(name);
  if (option === undefined) throw new Error(`no option ${name}`);
  return parseOptionValue(option, text);
}

describe("the value of an option", () => {
  test("is one of those there are", () => {
    expect(parse("osd_pool_default_type", "erasure")).toBe("erasure");
    expect(parse("osd_pool_default_type", "foo")).toEqual({
      error: "'foo' is not one of the permitted values: replicated, erasure",
    });
    expect(parse("bluestore_compression_algorithm", "")).toBe("");
  });

  test("is within bounds", () => {
    expect(parse("mon_max_pg_per_osd", "1")).toBe("1");
    expect(parse("mon_max_pg_per_osd", "0")).toEqual({ error: "Value '0' is below minimum 1" });
    expect(parse("osd_pool_default_size", "10")).toBe("10");
    expect(parse("osd_pool_default_size", "11")).toEqual({
      error: "Value '11' exceeds maximum 10",
    });
    expect(parse("rados_osd_op_timeout", "5")).toBe("5");
  });

  test("is kept in one form, and what is wrong with it is said in Ceph's words", () => {
    for (const [name, text, value] of [
      ["osd_recovery_sleep", "1.5", "1.500000"],
      ["osd_recovery_sleep", "1e3", "1000.000000"],
      ["osd_recovery_sleep", "0x10", "16.000000"],
      ["osd_max_backfills", "5K", "5000"],
      ["osd_memory_target", "4G", "4294967296"],
      ["mgr_tick_period", "5m", "300"],
      ["debug_osd", "5", "5/5"],
      ["rbd_default_features", "layering,exclusive-lock", "5"],
      ["rbd_default_features", "", "61"],
    ] as const) {
      expect(parse(name, text), `${name} ${text}`).toBe(value);
    }
    for (const [name, text, error] of [
      ["osd_max_backfills", "1.5", "strict_si_cast: unit prefix not recognized"],
      ["osd_max_backfills", "-1", "strict_sistrtoll: value should not be negative"],
      ["osd_max_backfills", "", "strict_sistrtoll: value not specified"],
      [
        "osd_max_backfills",
        "99999999999999999999",
        "The option value '99999999999999999999' seems to be invalid",
      ],
      ["osd_memory_target", "x", "strict_iecstrtoll: unit prefix not recognized"],
      ["osd_memory_target", "-5G", "strict_iecstrtoll: value should not be negative"],
      ["mgr_tick_period", "5x", "unrecogized unit 'x'"],
      ["rbd_default_features", "layering,foo", ""],
      ["rbd_default_features", "4096000", ""],
    ] as const) {
      expect(parse(name, text), `${name} ${text}`).toEqual({ error });
    }
  });

  test("without bounds is anything of its type", () => {
    expect(parse("ms_bind_port_min", "-5")).toBe("-5");
    expect(parse("ms_bind_port_min", "x")).toHaveProperty("error");
  });
});
