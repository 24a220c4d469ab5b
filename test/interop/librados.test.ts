/**
 * The client in pure TypeScript (`spirula/rados`) beside Ceph's own tools on one cluster: what one writes the
 * other reads. With SPIRULA_TARGET=ceph on a real cluster.
 */
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type * as librados from "../../src/librados/index.ts";
import { loadPackage } from "../harness/package.ts";
import { clientEnv, must, run } from "../harness/run.ts";
import { clientsOfRelease, startTarget, type Target } from "../harness/target.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const POOL = "text";

let api: typeof librados;
let work: TempDir;
let target: Target;
/** Runs a command line of the original tools. */
let tool: (command: string) => Promise<string>;

beforeAll(async () => {
  api = await loadPackage<typeof librados>("rados");
  work = await tempDir("librados");
  target = await startTarget(work.path);
  const inside = await clientsOfRelease(work.path);
  const at = { env: clientEnv(target.confPath), cwd: work.path, timeoutMs: 60_000 };
  tool = (command) => must(inside(command), at);
  await tool(`ceph osd pool create ${POOL} 8 && rados lspools | grep -x ${POOL}`);
});

afterAll(async () => {
  await target?.stop();
  await work?.remove();
});

const here = () => api.connect({ conf: target.confPath, env: {} });

async function gather<T, R>(items: AsyncIterable<T>, pick: (item: T) => R): Promise<R[]> {
  const all: R[] = [];
  for await (const item of items) all.push(pick(item));
  return all;
}

test("one who connects by a ceph.conf, by options alone and by CEPH_ARGS is who it says", async () => {
  const env = { CEPH_CONF: target.confPath };
  await tool(
    "ceph auth get-or-create client.me mon 'profile rbd' osd 'profile rbd' -o ceph.client.me.keyring",
  );
  const key = (await tool("ceph auth print-key client.me")).trim();
  const monHost = /mon[ _]host *= *(.*)/.exec(await readFile(target.confPath, "utf8"))?.[1] ?? "";
  const keyring = join(work.path, "$cluster.$name.keyring");
  const ways: librados.ConnectOptions[] = [
    { env, cluster: "ceph", name: "client.me", options: { keyring } },
    { conf: false, env: {}, name: "client.me", options: { mon_host: monHost, key } },
    { env: { ...env, CEPH_ARGS: `--id me --key ${key}` } },
  ];
  for (const way of ways) {
    await using cluster = await api.connect(way);
    expect(cluster.name).toBe("client.me");
    expect((await cluster.pools()).map(({ name }) => name)).toContain(POOL);
  }
});

test("one who cannot connect is told why", async () => {
  const dir = dirname(target.confPath);
  const refused = (options: librados.ConnectOptions) =>
    api.connect({ conf: target.confPath, env: {}, ...options }).then(
      () => "connected",
      (error: Error) => error,
    );
  await expect(refused({ conf: join(dir, "none.conf") })).resolves.toMatchObject({
    name: "ConfigError",
    message: expect.stringContaining("unable to open config file from search list"),
  });
  await expect(refused({ name: "client.nobody" })).resolves.toMatchObject({ code: "ENOENT" });
  const wrong = { key: "AQC6wgNrPFP1JBAA/ABmhbTzJZLdbD4gorhDCQ==" };
  await expect(refused({ options: wrong })).resolves.toMatchObject({ code: "EACCES" });
  await expect(refused({ name: "admin" })).resolves.toMatchObject({ name: "ConfigError" });
});

