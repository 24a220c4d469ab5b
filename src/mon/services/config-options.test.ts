import { describe, expect, test } from "vitest";
import { findOption, parseOptionValue } from "./config-options.ts";

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

  test("without bounds is anything of its type", () => {
    expect(parse("ms_bind_port_min", "-5")).toBe("-5");
    expect(parse("ms_bind_port_min", "x")).toHaveProperty("error");
  });
});
