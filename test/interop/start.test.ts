/**
 * Starting and stopping: what stands in the way is said in one clear line, the exit code is 1, and nothing
 * is touched; a stop by SIGTERM is clean; a later start comes back with everything.
 */

import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import nodeModule from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clientEnv, must, type RunResult, run, sh } from "../harness/run.ts";
import {
  monPort,
  requireBuild,
  SPIRULA,
  type SpirulaServer,
  startSpirula,
} from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

let work: TempDir;
let data: string;
const running: SpirulaServer[] = [];

beforeEach(async () => {
  requireBuild();
  work = await tempDir("start");
  data = join(work.path, "data");
});

afterEach(async () => {
  for (const server of running.splice(0)) await server.kill();
  await work.remove();
});

async function start(port = 0): Promise<SpirulaServer> {
  const server = await startSpirula({ dir: data, port });
  running.push(server);
  return server;
}

function tryStart(dir: string, port = 0): Promise<RunResult> {
  const args = [SPIRULA, "start", "--data", dir, "--port", String(port)];
  return run(process.execPath, args, { timeoutMs: 20_000 });
}

/** Names, sizes and contents' digest of everything below a directory. */
function fingerprint(dir: string): Promise<string> {
  return must(
    `cd ${dir} && find . -type f -printf '%p %s %T@ %m\\n' | sort && find . -type f -size -65536k | sort | xargs -r cat | cksum`,
  );
}

function expectOneLine(result: RunResult, pattern: RegExp): void {
  expect(result.timedOut).toBe(false);
  expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(result.stderr).toMatch(pattern);
  expect(result.stdout).toBe("");
  expect(result.code).toBe(1);
}

describe("a start that cannot be says so in one line and touches nothing", () => {
  test("a directory in use", async () => {
    const first = await start();
    const before = await readFile(first.confPath, "utf8");
    expectOneLine(await tryStart(data), /in use|already/i);
    expect(await readFile(first.confPath, "utf8")).toBe(before);
    const env = clientEnv(first.confPath);
    expect(await must("ceph health", { env })).toMatch(/^HEALTH_OK/);
  });

  test("a port in use", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const address = holder.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      expectOneLine(await tryStart(data, port), new RegExp(`\\b${port}\\b`));
      await expect(stat(join(data, "ceph.conf"))).rejects.toThrow("ENOENT");
    } finally {
      holder.close();
    }
  });

  test("a file where the directory should be", async () => {
    await writeFile(data, "precious");
    expectOneLine(await tryStart(data), new RegExp(data));
    expect(await readFile(data, "utf8")).toBe("precious");
  });

  test("a directory that may not be written", async () => {
    await mkdir(data);
    await chmod(data, 0o555);
    // Root may write anywhere, so as root the try is made without root's capabilities. (Another user
    // may not be able to read the checkout.)
    const words = [process.execPath, SPIRULA, "start", "--data", data, "--port", "0"];
    const result =
      process.getuid?.() === 0
        ? await run("setpriv", ["--inh-caps=-all", "--bounding-set=-all", ...words])
        : await run(words[0] ?? "", words.slice(1));
    expectOneLine(result, new RegExp(data));
  });

  test("a directory of a newer version", async () => {
    const first = await start();
    expect(await first.stop()).toBe(0);
    const file = join(data, "spirula.json");
    const meta = JSON.parse(await readFile(file, "utf8")) as { version: number };
    await writeFile(file, JSON.stringify({ ...meta, version: meta.version + 1 }));
    const before = await fingerprint(data);
    expectOneLine(await tryStart(data), /newer/i);
    expect(await fingerprint(data)).toBe(before);
  });
});

