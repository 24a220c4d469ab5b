// node own.mjs CONF SETTINGS: one client of this package's own, for own.py. A request a line on stdin, each answered
// by a line on stdout once it is done: { id, value } or { id, errno, text }. Bytes are in base64.
import process from "node:process";
import { createInterface } from "node:readline";
import { connect } from "../../dist/librados/index.js";
import { Rbd } from "../../dist/librbd/index.js";

const [conf, settings] = process.argv.slice(2);
const cluster = await connect({ conf, options: JSON.parse(settings), env: {} });
const FEATURES =
  "layering striping exclusive-lock object-map fast-diff deep-flatten journaling data-pool".split(
    " ",
  );
const SET_BY_LAYOUT = ["striping", "data-pool"];
const pools = new Map();
const images = new Map();
let lastImage = 0;

async function rbd(pool) {
  if (!pools.has(pool)) pools.set(pool, Rbd.open(cluster, pool));
  return await pools.get(pool);
}

const named = (bits) => FEATURES.filter((_, bit) => (bits >> bit) & 1);
const bitsOf = (names) => names.reduce((bits, name) => bits | (1 << FEATURES.indexOf(name)), 0);

function layout({ features, order, stripeUnit, stripeCount, dataPool }) {
  return {
    features: named(features).filter((name) => !SET_BY_LAYOUT.includes(name)),
    objectSize: 2 ** order,
    stripeUnit,
    stripeCount,
    ...(dataPool === undefined ? {} : { dataPool }),
  };
}

/** By what is asked: of a pool, or of an image that is open. */
const POOL_OPS = {
  create: async (pool, { name, size, options }) =>
    void (await pool.create(name, size, layout(options))),
  clone: async (pool, { parent, snapshot, name, options }) => {
    const how = { ...layout(options), format: options.format };
    await pool.clone({ image: parent, snapshot }, name, how);
  },
  remove: async (pool, { name }) => await pool.remove(name),
  open: async (pool, { name, snapshot, readOnly }) => {
    const how = { readOnly, cache: true, ...(snapshot === undefined ? {} : { snapshot }) };
    images.set(++lastImage, await pool.open(name, how));
    return lastImage;
  },
};
const IMAGE_OPS = {
  close: async (image) => await image.close(),
  id: async (image) => image.id,
  facts: async (image) => {
    const { size, features, flags, parent } = await image.info();
    return { size, features: bitsOf(features), flags: flags.length, overlap: parent?.overlap ?? 0 };
  },
  read: async (image, { offset, length }) => (await image.read(offset, length)).toString("base64"),
  write: async (image, { offset, data }) => await image.write(offset, Buffer.from(data, "base64")),
  write_same: async (image, { offset, length, data }) =>
    await image.write(offset, Buffer.alloc(length, Buffer.from(data, "base64"))),
  discard: async (image, { offset, length }) => await image.discard(offset, length),
  write_zeroes: async (image, { offset, length, keepSpace }) =>
    await image.writeZeroes(offset, length, { keepSpace }),
  compare_and_write: async (image, { offset, expected, data }) => {
    const [was, becomes] = [expected, data].map((text) => Buffer.from(text, "base64"));
    try {
      await image.compareAndWrite(offset, was, becomes);
      return undefined;
    } catch (error) {
      if (error.code === "EILSEQ") return error.offset;
      throw error;
    }
  },
  flush: async (image) => await image.flush(),
  resize: async (image, { size, allowShrink }) => await image.resize(size, { allowShrink }),
  flatten: async (image) => await image.flatten(),
  sparsify: async (image, { size }) => await image.sparsify(size),
  update_features: async (image, { features, enable }) => {
    if (enable) await image.enableFeatures(named(features));
    else await image.disableFeatures(named(features));
  },
  rebuild_object_map: async (image) => await image.rebuildObjectMap(),
  snap_create: async (image, { name }) => await image.createSnapshot(name),
  snap_remove: async (image, { name }) => await image.removeSnapshot(name),
  snap_protect: async (image, { name }) => await image.protectSnapshot(name),
  snap_unprotect: async (image, { name }) => await image.unprotectSnapshot(name),
  snap_rollback: async (image, { name }) => await image.rollback(name),
  snap_set: async (image, { name }) => await image.setSnapshot(name),
  snap_is_protected: async (image, { name }) =>
    (await image.snapshots()).find((snapshot) => snapshot.name === name)?.isProtected,
  diff: async (image, { from, offset, length, includeParent, wholeObject }) => {
    const all = [];
    const options = { includeParent, wholeObject, ...(from === undefined ? {} : { from }) };
    for await (const extent of image.diff(options)) {
      const start = Math.max(extent.offset, offset);
      const end = Math.min(extent.offset + extent.length, offset + length);
      if (start < end) all.push([start, end - start, extent.exists]);
    }
    return all;
  },
  deep_copy: async (image, { to, name, options }) => {
    const { io } = await rbd(to);
    await image.deepCopy(io, name, { ...layout(options), flatten: options.flatten });
  },
};

async function answer({ pool, image, op, ...args }) {
  if (image === undefined) return await POOL_OPS[op](await rbd(pool), args);
  const open = images.get(image);
  if (op === "close") images.delete(image);
  return await IMAGE_OPS[op](open, args);
}

async function serve({ id, ...request }) {
  let reply;
  try {
    reply = { id, value: await answer(request) };
  } catch (error) {
    reply = { id, errno: -(error.errno ?? -5), text: error.stack };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

const served = [];
for await (const line of createInterface({ input: process.stdin })) {
  served.push(serve(JSON.parse(line)));
}
await Promise.all(served);
await cluster.close();
