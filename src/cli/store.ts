/**
 * `spirula store dump`: what the files of a store say, for people and scripts. Reads only, also a store
 * that was not closed. docs/tools.md describes the output.
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { ConfigError } from "../base/index.ts";
import { findStores, takeForReading, withStore } from "../cluster/index.ts";
import { byteString, printable } from "../encoding/index.ts";
import { formatObject, type StoreInspection } from "../store/index.ts";
import type { HObject } from "../types/index.ts";
import { completeWords, optionsOf } from "./client/complete-words.ts";
import { writeAll } from "./client/output.ts";
import { jsonFormat } from "./store-json.ts";
import { plainFormat } from "./store-plain.ts";

const HELP = `usage: spirula store dump DIR [options]

Shows what the files of a store hold. DIR is a cluster's data directory or one store in it, and no server
is using it. Changes nothing.

  --collection C       the objects of this collection
  --object NAME        this object's size, attributes, omap keys, blocks and checksums;
                       NAME is what a list shows, or the object's own name
  --format plain|json  (default plain)
`;

/** How one kind of output writes what was asked for. */
export interface Format {
  /** Around and between the parts. */
  readonly begin: string;
  readonly between: string;
  readonly end: string;
  /** Instead of all of it, when there is no part. */
  readonly empty: string;
  store(name: string, store: StoreInspection): Iterable<string>;
  /** One text per object. */
  objects(name: string, store: StoreInspection, collection: string): Iterable<string>;
  object(name: string, store: StoreInspection, at: FoundObject): Iterable<string>;
}

interface FoundObject {
  readonly collection: string;
  readonly object: HObject;
}

interface DumpArguments {
  readonly directory: string;
  readonly collection: string | undefined;
  readonly object: string | undefined;
  readonly format: Format;
  readonly help: boolean;
}

const OPTIONS = {
  collection: { type: "string" },
  object: { type: "string" },
  format: { type: "string", default: "plain" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** What the last of the words may become. */
export async function completeStore(words: readonly string[]): Promise<readonly string[]> {
  return completeWords(words, optionsOf(OPTIONS), (before) =>
    before.length === 0 ? ["dump"] : [],
  );
}

export function parseStoreArguments(args: string[]): DumpArguments {
  let parsed: ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args, options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    throw new ConfigError(`store: ${(error as Error).message}`, error);
  }
  const { values, positionals } = parsed;
  const [verb, directory = "", ...more] = positionals;
  if (!values.help) {
    if (verb !== "dump") throw new ConfigError(`store: 'dump' is all there is: store dump DIR`);
    if (directory === "" || more.length > 0) {
      throw new ConfigError("store dump: one directory is needed: spirula store dump DIR");
    }
  }
  const formats: Readonly<Record<string, Format>> = { plain: plainFormat, json: jsonFormat };
  const format = Object.hasOwn(formats, values.format) ? formats[values.format] : undefined;
  if (format === undefined) {
    throw new ConfigError(`--format ${values.format}: plain or json is needed`);
  }
  const { collection, object, help } = values;
  return { directory, collection, object, format, help };
}

/** Is this object meant by what the user typed? */
function isNamed(object: HObject, name: string): boolean {
  return (
    formatObject(object) === name ||
    printable(object.oid) === name ||
    object.oid === byteString(name)
  );
}

/** The parts that were asked for of one store, each a sequence of texts; `found` is told of each thing. */
function* partsOf(
  name: string,
  store: StoreInspection,
  wanted: DumpArguments,
  found: () => void,
): IterableIterator<Iterable<string>> {
  const { format, collection, object } = wanted;
  if (collection === undefined && object === undefined) {
    found();
    yield format.store(name, store);
    return;
  }
  const all = "value" in store.state ? store.state.value.collections.map((c) => c.name) : [];
  for (const c of all) {
    if (collection !== undefined && collection !== c) continue;
    if (object === undefined) {
      found();
      for (const text of format.objects(name, store, c)) yield [text];
      continue;
    }
    for (const named of store.names(c)) {
      if (!isNamed(named, object)) continue;
      found();
      yield format.object(name, store, { collection: c, object: named });
    }
  }
}

function describeMissing({ collection, object }: DumpArguments): string {
  if (object === undefined) return `there is no collection ${collection}`;
  const where = collection === undefined ? "" : ` in a collection ${collection}`;
  return `there is no object ${object}${where}`;
}

export async function runStore(args: string[]): Promise<number> {
  const wanted = parseStoreArguments(args);
  if (wanted.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { format } = wanted;
  const found = await findStores(wanted.directory);
  const release = takeForReading(found);
  try {
    let whole = true;
    let parts = 0;
    let any = false;
    for (const place of found.stores) {
      await withStore(place, async (store) => {
        if (!store.isWhole) whole = false;
        const texts = function* (): IterableIterator<string> {
          for (const part of partsOf(place.name, store, wanted, () => void (any = true))) {
            yield parts++ === 0 ? format.begin : format.between;
            yield* part;
          }
        };
        await writeAll(texts());
      });
    }
    if (!any) {
      const why = whole ? describeMissing(wanted) : "damaged; 'spirula fsck' tells more";
      throw new ConfigError(`${found.directory}: ${why}`);
    }
    await writeAll([parts === 0 ? format.empty : format.end]);
    return whole ? 0 : 1;
  } finally {
    release();
  }
}
