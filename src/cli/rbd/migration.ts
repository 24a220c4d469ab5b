/** Migrations that another tool has prepared. ceph: src/tools/rbd/action/Migration.cc */

import type { Rbd } from "../../librbd/index.ts";
import type { Call } from "./call.ts";
import { orFail } from "./failure.ts";
import { flag, imageOptions, noProgressOption } from "./options.ts";
import { imageSpec, type Verb } from "./verb.ts";

type Step = "executeMigration" | "commitMigration" | "abortMigration";

export const migrationVerbs: readonly Verb[] = [
  { name: "migration prepare", summary: "Begin to move an image.", positional: [], options: [] },
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
    run: (call) =>
      step(call, "commitMigration", "Commit image migration", "committing migration failed"),
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

async function step(call: Call, what: Step, operation: string, failure: string): Promise<void> {
  const spec = call.spec();
  const rbd: Rbd = await call.open(spec);
  const work = call.withProgress(operation, (onProgress) => rbd[what](spec.name, { onProgress }));
  await orFail(work, `rbd: ${failure}`);
}
