/** What images take, and what differs between their revisions. ceph: src/tools/rbd/action/DiskUsage.cc, Diff.cc */

import { ERRNO, formatBytes } from "../../base/index.ts";
import type { Json } from "../../encoding/index.ts";
import type { Image, Rbd, SnapshotInfo } from "../../librbd/index.ts";
import { CommandFailure } from "../client/index.ts";
import type { Call } from "./call.ts";
import { orFail } from "./failure.ts";
import { flag, formatOptions, fromSnapOption, snapOptions, wholeObjectOption } from "./options.ts";
import { invalid, type Spec } from "./spec.ts";
import { left, right, textTable } from "./table.ts";
import { imageOrSnapSpec, type Verb } from "./verb.ts";

export const usageVerbs: readonly Verb[] = [
  {
    name: "disk-usage",
    alias: "du",
    summary: "Show what images and their snapshots take.",
    positional: [imageOrSnapSpec()],
    options: [
      ...snapOptions(),
      ...formatOptions,
      fromSnapOption,
      flag("exact", "count bytes, not objects (slow)"),
      flag("merge-snapshots", "one line for an image and its snapshots"),
    ],
    run: usage,
  },
  {
    name: "diff",
    summary: "List ranges that hold data, or that differ since a snapshot.",
    positional: [imageOrSnapSpec()],
    options: [...snapOptions(), fromSnapOption, wholeObjectOption, ...formatOptions],
    run: diff,
  },
];

interface Usage {
  readonly name: string;
  readonly id: string;
  readonly snapshot: SnapshotInfo | undefined;
  readonly provisioned: number;
  readonly used: number;
}

async function usage(call: Call): Promise<void> {
  const from = call.text("from-snap");
  const spec = call.spec({ snapshot: "permitted", isOptional: true });
  if (from !== "" && spec.name === "") throw invalid("image name was not specified");
  call.checkFormat();
  const rbd = await call.open(spec);
  const images = await orFail(rbd.list(), "rbd: du failed");
  const wanted = images.filter(({ name }) => spec.name === "" || name === spec.name);
  if (wanted.length === 0 && spec.name !== "") {
    call.warn(`specified image ${spec.name} is not found.`);
    throw new CommandFailure("rbd: du failed: (2) No such file or directory", ERRNO.ENOENT);
  }
  const lines: Usage[] = [];
  const total = { provisioned: 0, used: 0, count: 0 };
  for (const { name, id } of wanted) {
    const found = await usageOf(call, rbd, { name, id }, { ...spec, from });
    const isMerged = call.has("merge-snapshots");
    const head = found.at(-1);
    const used = found.reduce((sum, line) => sum + line.used, 0);
    if (isMerged && head?.snapshot === undefined && head !== undefined) {
      lines.push({ ...head, used });
    } else if (!isMerged) lines.push(...found);
    total.count += found.length;
    total.used += used;
    for (const { snapshot, provisioned } of found) {
      const isCounted = snapshot === undefined || spec.snapshot !== "";
      if (isCounted) total.provisioned += provisioned;
    }
  }
  const totals = { total_provisioned_size: total.provisioned, total_used_size: total.used };
  await call.show(
    () => ({ images: lines.map(usageJson), ...(spec.name === "" ? totals : {}) }),
    { root: "stats", items: { images: "image" } },
    () => (images.length === 0 ? "" : usageTable(lines, total)),
  );
}

function usageJson({ name, id, snapshot, provisioned, used }: Usage): Json {
  const taken = snapshot === undefined ? {} : { snapshot: snapshot.name, snapshot_id: snapshot.id };
  return { name, id, ...taken, provisioned_size: provisioned, used_size: used };
}

