import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfig } from "./read-config.ts";

let dir: string;
let conf: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "read-config-"));
  conf = join(dir, "site.conf");
  await writeFile(conf, `[global]\nkeyring = ${dir}/$cluster.keyring\n`);
});

afterAll(() => rm(dir, { recursive: true, force: true }));

// As a real 16.2.15 opens its keyring, by strace.
test("a file gives the cluster its name if it is named as one that is meant", async () => {
  const keyringOf = async (wanted: Parameters<typeof readConfig>[0]) => {
    const { config, path } = await readConfig(wanted);
    expect(path).toBe(conf);
    return config.get("keyring");
  };
  const site = `${dir}/site.keyring`;
  expect(await keyringOf({ env: {}, conf })).toBe(site);
  expect(await keyringOf({ env: { CEPH_ARGS: `-c ${conf}` } })).toBe(site);
  expect(await keyringOf({ env: { CEPH_CONF: conf } })).toBe(`${dir}/ceph.keyring`);
});
