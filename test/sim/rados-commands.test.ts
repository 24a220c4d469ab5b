/** Commands, facts and pools by the client library, on the simulated server. */
import { expect, test } from "vitest";
import { CephxClient, parseKey } from "../../src/auth/index.ts";
import { CephError, must } from "../../src/base/index.ts";
import { opAppend, opRead, opWriteFull } from "../../src/messages/index.ts";
import { type ClusterLogEntry, Rados } from "../../src/rados/index.ts";
import { ENTITY_TYPE } from "../../src/types/index.ts";
import { Bench } from "./bench.ts";

const bytes = (text: string) => Buffer.from(text);
const code = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof CephError ? error.code : String(error)),
  );
const versionOf = ({ data }: { data: Uint8Array }) =>
  (JSON.parse(Buffer.from(data).toString()) as { version: string }).version;

test("each kind of daemon answers what it is told, and one that is not there is named", async () => {
  const bench = await Bench.start({ osds: 2 });
  const { rados } = await bench.client();
  const version = { prefix: "version" };
  expect(versionOf(await bench.run(rados.mgrTell("", version)))).toBe("16.2.15");
  for (const osd of [0, 1]) {
    expect(versionOf(await bench.run(rados.osdCommand(osd, version))), `osd.${osd}`).toBe(
      "16.2.15",
    );
  }
  for (const mon of ["a", 0]) {
    expect(versionOf(await bench.run(rados.monTell(mon, version))), `mon.${mon}`).toBe("16.2.15");
  }
  const stat = await bench.run(rados.mgrCommand({ prefix: "pg stat", format: "json" }));
  expect(stat.result).toBe(0);
  expect(await bench.run(code(rados.mgrTell("nobody", version)))).toBe("ENXIO");
  expect(await bench.run(code(rados.osdCommand(7, version)))).toBe("ENOENT");
  expect(await bench.run(code(rados.monTell("z", version)))).toBe("ENOENT");
  expect(await bench.run(code(rados.monTell(3, version)))).toBe("ENOENT");
  expect(await bench.run(code(rados.pgCommand({ pool: 9, seed: 0 }, version)))).toBe("ENOENT");
  const unknown = await bench.run(rados.osdCommand(0, { prefix: "no such thing" }));
  expect(unknown.result).toBe(-22);
  await bench.run(rados.close());
  await bench.close();
});

test("a user who may not see the OSD map connects without it and gives commands", async () => {
  const bench = await Bench.start();
  const { rados: admin } = await bench.client();
  const entity = { type: ENTITY_TYPE.CLIENT, id: "definer" };
  const caps = ["mon", "allow profile role-definer"];
  const user = { prefix: "auth get-or-create-key", entity: "client.definer", caps };
  const key = Buffer.from((await bench.run(admin.command(user))).data)
    .toString("utf8")
    .trim();
  const { options } = bench.clientOptions();
  const { clock, random } = options;
  const auth = () => new CephxClient({ entity, key: must(parseKey(key), "a key"), clock, random });
  const mountTimeoutMs = 5_000;
  const waits = Rados.connect({ ...options, auth: auth(), mountTimeoutMs });
  expect(await bench.run(code(waits))).toBe("ETIMEDOUT");
  const rados = await bench.run(
    Rados.connect({ ...options, auth: auth(), mountTimeoutMs, needsMap: false }),
  );
  expect((await bench.run(rados.command({ prefix: "auth ls" }))).result).toBe(0);
  expect((await bench.run(rados.command({ prefix: "osd pool create", pool: "x" }))).result).toBe(
    -13,
  );
  await bench.run(Promise.all([rados.close(), admin.close()]));
  await bench.close();
});

test("a monitor gives a sign of life with its health and its state; one that is not there is named", async () => {
  const bench = await Bench.start();
  const { rados } = await bench.client();
  for (const who of ["a", 0]) {
    const text = await bench.run(rados.pingMonitor(who));
    const { health, mon_status } = JSON.parse(text) as Record<string, { name?: string }>;
    expect(health).toBeDefined();
    expect(mon_status?.name, `mon.${who}`).toBe("a");
  }
  expect(await bench.run(code(rados.pingMonitor("z")))).toBe("ENOENT");
  await bench.run(rados.close());
  await bench.close();
});

test("commands wait for daemons that are gone, are sent to their successors, and end when told to", async () => {
  const bench = await Bench.start();
  const { rados } = await bench.client();
  const version = { prefix: "version" };
  await bench.run(Promise.all([rados.mgrTell("", version), rados.osdCommand(0, version)]));
  bench.server.kill();
  const abort = new AbortController();
  const patient = [rados.mgrTell("", version), rados.osdCommand(0, version)];
  const ended = [
    code(rados.mgrCommand({ prefix: "pg stat" }, { timeoutMs: 2000 })),
    code(rados.osdCommand(0, version, { timeoutMs: 2000 })),
    code(rados.monTell("a", version)),
    rados.mgrTell("", version, { signal: abort.signal }).catch((error: unknown) => error),
    rados.osdCommand(0, version, { signal: abort.signal }).catch((error: unknown) => error),
  ];
  await bench.pass(100);
  abort.abort("stop");
  expect(await bench.run(Promise.all(ended))).toEqual([
    "ETIMEDOUT",
    "ETIMEDOUT",
    "ETIMEDOUT",
    "stop",
    "stop",
  ]);
  await bench.startServer();
  for (const result of await bench.run(Promise.all(patient)))
    expect(versionOf(result)).toBe("16.2.15");
  const last = rados.mgrTell("", version);
  bench.server.kill();
  const closed = code(last);
  await bench.run(rados.close());
  expect(["ESHUTDOWN", "done"]).toContain(await bench.run(closed));
  await bench.startServer();
  await bench.close();
});