function usageTable(
  lines: readonly Usage[],
  total: { provisioned: number; used: number; count: number },
): string {
  const rows = lines.map(({ name, snapshot, provisioned, used }) => [
    snapshot === undefined ? name : `${name}@${snapshot.name}`,
    formatBytes(provisioned),
    formatBytes(used),
  ]);
  if (total.count > 1) {
    rows.push(["<TOTAL>", formatBytes(total.provisioned), formatBytes(total.used)]);
  }
  return textTable([left("NAME"), right("PROVISIONED"), right("USED")], rows);
}

async function usageOf(
  call: Call,
  rbd: Rbd,
  { name, id }: { readonly name: string; readonly id: string },
  { snapshot: until, from }: Spec & { readonly from: string },
): Promise<Usage[]> {
  let image: Image;
  try {
    image = await rbd.open(name, { readOnly: true });
  } catch (error) {
    call.warnOf(`rbd: error opening ${name}`, error);
    return [];
  }
  try {
    const { features } = await image.info();
    if (!features.includes("fast-diff")) {
      call.warn(`warning: fast-diff map is not enabled for ${name}. operation may be slow.`);
    }
    const snapshots = await image.snapshots();
    const between = rangeOf(snapshots, from, until);
    if (between === undefined) return [];
    const lines: Usage[] = [];
    let last = from;
    for (const snapshot of between) {
      const used = await usedAt(call, image, snapshot.name, last);
      lines.push({ name, id, snapshot, provisioned: snapshot.size, used });
      last = snapshot.name;
    }
    if (until === "") {
      const used = await usedAt(call, image, "", last);
      lines.push({ name, id, snapshot: undefined, provisioned: image.size, used });
    }
    return lines;
  } finally {
    await image.close();
  }
}

/** Snapshots behind `from`, up to `until`; undefined: the two are one. @throws CommandFailure */
function rangeOf(
  snapshots: readonly SnapshotInfo[],
  from: string,
  until: string,
): readonly SnapshotInfo[] | undefined {
  const start = snapshots.findIndex(({ name }) => name === from);
  const end = snapshots.findIndex(({ name }) => name === until);
  if ((from !== "" && start < 0) || (until !== "" && end < 0)) {
    const message =
      "specified snapshot is not found.\nrbd: du failed: (2) No such file or directory";
    throw new CommandFailure(message, ERRNO.ENOENT);
  }
  if (start >= 0 && start === end) return undefined;
  if (end >= 0 && start > end) {
    throw new CommandFailure("rbd: du failed: (22) Invalid argument", ERRNO.EINVAL);
  }
  return snapshots.slice(start + 1, end < 0 ? undefined : end + 1);
}

async function usedAt(call: Call, image: Image, snapshot: string, from: string): Promise<number> {
  await image.setSnapshot(snapshot === "" ? undefined : snapshot);
  const { flags } = await image.info();
  if (flags.includes("fast diff invalid")) {
    const what = snapshot === "" ? image.name : `${image.name}@${snapshot}`;
    call.warn(`warning: fast-diff map is invalid for ${what}. operation may be slow.`);
  }
  const since = from === "" ? {} : { from };
  const work = image.used({ exact: call.has("exact"), ...since });
  return await orFail(work, "rbd: failed to iterate diffs");
}

async function diff(call: Call): Promise<void> {
  const spec = call.spec({ snapshot: "permitted" });
  const from = call.text("from-snap");
  call.checkFormat();
  await call.withImage(spec, "read", async (image) => {
    const options = {
      wholeObject: call.has("whole-object"),
      ...(from === "" ? {} : { from }),
    };
    const found = await orFail(all(image.diff(options)), "rbd: diff error");
    const columns = [left("Offset"), left("Length"), left("Type")];
    await call.show(
      () => found.map(({ offset, length, exists }) => ({ offset, length, exists: String(exists) })),
      { root: "extents", items: { extents: "extent" } },
      () => {
        const rows = found.map(({ offset, length, exists }) => [
          offset,
          length,
          exists ? "data" : "zero",
        ]);
        return rows.length === 0 ? "" : textTable(columns, rows);
      },
    );
  });
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
