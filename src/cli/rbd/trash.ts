/** The trash of a pool. ceph: src/tools/rbd/action/Trash.cc */

import { ERRNO } from "../../base/index.ts";
import type { Json } from "../../encoding/index.ts";
import type { ParentSnapshot, Rbd, TrashEntry } from "../../librbd/index.ts";
import { CommandFailure, cppStrerror, errnoOf } from "../client/index.ts";
import type { Call } from "./call.ts";
import { dateOf } from "./dates.ts";
import { failed, orFail, saying } from "./failure.ts";
import { parentJson, parentText } from "./list.ts";
import {
  flag,
  formatOptions,
  imageIdOption,
  imageOption,
  imageOptions,
  noProgressOption,
  poolOptions,
  ratioOption,
  textOption,
} from "./options.ts";
import { invalid, readSpec, type Spec } from "./spec.ts";
import { left, textTable } from "./table.ts";
import { ctime } from "./times.ts";
import { imageSpec, type Positional, poolSpec, type Verb } from "./verb.ts";

const idSpec: Positional = {
  name: "image-id",
  help: "image, as [<pool-name>/[<namespace>/]]<image-id>",
};

export const trashVerbs: readonly Verb[] = [
  {
    name: "trash move",
    alias: "trash mv",
    summary: "Put an image into the trash.",
    positional: [imageSpec()],
    options: [...imageOptions(), textOption("expires-at", "not removed before [default: now]")],
    run: move,
  },
  {
    name: "trash list",
    alias: "trash ls",
    summary: "List what is in the trash.",
    positional: [poolSpec],
    options: [
      ...poolOptions,
      flag("all", "what no user has put there, too", "a"),
      flag("long", "with dates, and parents", "l"),
      ...formatOptions,
    ],
    run: list,
  },
  {
    name: "trash remove",
    alias: "trash rm",
    summary: "Delete an image that is in the trash.",
    positional: [idSpec],
    options: [
      ...poolOptions,
      imageIdOption,
      noProgressOption,
      flag("force", "even before its time has come"),
    ],
    run: remove,
  },
  {
    name: "trash purge",
    summary: "Delete all of the trash whose time has come.",
    positional: [poolSpec],
    options: [
      ...poolOptions,
      noProgressOption,
      textOption("expired-before", "what may go before this date"),
      ratioOption("threshold", "until the pool is no fuller than this, 0.0 to 1.0"),
    ],
    run: purge,
  },
  {
    name: "trash restore",
    summary: "Bring an image back from the trash.",
    positional: [idSpec],
    options: [...poolOptions, imageIdOption, imageOption()],
    run: restore,
  },
];

async function move(call: Call): Promise<void> {
  const spec = call.spec();
  const rbd = await call.open(spec);
  const nowMs = rbd.context.clock.now();
  const keepMs = (await dateOf(call.text("expires-at") || "now", nowMs)) - nowMs;
  if (keepMs < 0) throw invalid("cannot use a date in the past as an expiration date");
  await orFail(rbd.moveToTrash(spec.name, keepMs), "rbd: deferred delete error");
}

/** @returns a spec with the id as its name */
function idOf(call: Call): Spec {
  const spec: Spec = {
    pool: call.text("pool"),
    namespace: call.text("namespace"),
    name: call.text("image-id"),
    snapshot: "",
  };
  const word = spec.name === "" ? call.word() : "";
  if (word !== "") readSpec(word, spec, "full");
  if (spec.snapshot !== "")
    throw invalid("snapshot name specified for a command that doesn't use it");
  if (spec.name === "") throw invalid("image id was not specified");
  return spec;
}

async function remove(call: Call): Promise<void> {
  const spec = idOf(call);
  const rbd = await call.open(spec);
  const force = call.has("force");
  // The bar's end comes behind the words here.
  const said: { failure: unknown } = { failure: undefined };
  const work = call.withProgress("Removing image", async (onProgress) => {
    try {
      await rbd.removeFromTrash(spec.name, { force, onProgress });
    } catch (error) {
      const failure = removalFailure(error);
      call.warn(failure.message);
      said.failure = new CommandFailure("", failure.exitCode, error);
      throw said.failure;
    }
  });
  await work;
}

