/** The promises of the server that scripts/mutate-server.mjs breaks, one at a time. */

/** For what only a loss of power brings to light. */
const POWER = ["power cut", "power cut in a disk call", "slow disks"];
/** For what takes a request that is sent again and a loss of power right after. */
const RESENT = ["cut some links", "power cut in a disk call", "slow disks"];

/** One change of a source file; the only kinds of fault that it is run under, where others would hide it. */
export type Mutation = readonly [
  name: string,
  file: string,
  from: string,
  to: string,
  faults?: readonly string[],
];

export const MUTATIONS: readonly Mutation[] = [
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
    "this.#whenDurable(ctx.before.lastSeq, pg, ctx, outcome, () => {",
    "this.#whenDurable(0, pg, ctx, outcome, () => {",
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
    "const slot = client.slots.get(reqid.tid);",
    "const slot = undefined as number | undefined;",
  ],
  [
    "duplicates-forgotten-at-restart",
    "src/osd/pg.ts",
    "this.#oldKeys.push(...log.load(stored, store.lastSubmitted));",
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
    'if (entry !== undefined) ops.push({ op: "omap-set", object, entries: [log.stage(entry)] });',
    "if (entry !== undefined) log.stage(entry);",
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
