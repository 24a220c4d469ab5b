import { describe, expect, test } from "vitest";
import { AUTH_METHOD, CON_MODE } from "../../auth/index.ts";
import { textOf } from "../../encoding/index.ts";
import { MMgrMap, MMonCommand, MMonCommandAck, MMonSubscribe } from "../../messages/index.ts";
import { createBench, FakeClient, FSID, settle } from "../testing/bench.ts";
import { checkHealth, healthDetail, healthLine } from "./health.ts";

async function bench(numOsds = 1) {
  const { monitor } = await createBench({ numOsds });
  const client = new FakeClient(monitor);
  const run = async (request: object, input = "") => {
    const cmd = [JSON.stringify(request)];
    client.send(MMonCommand, { version: 0, fsid: FSID, cmd, data: Buffer.from(input) });
    await settle();
    const ack = client.take(MMonCommandAck).at(-1);
    return { r: ack?.r, status: textOf(ack?.rs ?? "") };
  };
  const health = () => checkHealth(monitor.state);
  return { monitor, run, health };
}

/** As `ceph health` has it. */
const LINE = { first: " ", separator: "; ", now: 0 };

describe("health", () => {
  test("an OSD that is down is told of with what it takes down with it", async () => {
    const { monitor, health } = await bench();
    await monitor.osdDown(0);
    expect(healthLine(health(), LINE)).toBe(
      "HEALTH_WARN 1 osds down; 1 host (1 osds) down; 1 root (1 osds) down",
    );
    expect(healthDetail(health(), 0)).toEqual([
      "[WRN] OSD_DOWN: 1 osds down",
      "    osd.0 (root=default,host=bench) is down",
      "[WRN] OSD_HOST_DOWN: 1 host (1 osds) down",
      "    host bench (root=default) (1 osds) is down",
      "[WRN] OSD_ROOT_DOWN: 1 root (1 osds) down",
      "    root default (1 osds) is down",
    ]);
  });

  test("a server that lets anybody in, from elsewhere too, says so", async () => {
    const { monitor, health } = await bench();
    monitor.authServer([AUTH_METHOD.NONE], [CON_MODE.CRC]);
    expect(health().status).toBe("HEALTH_OK");
    monitor.state.auth.openTo = "v2:192.0.2.1:3300/0";
    expect(healthDetail(health(), 0)).toEqual([
      "[WRN] AUTH_NONE: authentication is off, and other machines may connect",
      "    whoever reaches v2:192.0.2.1:3300/0 may do anything: start with --auth cephx",
    ]);
  });

  test("a file system that is nearly full is told of, although nothing can be written down any more", async () => {
    const { monitor, store } = await createBench();
    const before = store.statfs();
    let available = 6;
    store.statfs = () => ({ ...before, fileSystem: { total: 100, available } });
    const health = () => healthDetail(checkHealth(monitor.state), 0);
    expect(health()).toEqual([]);
    available = 5;
    expect(health()).toEqual([
      "[ERR] MON_DISK_CRIT: mon a is very low on available space",
      "    mon.a has 5% avail",
    ]);
  });

  test("a host with an OSD that is up is not down", async () => {
    const { monitor, health } = await bench(2);
    await monitor.osdDown(1);
    expect(health().checks.map(({ message }) => message)).toEqual(["1 osds down"]);
  });

  test("pools that are not scrubbed are told of, and nothing is wrong with that", async () => {
    const { run, health } = await bench();
    const set = (name: string, val: string) =>
      run({ prefix: "osd pool set", pool: "rbd", var: name, val });
    expect(await set("noscrub", "1")).toMatchObject({ r: 0 });
    expect(healthLine(health(), LINE)).toBe("HEALTH_OK Some pool(s) have the noscrub flag(s) set");
    await set("nodeep-scrub", "1");
    expect(healthDetail(health(), 0)).toEqual([
      "[OK] POOL_SCRUB_FLAGS: Some pool(s) have the noscrub, nodeep-scrub flag(s) set",
      "    Pool rbd has noscrub flag",
      "    Pool rbd has nodeep-scrub flag",
    ]);
    await set("noscrub", "0");
    await set("nodeep-scrub", "0");
    expect(health().checks).toEqual([]);
  });

  test("caps that do not parse are imported, allow nothing, and show until they are gone", async () => {
    const { monitor, run, health } = await bench();
    const keyring = "[client.bad]\n\tcaps mon = this is wrong\n\tcaps osd = nor this\n";
    expect(await run({ prefix: "auth import" }, keyring)).toMatchObject({ r: 0 });
    expect(health().status).toBe("HEALTH_ERR");
    const [line, ...details] = healthDetail(health(), 0);
    expect(line).toBe("[ERR] AUTH_BAD_CAPS: 1 auth entities have invalid capabilities");
    expect(details).toHaveLength(2);
    expect(details[0]).toContain("client.bad mon capability parse failed");
    const bad = new FakeClient(monitor, { mon: "this is wrong" });
    bad.send(MMonSubscribe, { what: new Map([["osdmap", { start: 0, flags: 0 }]]), hostname: "h" });
    expect(bad.sent).toEqual([]);
    // A key of its own, which nobody knows: an empty one would open the door.
    const key = monitor.state.auth.get({ type: 8, id: "bad" })?.key;
    expect(key?.secret.length).toBe(16);
    expect(await run({ prefix: "auth rm", entity: "client.bad" })).toMatchObject({ r: 0 });
    expect(health().checks).toEqual([]);
  });

  test("an import without caps is refused, and so are bad caps by every other way", async () => {
    const { run } = await bench();
    expect(await run({ prefix: "auth import" }, "[client.x]\n")).toMatchObject({
      r: -22,
      status: "auth import: no caps supplied",
    });
    for (const caps of [
      ["mon", "wrong"],
      ["osd", "wrong"],
      ["mgr", "wrong"],
      ["rgw", "allow *"],
    ]) {
      const request = { prefix: "auth get-or-create", entity: "client.y", caps };
      expect(await run(request), caps.join(" ")).toMatchObject({ r: -22 });
    }
  });

  test("who may not read at the monitor is not told where the manager is", async () => {
    const { monitor } = await bench();
    const what = new Map([["mgrmap", { start: 0, flags: 0 }]]);
    for (const [mon, count] of [
      ["allow r", 1],
      ["allow command quorum_status", 0],
    ] as const) {
      const client = new FakeClient(monitor, { mon });
      client.send(MMonSubscribe, { what, hostname: "h" });
      expect(client.take(MMgrMap), mon).toHaveLength(count);
    }
  });
});
