/**
 * Arguments of class methods: random values of the right types, and recorded ones.
 *
 * A method's arguments are a row of words, each a kind of value (WORDS); a word with a question mark is left
 * out now and then, as older clients do. Types that are more than that come from the recorded calls of
 * test/vectors/cls, which also give sequences that make sense; both are damaged now and then.
 * ceph: src/cls/rbd/cls_rbd_client.cc, src/cls/journal/cls_journal_client.cc and the *_ops.h of the others
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Dice } from "../harness/dice.ts";

export interface ClassCall {
  cls: string;
  method: string;
  /** Hexadecimal. */
  input: string;
}

const RBD: Record<string, string> = {
  create: "size order features string ?pool",
  get_features: "snap ?bool",
  set_features: "features features",
  get_size: "snap",
  set_size: "size",
  get_snapcontext: "",
  get_object_prefix: "",
  get_data_pool: "",
  get_snapshot_name: "snap",
  get_snapshot_timestamp: "snap",
  snapshot_get: "snap",
  snapshot_add: "string snap ?usernamespace",
  snapshot_remove: "snap",
  snapshot_rename: "snap string",
  snapshot_trash_add: "snap",
  get_all_features: "",
  get_parent: "snap",
  set_parent: "pool string snap size",
  remove_parent: "",
  parent_get: "",
  parent_overlap_get: "snap",
  parent_attach: "( pool string string snap ) size ?bool",
  parent_detach: "",
  set_protection_status: "snap state",
  get_protection_status: "snap",
  get_stripe_unit_count: "",
  set_stripe_unit_count: "size size",
  get_create_timestamp: "",
  get_access_timestamp: "",
  get_modify_timestamp: "",
  set_access_timestamp: "",
  set_modify_timestamp: "",
  get_flags: "?snap",
  set_flags: "features features ?snap",
  op_features_get: "",
  op_features_set: "features features",
  metadata_list: "string few",
  metadata_set: "[ string string ]",
  metadata_remove: "string",
  metadata_get: "string",
  snapshot_get_limit: "",
  snapshot_set_limit: "few",
  child_attach: "snap ( pool string string )",
  child_detach: "snap ( pool string string )",
  children_list: "snap",
  migration_get: "",
  migration_set_state: "state string",
  migration_remove: "",
  add_child: "pool string snap string",
  remove_child: "pool string snap string",
  get_children: "pool string snap",
  get_id: "",
  set_id: "string",
  dir_get_id: "string",
  dir_get_name: "string",
  dir_list: "string few",
  dir_add_image: "string string",
  dir_remove_image: "string string",
  dir_rename_image: "string string string",
  dir_state_assert: "state",
  dir_state_set: "state",
  object_map_load: "",
  object_map_resize: "few state",
  object_map_update: "few few state optional_state",
  object_map_snap_add: "",
  snap_list: "",
  snap_add: "string snap",
  snap_remove: "string",
  snap_rename: "snap string",
  mirror_uuid_get: "",
  mirror_uuid_set: "string",
  mirror_mode_get: "",
  mirror_mode_set: "u32",
  mirror_peer_ping: "string string state",
  mirror_peer_list: "",
  mirror_peer_remove: "string",
  mirror_peer_set_client: "string string",
  mirror_peer_set_cluster: "string string",
  mirror_peer_set_direction: "string state",
  mirror_image_list: "string few",
  mirror_image_get_image_id: "string",
  mirror_image_get: "string",
  mirror_image_set: "string ( string state ?state )",
  mirror_image_remove: "string",
  mirror_image_status_remove: "string",
  mirror_image_status_get: "string",
  mirror_image_status_list: "string few",
  mirror_image_status_get_summary: "",
  mirror_image_status_remove_down: "",
  mirror_image_instance_get: "string",
  mirror_image_instance_list: "string few",
  mirror_instances_list: "",
  mirror_instances_add: "string",
  mirror_instances_remove: "string",
  mirror_image_map_list: "string few",
  mirror_image_map_remove: "string",
  mirror_image_snapshot_unlink_peer: "snap string",
  mirror_image_snapshot_set_copy_progress: "snap bool few",
  group_dir_list: "string few",
  group_dir_add: "string string",
  group_dir_remove: "string string",
  group_dir_rename: "string string string",
  image_group_add: "( pool string )",
  image_group_remove: "( pool string )",
  image_group_get: "",
  group_snap_remove: "string",
  group_snap_get_by_id: "string",
  trash_remove: "string",
  trash_list: "string few",
  trash_get: "string",
  trash_state_set: "string state state",
  namespace_add: "string",
  namespace_remove: "string",
  namespace_list: "string few",
  copyup: "raw",
  assert_snapc_seq: "few state",
  sparsify: "size bool",
};

