/**
 * A session held open across renewals: service tickets of ten seconds, so that an unmodified client renews them
 * several times while it works, on links from before and on new ones, and notices nothing.
 */
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clientEnv, must, type RunOptions, run } from "../harness/run.ts";
import { monPort, requireBuild, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const OSDS = 3;
/** Debian's own: librados is bound to no other. */
const PYTHON = "/usr/bin/python3";

let work: TempDir;
let server: SpirulaServer | undefined;

beforeEach(async () => {
  requireBuild();
  work = await tempDir("renewal");
});
afterEach(async () => {
  await server?.kill();
  await work.remove();
});

/** One object on each OSD. */
async function objectPerOsd(client: RunOptions): Promise<string[]> {
  const found = new Map<string, string>();
  for (let i = 0; found.size < OSDS; i++) {
    const said = await must(`ceph osd map rbd object-${i} -f json`, client);
    const { acting_primary: osd } = JSON.parse(said) as { acting_primary: number };
    if (!found.has(`${osd}`)) found.set(`${osd}`, `object-${i}`);
  }
  return [...found.values()];
}

test("a client works on, and on new links, across two rotations of the secrets of its tickets", async () => {
  const dir = join(work.path, "data");
  server = await startSpirula({ dir, osds: OSDS });
  const client = { env: clientEnv(server.confPath), cwd: work.path };
  await must("ceph config set mon auth_service_ticket_ttl 10", client);
  await must("ceph config set mon auth_mon_ticket_ttl 20", client);
  const objects = await objectPerOsd(client);
  const port = await monPort(dir);
  expect(await server.stop()).toBe(0);
  server = await startSpirula({ dir, port });

  const script = resolve("test/interop/renewal.py");
  const args = [script, server.confPath, join(work.path, "log"), ...objects];
  const result = await run(PYTHON, args, { ...client, timeoutMs: 300_000 });
  expect(result.stderr).toBe("");
  expect(result.code).toBe(0);
  const secrets = result.stdout.trim().split(" ");
  expect(new Set(secrets).size).toBeGreaterThanOrEqual(OSDS);
  expect(server.output()).not.toMatch(/error|warn/i);
});

test("a client at work whose key is removed writes nothing more, on one OSD or another", async () => {
  server = await startSpirula({ dir: join(work.path, "data"), osds: OSDS });
  const client = { env: clientEnv(server.confPath), cwd: work.path };
  const caps = "mon 'allow r' osd 'allow rw pool=rbd'";
  await must(`ceph auth get-or-create client.bob ${caps} -o bob.keyring`, client);
  const script = resolve("test/interop/removed-key.py");
  const result = await run(PYTHON, [script, join(work.path, "bob.keyring")], client);
  expect(result.stdout.split("\n")).toEqual(["written", "TimedOut", "TimedOut", ""]);
  for (const object of ["o0", "o1"]) {
    expect(await must(`rados -p rbd get ${object} -`, client)).toBe("before");
  }
});
