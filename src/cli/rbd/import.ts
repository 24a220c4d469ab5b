/** Images, and differences between their revisions, from files. ceph: src/tools/rbd/action/Import.cc */

import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { CephError, ERRNO, SpareMemory } from "../../base/index.ts";
import { nameText } from "../../encoding/index.ts";
import { featureNames, type Image, type NewImageOptions, type Rbd } from "../../librbd/index.ts";
import { cppStrerror, errnoOf, openSource, type Source } from "../client/index.ts";
import type { Call } from "./call.ts";
import {
  DIFF_BANNER,
  type DiffVersion,
  ExactReader,
  IMAGE_BANNER,
  IMAGE_DIFFS_BANNER,
  NAME_MAX,
  PIECE_BYTES,
  runsOf,
} from "./diff-file.ts";
import { orFail } from "./failure.ts";
import {
  createOptions,
  exportFormatOption,
  imageOption,
  imageOptions,
  noProgressOption,
  pathOption,
  poolOption,
  sparseSizeOption,
} from "./options.ts";
import { Throttle } from "./pipeline.ts";
import { readSpec, type Spec } from "./spec.ts";
import { imageSpec, pathName, type Verb } from "./verb.ts";

export const importVerbs: readonly Verb[] = [
  {
    name: "import",
    summary: "Make an image of a file.",
    positional: [pathName, imageSpec("dest-")],
    options: [
      pathOption,
      ...imageOptions("dest-"),
      ...createOptions(true),
      sparseSizeOption,
      noProgressOption,
      exportFormatOption,
      { ...poolOption(), successor: "dest-pool" },
      { ...imageOption(), successor: "dest" },
    ],
    run: importImage,
  },
  {
    name: "import-diff",
    summary: "Make the changes of a file to an image.",
    positional: [pathName, imageSpec()],
    options: [pathOption, ...imageOptions(), sparseSizeOption, noProgressOption],
    run: importDiff,
  },
];

/** What an image has that is made without any other word. */
const OBJECT_BYTES = 4 * 1024 * 1024;

type Update = (done: number, total: number) => void;

/** A file that is read, and what is known of it. */
interface Input {
  readonly source: Source;
  /** Bytes; undefined: only its end says so, as of standard input, a pipe or a block device. */
  readonly size: number | undefined;
}

async function openInput(path: string): Promise<Input> {
  if (path === "-") return { source: await openSource(path), size: undefined };
  const { size } = await stat(path);
  return { source: await openSource(path), size: size === 0 ? undefined : size };
}

async function importImage(call: Call): Promise<void> {
  const path = call.path();
  const spec = destination(call, path);
  const options = call.createOptions();
  const isWhole = call.number("export-format") === 2;
  const rbd = await call.open(spec);
  const work = (async () => {
    const input = await openChecked(call, path);
    try {
      await call.withProgress("Importing image", (update) =>
        isWhole
          ? readImage(call, rbd, spec.name, options, input, update)
          : readData(call, rbd, spec.name, options, input, update),
      );
    } finally {
      await input.source.close();
    }
  })();
  await orFail(work, "rbd: import failed");
}

async function openChecked(call: Call, path: string): Promise<Input> {
  try {
    if (path !== "-" && (await stat(path)).isDirectory()) {
      call.warn("rbd: cannot import a directory");
      throw new CephError(-ERRNO.EISDIR, { op: "open", target: path });
    }
    return await openInput(path);
  } catch (error) {
    if (!(error instanceof CephError)) call.warn(`rbd: error opening ${path}`);
    throw error;
  }
}

/** The file's own name, unless it is said otherwise; --pool and --image are what options were called once. */
function destination(call: Call, path: string): Spec {
  const start: Spec = { pool: call.text("pool"), namespace: "", name: "", snapshot: "" };
  readSpec(call.text("image") || basename(path), start, "full");
  const { pool, snapshot } = start;
  const spec = call.spec({
    side: "dest-",
    start: { pool, snapshot },
    check: "full",
    isOptional: true,
  });
  return { ...spec, name: spec.name || start.name };
}

/** Says which step it was that failed. */
async function step<T>(call: Call, work: Promise<T>, what: string): Promise<T> {
  return await work.catch((error: unknown) => {
    call.warn(`rbd: ${what}`);
    throw error;
  });
}