test("a server goes on where nobody hears what it says", async () => {
  await must(`mkfifo ${work.path}/pipe`);
  for (const [name, words, end] of [
    ["full", "2>/dev/full", ""],
    ["gone", `2>${work.path}/pipe`, `: <${work.path}/pipe`],
  ] as const) {
    const dir = join(work.path, name);
    const said = join(work.path, `${name}.said`);
    // A link that breaks the rules of the protocol is warned of.
    const script = `
'${process.execPath}' '${SPIRULA}' start --data ${dir} --port 0 >${said} ${words} & server=$!
${end}
while ! grep -q CEPH_CONF ${said}; do kill -0 $server || exit 1; sleep 0.1; done
port=$(grep -o '127.0.0.1:[0-9]*' ${said} | cut -d: -f2)
for i in 1 2 3; do (head -c 4096 /dev/zero >/dev/tcp/127.0.0.1/$port; sleep 0.2); done
timeout 20 ceph -c ${dir}/ceph.conf health
kill $server; wait $server`;
    const result = await sh(script, { cwd: work.path, timeoutMs: 60_000 });
    expect(result, name).toMatchObject({ code: 0, stdout: "HEALTH_OK\n" });
  }
});

describe("stop and start again", () => {
  test("a directory of an older version is brought up to date, and an older program shut out", async () => {
    expect(await (await start()).stop()).toBe(0);
    const file = join(data, "spirula.json");
    const meta = JSON.parse(await readFile(file, "utf8")) as { version: number };
    await writeFile(file, JSON.stringify({ ...meta, version: 1 }));
    const second = await start();
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual(meta);
    await must("rbd create --size 64M disk", { env: clientEnv(second.confPath), cwd: work.path });
    expect(await second.stop()).toBe(0);
  });

  test("SIGTERM ends it with 0 and a later start has everything, on the same port", async () => {
    const first = await start();
    const env = clientEnv(first.confPath);
    const at = { env, cwd: work.path };
    await must("ceph osd pool create vms && rbd pool init vms", at);
    await must("rbd create --size 64M vms/disk && rbd snap create --no-progress vms/disk@s", at);
    await must("qemu-io -f raw -c 'write -P 0x5a 1M 1M' rbd:vms/disk", at);
    await must("ceph auth get-or-create client.glance mon 'profile rbd' -o glance.before", at);
    const fsid = await must("ceph fsid", at);
    const conf = await readFile(first.confPath, "utf8");
    const port = await monPort(data);
    expect(await first.stop()).toBe(0);
    const second = await start(port);
    expect(await readFile(second.confPath, "utf8")).toBe(conf);
    expect(await must("ceph fsid", at)).toBe(fsid);
    expect(await must("ceph osd pool ls", at)).toBe("rbd\nvms\n");
    expect(await must("rbd snap ls vms/disk", at)).toMatch(/ s +64 MiB/);
    await must("qemu-io -f raw -c 'read -P 0x5a 1M 1M' -c 'read -P 0 0 1M' rbd:vms/disk", at);
    await must("ceph auth get-or-create client.glance mon 'profile rbd' | cmp - glance.before", at);
    expect(await second.stop()).toBe(0);
  });

  test("SIGTERM while a client writes is still a clean stop, and nothing acknowledged is lost", async () => {
    const first = await start();
    const at = { env: clientEnv(first.confPath), cwd: work.path };
    const port = await monPort(data);
    await must("rbd create --size 256M disk", at);
    const bench = run(
      "rbd",
      [
        "bench",
        "--io-type",
        "write",
        "--io-total",
        "64M",
        "--io-size",
        "64K",
        "--rbd-cache=false",
        "disk",
      ],
      { ...at, timeoutMs: 120_000 },
    );
    await must("sleep 1", at);
    expect(await first.stop()).toBe(0);
    await start(port);
    const result = await bench;
    expect(result.code, result.stderr).toBe(0);
  });

  test("the admin's keyring is for its owner only", async () => {
    await start();
    const mode = (await stat(join(data, "ceph.client.admin.keyring"))).mode & 0o777;
    expect(mode).toBe(0o600);
  });
});

test("what Node has compiled is kept among the user's caches, if it can be, and no home is made for it", async () => {
  const start = async (home: string) => {
    const env = { ...clientEnv(), HOME: home };
    const { code, stdout } = await run(process.execPath, [SPIRULA, "--version"], { env });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^spirula \d/)]);
  };
  const home = join(work.path, "home");
  await mkdir(home);
  await start(home);
  // Node 22.1
  expect(existsSync(join(home, ".cache", "spirula"))).toBe("enableCompileCache" in nodeModule);
  await start(join(work.path, "gone"));
  expect(existsSync(join(work.path, "gone"))).toBe(false);
});
