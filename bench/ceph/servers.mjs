// The two sides of a benchmark, started alike: ours (the built command) and a real one-OSD Ceph. Each side
// has a directory of its own, a client configuration and the ids of the processes that serve.
//
// Ceph's daemons leave their parent, so whatever ends a benchmark has to end them: everything started here
// is remembered and dropped by `dropServers`, and a benchmark says what to do on SIGINT and SIGTERM.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { loadTs, ROOT } from "../../scripts/load-ts.mjs";

// The harness looks for the built command from where it is loaded.
process.chdir(ROOT);
const ceph = await loadTs("test/harness/real-ceph.ts");
const spirula = await loadTs("test/harness/spirula.ts");
export const { releaseRoot } = await loadTs("test/harness/debian-root.ts");
export const { clientEnv, must, run, sleep, until } = await loadTs("test/harness/run.ts");

export const SIDES = ["ours", "real"];
/** Our command. */
export const { SPIRULA } = spirula;

/** How to drop what was started, by its directory. From before the start on: half a cluster has to go too. */
const started = new Map();

/**
 * @typedef {object} Server
 * @property {"ours" | "real"} side
 * @property {string} dir
 * @property {string} confPath of its clients, their cache off
 * @property {number} readyMs
 * @property {() => Promise<number[]>} pids
 * @property {() => Promise<void>} stop cleanly; the data stays
 * @property {() => Promise<void>} kill SIGKILL to every process; the data stays
 * @property {() => Promise<void>} resume after `stop` or `kill`: serves again when it returns
 * @property {() => Promise<void>} drop stops it and removes its directory
 */

/**
 * Makes a new cluster in `dir`.
 * @param {"ours" | "real"} side
 * @param {{ memory?: string, osdBytes?: number, settled?: boolean, root?: string }} [options] `memory` is for
 *   ours, the others for the real one: size of its device, whether to wait until its statistics are in, and
 *   where its daemons are if they are of another release (test/harness/debian-root.ts)
 * @returns {Promise<Server>}
 */
export async function startServer(side, dir, options = {}) {
  const server = await (side === "ours" ? startOurs(dir, options) : startReal(dir, options));
  server.confPath = await withoutCache(dir, server.confPath);
  return server;
}

/** Processes that stand still. */
const halted = new Set();

/**
 * Does something while these servers stand still: what a server does though nobody asks it anything, or goes on
 * doing after its job, is not the other one's to pay for.
 * @param {Server[]} others
 */
export async function without(others, work) {
  for (const other of others) for (const pid of await other.pids()) halted.add(pid);
  for (const pid of halted) process.kill(pid, "SIGSTOP");
  try {
    return await work();
  } finally {
    wake();
  }
}

function wake() {
  for (const pid of halted) {
    try {
      process.kill(pid, "SIGCONT");
    } catch (error) {
      if (error.code !== "ESRCH") throw error; // it has been killed: whoever needs it will say so
    }
  }
  halted.clear();
}

/** Drops whatever is still there. */
export async function dropServers() {
  wake();
  for (const drop of started.values()) await drop();
}

/** Calls `cleanUp` before a signal ends the benchmark. */
export function onInterrupt(cleanUp) {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      void cleanUp().finally(() => process.exit(1));
    });
  }
}

async function startOurs(dir, { memory }) {
  const args = memory === undefined ? [] : ["--memory", memory];
  let now = await spirula.startSpirula({ dir, args });
  const port = await spirula.monPort(dir);
  const resume = async () => {
    now = await spirula.startSpirula({ dir, args, port, readyTimeoutMs: 600_000 });
  };
  const drop = async () => {
    started.delete(dir);
    await now.kill();
    await rm(dir, { recursive: true, force: true });
  };
  started.set(dir, drop);
  return {
    side: "ours",
    dir,
    confPath: now.confPath,
    readyMs: now.readyMs,
    pids: async () => [now.pid],
    stop: async () => {
      await now.stop();
    },
    kill: () => now.kill(),
    resume,
    drop,
  };
}

async function startReal(dir, { osdBytes, settled, root }) {
  const drop = async () => {
    started.delete(dir);
    await ceph.dropRealCeph(dir);
  };
  started.set(dir, drop);
  const now = await ceph.startRealCeph({ dir, root, osdBytes, settled });
  const resume = () => ceph.resumeRealCeph(dir, root);
  return {
    side: "real",
    dir,
    confPath: now.confPath,
    readyMs: now.readyMs,
    pids: now.pids,
    stop: now.stop,
    kill: () => ceph.stopRealCeph(dir, "SIGKILL"),
    resume,
    drop,
  };
}

/** librbd's cache would answer writes before the server has seen them. */
async function withoutCache(dir, confPath) {
  const path = join(dir, "bench.conf");
  await writeFile(path, `${await readFile(confPath, "utf8")}\n[client]\nrbd cache = false\n`);
  return path;
}
