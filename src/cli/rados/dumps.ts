/**
 * The verbs `export` and `import`: a pool's heads to a file and back. Snapshots and times stay behind.
 * ceph: src/tools/rados/PoolDump.cc, src/tools/rados/RadosImport.cc
 */

import process from "node:process";
import { CephError, ERRNO } from "../../base/index.ts";
import {
  type Codec,
  DecodeError,
  decodeFromBytes,
  nameBytes,
  nameText,
} from "../../encoding/index.ts";
import {
  create,
  getXattrs,
  type IoCtx,
  type ListedObject,
  omapGet,
  omapGetHeader,
  omapSet,
  omapSetHeader,
  read,
  setXattr,
  write,
} from "../../librados/index.ts";
import { HOBJECT_MIN, type HObject, NOSNAP, reverseBits } from "../../types/index.ts";
import {
  attempt,
  CommandFailure,
  cppStrerror,
  errnoOf,
  openSink,
  openSource,
  type Sink,
} from "../client/index.ts";
import { ByteReader } from "./byte-reader.ts";
import { type RadosContext } from "./context.ts";
import {
  AttrsSection,
  BLANK_OBJECT_INFO,
  bareSection,
  DataSection,
  formatDumped,
  isFooter,
  NO_GENERATION,
  NO_SHARD,
  ObjectBegin,
  OmapHeaderSection,
  OmapSection,
  readHeader,
  SECTION,
  SECTION_UNKNOWN,
  SUPER_BYTES,
  SUPER_MAGIC,
  SUPER_VERSION,
  SuperHeader,
  section,
  superHeader,
} from "./dump-format.ts";
import type { Verbs } from "./verb.ts";

const DATA_BYTES = 4 * 1024 * 1024;
const OMAP_PAGE = 512;
/** Objects of cache tiers' own. ceph: osd_hit_set_namespace */
const HIT_SET_NAMESPACE = ".ceph-internal";

export const DUMP_VERBS: Verbs = {
  export: { summary: "all objects to a file, or `-`", arguments: "[FILE]", run: exportPool },
  import: {
    summary: "objects of a file, or `-`, that export wrote",
    arguments: "[--dry-run] [--no-overwrite] FILE",
    run: importPool,
  },
};

// --- export ---------------------------------------------------------------------------------------

async function exportPool(context: RadosContext): Promise<void> {
  context.expectAtMost(1);
  const [path = "-"] = context.words;
  const sink = await attempt(`Error opening '${path}'`, () => openSink(path, 0o666));
  try {
    await attempt("error from export", async () => {
      await sink.write(superHeader());
      await sink.write(bareSection(SECTION.POOL_BEGIN));
      for await (const object of context.io.objects({ everyNamespace: true })) {
        await exportObject(context.io, object, sink);
      }
      await sink.write(bareSection(SECTION.POOL_END));
    });
  } finally {
    await sink.close();
  }
}

async function exportObject(pool: IoCtx, object: ListedObject, sink: Sink): Promise<void> {
  const { oid, namespace, locator } = object;
  const io = pool.inNamespace(namespace).withLocator(locator);
  const hoid: HObject = {
    ...HOBJECT_MIN,
    oid: nameBytes(oid),
    nspace: nameBytes(namespace),
    key: locator === oid ? "" : nameBytes(locator),
    snap: NOSNAP,
  };
  const begin = { hoid, generation: NO_GENERATION, shard: NO_SHARD, info: BLANK_OBJECT_INFO };
  await sink.write(section(SECTION.OBJECT_BEGIN, ObjectBegin, begin));
  for (let offset = 0; ; offset += DATA_BYTES) {
    const [data] = await io.read(oid, [read(offset, DATA_BYTES)]);
    if (data.length === 0) break;
    const part = { offset, length: data.length, data };
    await sink.write(section(SECTION.DATA, DataSection, part));
    if (data.length < DATA_BYTES) break;
  }
  const [found, header] = await io.read(oid, [getXattrs(), omapGetHeader()]);
  const attrs = new Map([...found].map(([name, value]) => [`_${nameBytes(name)}`, value]));
  await sink.write(section(SECTION.ATTRS, AttrsSection, { attrs }));
  await sink.write(section(SECTION.OMAP_HDR, OmapHeaderSection, { header }));
  for (let after = "", more = true; more; ) {
    const [page] = await io.read(oid, [omapGet({ after, max: OMAP_PAGE })]);
    if (page.entries.size === 0) break;
    const entries = new Map([...page.entries].map(([key, value]) => [nameBytes(key), value]));
    await sink.write(section(SECTION.OMAP, OmapSection, { entries }));
    after = [...page.entries.keys()].at(-1) ?? after;
    more = page.more;
  }
  await sink.write(bareSection(SECTION.OBJECT_END));
}