/** Makes an image and fills it; one that cannot be filled goes again. */
async function fill(
  call: Call,
  rbd: Rbd,
  made: { readonly name: string; readonly size: number; readonly options: NewImageOptions },
  work: (image: Image) => Promise<void>,
): Promise<void> {
  const { name, size, options } = made;
  await step(call, call.createImage(rbd, name, size, options), "image creation failed");
  try {
    await using image = await step(call, rbd.open(name, { limits: true }), "failed to open image");
    await step(call, work(image), "failed to import image");
  } catch (error) {
    await undo(rbd, name).catch((why: unknown) => call.warnOf(`rbd: ${name} stays, in part`, why));
    throw error;
  }
}

async function undo(rbd: Rbd, name: string): Promise<void> {
  {
    await using image = await rbd.open(name);
    for (const snapshot of await image.snapshots()) {
      if (snapshot.isProtected) await image.unprotectSnapshot(snapshot.name);
      await image.removeSnapshot(snapshot.name);
    }
  }
  await rbd.remove(name);
}

async function readData(
  call: Call,
  rbd: Rbd,
  name: string,
  options: NewImageOptions,
  { source, size }: Input,
  update: Update,
): Promise<void> {
  const step = options.objectSize ?? OBJECT_BYTES;
  const { sparseSize } = call;
  await fill(call, rbd, { name, size: size ?? step, options }, async (image) => {
    const throttle = new Throttle();
    const memory = new SpareMemory();
    let at = 0;
    for await (const piece of source.pieces(step, memory)) {
      // How long it is, nobody may know: then the image grows with it. Else what was written since is left out.
      const data = size === undefined ? piece : piece.subarray(0, size - at);
      if (at + data.length > image.size) await image.resize(image.size * 2);
      if (size !== undefined) update(at, size);
      const offset = at;
      const runs = [...runsOf(data, sparseSize)].filter((run) => !run.isZero);
      await throttle.start(async () => {
        for (const { start, end } of runs) {
          await image.write(offset + start, data.subarray(start, end));
        }
        memory.give(piece);
      });
      at += data.length;
      if (at === size) break;
    }
    await throttle.done();
    if (size === undefined && image.size !== at) await image.resize(at, { allowShrink: true });
  });
}

async function readImage(
  call: Call,
  rbd: Rbd,
  name: string,
  options: NewImageOptions,
  { source, size }: Input,
  update: Update,
): Promise<void> {
  const reader = new ExactReader(source);
  const { made, metadata } = await step(call, readHeader(call, reader), "import header failed.");
  const how = { ...made, ...options };
  const start = size ?? how.objectSize ?? OBJECT_BYTES;
  await fill(call, rbd, { name, size: start, options: how }, async (image) => {
    for (const [key, value] of metadata) {
      await step(call, image.setMetadata(key, value), "failed to import image-meta");
    }
    await expectBanner(call, reader, IMAGE_DIFFS_BANNER);
    const count = await reader.u64();
    for (let i = 0; i < count; i++) {
      try {
        await applyDiff(call, image, reader, 2);
      } catch (error) {
        call.warn(`rbd: import-diff failed: ${cppStrerror(errnoOf(error))}`);
        throw error;
      }
      update(i + 1, count);
    }
  });
}

async function readHeader(
  call: Call,
  reader: ExactReader,
): Promise<{ made: NewImageOptions; metadata: Map<string, string> }> {
  await expectBanner(call, reader, IMAGE_BANNER);
  const metadata = new Map<string, string>();
  let made: NewImageOptions = {};
  for (;;) {
    const tag = await reader.tag();
    if (tag === "E") return { made, metadata };
    const length = await reader.u64();
    if (tag === "O") made = { ...made, objectSize: 2 ** (await reader.u64()) };
    else if (tag === "T") made = { ...made, features: ownFeatures(await reader.u64()) };
    else if (tag === "U") made = { ...made, stripeUnit: await reader.u64() };
    else if (tag === "C") made = { ...made, stripeCount: await reader.u64() };
    else if (tag === "M") {
      const key = textOfBytes(await reader.string(length));
      metadata.set(key, textOfBytes(await reader.string(length)));
    } else {
      call.warn(`rbd: invalid tag in image properties zone: ${tag}Skip it.`);
      await reader.skip(length);
    }
  }
}

