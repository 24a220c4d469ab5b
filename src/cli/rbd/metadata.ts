/** Keys and values kept with images. ceph: src/tools/rbd/action/ImageMeta.cc */

import { cppStrerror, errnoOf } from "../client/index.ts";
import type { Call } from "./call.ts";
import { orFail } from "./failure.ts";
import { formatOptions, imageOptions } from "./options.ts";
import { left, textTable } from "./table.ts";
import { imageSpec, type Positional, type Verb } from "./verb.ts";

const key: Positional = { name: "key", help: "name of the entry" };

export const metadataVerbs: readonly Verb[] = [
  {
    name: "image-meta list",
    alias: "image-meta ls",
    summary: "List an image's metadata.",
    positional: [imageSpec()],
    options: [...imageOptions(), ...formatOptions],
    run: list,
  },
  {
    name: "image-meta get",
    summary: "Show one entry of an image's metadata.",
    positional: [imageSpec(), key],
    options: imageOptions(),
    run: get,
  },
  {
    name: "image-meta set",
    summary: "Keep an entry with an image.",
    positional: [imageSpec(), key, { name: "value", help: "what it is" }],
    options: imageOptions(),
    run: set,
  },
  {
    name: "image-meta remove",
    alias: "image-meta rm",
    summary: "Remove an entry of an image's metadata.",
    positional: [imageSpec(), key],
    options: imageOptions(),
    run: remove,
  },
];

const NO_KEY = "metadata key was not specified";

/** The original says what failed, and then which verb. */
async function saidTwice<T>(
  call: Call,
  work: Promise<T>,
  first: (errno: number) => string,
  second: string,
): Promise<T> {
  const told = work.catch((error: unknown) => {
    const errno = errnoOf(error);
    call.warn(`${first(errno)} of image : ${cppStrerror(errno)}`);
    throw error;
  });
  return await orFail(told, second);
}

async function list(call: Call): Promise<void> {
  const spec = call.spec();
  call.checkFormat();
  await call.withImage(spec, "read", async (image) => {
    const all = [...(await orFail(image.metadata(), "rbd: listing metadata failed"))];
    if (call.isStructured && all.length === 0) return;
    await call.show(
      () => Object.fromEntries(all),
      { root: "metadatas" },
      () => {
        const isOne = all.length === 1;
        const what = isOne ? "metadatum" : "metadata";
        const head = `There ${isOne ? "is" : "are"} ${all.length} ${what} on this image`;
        if (all.length === 0) return `${head}.\n`;
        return `${head}:\n\n${textTable([left("Key"), left("Value")], all)}`;
      },
    );
  });
}

async function get(call: Call): Promise<void> {
  const spec = call.spec();
  const name = call.mustWord(NO_KEY);
  await call.withImage(spec, "read", async (image) => {
    const what = () => `failed to get metadata ${name}`;
    const work = image.getMetadata(name);
    await call.out.say(await saidTwice(call, work, what, "rbd: getting metadata failed"));
  });
}

async function set(call: Call): Promise<void> {
  const spec = call.spec();
  const name = call.mustWord(NO_KEY);
  const value = call.mustWord("metadata value was not specified");
  await call.withImage(spec, "write", async (image) => {
    const what = () => `failed to set metadata ${name}`;
    await saidTwice(call, image.setMetadata(name, value), what, "rbd: setting metadata failed");
  });
}

async function remove(call: Call): Promise<void> {
  const spec = call.spec();
  const name = call.mustWord(NO_KEY);
  await call.withImage(spec, "write", async (image) => {
    const what = (errno: number) =>
      errno === -2 ? `rbd: no existing metadata key ${name}` : `failed to remove metadata ${name}`;
    await saidTwice(call, image.removeMetadata(name), what, "rbd: removing metadata failed");
  });
}
