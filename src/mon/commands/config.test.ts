import { describe, expect, test } from "vitest";
import { askerOf } from "../testing/ask.ts";
import { createBench } from "../testing/bench.ts";

async function bench() {
  const { monitor } = await createBench();
  const ask = askerOf(monitor);
  const set = (who: string, name: string, value: string) => ask("config set", { who, name, value });
  const get = async (who: string, key: string) => (await ask("config get", { who, key })).data;
  return { ask, set, get };
}

describe("the log of options", () => {
  test("begins with nothing, and has as many changes as were asked for", async () => {
    const { ask, set } = await bench();
    expect((await ask("config log")).data).toBe("--- 1 --- 0.000000 ---\n");
    await set("osd", "osd_max_backfills", "3");
    await ask("config rm", { who: "osd", name: "osd_max_backfills" });
    const lines = async (num: number) => (await ask("config log", { num })).data.split("\n");
    expect(await lines(0)).toEqual([""]);
    expect(await lines(1)).toEqual([
      expect.stringMatching(/^--- 3 --- /),
      "- osd/osd_max_backfills = 3",
      "",
    ]);
    expect((await lines(-1)).filter((line) => line.startsWith("---"))).toHaveLength(3);
  });

  test("no reset goes back further than it", async () => {
    const { ask, set, get } = await bench();
    await set("client", "rbd_cache", "false");
    expect(await ask("config reset", { num: 0 })).toMatchObject({ r: 0 });
    expect(await get("client", "rbd_cache")).toBe("true\n");
    for (let i = 1; i <= 101; i++) await set("osd", "osd_max_backfills", `${i}`);
    for (const num of [0, 1, 2]) {
      expect(await ask("config reset", { num }), `${num}`).toMatchObject({ r: -22 });
    }
    expect(await get("osd", "osd_max_backfills")).toBe("101\n");
  });

  test("is what a reset goes back by", async () => {
    const { ask, set, get } = await bench();
    await set("osd", "osd_max_backfills", "3");
    await set("osd", "osd_max_backfills", "4");
    expect(await ask("config reset", { num: 2 })).toMatchObject({ r: 0 });
    expect(await get("osd", "osd_max_backfills")).toBe("3\n");
    expect(await ask("config reset", { num: 1 })).toMatchObject({ r: 0 });
    expect(await get("osd", "osd_max_backfills")).toBe("1\n");
    expect(await ask("config reset", { num: 99 })).toMatchObject({ r: -22 });
  });
});

describe("taking over a file", () => {
  const FILE = `[global]
fsid = x
[osd]
osd max backfills = 2
nosuch = 3
debug osd = 1/2 ; a comment
[client.b]
rbd_cache = maybe
rbd_default_features = layering
[foo]
bar = 1
`;
  const REST =
    "\n[client.b]\n\trbd_cache = maybe\n\n[foo]\n\tbar = 1\n\n[global]\n\tfsid = x\n\n[osd]\n\tnosuch = 3\n";

  test("stores what it can and gives the rest back", async () => {
    const { ask, get } = await bench();
    expect(await ask("config assimilate-conf", {}, FILE)).toEqual({ r: 0, status: "", data: REST });
    expect(await get("osd", "osd_max_backfills")).toBe("2\n");
    expect(await get("osd", "debug_osd")).toBe("1/2\n");
    expect(await get("client.b", "rbd_default_features")).toBe("1\n");
    expect(await ask("config assimilate-conf", {}, FILE)).toEqual({ r: 0, status: "", data: REST });
  });

  test("leaves an option alone that has another value already", async () => {
    const { ask, set, get } = await bench();
    await set("osd", "osd_max_backfills", "7");
    const file = "[osd]\nosd max backfills = 2\n";
    expect((await ask("config assimilate-conf", {}, file)).data).toBe(
      "\n[osd]\n\tosd_max_backfills = 2\n",
    );
    expect(await get("osd", "osd_max_backfills")).toBe("7\n");
  });

  test("refuses what is no file, and a value that is none", async () => {
    const { ask } = await bench();
    expect(await ask("config assimilate-conf", {}, "\n\ngarbage\n")).toMatchObject({
      r: -22,
      status: "parse error: expected '<eoi>' in line 3 at position 1\n",
    });
    expect(await ask("config assimilate-conf", {}, "[osd]\nosd max backfills = xx\n")).toEqual({
      r: -22,
      status: "",
      data: "\n[osd]\n\tosd_max_backfills = xx\n",
    });
  });
});

describe("what is known of an option", () => {
  test("is its type, its default and its bounds", async () => {
    const { ask } = await bench();
    const help = async (key: string) => (await ask("config help", { key })).data;
    expect(await help("osd_memory_target")).toBe(
      "osd_memory_target\n  (size, basic)\n  Default: 4294967296\n  Minimum: 939524096\n  Maximum: \n  Can update at runtime: true\n",
    );
    expect(await help("debug rocksdb")).toContain("  Default: 4/5\n");
    expect(await help("osd_pool_default_pg_autoscale_mode")).toContain(
      "  Possible values:  off warn on\n",
    );
    expect(await ask("config help", { key: "nosuch" })).toEqual({ r: -2, status: "", data: "" });
  });

  test("is not listed of what only a subsystem logs", async () => {
    const { ask } = await bench();
    const names = (await ask("config ls")).data.trim().split("\n");
    expect(names).toContain("osd_max_backfills");
    expect(names).not.toContain("debug_osd");
  });
});
