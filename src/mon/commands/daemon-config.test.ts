import { describe, expect, test } from "vitest";
import { MCommand, MCommandReply, MPoolOp, MPoolOpReply, POOL_OP } from "../../messages/index.ts";
import { askerOf, tellerOf } from "../testing/ask.ts";
import { createBench, FakeClient, poolOp, settle } from "../testing/bench.ts";
import { monCommandTable } from "./table.ts";

async function bench() {
  const { monitor } = await createBench();
  const tell = tellerOf(monitor);
  const inject = (...injected_args: string[]) => tell("injectargs", { injected_args });
  return { monitor, tell, inject, ask: askerOf(monitor) };
}

/** Of 16.2.15, those that are here. ceph: src/mon/MonCommands.h */
const DEPRECATED = [
  "auth del",
  "auth list",
  "config-key del",
  "config-key list",
  "config-key put",
  "mon remove",
  "osd blacklist",
  "osd blacklist clear",
  "osd blacklist ls",
  "osd crush rule list",
  "osd lspools",
  "osd pool delete",
  "osd rm",
];

describe("the monitor's own options", () => {
  test("are set, shown and taken back by tell", async () => {
    const { tell, inject } = await bench();
    expect(await tell("config set", { var: "mon_lease", val: ["6"] })).toEqual({
      r: 0,
      status: "",
      data: `{\n    "success": "mon_lease = '6.000000' "\n}\n`,
    });
    expect(await tell("config get", { var: "mon_lease", format: "json" })).toMatchObject({
      data: '{"mon_lease":"6.000000"}',
    });
    const show = await tell("config show", { format: "json" });
    expect(JSON.parse(show.data)).toMatchObject({ name: "mon.a", mon_lease: "6.000000" });
    expect(await tell("config unset", { var: "mon_lease" })).toEqual({
      r: 0,
      status: "mon_lease = '5.000000' ",
      data: "{}\n",
    });
    expect(await inject("--mon_pg_warn_min_objects", "10K")).toMatchObject({
      r: 0,
      status: "mon_pg_warn_min_objects = '10000' (not observed, change may require restart) ",
    });
    expect(await inject("--mon_globalid_prealloc", "-1")).toMatchObject({
      r: -22,
      status:
        "Parse error setting mon_globalid_prealloc to '-1' using injectargs (strict_sistrtoll: value should not be negative).\n",
    });
  });

  test("follow what the monitor has for it, until it is told otherwise", async () => {
    const { monitor, ask, tell } = await bench();
    const ttl = () => monitor.state.settings.number("auth_mon_ticket_ttl");
    await ask("config set", { who: "mon", name: "auth_mon_ticket_ttl", value: "60" });
    expect(ttl()).toBe(60);
    await tell("config set", { var: "auth_mon_ticket_ttl", val: ["70"] });
    await ask("config set", { who: "mon", name: "auth_mon_ticket_ttl", value: "80" });
    expect(ttl()).toBe(70);
    await tell("config unset", { var: "auth_mon_ticket_ttl" });
    expect(ttl()).toBe(80);
  });

  test("are nobody's who may not do everything", async () => {
    const { monitor } = await bench();
    const client = new FakeClient(monitor, { mon: "allow rw" });
    const cmd = [JSON.stringify({ prefix: "config set", var: "mon_lease", val: ["6"] })];
    client.send(MCommand, { fsid: monitor.state.fsid, cmd, data: new Uint8Array(0) });
    await settle();
    expect(client.take(MCommandReply)[0]?.r).toBe(-1);
    expect(monitor.state.settings.overrides.size).toBe(0);
  });

  test("mon_allow_pool_delete keeps pools, whoever asks for their end", async () => {
    const { monitor, ask, inject } = await bench();
    const sure = { pool: "rbd", pool2: "rbd", yes_i_really_really_mean_it: true };
    await inject("--mon_allow_pool_delete=false");
    expect(await ask("osd pool rm", sure)).toMatchObject({
      r: -1,
      status:
        "pool deletion is disabled; you must first set the mon_allow_pool_delete config option to true before you can destroy a pool",
    });
    const client = new FakeClient(monitor);
    client.send(MPoolOp, poolOp({ op: POOL_OP.DELETE }));
    await settle();
    expect(client.take(MPoolOpReply)[0]?.replyCode).toBe(-1);
    await inject("--mon_allow_pool_delete");
    expect((await ask("osd pool rm", sure)).r).toBe(0);
  });

  test("osd_pool_default_erasure_code_profile is what a new profile begins with", async () => {
    const { ask, inject } = await bench();
    const text = "--osd_pool_default_erasure_code_profile=plugin=jerasure";
    await inject(text);
    await ask("osd erasure-code-profile set", { name: "p", profile: ["k=3", "m=2"] });
    const { data } = await ask("osd erasure-code-profile get", { name: "p" });
    expect(data).toContain("plugin=jerasure");
    expect(data).toContain("k=3");
  });
});

