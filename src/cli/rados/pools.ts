/**
 * Verbs on pools: which there are, what they hold, and all their objects at once.
 * ceph: src/tools/rados/rados.cc
 */

import process from "node:process";
import { formatBytes, TextTable } from "../../base/index.ts";
import { copyFrom, type PoolStats } from "../../librados/index.ts";
import {
  attempt,
  CommandFailure,
  cppStrerror,
  errnoOf,
  ListWriter,
  openSink,
  renderFormat,
} from "../client/index.ts";
import { removeObjects } from "./bench-objects.ts";
import type { RadosContext } from "./context.ts";
import { wantsEveryNamespace } from "./namespaces.ts";
import type { Verbs } from "./verb.ts";

export const POOL_VERBS: Verbs = {
  lspools: { summary: "names of the pools", arguments: "", run: listPools },
  df: { summary: "what pools and the cluster hold", arguments: "", run: showSpace },
  ls: { summary: "names of the objects", arguments: "", run: listObjects },
  cppool: {
    summary: "copy all objects to another pool",
    arguments: "POOL POOL2 [--yes-i-really-mean-it]",
    run: copyPool,
  },
  purge: {
    summary: "remove all objects of a pool",
    arguments: "POOL --yes-i-really-really-mean-it",
    run: purgePool,
  },
};

async function listPools({ cluster, out }: RadosContext): Promise<void> {
  for (const { name } of await cluster.pools()) out.put(`${name}\n`);
}

async function showSpace(context: RadosContext): Promise<void> {
  const { cluster, format, out } = context;
  const pools = await cluster.pools();
  const names = context.hasPool ? [context.poolName] : pools.map(({ name }) => name);
  const stats = await attempt("error fetching pool stats", () => cluster.poolStats(names));
  const total = await attempt("error getting total cluster usage", () => cluster.stats());
  if (format === undefined) {
    out.put(`${spaceTable(stats).toString()}\n`);
    out.put(`total_objects    ${total.numObjects}\n`);
    out.put(`total_used       ${formatBytes(total.kbUsed * 1024)}\n`);
    out.put(`total_avail      ${formatBytes(total.kbAvail * 1024)}\n`);
    out.put(`total_space      ${formatBytes(total.kb * 1024)}\n`);
    return;
  }
  const ids = new Map(pools.map(({ id, name }) => [name, id]));
  const result = {
    pools: [...stats].map(([name, x]) => spaceJson(name, ids.get(name), x)),
    total_objects: total.numObjects,
    total_used: total.kbUsed,
    total_avail: total.kbAvail,
    total_space: total.kb,
  };
  out.put(renderFormat(result, format, { root: "stats", items: { pools: "pool" } }));
}

function spaceTable(stats: ReadonlyMap<string, PoolStats>): TextTable {
  const table = new TextTable().column("POOL_NAME", "left", "left");
  const heads =
    "USED,OBJECTS,CLONES,COPIES,MISSING_ON_PRIMARY,UNFOUND,DEGRADED,RD_OPS,RD,WR_OPS,WR,USED COMPR,UNDER COMPR";
  for (const head of heads.split(",")) table.column(head, "right", "right");
  for (const [name, x] of stats) {
    table.row(
      name,
      formatBytes(x.bytesUsed),
      x.objects,
      x.clones,
      x.copies,
      x.missingOnPrimary,
      x.unfound,
      x.degraded,
      x.reads,
      formatBytes(x.readKib * 1024),
      x.writes,
      formatBytes(x.writtenKib * 1024),
      formatBytes(x.compressedBytesUsed),
      formatBytes(x.compressedBytesOriginal),
    );
  }
  return table;
}

function spaceJson(name: string, id: number | undefined, x: PoolStats) {
  return {
    name,
    id,
    size_bytes: x.bytesUsed,
    size_kb: Math.ceil(x.bytesUsed / 1024),
    num_objects: x.objects,
    num_object_clones: x.clones,
    num_object_copies: x.copies,
    num_objects_missing_on_primary: x.missingOnPrimary,
    num_objects_unfound: x.unfound,
    num_objects_degraded: x.degraded,
    read_ops: x.reads,
    read_bytes: x.readKib * 1024,
    write_ops: x.writes,
    write_bytes: x.writtenKib * 1024,
    compress_bytes_used: x.compressedBytesUsed,
    compress_under_bytes: x.compressedBytesOriginal,
  };
}

