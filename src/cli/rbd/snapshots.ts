/** Snapshots of images. ceph: src/tools/rbd/action/Snap.cc */

import { ERRNO, formatBytes } from "../../base/index.ts";
import type { Json } from "../../encoding/index.ts";
import type { Image, OwnedSnapshot, SnapshotOwner } from "../../librbd/index.ts";
import { CommandFailure } from "../client/index.ts";
import type { Call } from "./call.ts";
import { failed, orFail, saying } from "./failure.ts";
import {
  flag,
  formatOptions,
  imageIdOption,
  imageOptions,
  noProgressOption,
  numberOption,
  snapIdOption,
  snapOptions,
} from "./options.ts";
import { invalid } from "./spec.ts";
import { left, right, textTable } from "./table.ts";
import { ctimeIfKnown } from "./times.ts";
import { imageSpec, snapSpec, type Verb } from "./verb.ts";

export const quiesceOptions = [
  flag("skip-quiesce", "ask nobody to hold still"),
  flag("ignore-quiesce-error", "go on where somebody cannot hold still"),
] as const;

export const snapshotVerbs: readonly Verb[] = [
  {
    name: "snap list",
    alias: "snap ls",
    summary: "List an image's snapshots.",
    positional: [imageSpec()],
    options: [
      ...imageOptions(),
      imageIdOption,
      ...formatOptions,
      flag("all", "those that no user has taken, too", "a"),
    ],
    run: list,
  },
  {
    name: "snap create",
    alias: "snap add",
    summary: "Take a snapshot.",
    positional: [snapSpec()],
    options: [...snapOptions(), ...quiesceOptions, noProgressOption],
    run: create,
  },
  {
    name: "snap remove",
    alias: "snap rm",
    summary: "Delete a snapshot.",
    positional: [snapSpec()],
    options: [
      ...snapOptions(),
      imageIdOption,
      snapIdOption,
      noProgressOption,
      flag("force", "flatten its clones and unprotect it first"),
    ],
    run: remove,
  },
  {
    name: "snap purge",
    summary: "Delete all snapshots that are not protected.",
    positional: [imageSpec()],
    options: [...imageOptions(), imageIdOption, noProgressOption],
    run: purge,
  },
  {
    name: "snap rollback",
    alias: "snap revert",
    summary: "Make an image what it was at a snapshot.",
    positional: [snapSpec()],
    options: [...snapOptions(), noProgressOption],
    run: rollback,
  },
  {
    name: "snap protect",
    summary: "Keep a snapshot from being deleted.",
    positional: [snapSpec()],
    options: snapOptions(),
    run: protect,
  },
  {
    name: "snap unprotect",
    summary: "Let a snapshot be deleted again.",
    positional: [snapSpec()],
    options: [...snapOptions(), imageIdOption],
    run: unprotect,
  },
  {
    name: "snap rename",
    summary: "Give a snapshot another name.",
    positional: [snapSpec("source-"), snapSpec("dest-")],
    options: [...snapOptions(), ...snapOptions("dest-")],
    run: rename,
  },
  {
    name: "snap limit set",
    summary: "Say how many snapshots an image may have.",
    positional: [imageSpec()],
    options: [...imageOptions(), numberOption("limit", "most snapshots there may be")],
    run: setLimit,
  },
  {
    name: "snap limit clear",
    summary: "Let an image have any number of snapshots.",
    positional: [imageSpec()],
    options: imageOptions(),
    run: clearLimit,
  },
];

async function list(call: Call): Promise<void> {
  const spec = call.imageOrId();
  call.checkFormat();
  const isAll = call.has("all");
  await call.withImage(spec, "read", async (image) => {
    const every = await orFail(image.allSnapshots(), "rbd: failed to list snapshots");
    const shown = isAll ? every : every.filter(({ owner }) => owner.type === "user");
    const { objects } = await image.info();
    const columns = [
      right("SNAPID"),
      left("NAME"),
      right("SIZE"),
      left("PROTECTED"),
      right("TIMESTAMP"),
      ...(isAll ? [left("NAMESPACE")] : []),
    ];
    await call.show(
      () => shown.map((snapshot) => snapshotJson(snapshot, isAll)),
      { root: "snapshots", items: { snapshots: "snapshot", mirror_peer_uuids: "peer_uuid" } },
      () => {
        const rows = shown.map(({ id, name, size, isProtected, takenMs, owner }) => [
          id,
          name,
          formatBytes(size),
          isProtected && owner.type === "user" ? "yes" : "",
          ctimeIfKnown(takenMs),
          ownerText(owner, objects),
        ]);
        return rows.length === 0 ? "" : textTable(columns, rows);
      },
    );
  });
}

