// Breaks one promise of the store at a time and demands that the crash tests notice each.
//
// node scripts/mutate-store.mjs [--seeds N] [name…]: copies the sources to .cache, applies one textual
// mutation, runs the crash project there. A mutation that survives is a hole in the tests: exit code 1.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { transformSync } from "esbuild";

const STORE = "src/store/disk-store";

/** name, file, what is there, what it becomes. */
const MUTATIONS = [
  [
    "no-watermark-before-home",
    `${STORE}/checkpoint.ts`,
    "await this.#committer.whenWatermark(seq);",
    "await this.#committer.whenDurable(seq);",
  ],
  [
    "no-durability-before-home",
    `${STORE}/checkpoint.ts`,
    "await this.#committer.whenWatermark(seq);",
    "",
  ],
  [
    "early-home-before-durable",
    `${STORE}/checkpoint.ts`,
    "this.#alone(() => this.#bringHome(this.#lastSeq()));",
    "this.#alone(() => this.#bringHome(0));",
  ],
  ["no-wait-for-reads", `${STORE}/checkpoint.ts`, "await blocks.drainReads();", ""],
  [
    "read-from-the-file-too-early",
    `${STORE}/pending-blocks.ts`,
    "const blocks = this.#applyBlocks;",
    "const blocks = this.#applyBlocks;\n    this.#frozen.clear();",
  ],
  [
    "memory-reused-while-going-home",
    `${STORE}/pending-blocks.ts`,
    "this.#frozen = new Map(this.#open);",
    "this.#frozen = new Map(this.#open);\n    this.#free.push(...this.#open.values());",
  ],
  [
    "written-in-place-while-going-home",
    `${STORE}/pending-blocks.ts`,
    "let slot = this.#open.get(block);",
    "let slot = this.#open.get(block) ?? this.#frozen.get(block);",
  ],
  [
    "shards-saved-once",
    `${STORE}/state.ts`,
    "if (shard.dirty) return;",
    "const { owners, indexes, saved } = this.#dirtyShards;\n" +
      "    for (let i = 0; i < saved; i++) if (owners[i] === o && indexes[i] === index) return;\n" +
      "    if (shard.dirty) return;",
  ],
  ["shards-of-removed-objects-saved", `${STORE}/state.ts`, "o.shards.clear();", ""],
  [
    "empty-shards-kept",
    `${STORE}/state.ts`,
    "this.kv.delete(shardKey(o.id, index));\n        o.shards.delete(index);",
    "o.shards.delete(index);",
  ],
  [
    "journal-cut-off-in-use",
    `${STORE}/journal.ts`,
    "while (this.#slots.length > kept && this.#slots.at(-1) === 0) this.#slots.pop();",
    "while (this.#slots.length > kept) this.#slots.pop();",
  ],
  [
    "segment-begun-freed",
    `${STORE}/journal.ts`,
    "this.#slots.map((n) => (n < number ? 0 : n));",
    "this.#slots.map((n) => (n <= number ? 0 : n));",
  ],
  [
    "never-congested",
    `${STORE}/disk-store.ts`,
    "return this.#checkpointer.isBehind;",
    "return false;",
  ],
  ["no-relief", `${STORE}/disk-store.ts`, "if (!this.isCongested) this.onRelief();", ""],
  ["no-sync-of-large-writes", `${STORE}/direct-writes.ts`, "await this.#synced();", ""],
  [
    "sync-begun-before",
    `${STORE}/direct-writes.ts`,
    "this.#nextSync ??= this.#sync.then(() => {",
    "return this.#sync; this.#nextSync ??= this.#sync.then(() => {",
  ],
  [
    "large-write-not-durable",
    `${STORE}/direct-writes.ts`,
    "await this.#file.writeDurable(write.bytes, write.block * BLOCK_SIZE);",
    "await this.#file.write(write.bytes, write.block * BLOCK_SIZE);",
  ],
  ["merge-without-room", `${STORE}/kv.ts`, "if (sum + bytes > room) break;", ""],
  ["merge-goes-on-without-room", `${STORE}/kv.ts`, "if (room() < 0) throw new NoSpaceError();", ""],
  ["no-sync-of-runs", `${STORE}/run.ts`, "await file.sync();", ""],
  ["no-directory-sync-of-runs", `${STORE}/run.ts`, "await disk.syncDirectory();", ""],
  [
    "runs-removed-that-the-manifest-names",
    `${STORE}/checkpoint.ts`,
    "await kv.dropObsolete();",
    "await disk.syncDirectory();\n    await kv.dropObsolete();",
  ],
  [
    "manifest-before-blocks",
    `${STORE}/checkpoint.ts`,
    "await blocks.pending.applyFrozen();",
    "void blocks.pending.applyFrozen().catch(() => {});",
  ],
  [
    "no-sync-of-blocks",
    `${STORE}/pending-blocks.ts`,
    "if (blocks.length > 0) await this.#file.sync();",
    "",
  ],
  [
    "reuse-at-once",
    `${STORE}/disk-store.ts`,
    "this.#space.hold(seq, this.#state.freed);",
    "for (const b of this.#state.freed) this.#state.allocator.release(b);",
  ],
  [
    "reuse-when-durable",
    `${STORE}/disk-store.ts`,
    "this.#space.release(this.#committer.watermark)",
    "this.#space.release(this.#committer.durable)",
  ],
  ["reuse-while-read", `${STORE}/space.ts`, " || !this.#file.readsDone(held.read)", ""],
  ["reuse-while-going-home", `${STORE}/disk-store.ts`, "if (!this.#checkpointer.applying) ", ""],
  [
    "large-writes-not-checked",
    `${STORE}/open.ts`,
    "if (seq > trusted && !replayer.dataArrived(record)) return last;",
    "",
  ],
  ["recovery-checked-twice", `${STORE}/open.ts`, "{ verified: lastSeq }", "{}"],
  [
    "told-before-large-writes",
    `${STORE}/committer.ts`,
    "return Math.min(this.#journaled, this.#blocks.direct.oldest - 1);",
    "return this.#journaled;",
  ],
  ["torn-batch-accepted", `${STORE}/journal.ts`, "found.crc !== crc32c(0, found.records)", "false"],
  [
    "damage-taken-for-the-end",
    `${STORE}/journal.ts`,
    "if (ended || found.firstSeq !== next || found.previousCrc !== tail.previousCrc) {",
    "if (ended || found.firstSeq !== next || found.previousCrc !== tail.previousCrc) {\n        break;",
  ],
  ["blocks-not-checked", `${STORE}/reader.ts`, "if (blockCrc(", "if (true || blockCrc("],
  [
    "index-not-checked",
    `${STORE}/run.ts`,
    "if (crc !== bytes.readUInt32LE(length - 4))",
    "if (false)",
  ],
  [
    "clone-not-counted",
    `${STORE}/state.ts`,
    "if (shard.map[i] !== 0) this.allocator.share(shard.map[i]! - 1);",
    "",
  ],
  ["moved-blocks-not-counted", `${STORE}/state.ts`, "from.blocks -= shared.size + others;", ""],
  ["moved-bytes-not-counted", `${STORE}/state.ts`, "to.stored += o.stored;", ""],
  [
    "moved-without-its-entry",
    `${STORE}/state.ts`,
    "this.kv.put(objectPrefix(to.id) + o.key, o.dirty ? PLACEHOLDER : encodeOnode(o));",
    "this.kv.put(objectPrefix(to.id) + o.key, PLACEHOLDER);",
  ],
  [
    "moved-and-still-there",
    `${STORE}/record.ts`,
    "state.move(objects, state.collectionById(to));",
    "",
  ],
  [
    "moves-part-what-shares",
    `${STORE}/state.ts`,
    "if (count !== this.allocator.extraRefs(block) + 1) return true;",
    "",
  ],
  [
    "shared-overwritten-in-place",
    `${STORE}/apply.ts`,
    "if (block < 0 || this.#state.allocator.extraRefs(block) > 0) return -1;",
    "if (block < 0) return -1; return block;",
  ],
  [
    "segments-freed-early",
    `${STORE}/checkpoint.ts`,
    "await this.#bringHome(seq);",
    "journal.free(start.segment, false);\n    await this.#bringHome(seq);",
  ],
  [
    "slack-taken-for-room",
    `${STORE}/file-system-room.ts`,
    "this.#allocator.reusable * BLOCK_SIZE",
    "this.slack",
  ],
  [
    "omap-past-the-reserve",
    `${STORE}/space.ts`,
    "if (!hasData && addedBytes === 0) return true;",
    "if (!hasData) return true;",
  ],
  ["next-run-not-owed", `${STORE}/file-system-room.ts`, " + this.#index.unsavedBytes", ""],
  [
    "damaged-beginning-passed-by",
    `${STORE}/journal.ts`,
    "checkTorn(options, firstSegment, slot);",
    "",
  ],
  ["segments-cut-unseen", `${STORE}/journal.ts`, "this.#written < this.#cutting.from", "false"],
  [
    "memory-back-while-it-is-read-into",
    `${STORE}/reader.ts`,
    "await settled(pieces.map(",
    "await Promise.all(pieces.map(",
  ],
  ["closed-under-large-writes", `${STORE}/disk-store.ts`, "await blocks.direct.idle();", ""],
  ["closed-under-commits", `${STORE}/committer.ts`, "await this.#inThread;", ""],
  [
    "homecoming-not-counted",
    `${STORE}/file-system-room.ts`,
    "const owed = homecoming + ",
    "const owed = ",
  ],
  ["journal-growth-not-counted", `${STORE}/file-system-room.ts`, " + this.#journal.owedBytes", ""],
  [
    "write-error-ignored",
    `${STORE}/committer.ts`,
    "this.stop(error as Error);\n      return;",
    "return;",
  ],
];