const JOURNAL: Record<string, string> = {
  create: "order state pool",
  get_order: "",
  get_splay_width: "",
  get_pool_id: "",
  get_minimum_set: "",
  set_minimum_set: "few",
  get_active_set: "",
  set_active_set: "few",
  get_client: "string",
  client_register: "string string",
  client_update_data: "string string",
  client_update_state: "string state",
  client_unregister: "string",
  client_commit: "string ( [ ( few few few ) ] )",
  client_list: "string few",
  get_next_tag_tid: "",
  get_tag: "few",
  tag_create: "few class string",
  tag_list: "few few string optional_few",
  guard_append: "size",
  append: "size string",
};

const LOCKER = "(08 few )";
const VERSION = "( few string )";
const OTHERS: Record<string, Record<string, string>> = {
  rbd: RBD,
  journal: JOURNAL,
  version: {
    set: `( ${VERSION} )`,
    inc: "",
    inc_conds: `( ${VERSION} [ ( ${VERSION} u32 ) ] )`,
    read: "",
    check_conds: `( ${VERSION} [ ( ${VERSION} u32 ) ] )`,
  },
  refcount: {
    get: "( string bool )",
    put: "( string bool )",
    set: "( [ string ] )",
    read: "( bool )",
  },
  numops: { add: "string number", mul: "string number" },
  hello: {
    say_hello: "raw",
    record_hello: "raw",
    replay: "raw",
    turn_it_to_11: "raw",
  },
  lock: {
    lock: "( string state string string string duration lockflags )",
    unlock: "( string string )",
    break_lock: `( string ${LOCKER} string )`,
    get_info: "( string )",
    list_locks: "",
    assert_locked: "( string state string string )",
    set_cookie: "( string state string string string )",
  },
  log: {
    add: "(2 [ (2 string string time string ?empty ) ] bool )",
    list: "( time string time entries )",
    trim: "(2 time time empty empty )",
    info: "( )",
  },
  timeindex: {
    // A real one reads a key without an extension into memory that is not its own.
    add: "( [ ( time word string ) ] )",
    list: "( time empty time entries )",
    trim: "( time time empty empty )",
  },
  user: {
    set_buckets_info: "( [ ] bool time )",
    complete_stats_sync: "( time )",
    list_buckets: "(2 string entries string )",
    get_header: "( )",
    reset_user_stats: "( time )",
  },
};

const STRINGS = ["a", "b", "c", "id1", "id2", "", "a.b", "\u0000x", "m".repeat(40)];
const NUMBERS = ["1", "-2.5", "1e3", "x", "", "0.1", " 7", "1e400"];

const SMALL_WORDS: Record<string, (dice: Dice) => Buffer> = {
  string: (dice) => str(dice.pick(STRINGS)),
  word: (dice) => str(dice.pick(["a", "b", "c", "id1", "a.b"])),
  number: (dice) => str(dice.pick(NUMBERS)),
  empty: () => str(""),
  // Less than a header of format 1, see Generator._call; and more than class hello takes.
  raw: (dice) => Buffer.from(dice.bytes(dice.below(dice.chance(0.1) ? 110 : 12))),
  bool: (dice) => u8(dice.below(2)),
  state: (dice) => u8(dice.chance(0.9) ? dice.below(4) : dice.below(256)),
  order: (dice) => u8(dice.pick([12, 20, 22, 24, 64, 0, 255])),
  lockflags: (dice) => u8(dice.pick([0, 0, 1, 2, 3, 255])),
  u32: (dice) => u32(dice.below(7)),
  entries: (dice) => u32(dice.pick([0, 1, 2, 100, 1000, 0xffff_ffff])),
  // Of more than 32 bits some of a real OSD's methods see the lower ones alone.
  few: (dice) => u64(dice.chance(0.9) ? BigInt(dice.below(20)) : 0xffff_ffff_ffff_fffen),
  class: (dice) => u64(dice.chance(0.5) ? 0xffff_ffff_ffff_ffffn : BigInt(dice.below(4))),
  snap: (dice) => u64(dice.chance(0.8) ? BigInt(dice.below(6)) : HUGE(dice)),
  pool: (dice) => u64(dice.pick([0n, 1n, 5n, 0xffff_ffff_ffff_ffffn])),
  size: (dice) => u64(dice.pick([0n, 1n, 4096n, 10_000n, 1n << 22n, 1n << 40n])),
  features: (dice) => u64(dice.chance(0.9) ? BigInt(dice.below(512)) : HUGE(dice)),
  optional_state: (dice) => (dice.chance(0.5) ? u8(0) : Buffer.of(1, dice.below(4))),
  optional_few: (dice) =>
    dice.chance(0.5) ? u8(0) : Buffer.concat([u8(1), u64(BigInt(dice.below(4)))]),
  usernamespace: () => Buffer.from("01010400000000000000", "hex"),
  // Locks that expire, within a run, do so at a moment that is not the seed's.
  duration: (dice) => Buffer.concat([u32(dice.pick([0, 3600])), u32(0)]),
  // Long ago, so that no mask of the present takes it for one.
  time: (dice) => Buffer.concat([u32(dice.below(4) * 100), u32(dice.below(2) * 500)]),
};