function snapshotJson(snapshot: OwnedSnapshot, withOwner: boolean): Json {
  const { id, name, size, isProtected, takenMs, owner } = snapshot;
  return {
    id,
    name,
    size,
    protected: String(isProtected && owner.type === "user"),
    timestamp: ctimeIfKnown(takenMs),
    ...(withOwner ? { namespace: ownerJson(owner) } : {}),
  };
}

function ownerJson(owner: SnapshotOwner): Json {
  switch (owner.type) {
    case "user":
      return { type: "user" };
    case "unknown":
      return { type: "Unknown" };
    case "trash":
      return { type: "trash", original_name: owner.originalName };
    case "group": {
      const { pool, group, groupSnapshot } = owner;
      return { type: "group", pool, group, "group snap": groupSnapshot };
    }
    case "mirror": {
      const copy = {
        primary_mirror_uuid: owner.primaryMirrorUuid,
        primary_snap_id: owner.primarySnapId,
        last_copied_object_number: owner.lastCopiedObject,
      };
      return {
        type: "mirror",
        state: owner.state,
        mirror_peer_uuids: owner.peers,
        complete: owner.complete,
        ...(owner.isCopy ? copy : {}),
      };
    }
  }
}

function ownerText(owner: SnapshotOwner, objects: number): string {
  switch (owner.type) {
    case "user":
      return "user";
    case "unknown":
      return "Unknown";
    case "trash":
      return `trash (${owner.originalName})`;
    case "group":
      return `group (${owner.pool}/${owner.group}@${owner.groupSnapshot})`;
    case "mirror": {
      const peers = `peer_uuids:[${owner.peers.join(",")}]`;
      const percent = Math.min(100, Math.floor((100 * Number(owner.lastCopiedObject)) / objects));
      const partly = objects > 0 ? `${percent}% ` : "not ";
      const isDone = owner.complete ? "" : partly;
      const from = ` ${owner.primaryMirrorUuid}:${owner.primarySnapId} ${isDone}copied`;
      return `mirror (${owner.state} ${peers}${owner.isCopy ? from : ""})`;
    }
  }
}

/** What is asked of those who use an image while a snapshot is taken. @throws CommandFailure */
export function quiesceOf(call: Call): { readonly quiesce?: "skip" | "ignore-errors" } {
  const isSkipped = call.has("skip-quiesce");
  const isIgnored = call.has("ignore-quiesce-error");
  if (isSkipped && isIgnored) {
    throw invalid("ignore-quiesce-error cannot be used together with skip-quiesce");
  }
  if (isSkipped) return { quiesce: "skip" };
  return isIgnored ? { quiesce: "ignore-errors" } : {};
}

async function create(call: Call): Promise<void> {
  const spec = call.spec({ snapshot: "required", check: "snapshot" });
  const how = quiesceOf(call);
  await call.withImage({ ...spec, snapshot: "" }, "write", async (image) => {
    const work = call.withProgress("Creating snap", () => image.createSnapshot(spec.snapshot, how));
    await orFail(work, "rbd: failed to create snapshot");
  });
}

async function remove(call: Call): Promise<void> {
  const snapId = call.id("snap-id");
  const spec = call.imageOrId({ snapshot: snapId === undefined ? "required" : "permitted" });
  const isForced = call.has("force");
  if (snapId !== undefined && spec.snapshot !== "") {
    throw invalid("trying to access snapshot using both name and id.");
  }
  if (snapId !== undefined && (isForced || call.has("no-progress"))) {
    throw invalid("force and no-progress options not permitted when removing by id.");
  }
  await call.withImage({ ...spec, snapshot: "" }, "write", async (image) => {
    const what = snapId === undefined ? `'${spec.snapshot}'` : `id ${snapId}`;
    const work =
      snapId === undefined
        ? call.withProgress("Removing snap", () =>
            removeNamed(call, image, spec.snapshot, isForced),
          )
        : removeById(image, snapId);
    await orFail(work, (error) =>
      error.code === "EBUSY"
        ? saying(`rbd: snapshot ${what} is protected from removal.`, error)
        : failed("rbd: failed to remove snapshot", error),
    );
  });
}

async function removeNamed(call: Call, image: Image, name: string, force: boolean): Promise<void> {
  if (force) {
    const cluster = await call.cluster();
    const names = new Map((await cluster.pools()).map(({ id, name: pool }) => [id, pool]));
    for (const child of await image.children(name)) {
      const pool = names.get(child.poolId) ?? "";
      const spec = { pool, namespace: child.namespace, name: "", snapshot: "", id: child.id };
      await call.withImage(spec, "write", (clone) => clone.flatten());
    }
    const found = (await image.snapshots()).find((snapshot) => snapshot.name === name);
    if (found?.isProtected === true) await image.unprotectSnapshot(name);
  }
  await image.removeSnapshot(name);
}

