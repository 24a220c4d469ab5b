/** Moving images while they are used. ceph: src/tools/rbd/action/Migration.cc */

import { ERRNO } from "../../base/index.ts";
import { CommandFailure } from "../client/index.ts";
import type { Call } from "./call.ts";
import { orFail } from "./failure.ts";
import { type FoundChild, findChildren } from "./find-children.ts";
import {
  createOptions,
  flag,
  imageOptions,
  noProgressOption,
  snapOptions,
  textOption,
} from "./options.ts";
import { invalid } from "./spec.ts";
import { imageOrSnapSpec, imageSpec, type Verb } from "./verb.ts";

type Step = "executeMigration" | "commitMigration" | "abortMigration";

export const migrationVerbs: readonly Verb[] = [
  {
    name: "migration prepare",
    summary: "Begin to move an image: to another pool, namespace or name, or to another layout.",
    positional: [imageOrSnapSpec("source-"), imageSpec("dest-")],
    options: [
      flag("import-only", "only copy from the source, which is no image that is moved"),
      textOption("source-spec-path", "file with a description of the source, or '-'"),
      textOption("source-spec", "description of the source"),
      ...snapOptions(),
      ...imageOptions("dest-"),
      ...createOptions(true),
      flag("flatten", "the destination of a clone stands alone"),
    ],
    run: prepare,
  },
  {
    name: "migration execute",
    summary: "Move an image's data.",
    positional: [imageSpec()],
    options: [...imageOptions(), noProgressOption],
    run: (call) => step(call, "executeMigration", "Image migration", "migration failed"),
  },
  {
    name: "migration commit",
    summary: "End the move of an image: its source goes.",
    positional: [imageSpec()],
    options: [...imageOptions(), noProgressOption, flag("force", "even while it has clones")],
    run: commit,
  },
  {
    name: "migration abort",
    summary: "Give up the move of an image: its destination goes.",
    positional: [imageSpec()],
    options: [...imageOptions(), noProgressOption],
    run: (call) =>
      step(call, "abortMigration", "Abort image migration", "aborting migration failed"),
  },
];

async function prepare(call: Call): Promise<void> {
  const isImport = call.has("import-only");
  const from = call.spec({ snapshot: isImport ? "permitted" : "none" });
  const to = call.spec({ side: "dest-", check: "full", isOptional: true });
  const hasSpec = call.has("source-spec") || call.has("source-spec-path");
  if (call.has("source-spec") && call.has("source-spec-path")) {
    throw invalid("cannot specify both source-spec and source-spec-path");
  }
  if (isImport) {
    const why = "migrations that only import (--import-only) are not supported";
    throw new CommandFailure(`rbd: ${why}`, ERRNO.EOPNOTSUPP);
  }
  if (hasSpec) {
    throw invalid("--import-only must be used in combination with source-spec/source-spec-path");
  }
  const options = call.createOptions();
  const rbd = await call.open(from);
  const io = await call.openIo(to);
  const name = to.name || from.name;
  const flatten = call.has("flatten");
  const work = rbd.prepareMigration(from.name, { io, name }, { ...options, flatten });
  await orFail(work, "rbd: preparing migration failed");
}

async function step(call: Call, what: Step, operation: string, failure: string): Promise<void> {
  const spec = call.spec();
  const rbd = await call.open(spec);
  const work = call.withProgress(operation, (onProgress) => rbd[what](spec.name, { onProgress }));
  await orFail(work, `rbd: ${failure}`);
}

async function commit(call: Call): Promise<void> {
  const spec = call.spec();
  const rbd = await call.open(spec);
  const status = await orFail(
    rbd.migrationStatus(spec.name),
    "rbd: getting migration status failed",
  );
  const { pool, namespace, imageId: id } = status.destination;
  const destination = { pool, namespace, name: "", snapshot: "", id };
  const children = await call.withImage(destination, "read", (image) =>
    orFail(findChildren(call, image, true), "rbd: listing descendants failed"),
  );
  if (children.length > 0) warnOfChildren(call, children);
  const work = call.withProgress("Commit image migration", (onProgress) =>
    rbd.commitMigration(spec.name, { onProgress }),
  );
  await orFail(work, "rbd: committing migration failed");
}

/** @throws CommandFailure EBUSY without --force */
function warnOfChildren(call: Call, children: readonly FoundChild[]): void {
  call.warn(`rbd: the image has ${children.length === 1 ? "a descendant" : "descendants"}: `);
  for (const { pool, namespace, name, id, inTrash } of children) {
    const place = `${pool}/${namespace === "" ? "" : `${namespace}/`}`;
    call.warn(`  ${place}${name}${inTrash ? ` (trash ${id})` : ""}`);
  }
  call.warn("Warning: in-use, read-only descendant images will not detect the parent update.");
  if (call.has("force")) return call.warn("Proceeding anyway due to force flag set.");
  throw new CommandFailure(
    "Ensure no descendant images are opened read-only and run again with force flag.",
    ERRNO.EBUSY,
  );
}
