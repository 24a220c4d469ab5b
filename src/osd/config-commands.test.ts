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

  test("is not set to what it cannot be", async () => {
    const { tell, set, get } = bench();
    expect(await set("nosuch", "1")).toMatchObject({
      r: -2,
      status: "error setting 'nosuch' to '1': (2) No such file or directory",
    });
    expect(await set(NAME, "xx")).toMatchObject({
      r: -22,
      status: `error setting '${NAME}' to 'xx': (22) Invalid argument`,
    });
    expect(await set("osd_data", "/x")).toMatchObject({
      r: -1,
      status: "error setting 'osd_data' to '/x': (1) Operation not permitted",
    });
    expect(await tell("config get", { var: "nosuch" })).toMatchObject({
      r: -2,
      status: "error getting 'nosuch': (2) No such file or directory",
    });
    expect(await tell("config unset", { var: "nosuch" })).toMatchObject({
      r: -22,
      status: "error unsetting 'nosuch': (22) Invalid argument",
    });
    expect(await tell("config set", { var: NAME })).toMatchObject({
      r: -22,
      status: "bad or missing field 'val'",
    });
    expect(await get(NAME)).toEqual({ [NAME]: "134217728" });
  });

  test("that nothing goes by says so when it is set", async () => {
    const { set } = bench();
    expect((await set("osd_scrub_cost", "1")).value).toEqual({
      success: "osd_scrub_cost = '1' (not observed, change may require restart) ",
    });
  });
});

describe("injected arguments", () => {
  test("set several options at once, however they are written", async () => {
    const { inject, get } = bench();
    expect(await inject(`--${NAME} 3000`, "--osd-max-backfills=7")).toEqual({
      r: 0,
      status: `osd_max_backfills = '7' ${NAME} = '3000' `,
      value: {},
    });
    expect(await get(NAME)).toEqual({ [NAME]: "3000" });
    expect(await inject(`--${NAME}`, "4000")).toMatchObject({ status: `${NAME} = '4000' ` });
  });

  test.each([
    [["--nosuch 3"], -22, " failed to parse arguments: --nosuch,3\n"],
    [
      [`--${NAME} xx`],
      -22,
      `Parse error setting ${NAME} to 'xx' using injectargs (strict_iecstrtoll: unit prefix not recognized).\n`,
    ],
    [
      ["--osd_data /x"],
      -1,
      "Parse error setting osd_data to '/x' using injectargs (Configuration option 'osd_data' may not be modified at runtime).\n",
    ],
    [
      [`--${NAME}`],
      -22,
      `Parse error setting ${NAME} to '' using injectargs (Option --${NAME} requires an argument.\n).\n`,
    ],
  ])("%j are refused, and set nothing", async (words, r, status) => {
    const { inject, get } = bench();
    expect(await inject("--osd_max_backfills 9", ...words)).toMatchObject({ r, status });
    expect(await get("osd_max_backfills")).toEqual({ osd_max_backfills: "1" });
  });
});
