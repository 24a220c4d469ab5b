/** Features of images, and their object maps. ceph: src/tools/rbd/action/Feature.cc, ObjectMap.cc */

import { FEATURE_NAMES, featureNames } from "../../librbd/index.ts";
import { CommandFailure } from "../client/index.ts";
import type { Call } from "./call.ts";
import { orFail } from "./failure.ts";
import { imageOptions, noProgressOption, parseFeatures, snapOptions } from "./options.ts";
import { invalid } from "./spec.ts";
import { imageOrSnapSpec, imageSpec, type Positional, type Verb } from "./verb.ts";

const features: Positional = {
  name: "features",
  help: `features: ${FEATURE_NAMES.slice(2, 7).join(", ")}`,
  isMany: true,
};

export const featureVerbs: readonly Verb[] = [
  {
    name: "feature enable",
    summary: "Turn features of an image on.",
    positional: [imageSpec(), features],
    options: imageOptions(),
    run: (call) => change(call, true),
  },
  {
    name: "feature disable",
    summary: "Turn features of an image off.",
    positional: [imageSpec(), features],
    options: imageOptions(),
    run: (call) => change(call, false),
  },
  {
    name: "object-map rebuild",
    summary: "Make an image's object map anew.",
    positional: [imageOrSnapSpec()],
    options: [...snapOptions(), noProgressOption],
    run: rebuild,
  },
  {
    name: "object-map check",
    summary: "Compare an image's object map with its objects.",
    positional: [imageOrSnapSpec()],
    options: [...snapOptions(), noProgressOption],
    run: check,
  },
];

async function change(call: Call, isOn: boolean): Promise<void> {
  const spec = call.spec();
  const words = call.rest();
  if (words.length === 0) throw invalid("at least one feature name must be specified");
  const bits = parseFeatures(words.join(","));
  if (bits === undefined) throw new CommandFailure("rbd: the argument for option is invalid");
  const names = featureNames(bits);
  await call.withImage(spec, "write", async (image) => {
    const work = isOn ? image.enableFeatures(names) : image.disableFeatures(names);
    await orFail(work, "rbd: failed to update image features");
  });
}

async function rebuild(call: Call): Promise<void> {
  const spec = call.spec({ snapshot: "permitted" });
  await call.withImage(spec, "write", async (image) => {
    const work = call.withProgress("Object Map Rebuild", (onProgress) =>
      image.rebuildObjectMap({ onProgress }),
    );
    await orFail(work, "rbd: rebuilding object map failed");
  });
}

async function check(call: Call): Promise<void> {
  const spec = call.spec({ snapshot: "permitted" });
  await call.withImage(spec, "write", async (image) => {
    const work = call.withProgress("Object Map Check", (onProgress) =>
      image.checkObjectMap({ onProgress }),
    );
    await orFail(work, "rbd: checking object map failed");
  });
}
