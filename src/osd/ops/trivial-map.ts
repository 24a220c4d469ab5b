/**
 * Trivial maps: a header and a small sorted map in an object's data, read and written as a whole. Images of
 * the first format have their directory in one; everything newer uses omap.
 *
 *     data     u32 length, header; u32 n, n x {string key; u32 length, value}, by key
 *     update   commands one after another: u8 what; 'h' u32 length, header
 *              's', 'c' string key; u32 length, value        set; create: EEXIST if there
 *              'r', 'R' string key                           remove: ENOENT if absent; remove if there
 *
 * ceph: src/osd/PrimaryLogPG.cc do_tmapup, do_tmap2omap, src/include/rados.h CEPH_OSD_TMAP_*
 */

import { ERRNO } from "../../base/index.ts";
import {
  blob,
  EMPTY,
  encodeToBytes,
  flatten,
  type Infer,
  naturalOrder,
  pairs,
  Reader,
  record,
  str,
} from "../../encoding/index.ts";
import type { OpContext } from "../op-context.ts";
import { readOp, writeOp } from "./op.ts";
import { checkRange } from "./write.ts";

const TrivialMap = record("tmap", { header: blob, entries: pairs(str, blob) });
type TrivialMap = Infer<typeof TrivialMap>;

const COMMAND = { HEADER: 0x68, SET: 0x73, CREATE: 0x63, REMOVE: 0x72, REMOVE_IF_THERE: 0x52 };

function readWhole(ctx: OpContext): Uint8Array {
  const size = ctx.before.info.size;
  ctx.countRead(size);
  if (size === 0) return EMPTY;
  return flatten(ctx.store.readSync(ctx.collection, ctx.object, 0, size));
}

/** A copy: what is made of it outlives the request. An object without data is an empty map. */
function readMap(ctx: OpContext): TrivialMap {
  const data = Uint8Array.from(readWhole(ctx));
  return data.length === 0 ? { header: EMPTY, entries: [] } : TrivialMap.decode(new Reader(data));
}

function writeMap(ctx: OpContext, map: TrivialMap): number {
  const data = encodeToBytes(TrivialMap, sorted(map));
  const bad = checkRange(ctx, 0, data.length);
  if (bad !== 0) return bad;
  ctx.create();
  ctx.writeFull(data.length, [data]);
  return 0;
}

function sorted({ header, entries }: TrivialMap): TrivialMap {
  return { header, entries: entries.toSorted((a, b) => naturalOrder(a[0], b[0])) };
}

export const tmapGet = readOp((ctx, slot) => {
  slot.out = [readWhole(ctx)];
  return 0;
});

/** EINVAL: not a map. */
export const tmapPut = writeOp((ctx, slot) =>
  writeMap(ctx, TrivialMap.decode(new Reader(slot.op.indata))),
);

/** ENOENT, EEXIST: what a command says of its key is not so; EINVAL: a command there is not. */
export const tmapUpdate = writeOp((ctx, slot) => {
  if (slot.op.indata.length === 0) return 0;
  const { header, entries } = readMap(ctx);
  const next = { header, entries: new Map(entries) };
  const commands = new Reader(slot.op.indata);
  while (commands.remaining > 0) {
    const result = runCommand(commands, next);
    if (result !== 0) return result;
  }
  return writeMap(ctx, { header: next.header, entries: [...next.entries] });
});

function runCommand(
  commands: Reader,
  map: { header: Uint8Array; entries: Map<string, Uint8Array> },
): number {
  const what = commands.u8();
  if (what === COMMAND.HEADER) {
    map.header = blob.decode(commands);
    return 0;
  }
  const key = commands.str();
  switch (what) {
    case COMMAND.SET:
      map.entries.set(key, blob.decode(commands));
      return 0;
    case COMMAND.CREATE:
      if (map.entries.has(key)) return -ERRNO.EEXIST;
      map.entries.set(key, blob.decode(commands));
      return 0;
    case COMMAND.REMOVE:
      return map.entries.delete(key) ? 0 : -ERRNO.ENOENT;
    case COMMAND.REMOVE_IF_THERE:
      map.entries.delete(key);
      return 0;
    default:
      return -ERRNO.EINVAL;
  }
}

/** Flag: an object without data is no failure. */
const EMPTY_IS_FINE = 1;

/** The same keys and header as an omap, instead. ENODATA: no data; EINVAL: not a map. */
export const tmapToOmap = writeOp((ctx, slot) => {
  const flags = slot.op.args.readUInt8(0);
  if (ctx.info.size === 0) return (flags & EMPTY_IS_FINE) !== 0 ? 0 : -ERRNO.ENODATA;
  const { header, entries } = readMap(ctx);
  ctx.truncate(0);
  ctx.staged.push({ op: "omap-header", object: ctx.object, header });
  ctx.staged.push({ op: "omap-set", object: ctx.object, entries });
  ctx.markOmap(true);
  ctx.countWrite(0);
  return 0;
});
