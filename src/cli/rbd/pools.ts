/** Pools of images, and their namespaces. ceph: src/tools/rbd/action/Pool.cc, Namespace.cc */

import { ERRNO, formatBytes } from "../../base/index.ts";
import { errnoOf } from "../client/index.ts";
import type { Call } from "./call.ts";
import { failed, orFail, saying } from "./failure.ts";
import { flag, formatOptions, poolOption, poolOptions } from "./options.ts";
import { invalid, type Spec } from "./spec.ts";
import { left, textTable } from "./table.ts";
import { poolName, poolSpec, type Verb } from "./verb.ts";

export const poolVerbs: readonly Verb[] = [
  {
    name: "pool init",
    summary: "Make a pool fit for images.",
    positional: [poolName],
    options: [poolOption(), flag("force", "even if it is another application's")],
    run: init,
  },
  {
    name: "pool stats",
    summary: "Count a pool's images.",
    positional: [poolSpec],
    options: [...poolOptions, ...formatOptions],
    run: stats,
  },
  {
    name: "namespace create",
    summary: "Make a namespace for images.",
    positional: [poolSpec],
    options: poolOptions,
    run: createNamespace,
  },
  {
    name: "namespace list",
    alias: "namespace ls",
    summary: "List the namespaces of a pool.",
    positional: [poolName],
    options: [poolOption(), ...formatOptions],
    run: listNamespaces,
  },
  {
    name: "namespace remove",
    alias: "namespace rm",
    summary: "Delete a namespace that has no images.",
    positional: [poolSpec],
    options: poolOptions,
    run: removeNamespace,
  },
];

async function init(call: Call): Promise<void> {
  const spec = call.pool({ hasNamespace: false });
  const rbd = await call.open(spec);
  try {
    await rbd.initPool({ force: call.has("force") });
  } catch (error) {
    // The exit code is 0, whatever becomes of it: the original's.
    if (errnoOf(error) !== -ERRNO.EPERM) call.warnOf("rbd: error registered application", error);
    else call.warn("rbd: pool already registered to a different application.");
  }
}

async function stats(call: Call): Promise<void> {
  const spec = call.pool();
  call.checkFormat();
  const rbd = await call.open(spec);
  const found = await orFail(rbd.stats(), "rbd: failed to query pool stats");
  const inTrash = (text: string) => (found.trashCount > 0 ? ` (${text} in trash)` : "");
  await call.show(
    () => ({
      images: {
        count: found.imageCount,
        provisioned_bytes: found.imageMaxProvisionedBytes,
        snap_count: found.imageSnapshotCount,
      },
      trash: {
        count: found.trashCount,
        provisioned_bytes: found.trashMaxProvisionedBytes,
        snap_count: found.trashSnapshotCount,
      },
    }),
    { root: "stats" },
    () => {
      const size = formatBytes(found.imageMaxProvisionedBytes);
      const trashSize = formatBytes(found.trashMaxProvisionedBytes);
      return [
        `Total Images: ${found.imageCount}${inTrash(String(found.trashCount))}\n`,
        `Total Snapshots: ${found.imageSnapshotCount}${inTrash(String(found.trashSnapshotCount))}\n`,
        `Provisioned Size: ${size}${inTrash(trashSize)}\n`,
      ].join("");
    },
  );
}

/** @throws CommandFailure if it names none */
function namespaceOf(call: Call): Spec {
  const spec = call.pool();
  if (spec.namespace === "") throw invalid("namespace name was not specified");
  return spec;
}

async function createNamespace(call: Call): Promise<void> {
  const { pool, namespace } = namespaceOf(call);
  const rbd = await call.open({ pool, namespace: "" });
  await orFail(rbd.createNamespace(namespace), "rbd: failed to created namespace");
}

async function removeNamespace(call: Call): Promise<void> {
  const { pool, namespace } = namespaceOf(call);
  const rbd = await call.open({ pool, namespace: "" });
  await orFail(rbd.removeNamespace(namespace), (error) => {
    if (error.code === "EBUSY") {
      return saying("rbd: namespace contains images which must be deleted first.", error);
    }
    if (error.code === "ENOENT") return saying("rbd: namespace does not exist.", error);
    return failed("rbd: failed to remove namespace", error);
  });
}

async function listNamespaces(call: Call): Promise<void> {
  const spec = call.pool({ hasNamespace: false });
  call.checkFormat();
  const rbd = await call.open(spec);
  const names = await orFail(rbd.listNamespaces(), "rbd: failed to list namespaces");
  await call.show(
    () => names.map((name) => ({ name })),
    { root: "namespaces", items: { namespaces: "namespace" } },
    () =>
      names.length === 0
        ? ""
        : textTable(
            [left("NAME")],
            names.map((name) => [name]),
          ),
  );
}