// --- import ---------------------------------------------------------------------------------------

interface ImportFlags {
  readonly dryRun: boolean;
  readonly noOverwrite: boolean;
}

async function importPool(context: RadosContext): Promise<void> {
  const words = [...context.words];
  const path = words.pop();
  if (path === undefined || words.length > 2) throw context.usage();
  const odd = words.find((word) => word !== "--dry-run" && word !== "--no-overwrite");
  if (odd !== undefined) throw new CommandFailure(`Invalid argument '${odd}'`);
  const flags = {
    dryRun: words.includes("--dry-run"),
    noOverwrite: words.includes("--no-overwrite"),
  };
  const source = await attempt(`Error opening '${path}'`, () => openSource(path));
  try {
    const sections = new Sections(new ByteReader(source.pieces(DATA_BYTES)));
    await importSections(context, sections, flags);
  } catch (error) {
    const bad = error instanceof DecodeError ? new BadDump(error.message) : error;
    const why = bad instanceof BadDump ? bad.errno : errnoOf(error);
    const said = bad instanceof BadDump ? `${bad.message}\n` : "";
    throw new CommandFailure(`${said}error from import: ${cppStrerror(why)}`, 1, error);
  } finally {
    await source.close();
  }
}

/** The file is not what it should be. */
class BadDump extends Error {
  readonly errno: number;

  constructor(message: string, errno: number = ERRNO.EFAULT) {
    super(message);
    this.errno = errno;
  }
}

interface Section {
  readonly type: number;
  readonly body: Buffer;
}

class Sections {
  readonly #bytes: ByteReader;
  #sizes = { header: 0, footer: 0 };

  constructor(bytes: ByteReader) {
    this.#bytes = bytes;
  }

