/**
 * Makes the store that each format version leaves behind for later builds to open, with what was put into
 * it: `node scripts/make-compat-store.mjs` writes both to test/compat/v<version>/.
 *
 * Every kind of change is in it three times: in the oldest run, in a newer one, and in the journal of a
 * store that was never closed. Data is text, so that the files stay small.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { seededRandom } from "../../src/base/index.ts";
import { flatten } from "../../src/encoding/index.ts";
import { STORE_VERSION } from "../../src/store/disk-store/superblock.ts";
import {
  createStore,
  formatObject,
  MemoryDisk,
  MemStore,
  type ObjectStore,
  openStore,
  type StoreOp,
} from "../../src/store/index.ts";
import { HOBJECT_MIN, type HObject, NOSNAP } from "../../src/types/index.ts";

/** A file of a store: gzip in base64. */
export type Files = Record<string, string>;

/** An object as it must read, in whatever build. */
export interface ObjectContent {
  object: string;
  size: number;
  sha256: string;
  extents: [offset: number, length: number][];
  attrs: Record<string, string>;
  omapHeader: string;
  omap: Record<string, string>;
}

export interface CollectionContent {
  name: string;
  objects: number;
  /** Bytes allocated. */
  allocated: number;
  content: ObjectContent[];
}

export interface Fixture {
  version: number;
  files: Files;
  content: CollectionContent[];
}

const SIZES = { capacityBytes: 1 << 20, segmentSize: 64 << 10, segments: 2 };
/** Not a PG: its objects carry nothing of an OSD's. */
const OBJECTS = "objects";
/** What some of them have been moved to. */
const MOVED = "other";

function named(oid: string, rest: Partial<HObject> = {}): HObject {
  return { key: "", oid, snap: NOSNAP, hash: 0x1234_562a, max: 0, nspace: "", pool: 1n, ...rest };
}

/** Bytes that tell where they belong. */
function data(label: string, length: number): Uint8Array {
  const line = `${label}: what this store holds, `;
  return new Uint8Array(Buffer.from(line.repeat(Math.ceil(length / line.length)).slice(0, length)));
}

const text = (s: string): Uint8Array => new Uint8Array(Buffer.from(s));

/** Every kind of change, on objects of their own. */
function transactions(label: string): StoreOp[][] {
  const small = named(`${label}-small`);
  const large = named(`${label}-large`, { hash: 0x8765_432a });
  const clone = { ...large, snap: 4n };
  const odd = named(`${label}/odd\x00\xff`, { nspace: "space", key: "locator" });
  return [
    [
      { op: "write", object: small, offset: 0, data: [data(label, 5000)] },
      { op: "set-attr", object: small, name: "_", value: text("info") },
      { op: "set-attr", object: small, name: "dropped", value: text("not here any more") },
      { op: "remove-attr", object: small, name: "dropped" },
    ],
    // Larger than rides in a journal record of these segments.
    [{ op: "write", object: large, offset: 8192, data: [data(`${label} large`, 30_000)] }],
    [
      { op: "clone", object: large, to: clone },
      { op: "write", object: large, offset: 10_000, data: [data(`${label} newer`, 3000)] },
      { op: "zero", object: large, offset: 24_576, length: 8192 },
    ],
    [
      { op: "touch", object: odd },
      { op: "omap-header", object: odd, header: text(`header of ${label}`) },
      {
        op: "omap-set",
        object: odd,
        entries: ["a", "b", "c", "d", "e"].map((k) => [k, text(`${label} ${k}`)] as const),
      },
      { op: "omap-remove", object: odd, keys: ["b"] },
      { op: "omap-remove-range", object: odd, from: "d", to: "e" },
      { op: "omap-set", object: odd, entries: [["\xff\x00binary", Uint8Array.of(0, 255)]] },
    ],
    [
      { op: "clone-range", object: large, to: odd, offset: 8192, length: 8192, toOffset: 4096 },
      { op: "truncate", object: odd, size: 100_000 },
    ],
    [
      { op: "write", object: named(`${label}-gone`), offset: 0, data: [data("gone", 4096)] },
      { op: "omap-set", object: named(`${label}-gone`), entries: [["k", text("v")]] },
    ],
    [{ op: "remove", object: named(`${label}-gone`) }],
    [
      { op: "omap-set", object: named(`${label}-clear`), entries: [["k", text("v")]] },
      { op: "omap-clear", object: named(`${label}-clear`) },
    ],
    [
      { op: "write", object: named(`${label}-moved`), offset: 0, data: [data(label, 9000)] },
      { op: "omap-set", object: named(`${label}-moved`), entries: [["k", text("v")]] },
    ],
    [{ op: "clone", object: named(`${label}-moved`), to: named(`${label}-moved`, { snap: 4n }) }],
    [
      {
        op: "move",
        objects: [named(`${label}-moved`, { snap: 4n }), named(`${label}-moved`)],
        to: MOVED,
      },
    ],
  ];
}

