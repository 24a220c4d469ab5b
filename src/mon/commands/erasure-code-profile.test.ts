import { describe, expect, test } from "vitest";
import { Monitor } from "../monitor.ts";
import { askerOf } from "../testing/ask.ts";
import { createBench, optionsFor } from "../testing/bench.ts";

async function bench() {
  const { monitor, store, clock } = await createBench();
  const ask = askerOf(monitor);
  const command = (verb: string, args: object = {}) =>
    ask(`osd erasure-code-profile ${verb}`, args);
  const set = (name: string, ...profile: string[]) => command("set", { name, profile });
  const get = async (name: string) => (await command("get", { name })).data;
  return { store, clock, command, set, get };
}

describe("erasure code profiles", () => {
  test("are completed, kept in the map, and there after a restart", async () => {
    const { store, clock, command, set, get } = await bench();
    expect(await get("default")).toBe("k=2\nm=2\nplugin=jerasure\ntechnique=reed_sol_van\n");
    expect(await set("p", "k=4", "crush-failure-domain=osd")).toEqual({
      r: 0,
      status: "",
      data: "",
    });
    expect(await get("p")).toBe(
      "crush-device-class=\ncrush-failure-domain=osd\ncrush-root=default\njerasure-per-chunk-alignment=false\nk=4\nm=2\nplugin=jerasure\ntechnique=reed_sol_van\nw=8\n",
    );
    await set("i", "plugin=isa", "k=2", "m=1");
    expect((await command("get", { name: "i", format: "json" })).data).toBe(
      '{"crush-device-class":"","crush-failure-domain":"host","crush-root":"default","k":"2","m":"1","plugin":"isa","technique":"reed_sol_van"}\n',
    );
    await set("c", "technique=cauchy_good", "nosuch");
    expect(await get("c")).toContain("nosuch=\npacketsize=2048\n");
    const again = askerOf(await Monitor.open(optionsFor(store, clock)));
    expect((await again("osd erasure-code-profile ls")).data).toBe("c\ndefault\ni\np\n");
    expect((await again("osd erasure-code-profile ls", { format: "json" })).data).toBe(
      '["c","default","i","p"]\n',
    );
  });

  test("are not overwritten by others, unless by force", async () => {
    const { command, set, get } = await bench();
    await set("p", "k=3", "m=1");
    expect(await set("p", "k=3", "m=1")).toMatchObject({ r: 0 });
    const refusal = await set("p", "k=4", "m=1");
    expect(refusal.r).toBe(-1);
    expect(refusal.status).toMatch(
      /^will not override erasure code profile p because the existing profile \{crush-.*,k=3,.*\} is different from the proposed profile \{crush-.*,k=4,.*\}$/,
    );
    expect(await get("p")).toContain("k=3\n");
    expect(await command("set", { name: "p", profile: ["k=4"], force: true })).toMatchObject({
      r: 0,
    });
    expect(await get("p")).toContain("k=4\n");
  });

  test("are gone once removed", async () => {
    const { command, set } = await bench();
    await set("p", "k=3", "m=1");
    expect(await command("rm", { name: "p" })).toEqual({ r: 0, status: "", data: "" });
    expect(await command("rm", { name: "p" })).toMatchObject({
      r: 0,
      status: "erasure-code-profile p does not exist",
    });
    expect(await command("get", { name: "p" })).toMatchObject({
      r: -2,
      status: "unknown erasure code profile 'p'",
    });
  });

  test.each([
    [
      "k=x",
      -22,
      "could not convert k=x to int because Expected option value to be integer, got 'x', set to default 7",
    ],
    ["k=1", -22, "k=1 must be >= 2"],
    ["m=0", -22, "m=0 must be >= 1"],
    [
      "technique=nosuch",
      -2,
      "technique=nosuch is not a valid coding technique.  Choose one of the following: reed_sol_van, reed_sol_r6_op, cauchy_orig, cauchy_good, liberation, blaum_roth, liber8tion",
    ],
    [
      "ruleset-failure-domain=osd",
      -22,
      "property 'ruleset-failure-domain' is no longer supported; try 'crush-failure-domain' instead",
    ],
    [
      "crush-failure-domain=nosuch",
      -22,
      'erasure-code-profile {crush-failure-domain=nosuch,k=2,m=2,plugin=jerasure,technique=reed_sol_van} contains an invalid failure-domain "nosuch"',
    ],
    [
      "stripe_unit=4097",
      -22,
      "stripe_unit 4097 does not match ec profile alignment. Would be padded to 4128",
    ],
  ])("cannot have %s", async (word, r, status) => {
    const { set, get } = await bench();
    expect(await set("p", word)).toMatchObject({ r, status });
    expect(await get("p")).toBe("");
  });
});
