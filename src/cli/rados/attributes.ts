/**
 * Verbs on objects' attributes and omap.
 * ceph: src/tools/rados/rados.cc
 */

import process from "node:process";
import {
  getXattr,
  getXattrs,
  omapClear,
  omapGet,
  omapGetByKeys,
  omapGetHeader,
  omapGetKeys,
  omapRemove,
  omapSet,
  omapSetHeader,
  removeXattr,
  setXattr,
} from "../../librados/index.ts";
import {
  attempt,
  CommandFailure,
  cppStrerror,
  errnoOf,
  hexdump,
  openSink,
  readWhole,
  textBytes,
} from "../client/index.ts";
import { type RadosContext, shown } from "./context.ts";
import type { Verbs } from "./verb.ts";

/** Entries of one request.  ceph: MAX_OMAP_BYTES_PER_REQUEST, which counts them */
const OMAP_PAGE = 1024;

export const ATTRIBUTE_VERBS: Verbs = {
  listxattr: { summary: "names of the attributes", arguments: "OBJECT", run: listAttributes },
  getxattr: { summary: "an attribute's value", arguments: "OBJECT NAME", run: getAttribute },
  setxattr: {
    summary: "set an attribute, without VALUE from standard input",
    arguments: "OBJECT NAME [VALUE]",
    run: setAttribute,
  },
  rmxattr: { summary: "remove an attribute", arguments: "OBJECT NAME", run: removeAttribute },
  listomapkeys: { summary: "keys of the omap", arguments: "OBJECT", run: listKeys },
  listomapvals: {
    summary: "keys of the omap with their values",
    arguments: "OBJECT",
    run: listValues,
  },
  getomapval: {
    summary: "a key's value",
    arguments: "OBJECT KEY [FILE]",
    run: getValue,
  },
  setomapval: {
    summary: "set a key's value, without VALUE from standard input",
    arguments: "OBJECT KEY [VALUE | --input-file FILE]",
    run: setValue,
  },
  rmomapkey: { summary: "remove a key", arguments: "OBJECT KEY", run: removeKey },
  clearomap: { summary: "remove all keys", arguments: "OBJECT...", run: clear },
  getomapheader: { summary: "the omap's header", arguments: "OBJECT [FILE]", run: getHeader },
  setomapheader: { summary: "set the omap's header", arguments: "OBJECT VALUE", run: setHeader },
};

function place(context: RadosContext, oid: string): string {
  return `${context.poolName}/${shown(oid)}`;
}

async function listAttributes(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const [attributes] = await attempt(`error getting xattr set ${place(context, oid)}`, () =>
    context.io.read(oid, [getXattrs()], context.reading),
  );
  for (const name of attributes.keys()) context.out.put(`${name}\n`);
}

async function getAttribute(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const name = context.take();
  const [value] = await attempt(`error getting xattr ${place(context, oid)}/${name}`, () =>
    context.io.read(oid, [getXattr(name)], context.reading),
  );
  context.out.put(value);
}

async function setAttribute(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const name = context.take();
  context.expectAtMost(1);
  const [word] = context.words;
  const value = word === undefined ? await readWhole("-") : textBytes(word);
  await attempt(`error setting xattr ${place(context, oid)}/${name}`, () =>
    context.writable.write(oid, [setXattr(name, value)]),
  );
}

async function removeAttribute(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const name = context.take();
  await attempt(`error removing xattr ${place(context, oid)}/${name}`, () =>
    context.writable.write(oid, [removeXattr(name)]),
  );
}

async function listKeys(context: RadosContext): Promise<void> {
  const { out, io, reading } = context;
  const oid = context.takeObject();
  const what = `error getting omap key set ${place(context, oid)}`;
  for (let after = "", more = true; more && !out.isGone; ) {
    const ask = [omapGetKeys({ after, max: OMAP_PAGE })] as const;
    const [page] = await attempt(what, () => io.read(oid, ask, reading));
    for (const key of page.keys) await out.write(`${key}\n`);
    after = page.keys.at(-1) ?? after;
    more = page.more && page.keys.length > 0;
  }
}

