import { describe, expect, test } from "vitest";
import { MemStore } from "../../store/index.ts";
import { askManager } from "../testing/ask.ts";

describe("the balancer", () => {
  test("is on until it is turned off, and remembers how it would work", async () => {
    const store = new MemStore();
    const { ask } = await askManager({ store });
    const status = async (from = ask) =>
      JSON.parse((await from("balancer status")).data) as Record<string, unknown>;
    expect(await status()).toEqual({
      active: true,
      last_optimize_duration: "",
      last_optimize_started: "",
      mode: "upmap",
      no_optimization_needed: false,
      optimize_result: "",
      plans: [],
    });
    expect(await ask("balancer off")).toMatchObject({ r: 0 });
    expect(await ask("balancer mode", { mode: "crush-compat" })).toMatchObject({ r: 0 });
    const again = await askManager({ store });
    expect(await status(again.ask)).toMatchObject({ active: false, mode: "crush-compat" });
    await again.ask("balancer on");
    expect(await status(again.ask)).toMatchObject({ active: true });
    expect(await ask("balancer mode", { mode: "foo" })).toMatchObject({ r: -22 });
  });

  test("can be told of pools, and has no plans", async () => {
    const { ask } = await askManager();
    expect((await ask("balancer pool ls")).data).toBe("");
    expect(await ask("balancer pool add", { pools: ["rbd"] })).toMatchObject({ r: 0 });
    expect((await ask("balancer pool ls")).data).toBe('[\n    "rbd"\n]\n');
    expect(await ask("balancer pool add", { pools: ["nosuch"] })).toMatchObject({
      r: -22,
      status: "pool(s) ['nosuch'] not found",
    });
    await ask("balancer pool rm", { pools: ["rbd"] });
    expect((await ask("balancer pool ls")).data).toBe("");
    expect((await ask("balancer ls")).data).toBe("[]\n");
    expect(await ask("balancer show", { plan: "p" })).toMatchObject({
      r: -2,
      status: "plan p not found",
    });
  });
});

describe("telemetry", () => {
  test("is off and stays off", async () => {
    const { monitor, ask } = await askManager();
    const status = async () =>
      JSON.parse((await ask("telemetry status")).data) as Record<string, unknown>;
    expect(await status()).toMatchObject({
      enabled: false,
      contact: null,
      interval: 24,
      last_upload: null,
      log_level: "",
      url: "https://telemetry.ceph.com/report",
    });
    const refusal = await ask("telemetry on");
    expect(refusal.r).toBe(-1);
    expect(refusal.status).toContain("add '--license sharing-1-0'");
    expect(await ask("telemetry on", { license: "sharing-1-0" })).toMatchObject({ r: -95 });
    expect(await ask("telemetry off")).toMatchObject({ r: 0 });
    const target = { section: "mgr", mask: "" };
    await monitor.state.config.apply([{ target, name: "mgr/telemetry/contact", value: "me" }]);
    expect(await status()).toMatchObject({ enabled: false, contact: "me" });
  });
});

describe("the orchestrator", () => {
  test.each([
    "orch status",
    "orch ls",
    "orch ps",
    "orch host ls",
    "orch device ls",
    "orch upgrade status",
    "orch pause",
    "orch resume",
    "orch cancel",
  ])("is not there: %s", async (command) => {
    const { ask } = await askManager();
    expect(await ask(command)).toEqual({
      r: -2,
      status: "No orchestrator configured (try `ceph orch set backend`)",
      data: "",
    });
  });

  test("cannot be any that there is not", async () => {
    const { ask } = await askManager();
    expect(await ask("orch set backend", { module_name: "" })).toMatchObject({ r: 0 });
    expect(await ask("orch set backend", { module_name: "cephadm" })).toMatchObject({
      r: -22,
      status: "Module 'cephadm' not found",
    });
  });
});
