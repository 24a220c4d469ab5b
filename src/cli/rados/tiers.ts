/**
 * Verbs on cache tiers and manifests. A cluster without them refuses, and says with what.
 * ceph: src/tools/rados/rados.cc
 */

import process from "node:process";
import {
  type IoCtx,
  setChunk,
  setRedirect,
  type TierStep,
  tierStep,
} from "../../librados/index.ts";
import { attempt, CommandFailure, cppStrerror, errnoOf } from "../client/index.ts";
import { type RadosContext, shown } from "./context.ts";
import type { Verb, Verbs } from "./verb.ts";

export const TIER_VERBS: Verbs = {
  "cache-flush": cacheVerb("write what a cache tier holds of an object to its pool", "CACHE_FLUSH"),
  "cache-try-flush": cacheVerb("the same, unless it is in use", "CACHE_TRY_FLUSH"),
  "cache-evict": cacheVerb("have a cache tier drop an object", "CACHE_EVICT"),
  "cache-flush-evict-all": {
    summary: "empty a cache tier",
    arguments: "",
    run: (context) => emptyTier(context, "CACHE_FLUSH", "cache-flush-evict-all"),
  },
  "cache-try-flush-evict-all": {
    summary: "the same, but for what is in use",
    arguments: "",
    run: (context) => emptyTier(context, "CACHE_TRY_FLUSH", "cache-try-flush-evict-all"),
  },
  "set-redirect": {
    summary: "have another object stand in for an object",
    arguments: "OBJECT [OBJECT2] [--target-pool POOL] [--with-reference]",
    run: redirect,
  },
  "set-chunk": {
    summary: "have a part of another object stand in for a part",
    arguments: "OBJECT OFFSET LENGTH OBJECT2 OFFSET2 [--target-pool POOL]",
    run: chunk,
  },
  "tier-promote": manifestVerb("fetch what stands in for an object", "TIER_PROMOTE"),
  "tier-flush": manifestVerb("write a chunked object's changes to its chunks", "TIER_FLUSH"),
  "tier-evict": manifestVerb("drop what a chunked object has of its chunks", "TIER_EVICT"),
  "unset-manifest": manifestVerb("have nothing stand in for an object", "UNSET_MANIFEST"),
};

function cacheVerb(summary: string, step: TierStep): Verb {
  const run = async (context: RadosContext): Promise<void> => {
    const { io, options, poolName, reading } = context;
    const oid = context.takeObject();
    // compat: the original names the flush, whichever of the three it was.
    const what = `error from cache-flush ${shown(oid)}`;
    if (!options.has("withClones")) {
      await attempt(what, () => tierStep(io, oid, step, reading));
      return;
    }
    const clones = await attempt(`error listing snapshots ${poolName}/${shown(oid)}`, () =>
      io.revisions(oid),
    );
    const { snap: last } = reading;
    for (const { id } of clones) {
      if (last !== undefined && (id === "head" || id > last)) break;
      await attempt(what, () => tierStep(io, oid, step, id === "head" ? {} : { snap: id }));
    }
  };
  return { summary, arguments: "OBJECT [--with-clones]", run };
}

function manifestVerb(summary: string, step: TierStep): Verb {
  const name = step.toLowerCase().replace("_", "-");
  const run = async (context: RadosContext): Promise<void> => {
    const oid = context.takeObject();
    await attempt(`error ${name} ${context.poolName}/${shown(oid)} `, () =>
      tierStep(context.io, oid, step),
    );
  };
  return { summary, arguments: "OBJECT", run };
}

async function emptyTier(context: RadosContext, flush: TierStep, verb: string): Promise<void> {
  const { io, out } = context;
  let errors = 0;
  const step = async (what: string, name: string, body: () => Promise<unknown>) => {
    try {
      await body();
      return true;
    } catch (error) {
      process.stderr.write(`${what} ${name}: ${cppStrerror(errnoOf(error))}\n`);
      errors++;
      return false;
    }
  };
  for await (const { oid, namespace, locator } of io.objects({ everyNamespace: true })) {
    await out.say(`${namespace}\t${oid}\t${locator}`);
    const there = io.inNamespace(namespace).withLocator(locator);
    const name = `${namespace}/${oid}`;
    const snaps: { snap?: bigint }[] = [];
    const listed = await step("error listing snap shots", name, async () => {
      for (const { id } of await there.revisions(oid))
        snaps.push(id === "head" ? {} : { snap: id });
    });
    if (!listed) continue;
    for (const snap of snaps.length === 0 ? [{}] : snaps) {
      const flushed = await step("failed to flush", name, () => tierStep(there, oid, flush, snap));
      if (!flushed) break;
      const evict = () => tierStep(there, oid, "CACHE_EVICT", snap);
      if (!(await step("failed to evict", name, evict))) break;
    }
  }
  await out.flush();
  if (errors > 0) throw new CommandFailure(`${verb} finished with errors`);
}

/** The pool of the object that stands in. */
async function targetIo(context: RadosContext): Promise<{ readonly name: string; io: IoCtx }> {
  const { cluster, options, poolName } = context;
  const name = options.get("targetPool") ?? poolName;
  const pool = await attempt(`error opening target pool ${name}`, () => cluster.openPool(name));
  return { name, io: pool };
}

async function redirect(context: RadosContext): Promise<void> {
  const { options, poolName } = context;
  const oid = context.take();
  const target = await targetIo(context);
  const [word] = context.words;
  if (word === undefined && target.name === poolName) {
    throw new CommandFailure("cannot copy object into itself");
  }
  const name = word ?? oid;
  const io = target.io
    .inNamespace(options.get("targetNspace") ?? "")
    .withLocator(options.get("targetLocator") ?? "");
  const what = `error set-redirect ${poolName}/${oid} => ${target.name}/${name}`;
  await attempt(what, () =>
    setRedirect(context.writable, oid, { io, oid: name }, options.has("withReference")),
  );
}

async function chunk(context: RadosContext): Promise<void> {
  const oid = context.take();
  const number = (): number => {
    const word = context.take();
    if (/^\s*\+?\d*$/.test(word)) return Number(word);
    throw new CommandFailure(`Invalid value for size: '${word}'`);
  };
  const [offset, length] = [number(), number()];
  const name = context.take();
  const there = number();
  const target = await targetIo(context);
  const what =
    `error set-chunk ${context.poolName}/${oid}  offset ${offset} length ${length} ` +
    `target_pool ${target.name}tgt_offset: ${there} `;
  await attempt(what, () =>
    setChunk(context.io, oid, { offset, length }, { io: target.io, oid: name, offset: there }),
  );
}
