import { describe, expect, test } from "vitest";
import { ERRNO } from "../base/index.ts";
import { opWriteFull } from "../messages/index.ts";
import { TestOsd } from "./testing/osd-fixture.ts";

function bench() {
  const osd = new TestOsd();
  const client = osd.client(4100);
  const tell = (prefix: string, args: object = {}) => client.command({ prefix, ...args });
  const set = (name: string, ...val: string[]) => tell("config set", { var: name, val });
  const get = async (name: string) => (await tell("config get", { var: name })).value;
  const inject = (...words: string[]) => tell("injectargs", { injected_args: words });
  const write = async (bytes: number) =>
    (await client.op("a", [opWriteFull(Buffer.alloc(bytes))])).result;
  return { osd, tell, set, get, inject, write };
}

const NAME = "osd_max_object_size";

describe("an option of an OSD", () => {
  test("holds at once when it is set, and no more when that is taken back", async () => {
    const { tell, set, get, write } = bench();
    expect(await get(NAME)).toEqual({ [NAME]: "134217728" });
    expect(await write(2000)).toBe(0);
    expect(await set(NAME, "1000")).toEqual({
      r: 0,
      status: "",
      value: { success: `${NAME} = '1000' ` },
    });
    expect(await get(NAME)).toEqual({ [NAME]: "1000" });
    expect(await write(1000)).toBe(0);
    expect(await write(1001)).toBe(-ERRNO.EFBIG);
    expect(await tell("config unset", { var: NAME })).toEqual({
      r: 0,
      status: `${NAME} = '134217728' `,
      value: {},
    });
    expect(await write(1001)).toBe(0);
    expect(await tell("config unset", { var: NAME })).toMatchObject({ r: 0, status: "" });
  });

  test("that is about the size of a request holds, too", async () => {
    const { set, write } = bench();
    await set("osd_max_write_size", "4");
    expect(await write(4 << 20)).toBe(0);
    expect(await write((4 << 20) + 1)).toBe(-ERRNO.EMSGSIZE);
  });

  test("is the monitor's unless the OSD was told otherwise", async () => {
    const { osd, tell, set, get, write } = bench();
    osd.server.loadConfig([[NAME, "1000"]]);
    expect(await write(1001)).toBe(-ERRNO.EFBIG);
    await set(NAME, "2000");
    expect(await write(1001)).toBe(0);
    const diff = {
      diff: { [NAME]: { default: "134217728", mon: "1000", override: "2000", final: "2000" } },
    };
    expect((await tell("config diff")).value).toEqual(diff);
    expect((await tell("config diff get", { var: NAME })).value).toEqual(diff);
    expect((await tell("config unset", { var: NAME })).status).toBe(`${NAME} = '1000' `);
    osd.server.loadConfig([]);
    expect(await get(NAME)).toEqual({ [NAME]: "134217728" });
    const all = (await tell("config show")).value as Record<string, string>;
    expect(all).toMatchObject({ name: "osd.0", cluster: "ceph", osd_recovery_sleep: "0.000000" });
  });

  test("is told to the monitor soon when the OSD was told it itself", async () => {
    const { osd, set, tell } = bench();
    osd.reports.length = 0;
    await set("osd_max_backfills", "3");
    osd.clock.advance(20);
    expect(osd.reports.at(-1)?.overrides).toEqual(new Map([["osd_max_backfills", "3"]]));
    await tell("config unset", { var: "osd_max_backfills" });
    osd.clock.advance(20);
    expect(osd.reports.at(-1)?.overrides).toEqual(new Map());
  });

  test("sets what bench may be asked for, up to what fits in memory", async () => {
    const { tell, inject } = bench();
    const run = (count: number, size: number) => tell("bench", { count, size });
    await inject("--osd-bench-duration 10", "--osd-bench-max-block-size 2097152");
    await inject(
      "--osd_bench_small_size_max_iops 10 --osd_bench_large_size_max_throughput 10485760",
    );
    expect(await run(1, 2097153)).toMatchObject({
      r: -22,
      status:
        "block 'size' values are capped at 2 MiB. If you wish to use a higher value, please adjust 'osd_bench_max_block_size'",
    });
    expect((await run(1, 2097152)).r).toBe(0);
    expect((await run(409601, 4096)).status).toContain(
      "greater than 409600 for a block size of 4 KiB, assuming 10 IOPS, for 10 seconds",
    );
    expect((await run(409600, 4096)).r).toBe(0);
    expect((await run(104857601, 2097152)).status).toContain(
      "greater than 104857600 for a block size of 2 MiB, assuming 10 MiB/s, for 10 seconds",
    );
    await inject("--osd-bench-max-block-size 1G");
    expect((await run(1, (64 << 20) + 1)).status).toContain("capped at 64 MiB");
  });
});
