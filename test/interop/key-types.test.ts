/**
 * Unmodified clients with keys of either type, in either mode. `aes256k` is known to Ceph 20.2 and later: older
 * clients have to be turned away before they do harm. SPIRULA_CLIENTS says whose clients (test/harness/target.ts).
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientEnv, must, type RunResult, sh } from "../harness/run.ts";
import { clientsOfRelease, startTarget, type Target } from "../harness/target.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const CAPS = "mon 'profile rbd' osd 'profile rbd' mgr 'profile rbd'";
/** The first release whose clients know aes256k. */
const KNOWN_SINCE = 20;

let work: TempDir;
let target: Target;
let inside: (command: string) => string;
let release: number;

beforeAll(async () => {
  work = await tempDir("key-types");
  inside = await clientsOfRelease(work.path);
  target = await startTarget(work.path);
  release = Number(/version (\d+)\./.exec(await must(inside("ceph --version")))?.[1]);
  expect(release).toBeGreaterThan(0);
});

afterAll(async () => {
  await target?.stop();
  await work?.remove();
});

/** A user with a new key, and a shell of theirs that insists on a mode. */
async function user(name: string, keyType: string, mode: string) {
  const at = { env: clientEnv(target.confPath), cwd: work.path };
  const keyring = join(work.path, `${name}.keyring`);
  const text = await must(
    `ceph auth get-or-create client.${name} ${CAPS} --key-type ${keyType}`,
    at,
  );
  await writeFile(keyring, text, { mode: 0o600 });
  const conf = join(work.path, `${name}.conf`);
  const monHost = (await must(`ceph-conf -c ${target.confPath} --lookup 'mon host'`)).trim();
  await writeFile(
    conf,
    `[global]\nmon host = ${monHost}\nkeyring = ${keyring}\nms mon client mode = ${mode}\nms client mode = ${mode}\n`,
  );
  const env = { ...clientEnv(conf), CEPH_ARGS: `--name client.${name}` };
  return (command: string): Promise<RunResult> =>
    sh(inside(command), { env, cwd: work.path, timeoutMs: 60_000 });
}

describe.each(["crc", "secure"])("in the mode %s", (mode) => {
  test("a key of type aes opens sessions with the monitor, the manager and the OSD", async () => {
    await works(await user(`aes-${mode}`, "aes", mode), `aes-${mode}`);
  });

  test("a key of type aes256k does so for clients that know it, and for no others", async () => {
    const run = await user(`new-${mode}`, "aes256k", mode);
    if (release >= KNOWN_SINCE) return works(run, `new-${mode}`);
    const { code, stdout, stderr } = await run("rbd ls rbd");
    expect([code, stdout]).toEqual([expect.any(Number), ""]);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain("couldn't connect to the cluster");
  });
});

async function works(run: (command: string) => Promise<RunResult>, image: string): Promise<void> {
  for (const command of [
    `rbd create --size 8M rbd/${image}`,
    `rbd bench --io-type write --io-size 64K --io-total 1M rbd/${image}`,
    `rbd export --no-progress rbd/${image} - | wc -c`,
    // The manager has to let them in, too.
    `rbd task add remove rbd/${image}`,
  ]) {
    // A task is what `ceph` asks for.
    const shown = command.startsWith("rbd task") ? `ceph ${command}` : command;
    const result = await run(shown);
    expect(result, `${shown}: ${result.stderr}\n${target.output()}`).toMatchObject({ code: 0 });
    if (shown.endsWith("wc -c")) expect(result.stdout.trim()).toBe(`${8 << 20}`);
  }
}
