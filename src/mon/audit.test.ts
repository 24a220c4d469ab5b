import { describe, expect, test } from "vitest";
import { textOf } from "../encoding/index.ts";
import { CLOG, MMonCommand, MMonCommandAck } from "../messages/index.ts";
import { formatLogEntry } from "./services/log.ts";
import { tellerOf } from "./testing/ask.ts";
import { createBench, FakeClient, FSID, settle } from "./testing/bench.ts";

const FROM = "from='client.5000 127.0.0.1:0/77' entity='client.test'";

async function audited(requests: object[], caps?: Record<string, string>) {
  const { monitor } = await createBench();
  const client = caps === undefined ? new FakeClient(monitor) : new FakeClient(monitor, caps);
  for (const request of requests) {
    const cmd = [JSON.stringify(request)];
    client.send(MMonCommand, { version: 0, fsid: FSID, cmd, data: new Uint8Array(0) });
    await settle();
  }
  expect(client.take(MMonCommandAck)).toHaveLength(requests.length);
  return monitor.state.log.last(10, CLOG.DEBUG, "audit");
}

describe("the channel audit", () => {
  test("a command that changes something is told of when it comes and when it is done", async () => {
    const lines = await audited([{ prefix: "osd set", key: "noout" }]);
    expect(lines.map(({ message }) => textOf(message))).toEqual([
      `${FROM} cmd=[{"prefix":"osd set","key":"noout"}]: dispatch`,
      `${FROM} cmd='[{"prefix":"osd set","key":"noout"}]': finished`,
    ]);
    expect(lines.map(({ prio }) => prio)).toEqual([CLOG.INFO, CLOG.INFO]);
    expect(formatLogEntry(lines[0]!)).toMatch(/ mon\.a \(mon\.0\) \d+ : audit \[INF\] from=/);
  });

  test("one that only looks is a debug line, and what failed has not finished", async () => {
    const lines = await audited([{ prefix: "osd dump" }, { prefix: "osd set", key: "nonsense" }]);
    expect(lines.map(({ prio, message }) => [prio, textOf(message).split(": ").at(-1)])).toEqual([
      [CLOG.DEBUG, "dispatch"],
      [CLOG.INFO, "dispatch"],
    ]);
  });

  test("who may not is told of, too", async () => {
    const lines = await audited([{ prefix: "osd set", key: "noout" }], { mon: "allow r" });
    expect(lines.map(({ message }) => textOf(message))).toEqual([
      `${FROM} cmd=[{"prefix":"osd set","key":"noout"}]:  access denied`,
    ]);
  });

  test("values that may be secret are in no line", async () => {
    const lines = await audited([
      { prefix: "config set", who: "client", name: "rbd_cache", value: "false" },
      { prefix: "config-key set", key: "k", val: "secret" },
      { prefix: "config-key put", key: "k", val: "secret" },
    ]);
    expect(lines).toEqual([]);
  });

  test("nor are they if the monitor itself is told", async () => {
    const { monitor } = await createBench();
    const tell = tellerOf(monitor);
    await tell("version");
    await tell("config set", { var: "mon_lease", val: ["6"] });
    await tell("injectargs", { injected_args: ["--mon_lease 7"] });
    const lines = monitor.state.log.last(1000, CLOG.DEBUG, "audit");
    expect(lines.map(({ message }) => textOf(message)).join("\n")).toMatch(/^.*"version".*$/);
  });
});

test("without a channel, the newest lines are those of the cluster", async () => {
  const { monitor } = await createBench();
  const client = new FakeClient(monitor);
  const ask = async (request: object) => {
    const cmd = [JSON.stringify(request)];
    client.send(MMonCommand, { version: 0, fsid: FSID, cmd, data: new Uint8Array(0) });
    await settle();
    return Buffer.from(client.take(MMonCommandAck)[0]?.data ?? []).toString();
  };
  await ask({ prefix: "osd set", key: "noout" });
  const last = await ask({ prefix: "log last" });
  expect(last).toContain("Health check failed: noout flag(s) set (OSDMAP_FLAGS)");
  expect(last).not.toContain("audit");
  const all = await ask({ prefix: "log last", channel: "*" });
  expect(all).toContain("audit");
});
