/** Verbs that make images, and change them as a whole. ceph: src/tools/rbd/action */

import type { CephError } from "../../base/index.ts";
import type { Image } from "../../librbd/index.ts";
import type { Call } from "./call.ts";
import { failed, orFail, saying } from "./failure.ts";
import {
  createOptions,
  flag,
  imageOptions,
  noProgressOption,
  sizeOption,
  sparseSizeOption,
} from "./options.ts";
import { invalid, type Spec } from "./spec.ts";
import { imageSpec, type Verb } from "./verb.ts";

const WATCHED =
  "rbd: error: image still has watchers\nThis means the image is still open or the client using it crashed. Try again after closing/unmapping it or waiting 30s for the crashed client to timeout.";
const HAS_SNAPSHOTS =
  "rbd: image has snapshots - these must be deleted with 'rbd snap purge' before the image can be removed.";
const HAS_CLONES =
  "rbd: image has snapshots with linked clones - these must be deleted or flattened before the image can be removed.";

export const imageVerbs: readonly Verb[] = [
  {
    name: "create",
    summary: "Make an empty image.",
    positional: [imageSpec()],
    options: [
      ...imageOptions(),
      ...createOptions(true),
      flag("thick-provision", "write zeros to all of it"),
      sizeOption,
      noProgressOption,
    ],
    run: create,
  },
  {
    name: "remove",
    alias: "rm",
    summary: "Delete an image.",
    positional: [imageSpec()],
    options: [...imageOptions(), noProgressOption],
    run: remove,
  },
  {
    name: "rename",
    alias: "mv",
    summary: "Give an image another name in its pool.",
    positional: [imageSpec("source-"), imageSpec("dest-")],
    options: [...imageOptions(), ...imageOptions("dest-")],
    run: rename,
  },
  {
    name: "resize",
    summary: "Make an image larger or smaller.",
    positional: [imageSpec()],
    options: [
      ...imageOptions(),
      sizeOption,
      flag("allow-shrink", "let it become smaller"),
      noProgressOption,
    ],
    run: resize,
  },
  {
    name: "flatten",
    summary: "Copy a clone's parent data into it, so that it stands alone.",
    positional: [imageSpec()],
    options: [...imageOptions(), noProgressOption],
    run: flatten,
  },
  {
    name: "sparsify",
    summary: "Give back the space of what is zeros.",
    positional: [imageSpec()],
    options: [...imageOptions(), noProgressOption, sparseSizeOption],
    run: sparsify,
  },
];

async function create(call: Call): Promise<void> {
  const spec = call.spec({ check: "full" });
  const options = call.createOptions();
  const size = sizeOf(call);
  const rbd = await call.open(spec);
  await orFail(call.createImage(rbd, spec.name, size, options), (error) => {
    if (spec.namespace !== "" && error.code === "ENOENT") {
      call.warn(
        "rbd: namespace not found - it must be created with 'rbd namespace create' before creating an image.",
      );
    }
    return failed("rbd: create error", error);
  });
  if (!call.has("thick-provision")) return;
  await call.withImage(spec, "write", async (image) => {
    await orFail(
      thickProvision(call, image),
      "rbd: image created but error encountered during thick provisioning",
    );
  });
}

/** @throws CommandFailure if it was not said */
function sizeOf(call: Call): number {
  const size = call.number("size");
  if (size === undefined) throw invalid("must specify --size <M/G/T>");
  return size;
}

async function thickProvision(call: Call, image: Image): Promise<void> {
  const { objectSize, stripeCount } = await image.info();
  const step = objectSize * stripeCount;
  await call.withProgress("Thick provisioning", async (update) => {
    for (let at = 0; at < image.size; at += step) {
      await image.writeZeroes(at, Math.min(step, image.size - at), { keepSpace: true });
      update(Math.min(at + step, image.size), image.size);
    }
    await image.flush();
  });
}

async function remove(call: Call): Promise<void> {
  const spec = call.spec();
  const rbd = await call.open(spec);
  const removal = call.withProgress("Removing image", (onProgress) =>
    rbd.remove(spec.name, { onProgress }),
  );
  try {
    await removal;
  } catch (error) {
    throw await removalFailure(call, spec, error);
  }
}

async function removalFailure(call: Call, spec: Spec, error: unknown): Promise<unknown> {
  const { code } = error as CephError;
  if (code === "EBUSY") return saying(WATCHED, error as CephError);
  if (code === "EMLINK") {
    const group = await call.withImage(spec, "read", (image) => image.group());
    const namespace = spec.namespace === "" ? "" : `${spec.namespace}/`;
    const name = group === undefined ? "" : ` ${group.pool}/${namespace}${group.name}`;
    const text = `rbd: error: image belongs to a group${name}\nRemove the image from the group and try again.`;
    return saying(text, error as CephError);
  }
  if (code !== "ENOTEMPTY") return failed("rbd: delete error", error);
  const snapshots = await call.withImage(spec, "read", (image) => image.allSnapshots());
  // Those in the trash go by themselves, once nobody needs them.
  const hasOwn = snapshots.some(({ owner }) => owner.type !== "trash");
  return saying(hasOwn ? HAS_SNAPSHOTS : HAS_CLONES, error as CephError);
}

async function rename(call: Call): Promise<void> {
  const from = call.spec();
  const { pool, namespace } = from;
  const to = call.spec({ side: "dest-", start: { pool, namespace }, check: "full" });
  if (pool !== to.pool) {
    throw invalid(
      `mv/rename across pools not supported\nsource pool: ${pool} dest pool: ${to.pool}`,
    );
  }
  if (namespace !== to.namespace) {
    throw invalid(
      `mv/rename across namespaces not supported\nsource namespace: ${namespace} dest namespace: ${to.namespace}`,
    );
  }
  const rbd = await call.open(from);
  await orFail(rbd.rename(from.name, to.name), "rbd: rename error");
}

async function resize(call: Call): Promise<void> {
  const spec = call.spec();
  const size = sizeOf(call);
  const allowShrink = call.has("allow-shrink");
  await call.withImage(spec, "write", async (image) => {
    if (image.size === size) throw invalid("new size is equal to original size ");
    if (image.size > size && !allowShrink) {
      throw invalid("shrinking an image is only allowed with the --allow-shrink flag");
    }
    const change = call.withProgress("Resizing image", (onProgress) =>
      image.resize(size, { allowShrink, onProgress }),
    );
    await orFail(change, "rbd: resize error");
  });
}

async function flatten(call: Call): Promise<void> {
  const spec = call.spec();
  await call.withImage(spec, "write", async (image) => {
    const work = call.withProgress("Image flatten", (onProgress) => image.flatten({ onProgress }));
    await orFail(work, "rbd: flatten error");
  });
}

async function sparsify(call: Call): Promise<void> {
  const spec = call.spec();
  await call.withImage(spec, "write", async (image) => {
    const work = call.withProgress("Image sparsify", (onProgress) =>
      image.sparsify(call.sparseSize, { onProgress }),
    );
    await orFail(work, "rbd: sparsify error");
  });
}
