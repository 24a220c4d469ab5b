/**
 * What unmodified tools ask the daemons themselves: a ping, a benchmark of the disk, the log as it grows; and
 * that a tool which asks for an old map is told that there is none.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clientEnv, type RunResult, sh } from "../harness/run.ts";
import { requireBuild, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

let work: TempDir;
let server: SpirulaServer;

const env = () => clientEnv(server.confPath);

function client(command: string, timeoutMs = 60_000): Promise<RunResult> {
  return sh(command, { env: env(), cwd: work.path, timeoutMs });
}

beforeAll(async () => {
  requireBuild();
  work = await tempDir("daemons");
  server = await startSpirula({ dir: join(work.path, "data"), osds: 2 });
});

afterAll(async () => {
  await server?.stop();
  await work?.remove();
});

test("ceph ping tells the monitor's state and the cluster's health", async () => {
  const { code, stdout } = await client("ceph ping mon.a");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    health: { status: "HEALTH_OK" },
    mon_status: { name: "a", state: "leader", monmap: { epoch: 1 } },
  });
});

test("ceph tell osd.N bench measures each OSD and leaves its store as it was", async () => {
  for (const osd of [0, 1]) {
    const { code, stdout } = await client(`ceph tell osd.${osd} bench 4194304 65536 --format json`);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ bytes_written: 4194304, blocksize: 65536 });
  }
  const refused = await client("ceph tell osd.0 bench 1000000000 4096");
  expect(refused).toMatchObject({ code: 22, stdout: "" });
  expect(refused.stderr).toContain("'count' values greater than 12288000");
  expect(await server.stop()).toBe(0);
  const { stdout } = await sh(`${process.execPath} bin/spirula fsck --deep ${server.dir}`);
  expect(stdout).toMatch(/osd\.0: sound; [\s\S]*osd\.1: sound; /);
  server = await startSpirula({ dir: server.dir, osds: 2 });
});

test("who follows the log at the debug level hears of new maps and of how the groups are", async () => {
  const { stdout } = await client(
    // Whenever the follower has come, there will be a new map after that. It does not end with its reader.
    "{ timeout 50 ceph --watch-debug -w & echo $! > follower; wait; } | " +
      "awk '{ print } /osdmap/ { o = 1 } /pgmap/ { p = 1 } o && p { exit }' & " +
      "while kill -0 $! 2>/dev/null; do ceph osd set noout; ceph osd unset noout; done; " +
      "kill $(cat follower); wait",
  );
  expect(stdout).toMatch(/mon\.a \[DBG\] osdmap e\d+: 2 total, 2 up, 2 in/);
  expect(stdout).toMatch(/mgr\.x \[DBG\] pgmap v\d+: \d+ pgs: .* avail/);
});

test("a monitor map of another epoch is not there", async () => {
  expect(await client("ceph mon dump 2")).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining("there is no map for epoch 2"),
  });
});
