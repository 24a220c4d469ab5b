/** `osd pool set … pg_num`: what a 16.2.15 cluster of one OSD answered, and shows when its manager is done. */
import { beforeEach, describe, expect, test } from "vitest";
import type { PgPool } from "../maps/index.ts";
import { type Ask, askerOf } from "./testing/ask.ts";
import { type Bench, createBench } from "./testing/bench.ts";

let bench: Bench;
let ask: Ask;

beforeEach(async () => {
  bench = await createBench();
  ask = askerOf(bench.monitor);
  await ask("osd pool create", { pool: "p", pg_num: 8 });
});

function pool(): PgPool {
  const { map } = bench.monitor.state.maps;
  const [id] = [...map.poolNames].find(([, name]) => name === "p")!;
  return map.pools.get(id)!;
}

const set = (name: string, val: string) => ask("osd pool set", { pool: "p", var: name, val });

describe("more PGs", () => {
  test("are there with the next map, and pgp_num with one OSD", async () => {
    expect(await set("pg_num", "16")).toMatchObject({
      r: 0,
      status: /^set pool \d+ pg_num to 16$/,
    });
    const { epoch } = bench.monitor.state.maps.map;
    expect(pool()).toMatchObject({
      pgNum: 16,
      pgpNum: 16,
      pgNumTarget: 16,
      pgpNumTarget: 16,
      pgNumPending: 16,
      lastChange: epoch,
      lastForceOpResend: 0,
      lastForceOpResendPrenautilus: 0,
      lastForceOpResendPreluminous: epoch,
    });
    expect(await set("pg_num", "16")).toMatchObject({ r: 0, status: "" });
    expect(bench.monitor.state.maps.map.epoch).toBe(epoch);
    const get = await ask("osd pool get", { pool: "p", var: "pg_num" });
    expect(Buffer.from(get.data).toString()).toBe("pg_num: 16\n");
    expect(await set("pgp_num", "16")).toMatchObject({ r: 0 });
    expect(await set("pgp_num_actual", "16")).toMatchObject({ r: 0 });
  });

  test("pgp_num that differs is left alone", async () => {
    await set("pgp_num", "4");
    await set("pg_num", "17");
    expect(pool()).toMatchObject({ pgNum: 17, pgpNum: 4, pgNumTarget: 17, pgpNumTarget: 4 });
  });

  const range =
    "'pg_num' must be greater than 0 and less than or equal to 65536 (you may adjust 'mon max pool pg num' for higher values)";
  test.each([
    ["pg_num", "0", -34, range],
    ["pg_num", "100000", -34, range],
    [
      "pg_num",
      "abc",
      -22,
      "error parsing integer value 'abc': Expected option value to be integer, got 'abc'",
    ],
    ["pgp_num", "0", -22, "specified pgp_num must > 0, but you set to 0"],
    ["pgp_num", "17", -22, "specified pgp_num 17 > pg_num 8"],
    ["pg_num", "4", -95, "decreasing pg_num of an existing pool is not supported"],
  ])("%s of %s: %i %s", async (name, val, r, status) => {
    expect(await set(name, val)).toMatchObject({ r, status });
    expect(pool()).toMatchObject({ pgNum: 8, pgpNum: 8 });
  });

  test("not more than the OSDs should have", async () => {
    const { r, status } = await set("pg_num", "8192");
    expect(r).toBe(-34);
    expect(status).toMatch(
      /^pool id \d+ pg_num 8192 size 1 would mean \d+ total pgs, which exceeds max 750 \(mon_max_pg_per_osd 250 \* num_in_osds 3\)$/,
    );
  });

  test("not where changes are switched off, whatever the number", async () => {
    await set("nopgchange", "true");
    for (const [name, val] of [
      ["pg_num", "32"],
      ["pg_num", "abc"],
      ["pgp_num", "8"],
    ] as const) {
      expect(await set(name, val)).toMatchObject({
        r: -1,
        status: `pool ${name} change is disabled; you must unset nopgchange flag for the pool first`,
      });
    }
  });
});