async function removeById(image: Image, snapId: bigint): Promise<void> {
  const found = (await image.snapshots()).find(({ id }) => id === snapId);
  if (found === undefined) {
    throw new CommandFailure(
      "rbd: failed to remove snapshot: (2) No such file or directory",
      ERRNO.ENOENT,
    );
  }
  await image.removeSnapshot(found.name);
}

async function purge(call: Call): Promise<void> {
  const spec = call.imageOrId();
  await call.withImage(spec, "write", async (image) => {
    const every = await image.allSnapshots();
    if (every.length === 0) return;
    const own = every.filter(({ owner }) => owner.type === "user");
    const kept = own.filter(({ isProtected }) => isProtected);
    const going = own.filter(({ isProtected }) => !isProtected);
    if (kept.length > 0) {
      const names = kept.map(({ name }) => name).join(",");
      await call.out.say(
        `rbd: error removing snapshot(s) '${names}', which ${kept.length === 1 ? "is" : "are"} protected - these must be unprotected with \`rbd snap unprotect\`.`,
      );
    }
    const work = purgeThose(call, image, going, kept.length);
    await orFail(work, (error) =>
      error.code === "EBUSY" ? saying("", error) : failed("rbd: removing snaps failed", error),
    );
  });
}

async function purgeThose(
  call: Call,
  image: Image,
  going: readonly OwnedSnapshot[],
  kept: number,
): Promise<void> {
  if (going.length === 0 && kept === 0) return;
  const hidden = new CommandFailure("", 0);
  const work = call.withProgress("Removing all snapshots", async (update) => {
    for (const [i, { name }] of going.entries()) {
      await image.removeSnapshot(name);
      update(i + 1, going.length + kept);
    }
    // What is protected stays: the bar says that it failed, the exit code does not.
    if (kept > 0) throw hidden;
  });
  await work.catch((error: unknown) => {
    if (error !== hidden) throw error;
  });
}

async function rollback(call: Call): Promise<void> {
  const spec = call.spec({ snapshot: "required" });
  await call.withImage({ ...spec, snapshot: "" }, "write", async (image) => {
    const work = call.withProgress("Rolling back to snapshot", (onProgress) =>
      image.rollback(spec.snapshot, { onProgress }),
    );
    await orFail(work, "rbd: rollback failed");
  });
}

async function isProtected(image: Image, name: string, what: string): Promise<boolean> {
  const found = (await image.snapshots()).find((snapshot) => snapshot.name === name);
  if (found !== undefined) return found.isProtected;
  throw new CommandFailure(`rbd: ${what}: (2) No such file or directory`, ERRNO.ENOENT);
}

async function protect(call: Call): Promise<void> {
  const spec = call.spec({ snapshot: "required" });
  const what = "protecting snap failed";
  await call.withImage({ ...spec, snapshot: "" }, "write", async (image) => {
    if (await isProtected(image, spec.snapshot, what)) {
      throw new CommandFailure("rbd: snap is already protected", ERRNO.EBUSY);
    }
    await orFail(image.protectSnapshot(spec.snapshot), `rbd: ${what}`);
  });
}

async function unprotect(call: Call): Promise<void> {
  const spec = call.imageOrId({ snapshot: "required" });
  const what = "unprotecting snap failed";
  await call.withImage({ ...spec, snapshot: "" }, "write", async (image) => {
    if (!(await isProtected(image, spec.snapshot, what))) {
      throw invalid("snap is already unprotected");
    }
    await orFail(image.unprotectSnapshot(spec.snapshot), `rbd: ${what}`);
  });
}

async function rename(call: Call): Promise<void> {
  const from = call.spec({ snapshot: "required" });
  const { pool, namespace } = from;
  const to = call.spec({
    side: "dest-",
    start: { pool, namespace },
    snapshot: "required",
    check: "snapshot",
  });
  const same = [
    [from.pool === to.pool, "pool"],
    [from.namespace === to.namespace, "namespace"],
    [from.name === to.name, "image name"],
  ] as const;
  for (const [isSame, what] of same) {
    if (!isSame) throw invalid(`source and destination ${what} must be the same`);
  }
  await call.withImage({ ...from, snapshot: "" }, "write", async (image) => {
    await orFail(image.renameSnapshot(from.snapshot, to.snapshot), "rbd: renaming snap failed");
  });
}

async function setLimit(call: Call): Promise<void> {
  const spec = call.spec();
  const limit = call.number("limit");
  if (limit === undefined) {
    throw new CommandFailure("rbd: must specify --limit <num>", ERRNO.ERANGE);
  }
  await call.withImage(spec, "write", async (image) => {
    await orFail(image.setSnapshotLimit(BigInt(limit)), "rbd: setting snapshot limit failed");
  });
}

async function clearLimit(call: Call): Promise<void> {
  const spec = call.spec();
  await call.withImage(spec, "write", async (image) => {
    await orFail(image.setSnapshotLimit(undefined), "rbd: clearing snapshot limit failed");
  });
}
