import { describe, expect, it } from "vitest";
import { TestOsd } from "./testing/osd-fixture.ts";

describe("flush_pg_stats", () => {
  it("tells the monitor at once, and which report to wait for", async () => {
    const osd = new TestOsd();
    const client = osd.client(4100);
    const before = osd.reports.length;
    const first = await client.command({ prefix: "flush_pg_stats" });
    expect(first.r).toBe(0);
    expect(osd.reports.length).toBe(before + 1);
    expect(osd.reports.at(-1)?.seq).toBe(first.value);
    const second = await client.command({ prefix: "flush_pg_stats" });
    expect(second.value).toBe((first.value as number) + 1);
    // The upper half is the epoch in which this instance came up: a restart goes on above it.
    const upFrom = osd.map.osdInfo[0]?.upFrom ?? 0;
    expect(Math.floor((first.value as number) / 2 ** 32)).toBe(upFrom);
  });
});