  async begin(): Promise<void> {
    const found = decodeFromBytes(SuperHeader, await this.#take(SUPER_BYTES));
    if (found.magic !== SUPER_MAGIC) {
      const [is, should] = [found.magic.toString(16), SUPER_MAGIC.toString(16)];
      throw new BadDump(`Invalid magic number: 0x${is} vs. 0x${should}`);
    }
    if (found.version > SUPER_VERSION) {
      throw new BadDump(`Can't handle export format version=${found.version}`, ERRNO.EINVAL);
    }
    this.#sizes = { header: found.headerSize, footer: found.footerSize };
  }

  async next(): Promise<Section> {
    const { type, size } = readHeader(await this.#take(this.#sizes.header));
    const body = await this.#take(size);
    if (size > 0 && !isFooter(await this.#take(this.#sizes.footer))) {
      throw new BadDump("Bad footer magic");
    }
    return { type, body };
  }

  async #take(size: number): Promise<Buffer> {
    const bytes = await this.#bytes.take(size);
    if (bytes === undefined) throw new BadDump("Unexpected EOF");
    return bytes;
  }
}

async function importSections(
  context: RadosContext,
  sections: Sections,
  flags: ImportFlags,
): Promise<void> {
  await sections.begin();
  const first = await sections.next();
  if (first.type === SECTION.POOL_BEGIN) await context.out.say("Importing pool");
  else if (first.type === SECTION.PG_BEGIN) await context.out.say("Importing from a pg");
  else throw new BadDump(`Invalid initial section code ${first.type}`);
  for (;;) {
    const { type, body } = await sections.next();
    if (type === SECTION.POOL_END || type === SECTION.PG_END) return;
    if (type >= SECTION_UNKNOWN) await context.out.say("Skipping unknown section type");
    else if (type === SECTION.OBJECT_BEGIN) await importObject(context, sections, body, flags);
    else if (type !== SECTION.PG_METADATA) throw new BadDump(`Unexpected section type ${type}`);
  }
}

async function importObject(
  context: RadosContext,
  sections: Sections,
  body: Buffer,
  flags: ImportFlags,
): Promise<void> {
  const { hoid } = decodeFromBytes(ObjectBegin, body);
  const snap = hoid.snap === NOSNAP ? "head" : hoid.snap.toString(16);
  const name = formatDumped({ ...hoid, hash: reverseBits(hoid.hash) }, snap);
  const oid = nameText(hoid.oid);
  const io = context.writable.inNamespace(nameText(hoid.nspace)).withLocator(nameText(hoid.key));
  let isSkipped = true;
  if (hoid.nspace === HIT_SET_NAMESPACE) {
    await context.out.say(`Skipping internal object ${name}`);
  } else if (hoid.snap !== NOSNAP) {
    await context.out.say(`Skipping non-head for ${name}`);
  } else {
    const begun = await beginObject(io, oid, flags);
    await context.out.say(`${begun.said} ${name}`);
    isSkipped = begun.isSkipped;
  }
  for (;;) {
    const next = await sections.next();
    if (next.type === SECTION.OBJECT_END) return;
    if (next.type >= SECTION_UNKNOWN) {
      await context.out.say("Skipping unknown object section type");
    } else {
      const apply = appliers[next.type];
      if (apply === undefined) throw new BadDump(`Unexpected section type ${next.type}`);
      if (!isSkipped) await apply(io, oid, next.body);
    }
  }
}

async function isThere(io: IoCtx, oid: string): Promise<boolean> {
  return await ifNot(-ERRNO.ENOENT, () => io.stat(oid));
}

/** Did it go, or did it fail with this errno? @throws any other failure */
async function ifNot(errno: number, body: () => Promise<unknown>): Promise<boolean> {
  try {
    await body();
    return true;
  } catch (error) {
    if (error instanceof CephError && error.errno === errno) return false;
    throw error;
  }
}

/** Makes the object, empty, in place of one that is there unless that may not be. */
async function beginObject(io: IoCtx, oid: string, { dryRun, noOverwrite }: ImportFlags) {
  if (dryRun) {
    const existing = noOverwrite ? "Skipping existing" : "***Overwrite***";
    return { said: (await isThere(io, oid)) ? existing : "Write", isSkipped: true };
  }
  const make = () => ifNot(-ERRNO.EEXIST, () => io.write(oid, [create({ exclusive: true })]));
  if (await make()) return { said: "Write", isSkipped: false };
  if (noOverwrite) return { said: "Skipping existing", isSkipped: true };
  await io.removeObject(oid);
  if (await make()) return { said: "***Overwrite***", isSkipped: false };
  return { said: "Skipping in-use object", isSkipped: true };
}

type Applier = (io: IoCtx, oid: string, body: Buffer) => Promise<void>;

function applier<T>(
  codec: Codec<T>,
  apply: (io: IoCtx, oid: string, value: T) => Promise<void>,
): Applier {
  return (io, oid, body) => apply(io, oid, decodeFromBytes(codec, body));
}

/** What a pool cannot hold (an omap, in one of parts) is said and left out. */
async function ifHeld(what: string, body: () => Promise<unknown>): Promise<void> {
  if (await ifNot(-ERRNO.EOPNOTSUPP, body)) return;
  process.stderr.write(`${what} failed: ${cppStrerror(ERRNO.EOPNOTSUPP)}\n`);
}

const appliers: Readonly<Record<number, Applier>> = {
  [SECTION.DATA]: applier(DataSection, async (io, oid, { offset, data }) => {
    await io.write(oid, [write(offset, data)]);
  }),
  [SECTION.ATTRS]: applier(AttrsSection, async (io, oid, { attrs }) => {
    for (const [name, value] of attrs) {
      if (!name.startsWith("_") || name === "_") continue;
      await ifHeld("setxattr", () => io.write(oid, [setXattr(nameText(name.slice(1)), value)]));
    }
  }),
  [SECTION.OMAP_HDR]: applier(OmapHeaderSection, async (io, oid, { header }) => {
    await ifHeld("omap_set_header", () => io.write(oid, [omapSetHeader(header)]));
  }),
  [SECTION.OMAP]: applier(OmapSection, async (io, oid, { entries }) => {
    const named = [...entries].map(([key, value]) => [nameText(key), value] as const);
    await ifHeld("omap_set", () => io.write(oid, [omapSet(named)]));
  }),
};
