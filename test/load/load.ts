/**
 * A crowd that does nothing useful, and what it costs those who work: an unmodified fio beside it and without,
 * in turn.
 */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { clientEnv, must, run } from "../harness/run.ts";
import { monPort, requireBuild, startSpirula } from "../harness/spirula.ts";
import { tempDir } from "../harness/temp.ts";
import { Crowd } from "./crowd.ts";

export interface LoadOptions {
  idle: number;
  slow: number;
  rounds: number;
  /** Seconds of one run of fio. */
  seconds: number;
  /** Of the server, bytes. */
  memory: number;
  print: (line: string) => void;
}

export interface LoadResult {
  /** With the crowd to without, by round. */
  ratios: number[];
  /** Most memory that the server ever had, bytes. */
  peakBytes: number;
  /** Handshakes that the server ended. */
  cutOff: number;
}

const IMAGE = "load";
const IMAGE_MIB = 256;

export async function loadTest(options: LoadOptions): Promise<LoadResult> {
  const { idle, slow, rounds, seconds, memory, print } = options;
  requireBuild();
  const work = await tempDir("load");
  try {
    const dir = join(work.path, "data");
    const server = await startSpirula({ dir, args: ["--memory", String(memory)] });
    try {
      const conf = join(work.path, "ceph.conf");
      // A client's cache would hide the server.
      const text = `${await readFile(server.confPath, "utf8")}rbd cache = false\n`;
      await must(`cat > ${conf}`, { input: text });
      await must(`rbd create --size ${IMAGE_MIB}M ${IMAGE}`, { env: clientEnv(conf) });
      await fio(conf, seconds, ["--rw=write", "--bs=1M"]);
      const keyring = await readFile(join(dir, "ceph.client.admin.keyring"), "utf8");
      const [ratios, port] = [[] as number[], await monPort(dir)];
      let cutOff = 0;
      for (let round = 0; round < rounds; round++) {
        const alone = await fio(conf, seconds);
        const crowd = new Crowd({ monPort: port, keyring, idle, slow });
        try {
          await crowd.gather();
          const beside = await fio(conf, seconds);
          await crowd.ask();
          ratios.push(beside / alone);
          print(
            `round ${round}: alone ${alone.toFixed(0)} IOPS, in the crowd ${beside.toFixed(0)}; ` +
              `${(residentBytes(server.pid, "VmRSS") / 1e6).toFixed(0)} MB`,
          );
        } finally {
          await crowd.disperse();
        }
        cutOff += crowd.cutOff;
      }
      return { ratios, peakBytes: residentBytes(server.pid, "VmHWM"), cutOff };
    } finally {
      await server.stop();
    }
  } finally {
    await work.remove();
  }
}

function residentBytes(pid: number, what: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
}

/** @returns IOPS */
async function fio(
  conf: string,
  seconds: number,
  job: string[] = ["--rw=randwrite", "--bs=4k", "--iodepth=32"],
): Promise<number> {
  const args = ["--name=load", "--ioengine=rbd", "--clientname=admin", "--pool=rbd"];
  args.push(`--rbdname=${IMAGE}`, "--time_based", `--runtime=${seconds}`, "--ramp_time=1");
  const { code, stdout, stderr } = await run("fio", [...args, ...job, "--output-format=json"], {
    env: clientEnv(conf),
    timeoutMs: (seconds + 60) * 1000,
  });
  if (code !== 0) throw new Error(`fio: ${code}\n${stderr}`);
  const { jobs } = JSON.parse(stdout) as { jobs: { write: { iops: number } }[] };
  return jobs[0]?.write.iops ?? 0;
}