const { values, positionals } = parseArgs({
  options: { seeds: { type: "string", default: "40" } },
  allowPositionals: true,
});
const root = process.cwd();
const copy = join(root, ".cache", `mutant-${process.pid}`);
const survivors = [];
try {
  for (const [name, file, from, to] of MUTATIONS) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(copy, { recursive: true });
    for (const path of ["src/base", "src/encoding", "src/types", "src/store"]) {
      cpSync(join(root, path), join(copy, path), { recursive: true });
    }
    for (const path of ["test/crash", "test/compliance/object-store", "test/harness"]) {
      cpSync(join(root, path), join(copy, path), { recursive: true });
    }
    for (const path of ["package.json", "tsconfig.json", "vitest.config.ts"]) {
      cpSync(join(root, path), join(copy, path));
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    const source = readFileSync(join(copy, file), "utf8");
    if (!source.includes(from)) throw new Error(`${name}: ${file} does not say: ${from}`);
    const mutant = source.replace(from, () => to);
    // One that is not even a program would be found by any test.
    transformSync(mutant, { loader: "ts" });
    writeFileSync(join(copy, file), mutant);
    const run = spawnSync("npx", ["vitest", "run", "--project", "crash", "--bail", "1"], {
      cwd: copy,
      env: { ...process.env, CRASH_SEEDS: values.seeds, NO_COLOR: "1" },
      encoding: "utf8",
      timeout: 600_000,
    });
    const found = run.status !== 0;
    if (!found) survivors.push(name);
    const why = /^\w*Error: .*$/m.exec(run.stdout + run.stderr)?.[0] ?? "";
    process.stdout.write(`${found ? "found   " : "SURVIVED"} ${name}  ${why.slice(0, 100)}\n`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exitCode = survivors.length > 0 ? 1 : 0;