const HUGE = (dice: Dice): bigint =>
  dice.pick([0xffff_ffff_ffff_fffen, 0xffff_ffff_ffff_ffffn, 1n << 32n, 1n << 63n]);

function u8(value: number): Buffer {
  return Buffer.of(value);
}
function u32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}
function u64(value: bigint): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(value);
  return out;
}
function str(text: string): Buffer {
  const body = Buffer.from(text, "latin1");
  return Buffer.concat([u32(body.length), body]);
}

/**
 * Encodes a row of words. `( … )` is a struct of version 1, `(2 … )` of version 2, `(08 … )` a byte of that
 * value first and no header (an entity's type); `[ … ]` a list of up to three.
 */
function encode(row: string, dice: Dice): Buffer {
  const words = row.split(" ").filter((word) => word !== "");
  const parse = (end: string | undefined): ((d: Dice) => Buffer) => {
    const parts: ((d: Dice) => Buffer)[] = [];
    for (;;) {
      const word = words.shift();
      if (word === end) break;
      if (word === undefined) throw new Error(`${row}: no ${end}`);
      parts.push(part(word));
    }
    return (d) => {
      const out: Buffer[] = [];
      for (const one of parts) out.push(one(d));
      return Buffer.concat(out);
    };
  };
  const part = (word: string): ((d: Dice) => Buffer) => {
    if (word === "[") {
      const item = parse("]");
      return (d) => {
        const count = d.below(4);
        return Buffer.concat([u32(count), ...Array.from({ length: count }, () => item(d))]);
      };
    }
    if (word === "(08") {
      const body = parse(")");
      return (d) => Buffer.concat([u8(8), body(d)]);
    }
    if (word === "(" || word === "(2") {
      const body = parse(")");
      const version = word === "(2" ? 2 : 1;
      return (d) => {
        const inside = body(d);
        return Buffer.concat([Buffer.of(version, 1), u32(inside.length), inside]);
      };
    }
    const value = SMALL_WORDS[word.replace("?", "")];
    if (value === undefined) throw new Error(`${row}: ${word} is no kind of value`);
    return word.startsWith("?") ? (d) => (d.chance(0.5) ? value(d) : Buffer.alloc(0)) : value;
  };
  return parse(undefined)(dice);
}

/**
 * Input that is not what the method expects. Not: sizes of 2^53 bytes and more, which ours takes for malformed
 * where they are numbers.
 */
function damaged(input: Buffer, dice: Dice): Buffer {
  const out = Buffer.from(input);
  switch (dice.below(4)) {
    case 0:
      return out.subarray(0, dice.below(out.length + 1));
    case 1:
      return Buffer.concat([out, dice.bytes(1 + dice.below(4))]);
    case 2:
      if (out.length > 0) out[0] = dice.below(256);
      return out;
    default:
      return Buffer.from(dice.bytes(dice.below(8)));
  }
}

const DAMAGED = 0.08;

export function randomCall(dice: Dice, cls: string): ClassCall {
  const methods = OTHERS[cls];
  if (methods === undefined) throw new Error(`no methods of ${cls}`);
  const method = dice.pick(Object.keys(methods));
  const good = encode(methods[method] ?? "", dice);
  const input = dice.chance(DAMAGED) ? damaged(good, dice) : good;
  return { cls, method, input: input.toString("hex") };
}

export const CLASSES = Object.keys(OTHERS);

interface RecordedStep {
  do: string;
  oid: string;
  cls: string;
  method: string;
  input: string;
}

export type RecordedSequence = (ClassCall & { oid: string })[];

/** Sequences of calls as they were recorded, without what is not a call or depends on the time. */
export function recordedSequences(folder: string): RecordedSequence[] {
  const out: RecordedSequence[] = [];
  for (const name of readdirSync(folder).toSorted()) {
    if (!name.endsWith(".json")) continue;
    const { sequences } = JSON.parse(readFileSync(join(folder, name), "utf8")) as {
      sequences: { steps: RecordedStep[] }[];
    };
    for (const { steps } of sequences) {
      out.push(
        steps
          .filter((step) => step.do === "call" && !(step.cls === "lock" && step.method === "lock"))
          .map(({ oid, cls, method, input }) => ({ oid, cls, method, input })),
      );
    }
  }
  if (out.length === 0) throw new Error(`${folder}: nothing recorded`);
  return out.filter((steps) => steps.length > 0);
}

export function damagedCall<T extends ClassCall>(call: T, dice: Dice): T {
  if (!dice.chance(DAMAGED)) return call;
  return { ...call, input: damaged(Buffer.from(call.input, "hex"), dice).toString("hex") };
}