// As `ceph tell mon.a compact` of 16.2.15 prints it.
test("tell mon.a compact says how long it took", async () => {
  const { tell } = await bench();
  expect(await tell("compact")).toMatchObject({
    r: 0,
    data: expect.stringMatching(/^compacted rocksdb in [0-9.e-]+ seconds\n$/),
  });
});

describe("with mon_debug_deprecated_as_obsolete", () => {
  test("what is to go is refused, whoever asks and however it is asked, and nothing else is", async () => {
    const { monitor, ask, inject } = await bench();
    const table = monCommandTable();
    const marked = table.prefixes.filter((prefix) => table.isDeprecated(prefix)).sort();
    expect(marked).toEqual(DEPRECATED);
    expect((await ask("config-key list")).r).toBe(0);
    await inject("--mon-debug-deprecated-as-obsolete");
    const obsolete = {
      r: -95,
      status: "command is obsolete; please check usage and/or man page",
      data: "",
    };
    for (const prefix of ["config-key list", "osd lspools", "auth list", "osd blacklist ls"]) {
      expect(await ask(prefix), prefix).toEqual(obsolete);
    }
    expect(await ask("mon remove", { name: "zz" })).toEqual(obsolete);
    expect((await ask("mon rm", { name: "zz" })).r).toBe(0);
    expect((await ask("config-key ls")).r).toBe(0);
    // Said to who may not run it, too.
    const reader = askerOf(monitor, { mon: "allow r" });
    expect(await reader("mon remove", { name: "zz" })).toEqual(obsolete);
    await inject("--no-mon-debug-deprecated-as-obsolete");
    expect((await ask("config-key list")).r).toBe(0);
    expect((await reader("mon remove", { name: "zz" })).r).toBe(-13);
  });
});

describe("over the admin socket", () => {
  test("the monitor answers what it is asked itself, and nothing of the cluster's", async () => {
    const { monitor } = await bench();
    const ask = (request: object) => monitor.command(JSON.stringify(request));
    expect(await ask({ prefix: "config get", var: "mon_lease" })).toMatchObject({
      r: 0,
      data: '{\n    "mon_lease": "5.000000"\n}\n',
    });
    const { data } = await ask({ prefix: "help" });
    expect(Object.keys(JSON.parse(String(data)) as object)).toContain("config set");
    const { data: known } = await ask({ prefix: "get_command_descriptions" });
    const sigs = Object.values(JSON.parse(String(known)) as Record<string, { sig: unknown[] }>);
    expect(sigs.map(({ sig }) => sig)).toContainEqual([
      "config",
      "set",
      { name: "var", type: "CephString" },
      { n: "N", name: "val", type: "CephString" },
    ]);
    expect((await ask({ prefix: "osd dump" })).r).toBe(-22);
    expect((await monitor.command("no JSON")).r).toBe(-22);
    await ask({ prefix: "injectargs", injected_args: ["--mon_lease=6"] });
    expect(monitor.state.settings.overrides).toEqual(new Map([["mon_lease", "6.000000"]]));
  });
});
