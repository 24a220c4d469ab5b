import { describe, expect, test } from "vitest";
import { mapPg, newObjectStatSum } from "../../maps/index.ts";
import { askManager } from "../testing/ask.ts";

/** Three OSDs, each with its share of the groups of a pool without copies; all of them are told of. */
async function bench({ state = "active+clean", reported = true } = {}) {
  const { monitor, ask } = await askManager({ numOsds: 3 });
  const { pgNum } = monitor.osdMap.pools.get(1) ?? { pgNum: 0 };
  const actingOf = (seed: number) => mapPg(monitor.osdMap, { pool: 1, seed }).acting;
  const seeds = Array.from({ length: pgNum }, (_, seed) => seed);
  const on = (osd: number) => seeds.filter((seed) => actingOf(seed)[0] === osd);
  for (const osd of reported ? [0, 1, 2] : []) {
    monitor.osdReport(osd, {
      seq: 1,
      epoch: 1,
      statfs: { total: 2 ** 32, available: 2 ** 32, data: 0, internal: 0 },
      fullness: "none",
      perf: { commitLatencyMs: 0, applyLatencyMs: 0 },
      pgs: on(osd).map((seed) => ({
        pgid: { pool: 1, seed },
        state,
        version: { version: 1, epoch: 1 },
        stats: newObjectStatSum(),
        allocated: 0,
        stored: 0,
        logSize: 0,
        snapTrimQueueLength: 0,
        damaged: [],
      })),
    });
  }
  return { monitor, ask, on };
}

describe("whether OSDs may stop", () => {
  test("is no where their groups have nobody else", async () => {
    const { ask, on } = await bench();
    const names = on(1).map((seed) => `1.${seed.toString(16)}`);
    const answer = await ask("osd ok-to-stop", { ids: ["osd.1"] });
    expect(answer).toMatchObject({
      r: -16,
      status: `unsafe to stop osd(s) at this time (${names.length} PGs are or would become offline)`,
    });
    expect(JSON.parse(answer.data)).toEqual({
      ok_to_stop: false,
      osds: [1],
      num_ok_pgs: 0,
      num_not_ok_pgs: names.length,
      bad_become_inactive: names,
    });
    expect(answer.data.endsWith("]}\n")).toBe(true);
  });

  test("is yes for what has no groups, and for as many more of them as are asked for", async () => {
    const { monitor, ask } = await bench();
    expect(await ask("osd ok-to-stop", { ids: ["9"] })).toEqual({
      r: 0,
      status: "",
      data: '{"ok_to_stop":true,"osds":[9],"num_ok_pgs":0,"num_not_ok_pgs":0}\n',
    });
    await monitor.state.maps.change((pending) =>
      pending.edit((inc) => {
        inc.newWeight.set(0, 0);
        inc.newWeight.set(2, 0);
      }),
    );
    const osds = async (max?: number) =>
      (JSON.parse((await ask("osd ok-to-stop", { ids: ["0"], max })).data) as { osds: number[] })
        .osds;
    expect(await osds()).toEqual([0]);
    expect(await osds(3)).toEqual([0, 2]);
  });

  test("says which are not active already", async () => {
    const { ask, on } = await bench({ state: "down" });
    const { data } = await ask("osd ok-to-stop", { ids: ["0"] });
    expect(JSON.parse(data)).toMatchObject({
      num_not_ok_pgs: on(0).length,
      bad_already_inactive: on(0).map((seed) => `1.${seed.toString(16)}`),
    });
  });

  test("is not known while groups are not", async () => {
    const { ask } = await bench({ reported: false });
    expect(await ask("osd ok-to-stop", { ids: ["0"] })).toMatchObject({
      r: -11,
      status: expect.stringMatching(/^\d+ pgs have unknown state; cannot draw any conclusions$/),
    });
    expect(await ask("osd safe-to-destroy", { ids: ["0"] })).toMatchObject({ r: -11 });
  });
});

describe("whether OSDs may be destroyed", () => {
  test("is no while there are groups on them", async () => {
    const { monitor, ask, on } = await bench();
    const n = on(0).length;
    expect(await ask("osd safe-to-destroy", { ids: ["0", "9"] })).toEqual({
      r: -16,
      status: `OSD(s) 9 are safe to destroy without reducing data durability. OSD(s) 0 have ${n} pgs currently mapped to them. `,
      data: "",
    });
    expect(await ask("osd safe-to-destroy", { ids: ["0"], format: "json" })).toEqual({
      r: 0,
      status: "",
      data: '{"safe_to_destroy":[],"active":[0],"missing_stats":[],"stored_pgs":[]}',
    });
    await monitor.state.maps.change((pending) => pending.edit((inc) => inc.newWeight.set(0, 0)));
    expect(await ask("osd safe-to-destroy", { ids: ["0"] })).toMatchObject({
      r: 0,
      status: "OSD(s) 0 are safe to destroy without reducing data durability.",
    });
  });

  test("is not known of one without groups while others are not clean and it is not heard of", async () => {
    const { monitor, ask } = await bench({ state: "active" });
    await monitor.state.maps.change((pending) => pending.edit((inc) => inc.newWeight.set(0, 0)));
    expect(await ask("osd safe-to-destroy", { ids: ["0"] })).toMatchObject({
      r: -16,
      status: expect.stringMatching(/^OSD\(s\) 0 last reported they still store some PG data/),
    });
    await monitor.osdDown(0);
    expect(await ask("osd safe-to-destroy", { ids: ["0"] })).toMatchObject({
      r: -11,
      status: expect.stringMatching(/^OSD\(s\) 0 have no reported stats/),
    });
  });

  test("is asked of ids", async () => {
    const { ask } = await bench();
    const status = "Expected option value to be integer, got 'x'invalid osd id 'osd.x'";
    for (const command of ["osd safe-to-destroy", "osd ok-to-stop"]) {
      expect(await ask(command, { ids: ["osd.x"] })).toMatchObject({ r: -22, status });
    }
  });
});
