/** Single daemons of a real cluster of the harness: killed, stopped in their tracks, started again. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { clusterTools } from "../harness/real-ceph.ts";
import { sleep } from "../harness/run.ts";

/** `osd.0`, `mon.a`, `mgr.x`. */
export type DaemonName = `osd.${number}` | "mon.a" | "mgr.x";

const PROGRAM: Record<string, string> = { osd: "ceph-osd", mon: "ceph-mon", mgr: "ceph-mgr" };

export class RealDaemons {
  readonly #dir: string;
  readonly #tools: (command: string) => Promise<string>;

  /** Of a cluster made by startRealCeph with the same. */
  constructor(dir: string, root?: string) {
    this.#dir = dir;
    this.#tools = clusterTools(dir, root);
  }

  async signal(name: DaemonName, signal: NodeJS.Signals): Promise<void> {
    process.kill(await this.#pid(name), signal);
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(name: DaemonName): Promise<void> {
    const pid = await this.#pid(name);
    process.kill(pid, "SIGKILL");
    while (isAlive(pid)) await sleep(50);
  }

  async start(name: DaemonName): Promise<void> {
    const [type = "", id = ""] = name.split(".");
    await this.#tools(`${PROGRAM[type]} -i ${id}`);
  }

  async #pid(name: DaemonName): Promise<number> {
    return Number(await readFile(join(this.#dir, "run", `${name}.pid`), "utf8"));
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // no such process
  }
}
