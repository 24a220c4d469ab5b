/** Clones and copies of images. ceph: src/tools/rbd/action/Clone.cc, Copy.cc */

import type { Call } from "./call.ts";
import { failed, orFail, saying } from "./failure.ts";
import {
  createOptions,
  flag,
  imageOptions,
  noProgressOption,
  snapOptions,
  sparseSizeOption,
} from "./options.ts";
import { imageOrSnapSpec, imageSpec, snapSpec, type Verb } from "./verb.ts";

export const copyVerbs: readonly Verb[] = [
  {
    name: "clone",
    summary: "Make an image that shows a snapshot until it is written to.",
    positional: [snapSpec("source-"), imageSpec("dest-")],
    options: [...snapOptions(), ...imageOptions("dest-"), ...createOptions(false)],
    run: clone,
  },
  {
    name: "copy",
    alias: "cp",
    summary: "Copy an image's data, or a snapshot's.",
    positional: [imageOrSnapSpec("source-"), imageSpec("dest-")],
    options: [
      ...snapOptions(),
      ...imageOptions("dest-"),
      ...createOptions(false),
      sparseSizeOption,
      noProgressOption,
    ],
    run: copy,
  },
  {
    name: "deep copy",
    alias: "deep cp",
    summary: "Copy an image with its snapshots.",
    positional: [imageOrSnapSpec("source-"), imageSpec("dest-")],
    options: [
      ...snapOptions(),
      ...imageOptions("dest-"),
      ...createOptions(false),
      flag("flatten", "the copy of a clone stands alone"),
      noProgressOption,
    ],
    run: deepCopy,
  },
];

async function clone(call: Call): Promise<void> {
  const from = call.spec({ snapshot: "required" });
  const to = call.spec({ side: "dest-", check: "full" });
  const options = call.createOptions();
  const source = await call.open(from);
  const rbd = await call.open(to);
  const config = (await call.cluster()).config.get("rbd_default_clone_format");
  const format = config === "1" ? { format: 1 as const } : {};
  const how = config === "2" ? { format: 2 as const } : format;
  const parent = { image: from.name, snapshot: from.snapshot, io: source.io };
  await orFail(rbd.clone(parent, to.name, { ...options, ...how }), (error) =>
    error.code === "EXDEV"
      ? saying("rbd: clone v2 required for cross-namespace clones.", error)
      : failed("rbd: clone error", error),
  );
}

async function copy(call: Call): Promise<void> {
  const from = call.spec({ snapshot: "permitted" });
  const to = call.spec({ side: "dest-", check: "full" });
  const options = call.createOptions();
  await call.withImage(from, "read", async (image) => {
    const io = await call.openIo(to);
    const { sparseSize } = call;
    const work = call.withProgress("Image copy", (onProgress) =>
      image.copy(io, to.name, { ...options, sparseSize, onProgress }),
    );
    await orFail(work, "rbd: copy failed");
  });
}

async function deepCopy(call: Call): Promise<void> {
  const from = call.spec({ snapshot: "permitted" });
  const to = call.spec({ side: "dest-", check: "full" });
  const options = call.createOptions();
  await call.withImage(from, "read", async (image) => {
    const io = await call.openIo(to);
    const flatten = call.has("flatten");
    const work = call.withProgress("Image deep copy", (onProgress) =>
      image.deepCopy(io, to.name, { ...options, flatten, onProgress }),
    );
    await orFail(work, "rbd: deep copy failed");
  });
}
