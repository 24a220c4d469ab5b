/**
 * Data that `spirula rbd` and `rados` read and write by files, pipes and devices: all of it is there, or the exit
 * code says that it is not, and is the original's.
 */
import { randomBytes } from "node:crypto";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ownTools, withTools } from "../harness/own-tools.ts";
import { clientEnv, must, type RunResult, sh } from "../harness/run.ts";
import { requireBuild, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const MIB = 2 ** 20;
const DATA = randomBytes(3 * MIB + 12_345);

let work: TempDir;
let server: SpirulaServer;
let ours: (command: string) => string;

beforeAll(async () => {
  requireBuild();
  work = await tempDir("cli-data");
  server = await startSpirula({ dir: join(work.path, "data") });
  ours = withTools(await ownTools(work.path, ["rbd", "rados"]));
  await writeFile(join(work.path, "in"), DATA);
  await original("rbd import --no-progress in image && rados -p rbd put object in");
});

afterAll(async () => {
  await server?.stop();
  await work?.remove();
});

function options() {
  return { env: clientEnv(server.confPath), cwd: work.path, timeoutMs: 60_000 };
}
const original = (command: string) => must(command, options());
const tool = (command: string): Promise<RunResult> => sh(ours(command), options());

const EXPORTS = ["rbd export --no-progress image -", "rados -p rbd get object -"];

describe.each([...EXPORTS, "rados -p rbd export -"])("%s", (command) => {
  test("fails when nobody reads it, and when the disk is full, as the original does", async () => {
    for (const end of [" | head -c 1 >taken; exit ${PIPESTATUS[0]}", " >/dev/full"]) {
      const { code } = await sh(command + end, options());
      const { code: own, stderr } = await tool(command + end);
      expect(code).not.toBe(0);
      expect(own, end).toBe(code);
      expect(stderr).toMatch(/\((?:32|28)\) (?:Broken pipe|No space left on device)\n$/);
    }
  });

  test("fails when a part of it is all that the disk takes", async () => {
    const { code, stderr } = await tool(`ulimit -f 1000; ${command} >part`);
    expect(code).not.toBe(0);
    expect(stderr).toContain("(27) File too large\n");
  });
});

test("a command goes on where nobody reads how far it is, and help ends quietly", async () => {
  expect(await tool("rbd import in told 2> >(true)")).toMatchObject({ code: 0 });
  await original("rbd export --no-progress told - | cmp - in");
  const help = await tool("rbd help | true; echo ${PIPESTATUS[0]}");
  expect(help).toMatchObject({ stdout: "0\n", stderr: "" });
});

test("what is not UTF-8 is neither a name nor a value, rather than another one", async () => {
  for (const words of ["put $'o\\xff' in", "setomapval object key $'v\\xff'"]) {
    expect(await tool(`rados -p rbd ${words}`)).toMatchObject({ code: 1, stdout: "" });
  }
  expect((await original("rados -p rbd ls")).split("\n")).not.toContain("o\ufffd");
  expect(await original("rados -p rbd listomapkeys object")).toBe("");
  const { code } = await tool("rados -p rbd put $'o\\xef\\xbf\\xbd' in");
  expect(code, "that character itself").toBe(0);
  await original("rados -p rbd rm $'o\\xef\\xbf\\xbd'");
});

test("standard input that is not asked for is left to those who share it", async () => {
  const slowly = "head -c 10 in; sleep 1; tail -c +11 in | head -c 10; sleep 1; tail -c +21 in";
  const { code, stderr } = await tool(`(${slowly}) | cmp - <(rbd export --no-progress image -)`);
  expect([code, stderr]).toEqual([0, ""]);
});

test("a block device is written to and read as a file is", async () => {
  const device = (await must("truncate -s 4M disk && losetup -f --show disk", options())).trim();
  try {
    for (const command of EXPORTS) {
      await must(`head -c 4M /dev/zero >${device}`, options());
      expect(await tool(`${command} >${device}`)).toMatchObject({ code: 0 });
      await must(`cmp -n ${DATA.length} ${device} in`, options());
    }
    for (const from of [device, `- <${device}`]) {
      const [path, ...rest] = from.split(" ");
      const made = await tool(`rbd import --no-progress ${path} copy ${rest.join(" ")}`);
      expect(made, from).toMatchObject({ code: 0 });
      await original(
        `rbd export --no-progress copy - | cmp - ${device}; rbd rm --no-progress copy`,
      );
    }
    expect(await tool(`rados -p rbd put copy - <${device}`)).toMatchObject({ code: 0 });
    await original(`rados -p rbd get copy - | cmp - ${device}`);
  } finally {
    await must(`losetup -d ${device}`);
  }
});

test("an import takes what the file was when it began, and of a pipe all", async () => {
  const grown = join(work.path, "grown");
  await writeFile(grown, DATA);
  // The first block cannot be written before the file has grown.
  const importing = tool("rbd import --no-progress grown grown");
  const growing = (async () => {
    for (let i = 0; i < 200; i++) await appendFile(grown, Buffer.alloc(64 * 1024, i));
  })();
  expect(await importing).toMatchObject({ code: 0, stderr: "" });
  await growing;
  const made = await must("rbd export --no-progress grown out && stat -c %s out", options());
  const size = Number(made);
  expect(size).toBeLessThanOrEqual((await readFile(grown)).length);
  await must(`cmp -n ${size} out grown`, options());
  expect(await tool("rbd import --no-progress <(cat in) piped")).toMatchObject({ code: 0 });
  await original("rbd export --no-progress piped - | cmp - in");
});

test("an image of which the file has not all leaves nothing behind", async () => {
  await original("rbd snap create --no-progress image@s && rbd snap protect image@s");
  await original("rbd export --no-progress --export-format 2 image whole && head -c -1 whole >cut");
  const { code, stderr } = await tool("rbd import --no-progress --export-format 2 cut cut");
  expect([code, stderr.split("\n").at(-2)]).toEqual([
    33,
    "rbd: import failed: (33) Numerical argument out of domain",
  ]);
  expect(await original("rbd ls | grep -c cut || true")).toBe("0\n");
});

test.each([
  ["99999999999999999999", /\(27\) File too large\nerror 27: \(27\) File too large\n$/],
  ["+", /^Invalid value for size: '\+'\n$/],
])("an object is not cut at %s", async (size, words) => {
  const result = await tool(`rados -p rbd truncate object ${size}`);
  expect(result).toMatchObject({ code: 1, stderr: expect.stringMatching(words) });
});

test("requests of no size are of the usual one", async () => {
  expect(await tool("timeout 20 rados -p rbd -b 0 put zero in")).toMatchObject({ code: 0 });
  expect(await tool("timeout 20 rados -p rbd -b 0 get zero got")).toMatchObject({ code: 0 });
  await must("cmp got in", options());
});
