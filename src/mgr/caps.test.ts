/** What a client's caps let it ask of the manager, and of the manager by way of the monitor. */

import { describe, expect, test } from "vitest";
import { askManager } from "./testing/ask.ts";

/** As upstream splits them: those of the manager itself, and those of its modules in Python. */
const OWN = ["device ls", "pg stat", "osd df", "service status", "service dump"];
const MODULES = {
  balancer: "balancer status",
  crash: "crash ls",
  orchestrator: "orch status",
  pg_autoscaler: "osd pool autoscale-status",
  progress: "progress",
  rbd_support: "rbd task list",
  status: "fs status",
  telemetry: "telemetry status",
};

async function allowed(mgr: string, prefixes: readonly string[]): Promise<string[]> {
  const { ask } = await askManager({ caps: { mon: "allow r", mgr } });
  const refused = new Set<string>();
  for (const prefix of prefixes) {
    // Those of rbd_support wait for a cluster that is not there, once they are allowed.
    void ask(prefix).then(({ r }) => (r === -13 ? refused.add(prefix) : undefined));
  }
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  return prefixes.filter((prefix) => !refused.has(prefix));
}

describe("commands of modules in Python", () => {
  const all = Object.values(MODULES);

  test.each(Object.entries(MODULES))("%s is the module of `%s`", async (module, prefix) => {
    expect(await allowed(`allow module ${module} r`, [...OWN, ...all])).toEqual([prefix]);
  });

  test("are of no service, as those of the manager itself are", async () => {
    expect(await allowed("allow service mgr r", [...OWN, ...all])).toEqual(["device ls"]);
    expect(await allowed("allow service service r", [...OWN, ...all])).toEqual([
      "service status",
      "service dump",
    ]);
    expect(await allowed("allow service py r", [...OWN, ...all])).toEqual(all);
    expect(await allowed("allow r", [...OWN, ...all])).toEqual([...OWN, ...all]);
  });
});

test("who sends a manager's command to the monitor is answered, by its caps for the monitor", async () => {
  const reader = await askManager({ caps: { mon: "allow service mgr r" } });
  expect(await reader.askMonitor("progress json")).toMatchObject({ r: 0 });
  expect(await reader.askMonitor("pg stat")).toMatchObject({ r: -13, status: "access denied" });
  expect((await reader.ask("progress json")).r).toBe(-13);
});
