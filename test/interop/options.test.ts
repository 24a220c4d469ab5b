/**
 * Unmodified tools tell daemons their options while they run: by `ceph tell`, by injectargs, and by `ceph daemon`
 * over the admin sockets; what config show makes of it; and what becomes of the sockets. The answers are those of
 * a real 16.2.15.
 */
import { existsSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clientEnv, type RunResult, sh, until } from "../harness/run.ts";
import { requireBuild, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const OSDS = 2;
const DAEMONS = ["mon.a", "mgr.x", "osd.0", "osd.1"];
const HINT = "(not observed, change may require restart) ";

let work: TempDir;
let server: SpirulaServer;

function ceph(command: string): Promise<RunResult> {
  const env = clientEnv(server.confPath);
  return sh(`ceph ${command}`, { env, cwd: work.path, timeoutMs: 60_000 });
}

const socketOf = (daemon: string) => join(server.dir, "run", `${daemon}.asok`);

beforeAll(async () => {
  requireBuild();
  work = await tempDir("options");
  server = await startSpirula({ dir: join(work.path, "data"), osds: OSDS });
});

afterAll(async () => {
  await server?.stop();
  await work?.remove();
});

test("tell sets, gets and unsets an option of every kind of daemon", async () => {
  for (const [daemon, name, hint] of [
    ["mon.a", "mon_pg_warn_min_objects", HINT],
    ["mgr", "mgr_stats_period", ""],
    ["osd.1", "osd_max_backfills", ""],
  ] as const) {
    const before = JSON.parse((await ceph(`tell ${daemon} config get ${name}`)).stdout) as Record<
      string,
      string
    >;
    expect(await ceph(`tell ${daemon} config set ${name} 7K`), daemon).toMatchObject({
      code: 0,
      stdout: `{\n    "success": "${name} = '7000' ${hint}"\n}\n`,
      stderr: "",
    });
    const { stdout } = await ceph(`tell ${daemon} config get ${name} -f json`);
    expect(JSON.parse(stdout), daemon).toEqual({ [name]: "7000" });
    expect(await ceph(`tell ${daemon} config unset ${name}`), daemon).toMatchObject({
      code: 0,
      stdout: "{}\n",
      stderr: `${name} = '${before[name]}' ${hint}\n`,
    });
    expect(await ceph(`tell ${daemon} config unset ${name}`), daemon).toMatchObject({
      code: 0,
      stdout: "{}\n",
      stderr: "",
    });
  }
});

test("injectargs does what it can and says what it could not", async () => {
  expect(
    await ceph("tell osd.0 injectargs '--nosuch 3 --no-osd_enable_op_tracker --osd_data=/x'"),
  ).toMatchObject({
    code: 22,
    stdout: "",
    stderr:
      "Error EINVAL: Parse error setting osd_data to '/x' using injectargs (Configuration option 'osd_data' may not be modified at runtime).\n" +
      " failed to parse arguments: --nosuch,3\nosd_enable_op_tracker = 'false' \n",
  });
  const { stdout } = await ceph("tell osd.0 config get osd_enable_op_tracker");
  expect(JSON.parse(stdout)).toEqual({ osd_enable_op_tracker: "false" });
  expect(await ceph("tell osd.0 injectargs -- --osd-enable-op-tracker")).toMatchObject({
    code: 0,
    stdout: "{}\n",
    stderr: "osd_enable_op_tracker = 'true' \n",
  });
});

test("ceph daemon reaches each daemon by its name and by its socket", async () => {
  for (const daemon of DAEMONS) {
    for (const name of [daemon, socketOf(daemon)]) {
      const { code, stdout } = await ceph(`daemon ${name} version`);
      expect(code, name).toBe(0);
      expect(JSON.parse(stdout), name).toMatchObject({ version: "16.2.15" });
    }
    const help = JSON.parse((await ceph(`daemon ${daemon} help`)).stdout) as object;
    expect(Object.keys(help), daemon).toContain("config diff get");
  }
  for (const way of ["tell", "daemon"]) {
    const { stdout } = await ceph(`${way} osd.1 compact`);
    expect(JSON.parse(stdout), way).toEqual({ elapsed_time: expect.any(Number) });
  }
  const counters = JSON.parse((await ceph("daemon osd.1 perf dump")).stdout) as object;
  expect(counters).toHaveProperty("osd.op");
});

test("ceph daemon sets options, and its failures are what it prints", async () => {
  expect(await ceph("daemon mon.a config set mon_lease 6")).toMatchObject({
    code: 0,
    stdout: `{\n    "success": "mon_lease = '6.000000' "\n}\n`,
  });
  const { stdout } = await ceph("tell mon.a config get mon_lease");
  expect(JSON.parse(stdout)).toEqual({ mon_lease: "6.000000" });
  expect(await ceph("daemon mon.a config set mon_lease 10F")).toMatchObject({
    code: 0,
    stdout:
      "ERROR: (22) Invalid argument\nerror setting 'mon_lease' to '10F': (22) Invalid argument\n",
  });
  expect(await ceph("daemon osd.0 injectargs --osd_max_backfills=xx")).toMatchObject({
    code: 0,
    stdout:
      "ERROR: (22) Invalid argument\nParse error setting osd_max_backfills to 'xx' using injectargs (strict_si_cast: unit prefix not recognized).\n\n",
  });
  const unknown = await ceph("daemon mgr.x nosuch");
  expect(unknown).toMatchObject({ code: 22, stdout: "" });
  expect(unknown.stderr).toContain("admin_socket: invalid command");
  await ceph("daemon mon.a config unset mon_lease");
});

test("config show tells what a daemon was told, and what that hides", async () => {
  await ceph("config set osd.1 debug_asok 33");
  await ceph("tell osd.1 config set debug_asok 99");
  await ceph("daemon mgr.x config set mgr_stats_period 7");
  const row = (text: string, name: string) =>
    text
      .split("\n")
      .find((line) => line.startsWith(name))
      ?.trim()
      .split(/ {2,}/);
  const shown = await until("the OSD's report", 10_000, async () => {
    const found = row((await ceph("config show osd.1")).stdout, "debug_asok");
    return found?.includes("override") === true ? found : undefined;
  });
  expect(shown).toEqual(["debug_asok", "99/99", "override", "mon[33/33]"]);
  expect(row((await ceph("config show mgr.x")).stdout, "mgr_stats_period")).toEqual([
    "mgr_stats_period",
    "7",
    "override",
  ]);
  expect((await ceph("config show mgr.x mgr_stats_period")).stdout).toBe("7\n");
});

test("what the monitor is told holds for it at once", async () => {
  await ceph("osd pool create gone 8");
  await ceph("tell mon.a injectargs -- --mon-allow-pool-delete=false");
  const remove = "osd pool rm gone gone --yes-i-really-really-mean-it";
  expect(await ceph(remove)).toMatchObject({
    code: 1,
    stderr:
      "Error EPERM: pool deletion is disabled; you must first set the mon_allow_pool_delete config option to true before you can destroy a pool\n",
  });
  await ceph("tell mon.a injectargs -- --mon-allow-pool-delete");
  expect((await ceph(remove)).code).toBe(0);
  await ceph("tell mon.a injectargs -- --mon-debug-deprecated-as-obsolete");
  expect(await ceph("osd lspools")).toMatchObject({
    code: 95,
    stderr: "Error ENOTSUP: command is obsolete; please check usage and/or man page\n",
  });
  await ceph("tell mon.a injectargs -- --no-mon-debug-deprecated-as-obsolete");
  expect((await ceph("osd lspools")).code).toBe(0);
});

test("sockets are the owner's alone, replaced after a crash and removed at the end", async () => {
  for (const daemon of DAEMONS) {
    expect((await stat(socketOf(daemon))).mode & 0o777, daemon).toBe(0o600);
  }
  await server.kill();
  expect(existsSync(socketOf("mon.a"))).toBe(true);
  server = await startSpirula({ dir: server.dir, osds: OSDS });
  for (const daemon of DAEMONS) expect((await ceph(`daemon ${daemon} version`)).code).toBe(0);
  // Told values end with the daemon.
  expect((await ceph("config show osd.1 debug_asok")).stdout).toBe("33/33\n");
  expect(await server.stop()).toBe(0);
  expect(DAEMONS.filter((daemon) => existsSync(socketOf(daemon)))).toEqual([]);
  server = await startSpirula({ dir: server.dir, osds: OSDS });
});

test("a data directory too deep for sockets has none, and says so", async () => {
  const dir = join(work.path, "x".repeat(100));
  await mkdir(dir);
  const deep = await startSpirula({ dir });
  try {
    const lines = deep
      .output()
      .split("\n")
      .filter((line) => line.includes("no admin socket"));
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain("too long a path for a socket");
    const env = clientEnv(deep.confPath);
    expect((await sh("ceph tell mon.a version", { env, timeoutMs: 60_000 })).code).toBe(0);
  } finally {
    await deep.stop();
  }
});