function removalFailure(error: unknown): CommandFailure {
  const words: Readonly<Record<number, string>> = {
    [ERRNO.ENOTEMPTY]:
      "rbd: image has snapshots - these must be deleted with 'rbd snap purge' before the image can be removed.",
    [ERRNO.EUCLEAN]: "rbd: error: image not fully moved to trash.",
    [ERRNO.EBUSY]:
      "rbd: error: image still has watchers\nThis means the image is still open or the client using it crashed. Try again after closing/unmapping it or waiting 30s for the crashed client to timeout.",
    [ERRNO.EMLINK]: "\nRemove the image from the group and try again.",
    [ERRNO.EPERM]:
      "\nDeferment time has not expired, please use --force if you really want to remove the image",
  };
  const errno = Math.abs(errnoOf(error));
  const text = words[errno] ?? `rbd: remove error: ${cppStrerror(errno)}`;
  return new CommandFailure(text, errno, error);
}

const isUsers = ({ source }: TrashEntry) => source === "user" || source === "user-parent";

async function list(call: Call): Promise<void> {
  const spec = call.pool();
  call.checkFormat();
  const rbd = await call.open(spec);
  const every = await orFail(rbd.listTrash(), "rbd: trash list");
  const entries = call.has("all") ? every : every.filter(isUsers);
  const names = { root: "trash", items: { trash: "image" } };
  if (!call.has("long")) {
    await call.show(
      () => entries.map(({ id, name }) => ({ id, name })),
      names,
      () => entries.map(({ id, name }) => `${id} ${name}\n`).join(""),
    );
    return;
  }
  const shown: { entry: TrashEntry; parent: ParentSnapshot | undefined }[] = [];
  for (const entry of entries) {
    const parent = await parentOf(call, rbd, entry);
    if (parent !== "gone") shown.push({ entry, parent });
  }
  const nowMs = rbd.context.clock.now();
  const columns = ["ID", "NAME", "SOURCE", "DELETED_AT", "STATUS", "PARENT"].map(left);
  await call.show(
    () => shown.map(({ entry, parent }) => entryJson(entry, parent, nowMs)),
    names,
    () => {
      const rows = shown.map(({ entry, parent }) => [
        entry.id,
        entry.name,
        sourceText(entry),
        ctime(entry.deletedMs),
        statusText(entry, nowMs),
        parent === undefined ? "" : parentText(parent),
      ]);
      return entries.length === 0 ? "" : textTable(columns, rows);
    },
  );
}

async function parentOf(
  call: Call,
  rbd: Rbd,
  { id }: TrashEntry,
): Promise<ParentSnapshot | undefined | "gone"> {
  try {
    await using image = await rbd.open({ id }, { readOnly: true });
    return await image.parent();
  } catch (error) {
    // Somebody may have removed it meanwhile.
    if (errnoOf(error) !== -ERRNO.ENOENT) call.warnOf(`rbd: error opening ${id}`, error);
    return "gone";
  }
}

function sourceText({ source }: TrashEntry): string {
  return source.toUpperCase().replace("-", "_");
}

function statusText({ keptUntilMs }: TrashEntry, nowMs: number): string {
  const isKept = Math.floor(nowMs / 1000) < Math.floor(keptUntilMs / 1000);
  return `${isKept ? "protected until" : "expired at"} ${ctime(keptUntilMs)}`;
}

function entryJson(entry: TrashEntry, parent: ParentSnapshot | undefined, nowMs: number): Json {
  return {
    id: entry.id,
    name: entry.name,
    source: sourceText(entry),
    deleted_at: ctime(entry.deletedMs),
    status: statusText(entry, nowMs),
    ...(parent === undefined ? {} : { parent: parentJson(parent) }),
  };
}

async function purge(call: Call): Promise<void> {
  const spec = call.pool();
  const rbd = await call.open(spec);
  const threshold = call.number("threshold");
  const before = threshold === undefined ? call.text("expired-before") : "";
  const dueMs = await dateOf(before || "now", rbd.context.clock.now());
  const limits = { dueMs, ...(threshold === undefined ? {} : { threshold }) };
  const work = call.withProgress("Removing images", (onProgress) =>
    rbd.purgeTrash({ ...limits, onProgress }),
  );
  await orFail(work, (error) => saying("", error));
}

async function restore(call: Call): Promise<void> {
  const spec = idOf(call);
  const rbd = await call.open(spec);
  const name = call.text("image");
  const work = rbd.restoreFromTrash(spec.name, name === "" ? undefined : name);
  await orFail(work, (error) => {
    if (error.code === "ENOENT") return saying("rbd: error: image does not exist in trash", error);
    if (error.code !== "EEXIST") return failed("rbd: restore error", error);
    return saying(
      "rbd: error: an image with the same name already exists, try again with a different name",
      error,
    );
  });
}
