/** `osd df` of a part of the cluster. */
import { expect, test } from "vitest";
import { askManager } from "../testing/ask.ts";

const GIB = 2 ** 30;

/** Three OSDs of 4 GiB, of which they use 1, 2 and 3. */
async function bench() {
  const { monitor, ask } = await askManager({ numOsds: 3 });
  for (const osd of [0, 1, 2]) {
    monitor.osdReport(osd, {
      seq: 1,
      epoch: 1,
      statfs: { total: 4 * GIB, available: (3 - osd) * GIB, data: (osd + 1) * GIB, internal: 0 },
      fullness: "none",
      perf: { commitLatencyMs: 0, applyLatencyMs: 0 },
      pgs: [],
    });
  }
  const df = async (args: object) => {
    const answer = await ask("osd df", { format: "json", ...args });
    expect(answer.r).toBe(0);
    const { nodes, summary } = JSON.parse(answer.data) as {
      nodes: { name: string; var: number }[];
      summary: { total_kb: number; average_utilization: number; max_var: number };
    };
    return { names: nodes.map(({ name }) => name), nodes, summary };
  };
  return { ask, df };
}

test.each([["default"], ["bench"], ["ssd"], ["rbd"]])("%s has all of the OSDs", async (filter) => {
  const { df } = await bench();
  const { names, summary } = await df({ filter });
  expect(names).toEqual(["osd.0", "osd.1", "osd.2"]);
  expect(summary).toMatchObject({ total_kb: (12 * GIB) / 1024, average_utilization: 50 });
});

test("an OSD's name is compared with itself alone", async () => {
  const { ask, df } = await bench();
  const { names, nodes, summary } = await df({ filter_by: "name", filter: "osd.2" });
  expect(names).toEqual(["osd.2"]);
  expect(nodes[0]).toMatchObject({ var: 1 });
  expect(summary).toMatchObject({ average_utilization: 75, max_var: 1 });
  const { data } = await ask("osd df", { output_method: "tree", filter: "osd.2" });
  const rows = data.split("\n").map((line) => line.trim().split(/\s+/).at(-1));
  expect(rows.slice(1, 2)).toEqual(["osd.2"]);
  expect(data).not.toContain("host");
});

test("the tree of a host begins with it", async () => {
  const { ask } = await bench();
  const { data } = await ask("osd df", { output_method: "tree", filter: "bench" });
  expect(data).toContain("host bench");
  expect(data).not.toContain("root default");
});

test.each([["nosuch"], ["osd.9"], ["hdd"]])("%s is nothing here", async (filter) => {
  const { ask } = await bench();
  expect(await ask("osd df", { filter })).toMatchObject({
    r: -22,
    status: `'${filter}' not a pool, crush node or device class name`,
  });
});
