/** Single daemons of a real cluster of the harness: killed, stopped in their tracks, started again. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { clientEnv, must, sleep } from "../harness/run.ts";

/** `osd.0`, `mon.a`, `mgr.x`. */
export type DaemonName = `osd.${number}` | "mon.a" | "mgr.x";

const PROGRAM: Record<string, string> = { osd: "ceph-osd", mon: "ceph-mon", mgr: "ceph-mgr" };

export class RealDaemons {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
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
    const env = clientEnv(join(this.#dir, "cluster.conf"));
    await must(`${PROGRAM[type]} -i ${id}`, { cwd: this.#dir, env, timeoutMs: 60_000 });
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
