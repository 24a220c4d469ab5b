#!/usr/bin/env node
// npm run bench:scale: what commands cost against the number of images in a pool, of snapshots of an image, against
// the depth of a chain of clones and the size of an image, over three sizes a decade apart (--large: four).
//
// The figures are seconds of the whole command as a user types it; what a client takes to start is the least of
// them. What an image's size or its snapshots cost librbd itself is in them, too: compare with --side real.
//
//   --only A,B     images, snapshots, clones, size      --side real   the same on a real one-OSD Ceph
//   --large        100,000 images, too                  --dir DIR     where the data lies
//   --json FILE    every figure
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { ROOT } from "../../scripts/load-ts.mjs";
import { markdown } from "../stats.mjs";
import { residentBytes } from "./processes.mjs";
import { clientEnv, dropServers, must, onInterrupt, startServer } from "./servers.mjs";

const TIMEOUT_MS = 3_600_000;
/** Debian's, which has Ceph's modules. */
const PYTHON = "/usr/bin/python3";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "images,snapshots,clones,size" },
    large: { type: "boolean", default: false },
    side: { type: "string", default: "ours" },
    dir: { type: "string", default: tmpdir() },
    json: { type: "string" },
  },
});

/** What grows, and the commands that are timed at each size: title and line, for a size. */
const SCALES = {
  images: {
    sizes: values.large ? [100, 1000, 10_000, 100_000] : [100, 1000, 10_000],
    grow: "images",
    commands: {
      "rbd ls": () => "rbd ls | wc -l",
      "rbd info": (n) => `rbd info image${n - 1}`,
      "rbd create": () => "rbd create --size 1G one-more",
      "rbd mv": () => "rbd mv one-more another",
      "rbd rm": () => "rbd rm --no-progress another",
      "ceph -s": () => "ceph -s",
      "ceph df": () => "ceph df",
    },
  },
  snapshots: {
    sizes: [5, 50, 500],
    grow: "snapshots",
    commands: {
      "rbd snap ls": () => "rbd snap ls snapped",
      "rbd info": () => "rbd info snapped",
      "rbd export": () => "rbd export --no-progress snapped - | wc -c",
      "rbd diff": () => "rbd diff --from-snap s1 snapped",
      "rbd du": () => "rbd du snapped",
      "rbd snap create": () => "rbd snap create --no-progress snapped@one-more",
      "rbd snap rm": () => "rbd snap rm --no-progress snapped@one-more",
    },
    last: { "all snapshots removed": "rbd snap purge --no-progress snapped" },
  },
  clones: {
    sizes: [1, 4, 16],
    grow: "clones",
    commands: {
      "rbd info": (n) => `rbd info clone${n}`,
      "rbd export": (n) => `rbd export --no-progress clone${n} - | wc -c`,
      "rbd du": (n) => `rbd du clone${n}`,
    },
    last: { "rbd flatten": "rbd flatten --no-progress clone16" },
  },
  size: {
    sizes: [64, 2048, 65_536],
    unit: "GiB",
    commands: {
      "rbd create": (n) => `rbd create --size ${n}G big`,
      "rbd info": () => "rbd info big",
      "256 random writes": () =>
        "rbd bench --io-type write --io-pattern rand --io-size 4K --io-total 1M big",
      "rbd snap create": () => "rbd snap create --no-progress big@s",
      "rbd snap rm": () => "rbd snap rm --no-progress big@s",
      "rbd du": () => "rbd du big",
      "rbd resize to a half": (n) => `rbd resize --no-progress --allow-shrink --size ${n / 2}G big`,
      "rbd rm": () => "rbd rm --no-progress big",
    },
  },
};

const load = loadavg();
console.log(`load average at the start: ${load.map((each) => each.toFixed(2)).join(" ")}`);
const base = await mkdtemp(join(values.dir, "spirula-scale-"));
const results = {};
onInterrupt(cleanUp);
try {
  for (const name of values.only.split(",")) {
    const scale = SCALES[name];
    if (scale === undefined) throw new Error(`no scale ${name}`);
    const server = await startServer(values.side, join(base, name));
    results[name] = await measure(server, scale);
    await server.drop();
    report(name, scale, results[name]);
  }
} finally {
  await cleanUp();
}
if (values.json !== undefined) {
  const json = JSON.stringify({ node: process.version, load, options: values, results });
  await writeFile(values.json, `${json}\n`);
}

async function cleanUp() {
  await dropServers();
  await rm(base, { recursive: true, force: true });
}

/** Figures by row, one for each size. */
async function measure(server, { sizes, grow, commands, last = {} }) {
  const at = { env: clientEnv(server.confPath), timeoutMs: TIMEOUT_MS };
  const rows = {};
  const note = (title, figure) => {
    rows[title] ??= [];
    rows[title].push(figure);
  };
  let reached = 0;
  for (const size of sizes) {
    if (grow !== undefined) {
      const program = join(ROOT, "bench/ceph/scale.py");
      const line = `${PYTHON} ${program} ${grow} ${reached} ${size}`;
      note("each made, ms", ((await seconds(() => must(line, at))) * 1000) / (size - reached));
      reached = size;
    }
    for (const [title, command] of Object.entries(commands)) {
      note(`${title}, s`, await seconds(() => must(command(size), at)));
    }
    note("memory, MB", residentBytes(await server.pids()) / 1e6);
    await server.kill();
    note("ready after kill -9, s", await seconds(() => server.resume()));
  }
  for (const [title, command] of Object.entries(last)) {
    rows[`${title}, s`] = [await seconds(() => must(command, at))];
  }
  return rows;
}

async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function report(name, { sizes, unit = name }, rows) {
  const heads = [values.side, ...sizes.map((size) => `${size.toLocaleString("en")} ${unit}`)];
  const cells = Object.entries(rows).map(([title, figures]) => {
    // What is done once is done at the last size.
    const empty = sizes.slice(figures.length).map(() => "");
    return [title, ...empty, ...figures.map((each) => each.toFixed(2))];
  });
  console.log(`\n${markdown(heads, cells)}`);
}