test("what it writes rados reads, and the other way round", async () => {
  await using cluster = await here();
  const io = await cluster.openPool(POOL);
  const { append, create, exec, getXattr, getXattrs, omapGetByKeys, omapGetHeader } = api;
  const { mayFail, omapRemove, omapSet, omapSetHeader, read, setXattr, stat, truncate } = api;
  const data = Buffer.alloc(5_000_000, "spirula ");
  await io.writeObject("big object ü", data);
  await tool("rados -p text get 'big object ü' got");
  expect((await readFile(join(work.path, "got"))).equals(data)).toBe(true);
  expect((await io.readObject("big object ü")).equals(data)).toBe(true);

  const version = await io.write("x", [
    create({ exclusive: true }),
    append("hello"),
    setXattr("color", "blue"),
    omapSet([
      ["a", "1"],
      ["ä", "2"],
      ["b", "3"],
    ]),
    omapRemove(["b"]),
    omapSetHeader("head"),
  ]);
  expect(version).toBeGreaterThan(0);
  expect(await tool("rados -p text get x - ; rados -p text getxattr x color")).toContain(
    "helloblue",
  );
  expect(await tool("rados -p text listomapkeys x")).toBe("a\nä\n");
  await tool("rados -p text setxattr x shape round && rados -p text setomapval x c 4");

  const [info, start, attrs, shape, none, header, some] = await io.read("x", [
    stat(),
    read(1, 3),
    getXattrs(),
    getXattr("shape"),
    mayFail(exec("hello", "say_hello", "x")),
    omapGetHeader(),
    omapGetByKeys(["c", "nothing"]),
  ]);
  expect(info.size).toBe(5);
  expect(Math.abs(info.mtimeMs - Date.now())).toBeLessThan(600_000);
  expect([start, shape, header].map(String)).toEqual(["ell", "round", "head"]);
  expect([...attrs.keys()].toSorted()).toEqual(["color", "shape"]);
  expect(String(none)).toBe("Hello, x!");
  expect(some).toEqual(new Map([["c", Buffer.from("4")]]));
  expect(await gather(io.omap("x"), ([key]) => key)).toEqual(["a", "c", "ä"]);

  // All or nothing: the second step cannot be, so the first has not been.
  await expect(io.write("x", [truncate(0), create({ exclusive: true })])).rejects.toMatchObject({
    code: "EEXIST",
    errno: -17,
  });
  expect((await io.stat("x")).size).toBe(5);

  await writeFile(join(work.path, "in"), "from rados");
  await tool("rados -p text put y in && rados -p text -N space put z in");
  expect(String(await io.readObject("y"))).toBe("from rados");
  expect(String(await io.inNamespace("space").readObject("z"))).toBe("from rados");
  const names = await gather(io.objects(), ({ oid }) => oid);
  expect(names.toSorted()).toEqual(["big object ü", "x", "y"]);
  await io.removeObject("x");
  await expect(io.stat("x")).rejects.toMatchObject({ code: "ENOENT" });
});

test("one who notifies has the answers of all who watch", async () => {
  await using one = await here();
  await using two = await here();
  const io = await one.openPool(POOL);
  await io.writeObject("bell", "");
  const heard: string[] = [];
  const watch = await io.watch("bell", ({ payload }) => {
    heard.push(String(payload));
    return "yes";
  });
  const other = await two.openPool(POOL);
  const said = await tool("rados -p text listwatchers bell");
  expect(said).toContain(`client.${one.instanceId} cookie=${watch.cookie}`);
  expect(await other.listWatchers("bell")).toMatchObject([{ gid: one.instanceId }]);
  const { acks, timeouts } = await other.notify("bell", "anybody?");
  expect(heard).toEqual(["anybody?"]);
  expect(acks.map(({ gid, payload }) => [gid, String(payload)])).toEqual([[one.instanceId, "yes"]]);
  expect(timeouts).toEqual([]);
  await watch.close();
  expect((await other.notify("bell", "still?")).acks).toEqual([]);
});

test("a monitor's command says what it says to ceph, and a failure is an error with its reason", async () => {
  await using cluster = await here();
  const { data } = await cluster.monCommand({ prefix: "osd pool ls", format: "json" });
  expect(JSON.parse(String(data))).toEqual(JSON.parse(await tool("ceph osd pool ls -f json")));
  await expect(
    cluster.monCommand({ prefix: "osd pool get", pool: "none", var: "size" }),
  ).rejects.toMatchObject({
    code: "ENOENT",
    cause: expect.objectContaining({ message: "unrecognized pool 'none'" }),
  });
});

test("a program that waits for a server that is away neither ends nor waits for ever", async () => {
  const script = `
    import { connect } from "spirula/rados";
    const options = { mon_host: "v2:127.0.0.1:1", auth_client_required: "none", client_mount_timeout: 2 };
    await connect({ conf: false, env: {}, options }).catch((error) => console.log(error.code));
  `;
  const args = ["--input-type=module", "-e", script];
  // In the package's own folder its name is known.
  const done = await run(process.execPath, args, { timeoutMs: 30_000 });
  expect(done).toMatchObject({ code: 0, stdout: "ETIMEDOUT\n", stderr: "" });
  expect(done.durationMs).toBeGreaterThan(2000);
});
