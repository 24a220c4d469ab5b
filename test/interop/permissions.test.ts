/**
 * Who may do what: clients of every kind of capability try a fixed list of requests on our server, by the unmodified
 * library, and every outcome must be what a real cluster's was (test/vectors/permissions).
 */
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clientEnv, run } from "../harness/run.ts";
import { requireBuild, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";
import { type Cell, cellsOf, RECORDED, readRecording } from "../vectors/permissions/recording.ts";

/** Debian's own: librados is bound to no other. */
const PYTHON = "/usr/bin/python3";

/** What differs on purpose: where a real cluster answers so and we do not. */
const DELIBERATE: readonly {
  section: string;
  caps: RegExp;
  request: RegExp;
  real: string;
  why: string;
}[] = [
  {
    section: "mon",
    caps: /./,
    request: /^osd in /,
    real: ".",
    why: "upstream looks up the permission by the beginning of a command's name and finds that of `osd info`: who may only read may mark OSDs in. We ask for what the command is described with",
  },
  {
    section: "mgr",
    caps: /^mon 'allow r' mgr 'allow r network 127\.0\.0\.0\/8'$/,
    request: /./,
    real: "A",
    why: "a real manager allows nothing for a grant with a network, from wherever one asks; ours allows what it says, from that network",
  },
];

let work: TempDir;
let server: SpirulaServer | undefined;

beforeEach(async () => {
  requireBuild();
  work = await tempDir("permissions");
});
afterEach(async () => {
  await server?.kill();
  await work.remove();
});

test("every kind of client may do on ours what it may on a real cluster, and nothing else", async () => {
  server = await startSpirula({ dir: join(work.path, "data") });
  const out = join(work.path, "outcomes.json");
  const script = resolve("scripts/record-permissions.py");
  const env = clientEnv(server.confPath);
  const result = await run(PYTHON, [script, out], { env, cwd: work.path, timeoutMs: 500_000 });
  expect(result.code, result.stderr).toBe(0);

  const real = cellsOf(readRecording(RECORDED));
  const ours = cellsOf(readRecording(out));
  const nameOf = ({ section, caps, place, request }: Cell) =>
    `${section} [${caps}] ${place} ${request}`;
  expect(ours.map(nameOf)).toEqual(real.map(nameOf));
  expect(real.length).toBeGreaterThan(45_000);
  const used = new Set<string>();
  const different = real.flatMap((cell, i) => {
    const outcome = ours[i]?.outcome ?? "";
    if (outcome === cell.outcome) return [];
    const reason = DELIBERATE.find(
      (x) =>
        x.section === cell.section &&
        x.caps.test(cell.caps) &&
        x.request.test(cell.request) &&
        x.real === cell.outcome,
    );
    if (reason !== undefined) used.add(reason.why);
    return reason === undefined ? [`${nameOf(cell)}: ${outcome}, not ${cell.outcome}`] : [];
  });
  expect(different).toEqual([]);
  expect([...used].toSorted()).toEqual(DELIBERATE.map(({ why }) => why).toSorted());
});
