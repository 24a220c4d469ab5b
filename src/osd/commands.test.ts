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

describe("compact", () => {
  // ceph: src/osd/OSD.cc asok_command, and what `ceph tell osd.0 compact` of 16.2.15 prints
  it("tells how long it took", async () => {
    const { r, value } = await new TestOsd().client(4100).command({ prefix: "compact" });
    expect(r).toBe(0);
    expect(value).toEqual({ elapsed_time: expect.any(Number) });
  });
});

describe("over the admin socket", () => {
  it("an OSD answers what it is asked by tell", async () => {
    const osd = new TestOsd();
    const ask = (request: object) => osd.server.command(JSON.stringify(request));
    expect(await ask({ prefix: "config get", var: "osd_max_backfills" })).toEqual({
      r: 0,
      status: "",
      data: '{\n    "osd_max_backfills": "1"\n}\n',
    });
    expect(await ask({ prefix: "config set", var: "osd_max_backfills", val: ["10F"] })).toEqual({
      r: -22,
      status: "error setting 'osd_max_backfills' to '10F': (22) Invalid argument",
      data: "",
    });
    expect((await osd.server.command("no JSON")).r).toBe(-22);
  });

  it("its help names what its descriptions describe", async () => {
    const client = new TestOsd().client(4100);
    const { value: help } = await client.command({ prefix: "help" });
    const { value: known } = await client.command({ prefix: "get_command_descriptions" });
    const prefixes = Object.values(known as Record<string, { sig: unknown[] }>).map(({ sig }) =>
      sig.filter((word) => typeof word === "string").join(" "),
    );
    expect(Object.keys(help as object)).toEqual([...prefixes].sort());
  });
});
