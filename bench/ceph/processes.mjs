// What processes cost while they serve: CPU time and resident memory out of /proc.
import { readFileSync } from "node:fs";

/** The kernel shows times in ticks of 1/100 s to every program (USER_HZ), whatever its own clock. */
const TICKS_PER_SECOND = 100;
const SAMPLE_MS = 200;

/** Resident bytes of all of them together. */
export function residentBytes(pids) {
  let sum = 0;
  for (const pid of pids) {
    const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    sum += Number(kilobytes ?? 0) * 1024;
  }
  return sum;
}

/** CPU seconds so far of all of them together: every thread, user and system, and children that ended. */
export function cpuSeconds(pids) {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in brackets may hold anything; utime to cstime are the 12th to 15th words after it.
    const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    for (const word of words.slice(11, 15)) ticks += Number(word);
  }
  return ticks / TICKS_PER_SECOND;
}

/**
 * Samples the processes until `stop` is called.
 * @returns {{ stop: () => { peakBytes: number, cpuBetween: (startMs: number, endMs: number) => number } }}
 *   `cpuBetween` takes wall-clock times and interpolates
 */
export function watchProcesses(pids) {
  const samples = [];
  const sample = () => {
    samples.push({ at: Date.now(), cpu: cpuSeconds(pids), bytes: residentBytes(pids) });
  };
  sample();
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    stop: () => {
      clearInterval(timer);
      sample();
      return {
        peakBytes: Math.max(...samples.map(({ bytes }) => bytes)),
        cpuBetween: (startMs, endMs) => cpuAt(samples, endMs) - cpuAt(samples, startMs),
      };
    },
  };
}

function cpuAt(samples, ms) {
  const after = samples.findIndex(({ at }) => at >= ms);
  if (after === 0) return samples[0].cpu;
  if (after === -1) return samples.at(-1).cpu;
  const [low, high] = [samples[after - 1], samples[after]];
  return low.cpu + ((high.cpu - low.cpu) * (ms - low.at)) / (high.at - low.at);
}
