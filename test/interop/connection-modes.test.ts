/**
 * Unmodified clients that insist on a connection mode, or prefer one, against a cluster that takes both and one
 * that requires the secure mode: whether they get in, in which mode they speak to whom, and what they say if not.
 *
 * With SPIRULA_TARGET=ceph the same table is held against a real cluster, which is where it comes from (16.2.15).
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientEnv, must, type RunResult, sh, until } from "../harness/run.ts";
import { clientsOfRelease, startTarget, type Target } from "../harness/target.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

/** ms_mon_client_mode (monitors and managers) and ms_client_mode (OSDs) of a client; undefined: left alone. */
interface Wishes {
  readonly mon?: string;
  readonly osd?: string;
}

type Modes = Readonly<Record<string, string>>;

let work: TempDir;
let target: Target;
let inside: (command: string) => string;
let turn = 0;

/** A client that is told this in its ceph.conf. */
async function client({ mon, osd }: Wishes) {
  const conf = join(work.path, "client.conf");
  const lines = [
    `mon host = ${await monHost()}`,
    `keyring = ${join(work.path, "data", "ceph.client.admin.keyring")}`,
    ...(mon === undefined ? [] : [`ms mon client mode = ${mon}`]),
    ...(osd === undefined ? [] : [`ms client mode = ${osd}`]),
  ];
  await writeFile(conf, `[global]\n${lines.join("\n")}\n`);
  const env = clientEnv(conf);
  return (command: string): Promise<RunResult> =>
    sh(inside(command), { env, cwd: work.path, timeoutMs: 60_000 });
}

async function monHost(): Promise<string> {
  const said = await must(`ceph-conf -c ${target.confPath} --lookup 'mon host'`);
  return said.trim();
}

/** The mode of each session that a client's log tells of: { mon: "secure", osd: "crc" }. */
function modesOf(log: string): Modes {
  const found = new Map<string, Set<string>>();
  for (const [, mode = "", who = ""] of log.matchAll(
    /conn\(\S+ \S+ (\w+) \S+ s=READY .*\.ready entity=(mon|mgr|osd)\./g,
  )) {
    found.set(who, (found.get(who) ?? new Set()).add(mode));
  }
  return Object.fromEntries([...found].map(([who, modes]) => [who, [...modes].join(" and ")]));
}

function begin(requireSecure: boolean): void {
  beforeAll(async () => {
    work = await tempDir("modes");
    inside = await clientsOfRelease(work.path);
    target = await startTarget(work.path, { osds: 2, requireSecure });
    await writeFile(join(work.path, "text"), "some text\n");
  });
  afterAll(async () => {
    await target?.stop();
    await work?.remove();
  });
}

/** Everything works, in these modes. */
async function works(wishes: Wishes, expected: Modes): Promise<void> {
  const run = await client(wishes);
  const image = `image-${turn++}`;
  const said: RunResult[] = [];
  for (const command of [
    "ceph -s",
    "ceph osd perf --debug-ms=1",
    `rbd create --size 8M rbd/${image}`,
    "rados -p rbd put object text --debug-ms=1",
    "rados -p rbd get object -",
  ]) {
    const result = await run(command);
    expect(result, `${command}\n${target.output()}`).toMatchObject({ code: 0, timedOut: false });
    said.push(result);
  }
  expect(said[0]?.stdout).toContain("HEALTH_OK");
  expect(said[4]?.stdout).toBe("some text\n");
  expect({ ...modesOf(said[1]?.stderr ?? ""), ...modesOf(said[3]?.stderr ?? "") }).toEqual(
    expected,
  );
  // The manager is a client, too: it opens the image and removes its objects.
  await must(`ceph rbd task add remove rbd/${image}`, { env: clientEnv(target.confPath) });
  await until("removal by the manager", 30_000, async () =>
    (await run("rbd ls rbd")).stdout.includes(image) ? undefined : true,
  );
}

const BOTH = { mon: "crc secure", osd: "crc secure" };
const BOTH_SECURE_FIRST = { mon: "secure crc", osd: "secure crc" };
const CRC = { mon: "crc", osd: "crc" };
const SECURE = { mon: "secure", osd: "secure" };

describe("a cluster that takes both modes", () => {
  begin(false);
  test.each<[Wishes, Modes]>([
    [{}, { mon: "secure", mgr: "secure", osd: "crc" }],
    [CRC, { mon: "crc", mgr: "crc", osd: "crc" }],
    [SECURE, { mon: "secure", mgr: "secure", osd: "secure" }],
    [BOTH, { mon: "crc", mgr: "crc", osd: "crc" }],
    [BOTH_SECURE_FIRST, { mon: "secure", mgr: "secure", osd: "secure" }],
  ])("serves a client with the wishes %j", works);
});

describe("a cluster that requires secure", () => {
  begin(true);
  const all = { mon: "secure", mgr: "secure", osd: "secure" };
  test.each<[Wishes, Modes]>([
    [{}, all],
    [SECURE, all],
    [BOTH, all],
    [BOTH_SECURE_FIRST, all],
    [{ mon: "secure" }, all],
    [{ osd: "secure" }, all],
  ])("serves a client with the wishes %j, and encrypts all of it", works);

  test("a client that takes crc alone is not let in by the monitor, and says so", async () => {
    const run = await client(CRC);
    const refused =
      /handle_auth_bad_method server allowed_methods \[2\] (but i only|and I) support \[2/;
    for (const [command, code, last] of [
      ["ceph -s", 13, "[errno 13] RADOS permission denied (error connecting to the cluster)"],
      ["rbd create --size 8M rbd/never", 13, "rbd: couldn't connect to the cluster!"],
      ["rados -p rbd put object text", 1, "failed to fetch mon config (--no-mon-config to skip)"],
      ["rados -p rbd get object -", 1, "failed to fetch mon config (--no-mon-config to skip)"],
    ] as const) {
      const result = await run(command);
      expect(result, command).toMatchObject({ code, stdout: "" });
      // The tool in Python is sometimes gone before its library has written that.
      if (!command.startsWith("ceph")) expect(result.stderr).toMatch(refused);
      expect(result.stderr).toContain(last);
    }
  });

  test("one that takes crc alone from OSDs gets no further than the monitor and the manager", async () => {
    const run = await client({ osd: "crc" });
    const asked = await run("ceph osd perf --debug-ms=1");
    expect(asked.code).toBe(0);
    expect(modesOf(asked.stderr)).toEqual({ mon: "secure", mgr: "secure" });
    // It tries again and again, as long as it is given.
    const put = await run(
      "rados -p rbd put object text --rados-osd-op-timeout=3 --debug-ms=1 --debug-monc=10",
    );
    expect(put.code).toBe(1);
    expect(put.stderr).toContain("error putting rbd/object: (110) Connection timed out");
    const answer =
      "handle_auth_bad_method method=2 result (95) Operation not supported, allowed methods=[2], allowed modes=[2]";
    expect(put.stderr.split(answer).length).toBeGreaterThan(2);
    expect(modesOf(put.stderr)).not.toHaveProperty("osd");
  });
});
