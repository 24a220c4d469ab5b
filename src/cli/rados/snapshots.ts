/**
 * Verbs on snapshots of a whole pool, and on what is kept of an object for them.
 * ceph: src/tools/rados/rados.cc
 */

import { CephError, ERRNO } from "../../base/index.ts";
import { type ObjectRevision, rollback } from "../../librados/index.ts";
import {
  attempt,
  CommandFailure,
  cppStrerror,
  errnoOf,
  formatDottedTime,
  renderFormat,
} from "../client/index.ts";
import { type RadosContext, shown } from "./context.ts";
import type { Verbs } from "./verb.ts";

export const SNAPSHOT_VERBS: Verbs = {
  lssnap: { summary: "the pool's snapshots", arguments: "", run: list },
  mksnap: { summary: "take a snapshot of the pool", arguments: "SNAP", run: make },
  rmsnap: { summary: "remove a snapshot of the pool", arguments: "SNAP", run: remove },
  rollback: {
    summary: "set an object back to a snapshot",
    arguments: "OBJECT SNAP",
    run: rollBack,
  },
  listsnaps: { summary: "what is kept of an object", arguments: "OBJECT", run: listRevisions },
};

async function list(context: RadosContext): Promise<void> {
  context.expectAtMost(0);
  const snapshots = await context.io.snapshots();
  for (const { id, name, takenMs } of snapshots) {
    context.out.put(`${id}\t${name}\t${formatDottedTime(takenMs)}\n`);
  }
  context.out.put(`${snapshots.length} snaps\n`);
}

async function make(context: RadosContext): Promise<void> {
  const name = context.take();
  const { io, poolName: pool } = context;
  if (io.hasManagedSnapshots) {
    throw new CommandFailure(`can't create snapshot: pool ${pool} is in selfmanaged snaps mode`);
  }
  await attempt(`error creating pool ${pool} snapshot ${name}`, () => io.createSnapshot(name));
  context.out.put(`created pool ${pool} snap ${name}\n`);
}

async function remove(context: RadosContext): Promise<void> {
  const name = context.take();
  const { io, poolName: pool } = context;
  await attempt(`error removing pool ${pool} snapshot ${name}`, () => io.removeSnapshot(name));
  context.out.put(`removed pool ${pool} snap ${name}\n`);
}

async function rollBack(context: RadosContext): Promise<void> {
  const oid = context.take();
  const name = context.take();
  const { poolName: pool } = context;
  try {
    const id = await snapshotId(context, name);
    await context.writable.write(oid, [rollback(id)]);
  } catch (error) {
    // compat: the object stands where the snapshot should, and there is nothing between it and the reason.
    const why = cppStrerror(errnoOf(error));
    throw new CommandFailure(`error rolling back pool ${pool} to snapshot ${oid}${why}`, 1, error);
  }
  context.out.put(`rolled back pool ${pool} to snapshot ${name}\n`);
}

async function snapshotId({ io, poolName }: RadosContext, name: string): Promise<bigint> {
  const found = (await io.snapshots()).find((snapshot) => snapshot.name === name);
  if (found !== undefined) return found.id;
  throw new CephError(-ERRNO.ENOENT, { op: "find snapshot", target: `${poolName}@${name}` });
}

async function listRevisions(context: RadosContext): Promise<void> {
  const { io, options, format, out } = context;
  const oid = context.takeObject();
  const what = `error listing snap shots ${context.poolName}/${shown(oid)}`;
  const revisions = await attempt(what, () => io.revisions(oid));
  const isNamed = format !== undefined || options.has("pretty");
  const names = isNamed ? (await io.snapshots()).map(({ id, name }) => [id, name] as const) : [];
  if (format === undefined) out.put(revisionLines(oid, revisions, new Map(names)));
  else out.put(revisionsFormatted(oid, revisions, new Map(names), format));
}

type Names = ReadonlyMap<bigint, string>;

function revisionLines(oid: string, revisions: readonly ObjectRevision[], names: Names): string {
  const lines = revisions.map(({ id, snaps, size, overlap }) => {
    const kept = snaps.map((snap) => {
      const name = names.get(snap);
      return name === undefined ? String(snap) : `${name}(${snap})`;
    });
    const line = `${id}\t${kept.length === 0 ? "-" : kept.join(",")}\t${size}`;
    if (id === "head") return line;
    return `${line}\t[${overlap.map(({ offset, length }) => `${offset}~${length}`).join(",")}]\n`;
  });
  return `${shown(oid)}:\ncloneid\tsnaps\tsize\toverlap\n${lines.join("")}\n`;
}

function revisionsFormatted(
  oid: string,
  revisions: readonly ObjectRevision[],
  names: Names,
  format: NonNullable<RadosContext["format"]>,
): string {
  const clones = revisions.map(({ id, snaps, size, overlap }) => ({
    id,
    snapshots: snaps.map((snap) => ({ id: snap, name: names.get(snap) })),
    size,
    overlaps:
      id === "head" ? undefined : overlap.map(({ offset, length }) => ({ start: offset, length })),
  }));
  const items = { clones: "clone", snapshots: "snapshot", overlaps: "section" };
  return renderFormat({ name: oid, clones }, format, { root: "object", items });
}