async function listObjects(context: RadosContext): Promise<void> {
  const { options, format, pgid } = context;
  if (!context.hasPool) throw new CommandFailure("either pool name or pg id needs to be specified");
  const everyNamespace = wantsEveryNamespace(context);
  const path = options.get("output");
  if (path === undefined && context.words.length > 0 && context.words[0] !== "-") {
    throw new CommandFailure("Please use --output to specify the output file name");
  }
  const sink = path === undefined ? undefined : await openOutput(path);
  const put = (text: string) =>
    sink === undefined ? context.out.write(text) : sink.write(Buffer.from(text));
  const list = format && new ListWriter(format, { root: "objects", item: "object" });
  const range = { everyNamespace, ...(pgid === undefined ? {} : { pgSeed: pgid.seed }) };
  try {
    if (list !== undefined) await put(list.begin());
    for await (const { oid, namespace, locator } of context.io.objects(range)) {
      if (context.out.isGone) return;
      const at = locator === "" ? {} : { locator };
      const line = `${everyNamespace ? `${namespace}\t` : ""}${oid}${locator === "" ? "" : `\t${locator}`}\n`;
      await put(list === undefined ? line : list.item({ namespace, name: oid, ...at }));
    }
    if (list !== undefined) await put(list.end() + (options.has("pretty") ? "\n" : ""));
  } finally {
    await sink?.close();
  }
}

async function openOutput(path: string) {
  return await attempt(`failed to open file ${path}`, () => openSink(path, 0o666));
}

async function copyPool(context: RadosContext): Promise<void> {
  const { cluster, out } = context;
  const [from, to] = [context.take(), context.take()];
  const force = context.words[0] === "--yes-i-really-mean-it";
  context.expectAtMost(force ? 1 : 0);
  if (from === to) throw new CommandFailure("cannot copy pool into itself");
  process.stderr.write(
    "WARNING: pool copy does not preserve user_version, which some     apps may rely on.\n",
  );
  const failed = (error: unknown, first: string) => {
    const why = cppStrerror(errnoOf(error));
    return new CommandFailure(`${first}\nerror copying pool ${from} => ${to}: ${why}`, 1, error);
  };
  const open = async (name: string, which: string) => {
    try {
      return await cluster.openPool(name);
    } catch (error) {
      throw failed(error, `cannot open ${which} pool: ${name}`);
    }
  };
  const source = await open(from, "source");
  if (source.hasManagedSnapshots) {
    process.stderr.write(
      `WARNING: pool ${from} has selfmanaged snaps, which are not preserved\n` +
        "    by the cppool operation.  This will break any snapshot user.\n",
    );
    if (!force) {
      throw new CommandFailure(
        "    If you insist on making a broken copy, you can pass\n    --yes-i-really-mean-it to proceed anyway.",
      );
    }
  }
  const target = await open(to, "target");
  for await (const { oid, namespace, locator } of source.objects({ everyNamespace: true })) {
    const name = (namespace === "" ? "" : `${namespace}/`) + oid;
    await out.say(`${from}:${name}${locator === "" ? "" : `(@${locator})`} => ${to}:${name}`);
    const there = { oid, pool: source.poolId, namespace, locator };
    try {
      await target.inNamespace(namespace).write(oid, [copyFrom(there)]);
    } catch (error) {
      throw failed(error, `error copying object: ${cppStrerror(errnoOf(error))}`);
    }
  }
  out.put(`successfully copied pool ${from}\n`);
}

async function purgePool(context: RadosContext): Promise<void> {
  const { cluster, out } = context;
  const name = context.take();
  if (context.words[0] !== "--yes-i-really-really-mean-it") {
    throw new CommandFailure(
      "WARNING:\n" +
        "  This will PERMANENTLY DESTROY all objects from a pool with no way back.\n" +
        "  To confirm, follow pool with --yes-i-really-really-mean-it",
    );
  }
  const io = await attempt(`error pool ${name}`, () => cluster.openPool(name));
  await attempt(`pool ${name} could not be purged`, () =>
    removeObjects(context, io, { prefix: "", everyNamespace: true }),
  );
  out.put(`successfully purged pool ${name}\n`);
}
