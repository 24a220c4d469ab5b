/**
 * Verbs on objects' data and being.
 * ceph: src/tools/rados/rados.cc
 */

import { CephError, ERRNO, systemClock } from "../../base/index.ts";
import {
  append,
  copyFrom,
  create,
  type IoCtx,
  mapExtents,
  read,
  remove,
  setAllocHint,
  truncate,
  write,
  writeFull,
} from "../../librados/index.ts";
import {
  attempt,
  CommandFailure,
  cppStrerror,
  errnoOf,
  formatLocalTime,
  openSink,
  openSource,
  type Source,
} from "../client/index.ts";
import { failedTwice, type RadosContext, shown } from "./context.ts";
import type { Verbs } from "./verb.ts";

/** Bytes of one request, unless -b says otherwise. */
const OP_BYTES = 4 * 1024 * 1024;

export const OBJECT_VERBS: Verbs = {
  get: { summary: "read an object to a file, or `-`", arguments: "OBJECT FILE", run: get },
  put: {
    summary: "write an object from a file, or `-`",
    arguments: "OBJECT FILE [--offset BYTES]",
    run: put,
  },
  append: { summary: "write a file to an object's end", arguments: "OBJECT FILE", run: appendFile },
  truncate: { summary: "cut an object, or make it longer", arguments: "OBJECT SIZE", run: cut },
  create: { summary: "make an empty object", arguments: "OBJECT", run: createObject },
  rm: { summary: "remove objects", arguments: "OBJECT... [--force-full]", run: removeWords },
  cp: { summary: "copy an object", arguments: "OBJECT [OBJECT2]", run: copy },
  stat: { summary: "an object's size and time", arguments: "OBJECT", run: (x) => stat(x, false) },
  stat2: {
    summary: "the same, the time more exactly",
    arguments: "OBJECT",
    run: (x) => stat(x, true),
  },
  touch: {
    summary: "set an object's time; make it if it is not there",
    arguments: "OBJECT [SECONDS]",
    run: touch,
  },
  mapext: {
    summary: "where an object has data, in hexadecimal",
    arguments: "OBJECT",
    run: extents,
  },
  "set-alloc-hint": {
    summary: "tell the store what an object will be",
    arguments: "OBJECT OBJECT-SIZE WRITE-SIZE",
    run: hint,
  },
};

/** With requests of no size there would be no end. */
function opBytes(context: RadosContext): number {
  return context.number("blockSize", 0) || OP_BYTES;
}

/** The object as messages name it. */
function place(context: RadosContext, oid: string): string {
  return `${context.poolName}/${shown(oid)}`;
}

async function get(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const path = context.take();
  const size = opBytes(context);
  const what = `error getting ${place(context, oid)}`;
  const opened = openSink(path).catch((error: unknown) => {
    const why = cppStrerror(errnoOf(error));
    throw new CommandFailure(`failed to open file: ${why}\n${what}: ${why}`, 1, error);
  });
  const sink = await opened;
  try {
    await attempt(what, async () => {
      for (let offset = 0; ; offset += size) {
        const [piece] = await context.io.read(oid, [read(offset, size)], context.reading);
        await sink.write(piece);
        if (piece.length < size) return;
      }
    });
  } finally {
    await sink.close();
  }
}

/** compat: 16.2 says that it cannot read the file and ends with 0. */
async function openInput(path: string): Promise<Source> {
  return await openSource(path).catch((error: unknown) => {
    const why = cppStrerror(errnoOf(error));
    throw new CommandFailure(`error reading input file ${path}: ${why}`, 0, error);
  });
}

async function put(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const path = context.take();
  const size = opBytes(context);
  const start = context.number("offset", 0);
  const isNew = !context.options.has("offset");
  const source = await openInput(path);
  try {
    await attempt(`error putting ${place(context, oid)}`, async () => {
      const io = context.writable;
      let offset = start;
      for await (const piece of source.pieces(size)) {
        const isWhole = offset === 0 && isNew;
        await io.write(oid, [isWhole ? writeFull(piece) : write(offset, piece)]);
        offset += piece.length;
      }
      if (offset > start) return;
      await io.write(oid, [writeFull("")]);
      if (start > 0) await io.write(oid, [truncate(start)]);
    });
  } finally {
    await source.close();
  }
}

