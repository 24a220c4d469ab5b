/**
 * The object map of an image: which of its data objects exist, and which have changed since the newest
 * snapshot. An update, which precedes the first write of any data object, touches only the blocks and
 * crcs of the objects it names, however large the map.
 * ceph: src/cls/rbd/cls_rbd.cc
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import {
  DecodeError,
  decodeFromBytes,
  encodeToBytes,
  type Infer,
  Reader,
  Writer,
} from "../../../encoding/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../../objclass.ts";
import { isMissing } from "../../omap.ts";
import { ObjectMapResizeArgs, ObjectMapUpdateArgs } from "../ops/object-map.ts";
import {
  applyTable,
  type BitVector,
  BitVectorCodec,
  BLOCK_BYTES,
  blockCrc,
  dataBytes,
  decodeHeader,
  emptyBitVector,
  FOOTER_PREFIX_BYTES,
  HEADER_BYTES,
  isUniform,
  resizeBitVector,
  STATES_PER_BYTE,
  stateAt,
  stateTable,
} from "../types/bit-vector.ts";
import { OBJECT_MAP_COUNT_MAX, OBJECT_STATE } from "../types/features.ts";
import { checkExists } from "./checks.ts";

export const objectMapMethods = {
  object_map_load: method("r", none, BitVectorCodec, load),
  object_map_save: method("rw", BitVectorCodec, none, (context, map) =>
    store(context, { ...map, crcEnabled: true }),
  ),
  object_map_resize: method("rw", ObjectMapResizeArgs, none, resize),
  object_map_update: method("rw", ObjectMapUpdateArgs, none, update),
  object_map_snap_add: method("rw", none, none, snapAdd),
  object_map_snap_remove: method("rw", BitVectorCodec, none, snapRemove),
} satisfies Record<string, ClassMethod>;

/** ENOENT: no map, or an empty object; EINVAL: no valid map in it. */
function read(context: ClassContext): Result<BitVector> {
  const stat = context.stat();
  if (isFailure(stat)) return stat;
  if (stat.size === 0) return fail("ENOENT");
  const bytes = context.read(0, stat.size);
  if (isFailure(bytes)) return bytes;
  try {
    return decodeFromBytes(BitVectorCodec, bytes);
  } catch (error) {
    if (error instanceof DecodeError) return fail("EINVAL");
    throw error;
  }
}

function store(context: ClassContext, map: BitVector): Result<void> {
  return context.writeFull(encodeToBytes(BitVectorCodec, map));
}

/** The map without crcs: the connection has its own. */
function load(context: ClassContext): Result<BitVector> {
  const map = read(context);
  return isFailure(map) ? map : { ...map, crcEnabled: false };
}

/**
 * Makes or resizes the map. EINVAL: too many objects; ESTALE: an object that would be cut off is not in
 * the default state.
 */
function resize(context: ClassContext, args: Infer<typeof ObjectMapResizeArgs>): Result<void> {
  if (args.objectCount > BigInt(OBJECT_MAP_COUNT_MAX)) return fail("EINVAL");
  const count = Number(args.objectCount);
  const stored = read(context);
  if (isFailure(stored) && !isMissing(stored)) return stored;
  const map = isFailure(stored) ? emptyBitVector() : stored;
  const before = map.size;
  if (!isUniform(map, count, before, args.defaultState)) return fail("ESTALE");
  resizeBitVector(map, count);
  if (count > before) {
    const fill = stateTable(() => args.defaultState);
    applyTable(map.data, { base: 0, start: before, end: count }, fill);
  }
  return store(context, map);
}

/** Tables of the updates clients make, by new state and (current state + 1, 0 for any). */
const updateTables: (Uint8Array | undefined)[] = [];

function updateTable(newState: number, current: number | undefined): Uint8Array {
  const key = (newState & 3) * 8 + (current === undefined ? 0 : Math.min(current, 4) + 1);
  const table =
    updateTables[key] ??
    stateTable((state) => {
      const matches =
        current === undefined ||
        state === current ||
        (current === OBJECT_STATE.EXISTS && state === OBJECT_STATE.EXISTS_CLEAN);
      return matches ? newState : state;
    });
  updateTables[key] = table;
  return table;
}

/** Objects of a stored map, from its first bytes. ENOENT: no map; EINVAL: they are not a map's. */
function readSize(context: ClassContext): Result<number> {
  const exists = checkExists(context);
  if (isFailure(exists)) return exists;
  const header = context.read(0, HEADER_BYTES);
  if (isFailure(header)) return header;
  try {
    return decodeHeader(new Reader(header)).size;
  } catch (error) {
    if (error instanceof DecodeError) return fail("EINVAL");
    throw error;
  }
}

