/**
 * What a user writes to `rbd` and `rados` that the recorded rows have not: ours says what the original says, on one
 * server. A case is a script; it leaves nothing behind, and runs once with the originals and once with ours.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ownTools, withTools } from "../harness/own-tools.ts";
import { clientEnv, sh } from "../harness/run.ts";
import { requireBuild, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

let work: TempDir;
let server: SpirulaServer;
let ours: (command: string) => string;

beforeAll(async () => {
  requireBuild();
  work = await tempDir("cli-words");
  server = await startSpirula({ dir: join(work.path, "data") });
  ours = withTools(await ownTools(work.path, ["rbd", "rados"]));
});

afterAll(async () => {
  await server?.stop();
  await work?.remove();
});

/** What is another client's is other numbers, which columns are as wide as. */
const BLANK = "sed -E 's/client.[0-9]+ */client/; s#0/[0-9]+ *#nonce#; s/ +/ /g'";

/** The original's library has a log, whose lines come in the middle of others. */
const NO_LOG = { CEPH_ARGS: "--err-to-stderr=false --log-to-stderr=false" };

test.each([
  [
    "the version",
    "for tool in rbd 'rbd ls' rados; do $tool --version | cut -d' ' -f1-3; $tool -v | wc -l; done",
  ],
  [
    "what is no diff, and is not merged",
    "echo 'not quite a diff' >no.diff; rbd merge-diff no.diff no.diff merged; echo $?; rm no.diff; ls",
  ],
  [
    "an option that another has taken the place of",
    "rbd create --size 1M --order 16 --new-format old; echo x >old.data; rbd import --no-progress -p rbd --image new old.data; for i in old new; do rbd rm --no-progress $i; done; rm old.data",
  ],
  [
    "who has a lock",
    `rbd create --size 1M i; rbd lock add i mine; for form in plain json; do rbd lock ls --format $form i | ${BLANK}; done; rados -p rbd create o; rados -p rbd lock get o grip; rados -p rbd lock info o grip | ${BLANK}; rados -p rbd rm o; for who in nonsense client. client.1x client.1; do rbd lock rm i mine $who; done; rbd lock rm i mine $(rbd lock ls i | grep -o 'client[.0-9]*'); rbd rm --no-progress i`,
  ],
  [
    "an image that a user has locked",
    "rbd create --size 1M i; rbd lock add i mine; rbd snap create --no-progress i@s; rbd resize --no-progress --size 2M i; rbd rename i j; rbd image-meta set i key value; rbd config image set i rbd_cache false; rbd feature disable i fast-diff; rbd sparsify --no-progress i; rbd object-map rebuild --no-progress i; rbd lock rm i mine $(rbd lock ls i | grep -o 'client[.0-9]*'); rbd rm --no-progress i",
  ],
])("%s", async (_what, script) => {
  const env = clientEnv(server.confPath);
  const options = { cwd: work.path, timeoutMs: 60_000 };
  const original = await sh(script, { ...options, env: { ...env, ...NO_LOG } });
  const { code, stdout, stderr } = original;
  expect(await sh(ours(script), { ...options, env })).toMatchObject({ code, stdout, stderr });
});