async function appendFile(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const path = context.take();
  const size = opBytes(context);
  const source = await openInput(path);
  try {
    await attempt(`error appending ${place(context, oid)}`, async () => {
      const io = context.writable;
      let isEmpty = true;
      for await (const piece of source.pieces(size)) {
        isEmpty = false;
        await io.write(oid, [append(piece)]);
      }
      if (isEmpty) await io.write(oid, [append("")]);
    });
  } finally {
    await source.close();
  }
}

/** A decimal number as C reads it. @param name `size` @throws CommandFailure if it is none */
function decimal(text: string, name: string): number {
  if (!/^(?:\s*[+-]?\d+)?$/.test(text)) {
    throw new CommandFailure(`Invalid value for ${name}: '${text}'`);
  }
  return Number(text);
}

async function cut(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const size = decimal(context.take(), "size");
  if (size < 0) throw new CommandFailure("error, cannot truncate to negative value");
  try {
    if (size > Number.MAX_SAFE_INTEGER) {
      throw new CephError(-ERRNO.EFBIG, { op: "truncate", target: oid });
    }
    await context.writable.write(oid, [truncate(size)]);
  } catch (error) {
    throw failedTwice(`error truncating oid ${shown(oid)} to ${size}`, error);
  }
}

async function createObject(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  await attempt(`error creating ${place(context, oid)}`, () =>
    context.writable.write(oid, [create({ exclusive: true })]),
  );
}

async function removeWords(context: RadosContext): Promise<void> {
  const { nameFromFile, options } = context;
  const oids = [...context.words, ...(nameFromFile === undefined ? [] : [nameFromFile])];
  if (oids.length === 0) throw context.usage();
  const force = options.has("forceFull") ? { evenIfFull: true, fullForce: true } : {};
  for (const oid of oids) {
    const { namespace } = context.io;
    const name = (namespace === "" ? "" : `${namespace}/`) + shown(oid);
    await attempt(`error removing ${context.poolName}>${name}`, () =>
      context.writable.write(oid, [remove()], force),
    );
  }
}

async function copy(context: RadosContext): Promise<void> {
  const { cluster, options, poolName, io } = context;
  const oid = context.take();
  context.expectAtMost(1);
  const pool = options.get("targetPool") ?? poolName;
  if (context.words.length === 0 && pool === poolName) {
    throw new CommandFailure("cannot copy object into itself");
  }
  const name = context.words[0] ?? oid;
  const opened = await attempt(`error opening target pool ${pool}`, () => cluster.openPool(pool));
  const target: IoCtx = opened
    .inNamespace(options.get("targetNspace") ?? "")
    .withLocator(options.get("targetLocator") ?? "");
  const { poolId, namespace, locator } = io;
  const source = { oid, pool: poolId, namespace, locator, ...context.reading };
  await attempt(`error copying ${poolName}/${oid} => ${pool}/${name}`, () =>
    target.write(name, [copyFrom(source)]),
  );
}

async function stat(context: RadosContext, isExact: boolean): Promise<void> {
  const oid = context.takeObject();
  const what = ` error stat-ing ${place(context, oid)}`;
  const { size, mtime } = await attempt(what, () => context.io.stat(oid, context.reading));
  const time = formatLocalTime(isExact ? mtime : { sec: mtime.sec, nsec: 0 });
  context.out.put(`${place(context, oid)} mtime ${time}, size ${size}\n`);
}

async function touch(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const [word] = context.words;
  const now = Math.floor(systemClock.now() / 1000);
  const seconds = word === undefined ? now : decimal(word, "timestamp");
  await attempt(` error touch-ing ${place(context, oid)}`, () =>
    context.writable.write(oid, [create()], { mtimeMs: seconds * 1000 }),
  );
}

async function extents(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const what = `mapext error on ${place(context, oid)}`;
  const [found] = await attempt(what, () =>
    context.io.read(oid, [mapExtents(0, Number.MAX_SAFE_INTEGER)], context.reading),
  );
  for (const [offset, length] of found) {
    context.out.put(`${offset.toString(16)}\t${length.toString(16)}\n`);
  }
}

async function hint(context: RadosContext): Promise<void> {
  const oid = context.takeObject();
  const size = (name: string): number => {
    const word = context.take();
    if (/^\s*[+-]?\d+$/.test(word)) return Number(word);
    const why = `Expected option value to be integer, got '${word}'`;
    throw new CommandFailure(`couldn't parse ${name}: ${why}`);
  };
  const objectSize = size("expected_object_size");
  const writeSize = size("expected_write_size");
  await attempt(`error setting alloc-hint ${place(context, oid)}`, () =>
    context.writable.write(oid, [setAllocHint(objectSize, writeSize)]),
  );
}
