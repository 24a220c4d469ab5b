// Breaks one promise of the server at a time and demands that the simulation notices each.
//
// node scripts/mutate-server.mjs [--seeds N] [--minutes M] [name…]: bundles the simulation with one textual
// mutation of one file and runs seeds until one fails. A mutation that survives is a hole in the
// simulation: exit code 1. Nothing is written but bundles in .cache.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { ROOT } from "./steps.mjs";

/** For what only a loss of power brings to light. */
const POWER = ["power cut", "power cut in a disk call", "slow disks"];
/** For what takes a request that is sent again and a loss of power right after. */
const RESENT = ["cut some links", "power cut in a disk call", "slow disks"];

/**
 * Name, file, what is there, what it becomes; the only kinds of fault, where others would hide it.
 * @type {[name: string, file: string, from: string, to: string, faults?: string[]][]}
 */
const MUTATIONS = [
  [
    "replies-before-durable",
    "src/osd/commit-queue.ts",
    "if (seq <= this.#durable) {",
    "if (true) {",
  ],
  [
    "writes-answered-early",
    "src/osd/executor.ts",
    "const seq = Math.max(committed.seq, ctx.before.lastSeq);",
    "const seq = 0;",
  ],
  [
    "reads-answered-early",
    "src/osd/executor.ts",
    "this.#host.commits.after(ctx.before.lastSeq, () => {",
    "this.#host.commits.after(0, () => {",
    POWER,
  ],
  [
    "absence-told-early",
    "src/osd/executor.ts",
    "const seq = target?.lastSeq ?? request.pg.objects.head(head).lastSeq;",
    "const seq = 0;",
    POWER,
  ],
  ["last-change-forgotten", "src/osd/pg.ts", "before.lastSeq = seq;", "", POWER],
  [
    "duplicates-not-found",
    "src/osd/pg-log.ts",
    "const slot = this.#client(reqid)?.slots.get(reqid.tid);",
    "const slot = undefined;",
  ],
  [
    "duplicates-forgotten-at-restart",
    "src/osd/pg.ts",
    "log.add(decodeFromBytes(LogEntry, value), store.lastSubmitted);",
    "",
    POWER,
  ],
  [
    "duplicates-answered-early",
    "src/osd/executor.ts",
    "this.#host.commits.after(known.seq, () =>",
    "this.#host.commits.after(0, () =>",
    RESENT,
  ],
  [
    "log-entry-not-stored",
    "src/osd/pg.ts",
    "entries.push([logKey(version.version), encodeToBytes(LogEntry, entry)]);",
    "",
    POWER,
  ],
  ["waiting-for-map-lost", "src/osd/server.ts", "for (const w of waiting) this.#runOrWait(w);", ""],
  [
    "no-clone",
    "src/osd/snapshots.ts",
    "newestSnap > snapset.seq;",
    "newestSnap > snapset.seq + 1n;",
  ],
  [
    "snap-seq-not-kept",
    "src/osd/snapshots.ts",
    "if (snapContext.seq > snapset.seq) snapset.seq = snapContext.seq;",
    "if (cloned) snapset.seq = snapContext.seq;",
  ],
  [
    "wrong-clone-read",
    "src/osd/snapshots.ts",
    "snapset.clones.find((c) => c.id >= snap)",
    "snapset.clones.findLast((c) => c.snaps.includes(snap) || c.id > snap)",
  ],
  [
    "snapshots-die-with-the-head",
    "src/osd/op-context.ts",
    "this.snapset.clones.length > 0 || (newestSnap !== undefined && newestSnap > this.snapset.seq);",
    "newestSnap !== undefined && newestSnap > this.snapset.seq;",
  ],
  [
    "trim-takes-shared-clones",
    "src/osd/snap-trimmer.ts",
    "if (snaps.length > 0) after.clones[at] = { ...clone, snaps };",
    "if (false) return;",
  ],
  [
    "trim-never-ends",
    "src/osd/snap-trimmer.ts",
    "if (objects.length < OBJECTS_PER_TURN) pg.purged(snap);",
    "",
  ],
  [
    "purged-told-early",
    "src/osd/server.ts",
    "this.#commits.after(this.#store.lastSubmitted, () => this.#options.snapsPurged(pool, done));",
    "this.#options.snapsPurged(pool, done);",
    POWER,
  ],
  [
    "snap-index-not-kept",
    "src/osd/pg.ts",
    "ctx.staged.push(...snapIndexChanges(this.#meta, ctx.object, snapsetBefore, ctx.snapset));",
    "",
  ],
  [
    "map-published-early",
    "src/mon/services/osd-map.ts",
    "await this.#store.commit(changes);",
    "void this.#store.commit(changes);",
    POWER,
  ],
  ["monitor-answers-early", "src/mon/mon-store.ts", "await this.#store.flush();", "", POWER],
  [
    "secrets-not-saved",
    "src/mon/services/auth.ts",
    "await service.#saveSecrets(service.secrets.encode());",
    "",
    POWER,
  ],
  [
    "map-not-shared-after-restart",
    "src/mon/subscriptions.ts",
    "if (subscription.next > epoch) return false;\n    this.sendOsdMaps",
    "if (subscription.next >= epoch) return false;\n    this.sendOsdMaps",
  ],
  [
    "told-before-large-writes",
    "src/store/disk-store/committer.ts",
    "return Math.min(this.#journaled, this.#blocks.direct.oldest - 1);",
    "return this.#journaled;",
    POWER,
  ],
  [
    "buffers-given-back-early",
    "src/messenger/connection.ts",
    "if (queued === 0) this.#out.recycle();",
    "this.#out.recycle();",
  ],
  [
    "stale-client-id",
    "src/messages/mosd-op.ts",
    "return { name: sender, tid, inc: op.clientInc };",
    "return { name: { ...sender, num: 0n }, tid, inc: op.clientInc };",
  ],
];