/** What is in a store, as plain values. */
export async function contentOf(store: ObjectStore): Promise<CollectionContent[]> {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const collections: CollectionContent[] = [];
  for (const name of store.collections()) {
    const content: ObjectContent[] = [];
    for (const object of store.list(name, HOBJECT_MIN, 1000).objects) {
      const size = store.stat(name, object)?.size ?? -1;
      const bytes = flatten(await store.read(name, object, 0, size));
      content.push({
        object: formatObject(object),
        size,
        sha256: createHash("sha256").update(bytes).digest("hex"),
        extents: store.extents(name, object, 0, size),
        attrs: Object.fromEntries(store.getAttrs(name, object).map(([k, v]) => [k, hex(v)])),
        omapHeader: hex(store.omapHeader(name, object)),
        omap: Object.fromEntries(
          [...store.omapEntries(name, object)].map(([k, v]) => [
            Buffer.from(k, "latin1").toString("hex"),
            hex(v),
          ]),
        ),
      });
    }
    collections.push({ name, ...store.usage(name), content });
  }
  return collections;
}

export async function makeFixture(): Promise<Fixture> {
  const disk = new MemoryDisk(1);
  createStore("", { disk, random: seededRandom(1), ...SIZES });
  const store = await openStore("", { disk });
  const model = new MemStore();
  const submit = async (collection: string, ops: StoreOp[]) => {
    for (const s of [store, model]) s.submit({ collection, ops });
    await store.flush();
  };
  const collection = (name: string): Promise<void> =>
    submit(name, [{ op: "create-collection", collection: name }]);
  for (const name of [OBJECTS, MOVED, "dropped", "empty"]) await collection(name);
  await submit("dropped", [{ op: "remove-collection", collection: "dropped" }]);
  for (const [index, label] of ["first", "second", "journal"].entries()) {
    if (index > 0) await store.checkpoint();
    for (const ops of transactions(label)) await submit(OBJECTS, ops);
  }
  // The newest changes are to objects that checkpoints have saved.
  await submit(OBJECTS, [
    { op: "write", object: named("first-small"), offset: 4090, data: [data("late", 12)] },
    { op: "remove", object: named("second-small") },
    { op: "set-attr", object: named("first-small"), name: "late", value: text("yes") },
  ]);
  const content = await contentOf(model);
  await store.flush();
  disk.processKill(); // never closed: the journal has the rest
  return { version: STORE_VERSION, files: packFiles(disk), content };
}

export function packFiles(disk: MemoryDisk): Files {
  const files: Files = {};
  for (const name of disk.list()) {
    const file = disk.open(name, "read");
    const bytes = Buffer.alloc(file.size());
    file.readSync(bytes, 0);
    files[name] = gzipSync(bytes, { level: 9 }).toString("base64");
  }
  return files;
}