async function listValues(context: RadosContext): Promise<void> {
  const { out, io, reading } = context;
  const oid = context.takeObject();
  const what = `error getting omap keys ${place(context, oid)}`;
  for (let after = "", more = true; more && !out.isGone; ) {
    const ask = [omapGet({ after, max: OMAP_PAGE })] as const;
    const [page] = await attempt(what, () => io.read(oid, ask, reading));
    for (const [key, value] of page.entries) {
      const bytes = textBytes(key);
      const isText = /^[ -~]*$/.test(key);
      await out.write(isText ? `${key}\n` : `key (${bytes.length} bytes):\n${hexdump(bytes)}\n`);
      await out.write(`value (${value.length} bytes) :\n${hexdump(value)}\n`);
      after = key;
    }
    more = page.more && page.entries.size > 0;
  }
}

/** A value to a file if one is named, else to be read. */
async function show(context: RadosContext, name: string, value: Uint8Array): Promise<void> {
  const [path] = context.words;
  if (path === undefined) {
    context.out.put(`${name} (${value.length} bytes) :\n${hexdump(value)}\n`);
    return;
  }
  process.stderr.write(`Writing to ${path}\n`);
  const sink = await attempt("failed to open file", () => openSink(path));
  try {
    await attempt(`error writing to ${path}`, () => sink.write(value));
  } finally {
    await sink.close();
  }
}

async function getValue(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const key = context.takeKey();
  context.expectAtMost(1);
  const where = `${place(context, oid)}/${shown(key)}`;
  const [values] = await attempt(`error getting omap value ${where}`, () =>
    context.io.read(oid, [omapGetByKeys([key])], context.reading),
  );
  const value = values.get(key);
  if (value !== undefined) return await show(context, "value", value);
  await context.out.say(`No such key: ${where}`);
  throw new CommandFailure("");
}

async function setValue(context: RadosContext): Promise<void> {
  const oid = context.take();
  const key = context.takeKey();
  context.expectAtMost(1);
  const [word] = context.words;
  const file = context.options.get("inputFile");
  const value =
    file === undefined
      ? word === undefined
        ? await readWhole("-")
        : textBytes(word)
      : await attempt(`error reading file ${file}: can't open ${file}`, () => readWhole(file));
  await attempt(`error setting omap value ${context.poolName}/${oid}/${shown(key)}`, () =>
    context.writable.write(oid, [omapSet([[key, value]])]),
  );
}

async function removeKey(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const key = context.takeKey();
  context.expectAtMost(0);
  await attempt(`error removing omap key ${place(context, oid)}/${shown(key)}`, () =>
    context.writable.write(oid, [omapRemove([key])]),
  );
}

async function clear(context: RadosContext): Promise<void> {
  const { nameFromFile } = context;
  const oids = [...context.words, ...(nameFromFile === undefined ? [] : [nameFromFile])];
  if (oids.length === 0) throw context.usage();
  for (const oid of oids) {
    try {
      await context.writable.write(oid, [omapClear()]);
    } catch (error) {
      // compat: there is no colon before the reason.
      const what = `error clearing omap keys ${place(context, oid)}/`;
      throw new CommandFailure(what + cppStrerror(errnoOf(error)), 1, error);
    }
  }
}

async function getHeader(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const [header] = await attempt(`error getting omap header ${place(context, oid)}`, () =>
    context.io.read(oid, [omapGetHeader()], context.reading),
  );
  await show(context, "header", header);
}

async function setHeader(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const value = textBytes(context.take());
  await attempt(`error setting omap value ${place(context, oid)}`, () =>
    context.writable.write(oid, [omapSetHeader(value)]),
  );
}
