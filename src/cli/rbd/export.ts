/** Images, and differences between their revisions, into files. ceph: src/tools/rbd/action/Export.cc */

import { type FileHandle, open, unlink } from "node:fs/promises";
import { SpareMemory } from "../../base/index.ts";
import { featureBits, type Image } from "../../librbd/index.ts";
import { openSink, type Sink, textBytes } from "../client/index.ts";
import type { Call } from "./call.ts";
import {
  DIFF_BANNER,
  type DiffVersion,
  IMAGE_BANNER,
  IMAGE_DIFFS_BANNER,
  isZero,
  RecordWriter,
} from "./diff-file.ts";
import { orFail } from "./failure.ts";
import {
  exportFormatOption,
  fromSnapOption,
  noProgressOption,
  pathOption,
  snapOptions,
  wholeObjectOption,
} from "./options.ts";
import { inOrder, Throttle } from "./pipeline.ts";
import { imageOrSnapSpec, pathName, type Verb } from "./verb.ts";

export const exportVerbs: readonly Verb[] = [
  {
    name: "export",
    summary: "Write an image to a file.",
    positional: [imageOrSnapSpec("source-"), pathName],
    options: [...snapOptions(), pathOption, noProgressOption, exportFormatOption],
    run: exportImage,
  },
  {
    name: "export-diff",
    summary: "Write what differs since a snapshot to a file.",
    positional: [imageOrSnapSpec("source-"), pathName],
    options: [...snapOptions(), pathOption, fromSnapOption, wholeObjectOption, noProgressOption],
    run: exportDiff,
  },
];

/** A new file, or standard output. */
export class Target {
  readonly #file: FileHandle | undefined;
  readonly #out: Sink | undefined;

  private constructor(file: FileHandle | undefined, out: Sink | undefined) {
    this.#file = file;
    this.#out = out;
  }

  /** @param path `-`: standard output @throws NodeJS.ErrnoException EEXIST: there is such a file */
  static async create(path: string): Promise<Target> {
    if (path === "-") return new Target(undefined, await openSink(path));
    return new Target(await open(path, "wx", 0o644), undefined);
  }

