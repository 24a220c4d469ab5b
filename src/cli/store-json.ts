/**
 * A store for scripts: one JSON array, an element to a line. Names are as in the plain output (`%xx` for
 * what is not text), bytes are in hex, transactions and sizes are numbers.
 */

import { printable } from "../encoding/index.ts";
import {
  formatObject,
  type ObjectDetail,
  type ObjectView,
  type Part,
  type StoreInspection,
} from "../store/index.ts";
import type { Format } from "./store.ts";

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** A part's value, or `{"damage": why}`. */
function part<T>(x: Part<T>, view: (value: T) => object): object {
  return "damage" in x ? { damage: x.damage } : view(x.value);
}

function storeJson(name: string, s: StoreInspection): object {
  const { superblock: sb } = s;
  return {
    store: name,
    superblock: {
      version: sb.version,
      uuid: sb.uuid,
      nonce: `0x${sb.nonce.toString(16).padStart(16, "0")}`,
      block_size: sb.blockSize,
      blocks: sb.blocks,
      segment_size: sb.segmentSize,
    },
    manifest_slots: s.manifests.map((m) => m?.generation ?? null),
    manifest: part(s.manifest, (m) => ({
      generation: m.generation,
      journal_segment: m.journal.segment,
      journal_transaction: m.journal.seq,
      verified: m.verified,
      next_object: m.nextObjectId,
      next_collection: m.nextCollectionId,
      next_run: m.nextRun,
    })),
    journal: part(s.journal, (j) => ({
      bytes: j.bytes,
      watermark: j.watermark,
      segments: j.segments,
    })),
    runs: s.runs,
    state: part(s.state, ({ last, objects, bytes, collections }) => ({
      last,
      objects,
      bytes,
      collections: collections.map((c) => ({ ...c, name: printable(c.name) })),
    })),
  };
}

function nameJson(name: string, o: ObjectView): object {
  const { object } = o;
  return {
    store: name,
    collection: printable(o.collection),
    object: formatObject(object),
    oid: printable(object.oid),
    key: printable(object.key),
    nspace: printable(object.nspace),
    pool: Number(object.pool),
    hash: object.hash,
    id: o.id,
    size: o.size,
    bytes: o.bytes,
  };
}

/** The omap comes last, key by key: it may be larger than memory. */
function* objectJson(name: string, o: ObjectDetail): IterableIterator<string> {
  const head = JSON.stringify({
    ...nameJson(name, o),
    attributes: o.attrs.map(([key, value]) => ({
      name: printable(key),
      size: value.length,
      value: hex(value),
    })),
    extents: o.extents.map((e) => ({
      offset: e.offset,
      length: e.length,
      block: e.block,
      owners: e.owners,
      crc32c: e.crcs.map((x) => x.toString(16).padStart(8, "0")),
    })),
    omap_header: hex(o.omapHeader),
  });
  yield `${head.slice(0, -1)},"omap":[`;
  let separator = "";
  for (const [key, value] of o.omap()) {
    yield separator + JSON.stringify({ key: printable(key), size: value.length });
    separator = ",";
  }
  yield "]}";
}

export const jsonFormat: Format = {
  begin: "[\n",
  between: ",\n",
  end: "\n]\n",
  empty: "[]\n",
  *store(name, s) {
    yield JSON.stringify(storeJson(name, s));
  },
  *objects(name, s, collection) {
    for (const o of s.objects(collection)) yield JSON.stringify(nameJson(name, o));
  },
  *object(name, s, at) {
    const o = s.object(at.collection, at.object);
    if (o !== undefined) yield* objectJson(name, o);
  },
};
