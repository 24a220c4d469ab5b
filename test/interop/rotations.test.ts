/**
 * What unmodified clients notice of secrets and keys that are replaced under them: of the secrets of their tickets
 * nothing; of their own key nothing while they stay, and then the door.
 *
 * The clock is not moved. Tickets of a few seconds, by the options that a real cluster has too, bring the rotations
 * of hours within a minute; what moves with the clock alone is in src/auth/cephx/.
 */
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clientEnv, must, run } from "../harness/run.ts";
import { monPort, requireBuild, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

/** Debian's own: librados is bound to no other. */
const PYTHON = "/usr/bin/python3";
const ROTATIONS = 5;

let work: TempDir;
let server: SpirulaServer | undefined;

beforeEach(async () => {
  requireBuild();
  work = await tempDir("rotations");
});
afterEach(async () => {
  await server?.kill();
  await work.remove();
});

test.each(["crc", "secure"])(
  "a client with an open image works on across five rotations, over links that break, in mode %s",
  async (mode) => {
    const dir = join(work.path, "data");
    server = await startSpirula({ dir });
    const client = { env: clientEnv(server.confPath), cwd: work.path };
    await must("ceph config set mon auth_service_ticket_ttl 8", client);
    await must("ceph config set mon auth_mon_ticket_ttl 16", client);
    const port = await monPort(dir);
    // Secrets of before are of an hour; lowered, they hold from the next start.
    expect(await server.stop()).toBe(0);
    server = await startSpirula({ dir, port });

    const script = resolve("test/interop/rotations.py");
    const args = [script, server.confPath, join(work.path, "log"), mode, String(ROTATIONS)];
    const result = await run(PYTHON, args, { ...client, timeoutMs: 300_000 });
    expect(result.stderr).toBe("");
    expect(result.code).toBe(0);
    const did = JSON.parse(result.stdout) as Record<string, number> & { modes: string[] };
    expect(did["secrets"]).toBeGreaterThan(ROTATIONS);
    expect(did["sessions"]).toBeGreaterThan(ROTATIONS);
    expect(did.modes).toEqual([mode]);
    expect(server.output()).not.toMatch(/error|warn/i);
    expect(await server.stop()).toBe(0);
  },
);

test("a client whose key is rotated stays in, on old links and new ones; its old key opens nothing", async () => {
  server = await startSpirula({ dir: join(work.path, "data"), osds: 3 });
  const client = { env: clientEnv(server.confPath), cwd: work.path };
  const caps = "mon 'allow r' osd 'allow rw pool=rbd'";
  await must(`ceph auth get-or-create client.bob ${caps} -o bob.keyring`, client);
  const script = resolve("test/interop/rotated-key.py");
  const result = await run(PYTHON, [script, join(work.path, "bob.keyring")], client);
  expect(result.stdout.split("\n")).toEqual([
    "before, works",
    ...Array.from({ length: 6 }, () => "held, works"),
    "held, asking the monitor, works",
    "the old key, PermissionDeniedError",
    "the new key, works",
    "held, works",
    "",
  ]);
  // Neither key is in what the server prints, nor in what it keeps of what was asked of it.
  const keyrings = await must("cat bob.keyring bob.keyring.new", client);
  const keys = [...keyrings.matchAll(/key = (\S+)/g)].map(([, key = ""]) => key);
  expect(keys).toHaveLength(2);
  const kept = await must(
    "ceph log last 1000 debug '*'; ceph config dump; ceph config-key ls",
    client,
  );
  expect(kept).toContain('"auth rotate"');
  for (const key of keys) expect(server.output() + kept).not.toContain(key);
});

test("who wants stronger keys is told what is left to do by the ceph of 16.2, and the manager is rotated under way", async () => {
  server = await startSpirula({ dir: join(work.path, "data") });
  const client = { env: clientEnv(server.confPath), cwd: work.path };
  expect(await must("ceph health", client)).toBe("HEALTH_OK\n");
  await must("ceph mon set auth_preferred_cipher aes256k", client);
  const detail = await must("ceph health detail", client);
  expect(detail).toContain("    entity client.admin using insecure key type: aes\n");
  expect(detail).toContain("[ERR] AUTH_INSECURE_SERVICE_KEY_TYPE: ");
  for (const daemon of ["mon.", "mgr.x"]) await must(`ceph auth rotate ${daemon}`, client);
  expect(await must("ceph health detail", client)).not.toContain("SERVICE_KEY_TYPE");
  // The manager has not noticed.
  await must("ceph pg stat", client);
  const { code, stderr } = await run(
    "ceph",
    ["mon", "set", "auth_allowed_ciphers", "aes256k"],
    client,
  );
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining("client.admin has a key of type aes"),
  ]);
  for (const check of ["CLIENT_KEY_TYPE", "KEYS_ALLOWED", "KEYS_CREATABLE"]) {
    await must(`ceph health mute AUTH_INSECURE_${check}`, client);
  }
  expect(await must("ceph health", client)).toMatch(/^HEALTH_OK \(muted: /);
});