/**
 * Sets the states of objects [start, end). ENOENT: no map; EINVAL: not a valid one where we look;
 * ERANGE: no objects, or beyond the map.
 */
function update(context: ClassContext, args: Infer<typeof ObjectMapUpdateArgs>): Result<void> {
  const size = readSize(context);
  if (isFailure(size)) return size;
  if (args.start >= args.end || args.end > BigInt(size)) return fail("ERANGE");
  const start = Number(args.start);
  const end = Number(args.end);

  const allBytes = dataBytes(size);
  const firstBlock = Math.floor(start / STATES_PER_BYTE / BLOCK_BYTES);
  const endBlock = Math.floor((end - 1) / STATES_PER_BYTE / BLOCK_BYTES) + 1;
  const from = firstBlock * BLOCK_BYTES;
  const length = Math.min(endBlock * BLOCK_BYTES, allBytes) - from;
  const crcsAt = HEADER_BYTES + allBytes + FOOTER_PREFIX_BYTES + 4 * firstBlock;
  const crcsLength = 4 * (endBlock - firstBlock);

  const states = context.read(HEADER_BYTES + from, length);
  if (isFailure(states)) return states;
  const crcs = context.read(crcsAt, crcsLength);
  if (isFailure(crcs)) return crcs;
  if (states.length < length || crcs.length < crcsLength) return fail("EINVAL");
  if (!crcsMatch(states, crcs)) return fail("EINVAL");

  const data = Buffer.from(states);
  const range = { base: firstBlock * BLOCK_BYTES * STATES_PER_BYTE, start, end };
  if (!applyTable(data, range, updateTable(args.newState, args.currentState))) return;
  const written = context.write(HEADER_BYTES + from, data);
  if (isFailure(written)) return written;
  return context.write(crcsAt, crcsOf(data));
}

function crcsOf(data: Uint8Array): Uint8Array {
  const w = new Writer(Math.max(4, (4 * data.length) / BLOCK_BYTES + 4));
  for (let at = 0; at < data.length; at += BLOCK_BYTES) {
    w.u32(blockCrc(data, at, Math.min(at + BLOCK_BYTES, data.length)));
  }
  return w.finish();
}

function crcsMatch(data: Uint8Array, crcs: Uint8Array): boolean {
  return Buffer.compare(crcsOf(data), crcs) === 0;
}

const EXISTS_TO_CLEAN = stateTable((state) =>
  state === OBJECT_STATE.EXISTS ? OBJECT_STATE.EXISTS_CLEAN : state,
);

const CLEAN_TO_EXISTS = stateTable((state) =>
  state === OBJECT_STATE.EXISTS_CLEAN ? OBJECT_STATE.EXISTS : state,
);

/** A snapshot was taken: whatever exists is unchanged since. Failures as of read. */
function snapAdd(context: ClassContext): Result<void> {
  const map = read(context);
  if (isFailure(map)) return map;
  if (applyTable(map.data, { base: 0, start: 0, end: map.size }, EXISTS_TO_CLEAN)) {
    return store(context, map);
  }
}

/**
 * The newest snapshot is going, `snapshot` being its map: what was changed before it and not since has
 * changed since the one below. Objects the snapshot did not have count as changed. Failures as of read.
 */
function snapRemove(context: ClassContext, snapshot: BitVector): Result<void> {
  const map = read(context);
  if (isFailure(map)) return map;
  const { data } = map;
  const common = Math.min(map.size, snapshot.size);
  const whole = Math.floor(common / STATES_PER_BYTE);
  let changed = false;
  for (let i = 0; i < whole; i++) {
    const now = data[i] ?? 0;
    const then = snapshot.data[i] ?? 0;
    // Four objects at once: low bits of the pairs that are 11 now and were 01 then; 11 becomes 01.
    const hit = now & (now >>> 1) & then & ~(then >>> 1) & 0b01010101;
    if (hit === 0) continue;
    data[i] = now & ~(hit << 1);
    changed = true;
  }
  for (let i = whole * STATES_PER_BYTE; i < common; i++) {
    if (stateAt(snapshot, i) !== OBJECT_STATE.EXISTS) continue;
    const one = { base: 0, start: i, end: i + 1 };
    if (applyTable(data, one, CLEAN_TO_EXISTS)) changed = true;
  }
  const beyond = { base: 0, start: common, end: map.size };
  if (applyTable(data, beyond, CLEAN_TO_EXISTS)) changed = true;
  if (changed) return store(context, map);
}