/** Those that a user may ask for: others follow from what is done with the image. */
function ownFeatures(bits: number): string[] {
  const followers = ["data-pool", "operations", "migrating", "non-primary", "dirty-cache"];
  return featureNames(BigInt(bits)).filter((name) => !followers.includes(name));
}

function textOfBytes(bytes: Buffer): string {
  return nameText(bytes.toString("latin1"));
}

async function expectBanner(call: Call, reader: ExactReader, banner: string): Promise<void> {
  const found = await step(call, reader.exact(banner.length), "failed to decode diff banner");
  if (found.toString("latin1") === banner) return;
  call.warn("rbd: invalid or unexpected diff banner");
  throw new CephError(-ERRNO.EINVAL, { op: "read", target: "the banner" });
}

async function importDiff(call: Call): Promise<void> {
  const path = call.path();
  const spec = call.spec();
  await call.withImage(spec, "writeData", async (image) => {
    const work = (async () => {
      const { source, size } = await step(call, openInput(path), `error opening ${path}`);
      try {
        const reader = new ExactReader(source);
        await call.withProgress("Importing image diff", (update) =>
          applyDiff(call, image, reader, 1, () => update(reader.position, size ?? 0)),
        );
      } finally {
        await source.close();
      }
    })();
    await orFail(
      work.catch((error: unknown) => {
        // What ends too early is no diff.
        if (errnoOf(error) !== -ERRNO.EDOM) throw error;
        throw new CephError(-ERRNO.EBADMSG, { op: "read", target: path, cause: error });
      }),
      "rbd: import-diff failed",
    );
  });
}

/** Makes a diff's changes, and takes the snapshot that it leads to. */
async function applyDiff(
  call: Call,
  image: Image,
  reader: ExactReader,
  version: DiffVersion,
  update: () => void = () => undefined,
): Promise<void> {
  await expectBanner(call, reader, DIFF_BANNER[version]);
  const throttle = new Throttle();
  let to = "";
  let isProtected = false;
  for (;;) {
    const tag = await step(call, reader.tag(), "failed to decode tag");
    if (tag === "e") break;
    const length = version === 2 ? await reader.u64() : 0;
    if (tag === "f") {
      await checkFrom(call, image, textOfBytes(await reader.string(NAME_MAX)));
    } else if (tag === "t") {
      to = textOfBytes(await reader.string(NAME_MAX));
      await checkTo(call, image, to);
    } else if (tag === "p") {
      isProtected = (await reader.exact(1))[0] !== 0;
    } else if (tag === "s") {
      const size = await reader.u64();
      if (size !== image.size) await image.resize(size, { allowShrink: true });
    } else if (tag === "w" || tag === "z") {
      await applyRange(call, image, reader, throttle, tag);
    } else {
      call.warn(`unrecognized tag byte ${tag.charCodeAt(0)} in stream; skipping`);
      await reader.skip(length);
    }
    update();
  }
  await throttle.done();
  if (to === "") return;
  await image.createSnapshot(to);
  if (isProtected) await image.protectSnapshot(to);
}

async function applyRange(
  call: Call,
  image: Image,
  reader: ExactReader,
  throttle: Throttle,
  tag: "w" | "z",
): Promise<void> {
  const offset = await reader.u64();
  const length = await reader.u64();
  if (tag === "z") return await throttle.start(() => image.writeZeroes(offset, length));
  for (let at = 0; at < length; at += PIECE_BYTES) {
    const piece = await reader.exact(Math.min(PIECE_BYTES, length - at));
    for (const run of runsOf(piece, call.sparseSize)) {
      const start = offset + at + run.start;
      const data = piece.subarray(run.start, run.end);
      await throttle.start(() =>
        run.isZero ? image.writeZeroes(start, data.length) : image.write(start, data),
      );
    }
  }
}

async function checkFrom(call: Call, image: Image, name: string): Promise<void> {
  if ((await image.snapshots()).some((snapshot) => snapshot.name === name)) return;
  call.warn(`start snapshot '${name}' does not exist in the image, aborting`);
  throw new CephError(-ERRNO.EINVAL, { op: "find", target: name });
}

async function checkTo(call: Call, image: Image, name: string): Promise<void> {
  if (!(await image.snapshots()).some((snapshot) => snapshot.name === name)) return;
  call.warn(`end snapshot '${name}' already exists, aborting`);
  throw new CephError(-ERRNO.EEXIST, { op: "create", target: name });
}