const { values, positionals } = parseArgs({
  options: {
    seeds: { type: "string", default: "60" },
    from: { type: "string", default: "1" },
    minutes: { type: "string", default: "0.3" },
  },
  allowPositionals: true,
});
const cache = join(ROOT, ".cache", "bundles");
mkdirSync(cache, { recursive: true });
const survivors = [];
// What fails without a mutation says nothing about one.
const sound = join(cache, `mutant-none-${process.pid}.mjs`);
await bundleWith(sound, "", "", "", "none");
const unmutated = run(sound);
rmSync(sound, { force: true });
if (unmutated.failedSeed !== undefined) {
  throw new Error(`seed ${unmutated.failedSeed} fails without a mutation: ${unmutated.why}`);
}
for (const [name, file, from, to, faults] of MUTATIONS) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const bundle = join(cache, `mutant-${name}-${process.pid}.mjs`);
  await bundleWith(bundle, join(ROOT, file), from, to, name);
  const found = run(bundle, faults);
  rmSync(bundle, { force: true });
  if (found.failedSeed === undefined) survivors.push(name);
  const how = found.failedSeed === undefined ? "SURVIVED" : `seed ${found.failedSeed}`;
  process.stdout.write(`${how.padEnd(9)} ${name}  ${found.why.slice(0, 120)}\n`);
}
if (survivors.length > 0) process.stdout.write(`survived: ${survivors.join(", ")}\n`);
process.exitCode = survivors.length > 0 ? 1 : 0;

async function bundleWith(outfile, mutated, from, to, name) {
  const mutate = {
    name: "mutate",
    setup(hooks) {
      hooks.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path !== mutated) return undefined;
        const source = readFileSync(path, "utf8");
        if (!source.includes(from)) throw new Error(`${name}: ${path} does not say: ${from}`);
        return { contents: source.replace(from, () => to), loader: "ts" };
      });
    },
  };
  await build({
    entryPoints: [join(ROOT, "test/sim/run.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    logLevel: "error",
    plugins: [mutate],
  });
}

/** Seeds one after the other, in a process of their own: a mutant may do anything. */
function run(bundle, faults) {
  const first = Number(values.from);
  const options = { minutes: Number(values.minutes), ...(faults === undefined ? {} : { faults }) };
  const code = `
    const { simulate } = await import(${JSON.stringify(`file://${bundle}`)});
    for (let seed = ${first}; seed < ${first + Number(values.seeds)}; seed++) {
      try {
        await simulate({ seed, ...${JSON.stringify(options)} });
      } catch (error) {
        console.log("found " + seed + " " + (error.cause?.message ?? error.message).split("\\n")[0]);
        process.exit(1);
      }
    }`;
  const child = spawnSync(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 1 << 26,
    timeout: 1_800_000,
  });
  const found = /^found (\d+) (.*)$/m.exec(child.stdout);
  if (found !== null) return { failedSeed: Number(found[1]), why: found[2] };
  if (child.status === 0) return { failedSeed: undefined, why: "" };
  throw new Error(`the run itself failed: ${child.stderr.slice(-2000)}`);
}
