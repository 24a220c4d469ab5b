import { expect, test } from "vitest";
import { decodeFromBytes, textOf } from "../../encoding/index.ts";
import { MgrMap } from "../../maps/index.ts";
import { MMgrMap, MMonSubscribe } from "../../messages/index.ts";
import { Monitor } from "../monitor.ts";
import { askerOf } from "../testing/ask.ts";
import { createBench, FakeClient, optionsFor } from "../testing/bench.ts";

async function cluster() {
  const bench = await createBench();
  bench.monitor.mgrBoot([{ type: 2, ip: "127.0.0.1", port: 6800, nonce: 1 }], 4098n);
  return { ...bench, ask: askerOf(bench.monitor) };
}

/** The words are a 16.2.15's. */
test.each([
  ["enable", "restful", undefined, 0, ""],
  [
    "enable",
    "foodne",
    undefined,
    -2,
    "all mgr daemons do not support module 'foodne', pass --force to force enablement",
  ],
  ["enable", "foodne", "--force", 0, ""],
  ["enable", "balancer", undefined, 0, "module 'balancer' is already enabled (always-on)"],
  ["disable", "balancer", undefined, -22, "module 'balancer' cannot be disabled (always-on)"],
  ["disable", "foodnebizbangbash", undefined, 0, "module 'foodnebizbangbash' is already disabled"],
])("%s %s %s: %d %s", async (what, module, force, r, status) => {
  const { ask } = await cluster();
  const args = force === undefined ? { module } : { module, force };
  expect(await ask(`mgr module ${what}`, args)).toEqual({ r, status, data: "" });
});

test("a module that is not here is in the map once it is enabled, and health says that it does not run", async () => {
  const { ask, monitor, store, clock } = await cluster();
  const epoch = monitor.state.mgrMap().epoch;
  await ask("mgr module enable", { module: "restful" });
  expect(await ask("mgr module enable", { module: "restful" })).toMatchObject({
    r: 0,
    status: "module 'restful' is already enabled",
  });
  expect(monitor.state.mgrMap()).toMatchObject({
    epoch: epoch + 1,
    modules: new Set(["restful"]),
  });
  expect((await ask("health", { detail: "detail" })).data).toContain(
    "[WRN] MGR_MODULE_DEPENDENCY: Module 'restful' has failed dependency: Spirula has no such module\n" +
      "    Module 'restful' has failed dependency: Spirula has no such module\n",
  );
  await ask("mgr module enable", { module: "foodne", force: "--force" });
  expect((await ask("health")).data).toContain("2 mgr modules have failed dependencies");

  monitor.close();
  const again = await Monitor.open(optionsFor(store, clock));
  expect([...again.state.modules.enabled]).toEqual(["foodne", "restful"]);
  const other = askerOf(again);
  for (const module of ["foodne", "restful"]) await other("mgr module disable", { module });
  expect((await other("health")).data).not.toContain("MGR_MODULE");
  expect((await other("health")).data).not.toContain("Module");
});

test("a name in any script goes to clients in the map, and comes back as it was; names have bounds", async () => {
  const { ask, monitor } = await cluster();
  const name = "модуль";
  const client = new FakeClient(monitor);
  const what = new Map([["mgrmap", { start: 0, flags: 0 }]]);
  client.send(MMonSubscribe, { what, hostname: "h" });
  await ask("mgr module enable", { module: name, force: "--force" });
  const map = decodeFromBytes(MgrMap, client.take(MMgrMap).at(-1)!.map);
  expect([...map.modules].map(textOf)).toEqual([name]);
  expect(JSON.parse((await ask("mgr module ls")).data)).toMatchObject({ enabled_modules: [name] });
  expect(JSON.parse((await ask("mgr dump")).data)).toMatchObject({ modules: [name] });
  await ask("mgr module disable", { module: name });

  const enable = (module: string) => ask("mgr module enable", { module, force: "--force" });
  expect(await enable("x".repeat(101))).toMatchObject({ r: -7 });
  expect(await enable("x".repeat(100))).toMatchObject({ r: 0 });
  for (let i = 1; i < 100; i++) expect(await enable(`m${i}`)).toMatchObject({ r: 0 });
  expect(await enable("m100")).toMatchObject({ r: -7 });
});

test("the list has those that are always on, and those that could be switched on", async () => {
  const { ask } = await cluster();
  const list = JSON.parse((await ask("mgr module ls")).data) as Record<string, unknown>;
  expect(list["enabled_modules"]).toEqual([]);
  expect(list["always_on_modules"]).toContain("rbd_support");
  expect(list["disabled_modules"]).toContainEqual({
    name: "restful",
    can_run: false,
    error_string: "Spirula has no such module",
    module_options: {},
  });
  const dump = JSON.parse((await ask("mgr dump")).data) as Record<string, unknown>;
  expect(dump["always_on_modules"]).toEqual({ pacific: list["always_on_modules"] });
});
