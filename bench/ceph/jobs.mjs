// The fio jobs, all through fio's rbd engine, and what is taken from each.

import { watchProcesses } from "./processes.mjs";
import { clientEnv, run } from "./servers.mjs";
import { sizeOf } from "./sizes.mjs";

export const IMAGE = "bench";
const RAMP_S = 1;

/** Name and fio's arguments. */
export const JOBS = {
  "randwrite-4k-qd32": ["--rw=randwrite", "--bs=4k", "--iodepth=32"],
  "randwrite-4k-qd1": ["--rw=randwrite", "--bs=4k", "--iodepth=1"],
  "randread-4k-qd32": ["--rw=randread", "--bs=4k", "--iodepth=32"],
  "randread-4k-qd1": ["--rw=randread", "--bs=4k", "--iodepth=1"],
  "randrw-16k-qd16": ["--rw=randrw", "--rwmixread=70", "--bs=16k", "--iodepth=16"],
  "write-4m-qd16": ["--rw=write", "--bs=4M", "--iodepth=16"],
  "read-4m-qd16": ["--rw=read", "--bs=4M", "--iodepth=16"],
};

/** Writes the whole image once, so that reads find something. */
export async function fillImage(server) {
  await fio(server, ["--name=fill", ...JOBS["write-4m-qd16"]], 3600);
}

/** Overwrites at random for some seconds: what an image looks like that has been in use. */
export async function ageImage(server, seconds) {
  const time = ["--time_based", `--runtime=${seconds}`];
  await fio(
    server,
    ["--name=age", "--rw=randwrite", "--bssplit=4k/50:16k/30:64k/20", "--iodepth=32", ...time],
    3600,
  );
}

/** Runs one job of the table. */
export function runJob(server, name, options) {
  return runTimed(server, [`--name=${name}`, ...JOBS[name]], options);
}

/**
 * Runs fio for some seconds. CPU time is of the measured seconds alone: without fio's start, its ramp and its
 * end.
 * @returns {Promise<{ iops: number, bytesPerSecond: number, p99Ms: number, cpuPer1000: number, peakBytes: number }>}
 */
export async function runTimed(server, args, { runtime, seed }) {
  const watch = watchProcesses(await server.pids());
  const time = [
    "--time_based",
    `--runtime=${runtime}`,
    `--ramp_time=${RAMP_S}`,
    `--randseed=${seed}`,
  ];
  let result;
  let seen;
  try {
    result = await fio(server, [...args, ...time], runtime + 120);
  } finally {
    seen = watch.stop();
  }
  const job = result.jobs[0];
  const both = [job.read, job.write];
  // Counted by what completed: fio counts operations as they are issued, which leaves out those under way
  // when the ramp ends.
  const bytes = both[0].io_bytes + both[1].io_bytes;
  const ops = bytes / sizeOf(job["job options"].bs);
  const cpu = seen.cpuBetween(result.timestamp_ms - job.job_runtime, result.timestamp_ms);
  return {
    iops: (ops / job.job_runtime) * 1000,
    bytesPerSecond: (bytes / job.job_runtime) * 1000,
    p99Ms: Math.max(...both.map((each) => each.clat_ns.percentile?.["99.000000"] ?? 0)) / 1e6,
    cpuPer1000: (cpu / ops) * 1000,
    peakBytes: seen.peakBytes,
  };
}

export async function fio(server, args, timeoutS) {
  const engine = ["--ioengine=rbd", "--clientname=admin", "--pool=rbd", `--rbdname=${IMAGE}`];
  const result = await run("fio", [...engine, "--direct=1", "--output-format=json", ...args], {
    env: clientEnv(server.confPath),
    timeoutMs: timeoutS * 1000,
  });
  const said = `${result.stdout}${result.stderr}`;
  const where = `${server.side}: ${result.command}`;
  if (result.code !== 0 || result.timedOut) throw new Error(`${where}: ${result.code}\n${said}`);
  // fio's own remarks may stand before the JSON.
  const json = JSON.parse(result.stdout.slice(result.stdout.indexOf("{")));
  if (json.jobs[0].error !== 0) throw new Error(`${where}\n${said}`);
  return json;
}