test("the cluster's facts: id, monitors, space, statistics of pools", async () => {
  const bench = await Bench.start();
  const { rados, io } = await bench.client();
  await bench.run(io.write("o", [opWriteFull(bytes("12345"))]));
  await bench.pass(30_000);
  expect(rados.fsid).toBe(rados.map.fsid);
  const monMap = await bench.run(rados.monMap());
  expect([monMap.fsid, monMap.ranks]).toEqual([rados.fsid, ["a"]]);
  const space = await bench.run(rados.clusterStats());
  expect(space.kb).toBeGreaterThan(space.kbUsed);
  expect(space.numObjects).toBeGreaterThan(0);
  const ofPool = await bench.run(rados.clusterStats({ pool: io.pool }));
  expect(ofPool.kbAvail).toBeGreaterThan(0);
  const stats = await bench.run(rados.poolStats(["rbd", "none"]));
  expect([...stats.keys()]).toEqual(["rbd"]);
  expect(stats.get("rbd")?.stats.sum.numObjects).toBeGreaterThan(0);
  await bench.close();
});

test("the cluster log is told to each watcher by its level, once, and to none that has ended", async () => {
  const bench = await Bench.start();
  const { rados } = await bench.client();
  const heard: Record<string, ClusterLogEntry[]> = { debug: [], info: [], ended: [] };
  const end = rados.watchLog("info", (entry) => heard["ended"]!.push(entry));
  rados.watchLog("info", (entry) => heard["info"]!.push(entry));
  await bench.pass(1000);
  rados.watchLog("debug", (entry) => heard["debug"]!.push(entry));
  end();
  await bench.pass(1000);
  const before = heard["ended"]!.length;
  await bench.run(rados.command({ prefix: "log", logtext: ["one"] }));
  bench.server.kill();
  await bench.startServer();
  await bench.run(rados.command({ prefix: "log", logtext: ["two"] }));
  await bench.pass(5000);
  const said = (name: string) =>
    heard[name]!.filter((e) => e.channel === "cluster" && /^(one|two)$/.test(e.message));
  for (const name of ["debug", "info"]) {
    expect(
      said(name).map((e) => [e.message, e.level, e.name]),
      name,
    ).toEqual([
      ["one", "info", "client.admin"],
      ["two", "info", "client.admin"],
    ]);
  }
  expect(heard["info"]!.every((e) => e.level !== "debug")).toBe(true);
  expect(heard["debug"]!.some((e) => e.level === "debug")).toBe(true);
  expect(heard["ended"]!.length).toBe(before);
  await bench.close();
});

test("pools come and go, and their snapshots are read and rolled back to", async () => {
  const bench = await Bench.start();
  const { rados } = await bench.client();
  const id = await bench.run(rados.createPool("new"));
  expect(await bench.run(code(rados.createPool("new")))).toBe("EEXIST");
  const io = await bench.run(rados.openPool("new"));
  expect(io.pool).toBe(id);
  await bench.run(io.write("o", [opWriteFull(bytes("old"))]));
  await bench.run(io.createPoolSnap("s"));
  expect(await bench.run(code(io.createPoolSnap("s")))).toBe("EEXIST");
  const [snap] = io.poolSnaps();
  expect([snap?.name, io.poolSnaps().length]).toEqual(["s", 1]);
  await bench.run(io.write("o", [opAppend(bytes(" new"))]));
  const text = async (at?: bigint) => {
    const { ops } = await bench.run(
      io.read("o", [opRead(0, 0)], at === undefined ? {} : { snap: at }),
    );
    return Buffer.from(ops[0]!.data).toString();
  };
  expect([await text(), await text(snap!.id)]).toEqual(["old new", "old"]);
  await bench.run(io.rollback("o", snap!.id));
  expect(await text()).toBe("old");
  expect(await bench.run(code(io.createSnapId()))).toBe("EINVAL");
  await bench.run(io.removePoolSnap("s"));
  expect(await bench.run(code(io.removePoolSnap("s")))).toBe("ENOENT");
  await bench.run(rados.deletePool("new"));
  expect(await bench.run(code(rados.openPool("new")))).toBe("ENOENT");
  expect(await bench.run(code(io.write("o", [opWriteFull(bytes("x"))])))).toBe("ENOENT");
  await bench.close();
});
