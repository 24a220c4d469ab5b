import { describe, expect, test } from "vitest";
import { observedBy } from "./observed.ts";
import { findOption } from "./options.ts";

describe("the options that a daemon observes", () => {
  test.each(["mon", "mgr", "osd"] as const)("are options that there are (%s)", (type) => {
    const names = [...observedBy(type)];
    expect(names.length).toBeGreaterThan(40);
    expect(names.filter((name) => findOption(name) === undefined)).toEqual([]);
  });

  test("are not the same of each type, nor all that a daemon goes by", () => {
    expect(observedBy("mon").has("mon_lease")).toBe(true);
    expect(observedBy("osd").has("mon_lease")).toBe(false);
    // This one is cached and so observed, the other is read each time.
    expect(observedBy("osd").has("osd_max_object_size")).toBe(true);
    expect(observedBy("osd").has("osd_max_write_size")).toBe(false);
  });
});