  /** Where a file may have holes. */
  get file(): FileHandle | undefined {
    return this.#file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#file === undefined) await this.#out?.write(bytes);
    else await writeAt(this.#file, bytes, null);
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number | null) {
  for (let at = 0; at < bytes.length; ) {
    const where = position === null ? null : position + at;
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, where);
    at += bytesWritten;
  }
}

type Update = (done: number, total: number) => void;

async function exportImage(call: Call): Promise<void> {
  const spec = call.spec({ snapshot: "permitted" });
  const path = call.path();
  const isWhole = call.number("export-format") === 2;
  await call.withImage(spec, "readData", async (image) => {
    const target = await orFail(Target.create(path), "rbd: export error");
    try {
      const work = call.withProgress("Exporting image", (update) =>
        isWhole ? writeImage(image, target, update) : writeData(image, target, update),
      );
      await orFail(work, "rbd: export error");
    } finally {
      await target.close();
    }
  });
}

/** The bytes as they are; a file has holes where there is nothing. */
async function writeData(image: Image, target: Target, update: Update): Promise<void> {
  const { objectSize, stripeCount } = await image.info();
  const period = objectSize * stripeCount;
  const { size } = image;
  const { file } = target;
  if (file === undefined) {
    const read = (offset: number) => image.read(offset, Math.min(period, size - offset));
    await inOrder(offsets(size, period), read, async (data, offset) => {
      await target.write(data);
      update(offset, size);
    });
    return;
  }
  const throttle = new Throttle();
  const memory = new SpareMemory();
  for (const offset of offsets(size, period)) {
    await throttle.start(async () => {
      const data = memory.take(Math.min(period, size - offset));
      await image.readInto(offset, data);
      if (!isZero(data)) await writeAt(file, data, offset);
      memory.give(data);
    });
    update(offset, size);
  }
  await throttle.done();
  await file.truncate(size);
}

function* offsets(size: number, step: number): Generator<number> {
  for (let at = 0; at < size; at += step) yield at;
}

/** All of it: what it is, and every snapshot as the difference from the one before. */
async function writeImage(image: Image, target: Target, update: Update): Promise<void> {
  const { objectSize, features, stripeUnit, stripeCount } = await image.info();
  const header = new RecordWriter(2)
    .text(IMAGE_BANNER)
    .tag("O", 8)
    .u64(Math.log2(objectSize))
    .tag("T", 8)
    .u64(featureBits(features))
    .tag("U", 8)
    .u64(stripeUnit)
    .tag("C", 8)
    .u64(stripeCount);
  for (const [key, value] of await image.metadata()) {
    const [name, text] = [textBytes(key), textBytes(value)];
    header
      .tag("M", name.length + text.length + 8)
      .string(name)
      .string(text);
  }
  const snapshots = await image.snapshots();
  header
    .text("E")
    .text(IMAGE_DIFFS_BANNER)
    .u64(snapshots.length + 1);
  await target.write(header.bytes());
  let from = "";
  for (const [i, { name }] of snapshots.entries()) {
    await image.setSnapshot(name);
    await writeDiff(image, target, { from, to: name, version: 2 });
    update(i, snapshots.length + 1);
    from = name;
  }
  await image.setSnapshot(undefined);
  await writeDiff(image, target, { from, to: "", version: 2 });
  update(1, 1);
}

interface DiffPlan {
  /** "": from nothing. */
  readonly from: string;
  /** "": the image as it is. */
  readonly to: string;
  readonly version: DiffVersion;
  readonly wholeObject?: boolean;
}

async function writeDiff(
  image: Image,
  target: Target,
  { from, to, version, wholeObject = false }: DiffPlan,
  update: Update = () => undefined,
): Promise<void> {
  const { size } = image;
  const header = new RecordWriter(version).text(DIFF_BANNER[version]);
  for (const [tag, name] of [
    ["f", from],
    ["t", to],
  ] as const) {
    const bytes = textBytes(name);
    if (name !== "") header.tag(tag, bytes.length + 4).string(bytes);
  }
  if (to !== "" && version === 2) {
    const found = (await image.snapshots()).find(({ name }) => name === to);
    // compat: its length says eight, and it is one.
    header.tag("p", 8).u8(found?.isProtected === true ? 1 : 0);
  }
  await target.write(header.tag("s", 8).u64(size).bytes());
  const changes = image.diff({ wholeObject, ...(from === "" ? {} : { from }) });
  await inOrder(
    changes,
    async ({ offset, length, exists }) => (exists ? await image.read(offset, length) : undefined),
    async (data, { offset, length }) => {
      const isData = data !== undefined && !isZero(data);
      const record = new RecordWriter(version);
      await target.write(record.range(isData ? "w" : "z", offset, length).bytes());
      if (isData) await target.write(data);
      update(offset, size);
    },
  );
  await target.write(new RecordWriter(version).text("e").bytes());
}

async function exportDiff(call: Call): Promise<void> {
  const spec = call.spec({ snapshot: "permitted" });
  const path = call.path();
  const plan = {
    from: call.text("from-snap"),
    to: spec.snapshot,
    version: 1,
    wholeObject: call.has("whole-object"),
  } as const;
  await call.withImage(spec, "readData", async (image) => {
    const target = await orFail(Target.create(path), "rbd: export-diff error");
    try {
      const work = call.withProgress("Exporting image", (update) =>
        writeDiff(image, target, plan, update),
      );
      await orFail(work, "rbd: export-diff error");
    } catch (error) {
      // Half a difference is of no use to anybody.
      if (target.file !== undefined) await unlink(path);
      throw error;
    } finally {
      await target.close();
    }
  });
}
