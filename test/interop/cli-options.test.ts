/** Options that `spirula rbd` sets for a pool and for an image: the values that the original takes. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ownTools, withTools } from "../harness/own-tools.ts";
import { clientEnv, must, sh } from "../harness/run.ts";
import { requireBuild, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

let work: TempDir;
let server: SpirulaServer;
let ours: (command: string) => string;

beforeAll(async () => {
  requireBuild();
  work = await tempDir("cli-options");
  server = await startSpirula({ dir: join(work.path, "data") });
  ours = withTools(await ownTools(work.path, ["rbd"]));
  await must("rbd create --size 1M image", { env: clientEnv(server.confPath) });
});

afterAll(async () => {
  await server?.stop();
  await work?.remove();
});

test.each([
  "rbd_cache maybe",
  "rbd_cache 1",
  "rbd_qos_iops_limit abc",
  "rbd_qos_iops_limit 1.5",
  "rbd_qos_iops_limit 10",
  "rbd_cache_policy sideways",
  "rbd_cache_size 4M",
])("%s", async (setting) => {
  const options = { env: clientEnv(server.confPath), cwd: work.path, timeoutMs: 60_000 };
  for (const whose of ["pool set rbd", "image set image"]) {
    const command = `rbd config ${whose} ${setting}`;
    const original = await sh(command, options);
    const { code, stderr } = await sh(ours(command), options);
    expect(code, command).toBe(original.code);
    const name = setting.split(" ")[0];
    const refusal = `rbd: failed to set ${name}: (22) Invalid argument\n`;
    expect(stderr, command).toBe(code === 0 ? "" : refusal);
  }
});

test("bench writes through the cache that the options have", async () => {
  const options = { env: clientEnv(server.confPath), cwd: work.path, timeoutMs: 60_000 };
  const writes = async (): Promise<number> =>
    JSON.parse(await must("ceph tell osd.0 perf dump", options)).osd.op_w;
  const during = async (command: string) => {
    const before = await writes();
    await must(command, options);
    return (await writes()) - before;
  };
  // Whose options nobody has set.
  await must("ceph osd pool create plain 8 && rbd create --size 1M plain/image", options);
  const bench =
    "rbd bench --io-type write --io-size 4K --io-total 1M plain/image --rbd_cache_policy writeback";
  for (const command of [bench, ours(bench)]) {
    expect(await during(command), command).toBeLessThan(128);
    expect(await during(`${command} --rbd_cache false`), command).toBeGreaterThanOrEqual(256);
  }
});
