/** A store for people: indented lines, a name on the left, what is known of it on the right. */

import { printable } from "../encoding/index.ts";
import {
  type ExtentView,
  formatObject,
  type ObjectDetail,
  type Part,
  type StoreInspection,
} from "../store/index.ts";
import type { Format } from "./store.ts";

/** Column of the right side. */
const COLUMN = 18;
/** Bytes of an attribute that are shown. */
const HEX_MAX = 64;
const CRCS_PER_LINE = 8;

function line(indent: number, name: string, value: string | number | bigint = ""): string {
  const left = `${"  ".repeat(indent)}${name}`;
  return `${value === "" ? left : `${left.padEnd(COLUMN)} ${value}`}\n`;
}

/** How many, and the first of them. */
function size(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, HEX_MAX)).toString("hex");
  const more = bytes.length > HEX_MAX ? "…" : "";
  return `${bytes.length} bytes${bytes.length > 0 ? ` ${shown}${more}` : ""}`;
}

/** The lines of a part, or what keeps it from being read. */
function* part<T>(
  name: string,
  x: Part<T>,
  lines: (value: T) => Iterable<string>,
): IterableIterator<string> {
  if ("damage" in x) yield line(0, name, `DAMAGED: ${x.damage}`);
  else yield* lines(x.value);
}

function* store(name: string, s: StoreInspection): IterableIterator<string> {
  const { superblock: sb } = s;
  yield line(0, "store", name);
  yield line(0, "superblock");
  yield line(1, "version", sb.version);
  yield line(1, "uuid", sb.uuid);
  yield line(1, "nonce", `0x${sb.nonce.toString(16).padStart(16, "0")}`);
  yield line(1, "block size", sb.blockSize);
  yield line(1, "blocks", sb.blocks);
  yield line(1, "segment size", sb.segmentSize);
  for (const [slot, m] of s.manifests.entries()) {
    yield line(0, `manifest.${slot}`, m === undefined ? "not whole" : `generation ${m.generation}`);
  }
  yield* part("manifest", s.manifest, function* (m) {
    yield line(0, "manifest", `generation ${m.generation}`);
    yield line(1, "journal start", `segment ${m.journal.segment}, transaction ${m.journal.seq}`);
    yield line(1, "verified", m.verified);
    yield line(1, "next object", m.nextObjectId);
    yield line(1, "next collection", m.nextCollectionId);
    yield line(1, "next run", m.nextRun);
  });
  yield* part("journal", s.journal, function* (j) {
    yield line(0, "journal", `${j.bytes} bytes, watermark ${j.watermark}`);
    for (const { segment, batches, first, last, bytes } of j.segments) {
      const what = last < first ? "no transactions" : `transactions ${first} to ${last}`;
      yield line(1, `segment ${segment}`, `${batches} batches, ${what}, ${bytes} bytes`);
    }
  });
  for (const { id, bytes, damage } of s.runs) {
    yield line(0, `run.${id}`, `${bytes} bytes`);
    for (const what of damage) yield line(1, "DAMAGED", what);
  }
  yield* part("state", s.state, function* (state) {
    const { last, objects, bytes } = state;
    yield line(0, "state", `transaction ${last}, ${objects} objects, ${bytes} bytes of data`);
    for (const c of state.collections) {
      const what = `id ${c.id}, ${c.objects} objects, ${c.bytes} bytes`;
      yield line(1, printable(c.name), what);
    }
  });
}

function* extent(e: ExtentView): IterableIterator<string> {
  const owners = e.owners === 1 ? "" : `, ${e.owners} owners`;
  yield line(2, `${e.offset}~${e.length}`, `blocks ${e.block}~${e.crcs.length}${owners}`);
  for (let i = 0; i < e.crcs.length; i += CRCS_PER_LINE) {
    const crcs = e.crcs.slice(i, i + CRCS_PER_LINE).map((x) => x.toString(16).padStart(8, "0"));
    yield line(3, i === 0 ? "crc32c" : "", crcs.join(" "));
  }
}

function* object(name: string, o: ObjectDetail): IterableIterator<string> {
  yield line(0, "object", `${name} ${printable(o.collection)} ${formatObject(o.object)}`);
  yield line(1, "id", o.id);
  yield line(1, "hash", `0x${o.object.hash.toString(16).padStart(8, "0")}`);
  yield line(1, "size", o.size);
  yield line(1, "bytes", o.bytes);
  yield line(1, "attributes", o.attrs.length);
  for (const [key, value] of o.attrs) {
    yield line(2, printable(key), size(value));
  }
  yield line(1, "omap header", size(o.omapHeader));
  yield line(1, "omap");
  for (const [key, value] of o.omap()) yield line(2, printable(key), `${value.length} bytes`);
  yield line(1, "extents", o.extents.length);
  for (const e of o.extents) yield* extent(e);
}

export const plainFormat: Format = {
  begin: "",
  between: "",
  end: "",
  empty: "",
  store,
  *objects(name, s, collection) {
    for (const o of s.objects(collection)) {
      const where = `${name} ${printable(collection)} ${formatObject(o.object)}`;
      yield `${where}: size ${o.size}, ${o.bytes} bytes\n`;
    }
  },
  *object(name, s, at) {
    const o = s.object(at.collection, at.object);
    if (o !== undefined) yield* object(name, o);
  },
};
