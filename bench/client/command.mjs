// One command: how long it took, what it cost its own processes, and what it said.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import process from "node:process";
import { cpuSeconds } from "../ceph/processes.mjs";

const SAMPLE_MS = 10;
const TIMEOUT_MS = 600_000;

/**
 * Runs a command of one program. Nothing else may be started meanwhile: its processor time is what our children
 * that have ended have taken in all.
 * @returns {Promise<{ out: string, seconds: number, cpuSeconds: number, peakBytes: number }>}
 */
export async function runCommand(command, { env, cwd }) {
  const before = cpuSeconds([process.pid]) - ownSeconds();
  const startMs = performance.now();
  const child = spawn("bash", ["--norc", "-c", `exec ${command}`], {
    env,
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const chunks = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (each) => chunks.push(each));
  let peakBytes = 0;
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, highWater(child.pid));
  }, SAMPLE_MS);
  const [code] = await once(child, "close");
  clearInterval(timer);
  const seconds = (performance.now() - startMs) / 1000;
  const out = Buffer.concat(chunks).toString("utf8");
  if (code !== 0) throw new Error(`${command}: exit ${code}\n${out}`);
  return { out, seconds, cpuSeconds: cpuSeconds([process.pid]) - ownSeconds() - before, peakBytes };
}

/** Our own processor time, without the children's. */
function ownSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Most memory that a process has had so far; 0 if it has ended. */
function highWater(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
