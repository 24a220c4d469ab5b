/**
 * Starts the built command (`bin/spirula start`) as a child on a directory of its own and stops it again:
 * by SIGTERM as an operator does, or by SIGKILL as a power cut does.
 *
 * Port 0 the first time, so that several run side by side; a restart asks for the port the monitor had,
 * because clients that carry on by themselves look for it there.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { clientEnv, killGroup, ownGroup, until } from "./run.ts";

export interface SpirulaOptions {
  dir: string;
  /** 0 picks a free one. @default 0 */
  port?: number;
  osds?: number;
  /** Further words of the command line. */
  args?: string[];
  /** @default 20000 */
  readyTimeoutMs?: number;
}

export interface SpirulaServer {
  dir: string;
  confPath: string;
  pid: number;
  /** Milliseconds from spawning the process until its "ready in" line. */
  readyMs: number;
  /** Everything it printed so far, both streams. */
  output: () => string;
  /** SIGTERM; returns the exit code. Throws when it is not gone within 20 s. */
  stop: () => Promise<number>;
  /** SIGKILL, and waits until the process is gone. */
  kill: () => Promise<void>;
}

export const SPIRULA = resolve("bin/spirula");
const STOP_TIMEOUT_MS = 20_000;

export async function startSpirula(options: SpirulaOptions): Promise<SpirulaServer> {
  const dir = resolve(options.dir);
  const args = ["start", "--data", dir, "--port", String(options.port ?? 0)];
  if (options.osds !== undefined) args.push("--osds", String(options.osds));
  const startMs = performance.now();
  const child = spawn(process.execPath, [SPIRULA, ...args, ...(options.args ?? [])], {
    env: clientEnv(),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  ownGroup(child);
  const gone = exitOf(child);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
    });
  }
  let exited: number | undefined;
  child.on("close", (code) => {
    exited = code ?? -1;
  });
  const timeoutMs = options.readyTimeoutMs ?? 20_000;
  try {
    await until(
      "ready line",
      timeoutMs,
      () => {
        if (exited !== undefined) throw new Error(`left with ${exited}`);
        return said.includes("ready in") && said.includes("export CEPH_CONF=") ? true : undefined;
      },
      5,
    );
  } catch (error) {
    killGroup(child.pid, "SIGKILL");
    throw new Error(`spirula start: ${(error as Error).message}\n${said}`, { cause: error });
  }
  return {
    dir,
    confPath: join(dir, "ceph.conf"),
    pid: child.pid ?? 0,
    readyMs: performance.now() - startMs,
    output: () => said,
    stop: async () => {
      child.kill("SIGTERM");
      await until("exit after SIGTERM", STOP_TIMEOUT_MS, () => exited).catch((error: unknown) => {
        killGroup(child.pid, "SIGKILL");
        throw new Error(`spirula did not stop:\n${said.slice(-3000)}`, { cause: error });
      });
      return gone;
    },
    kill: async () => {
      killGroup(child.pid, "SIGKILL");
      await gone;
    },
  };
}

/** The port the monitor listens on, as the clients' conf in `dir` has it. */
export async function monPort(dir: string): Promise<number> {
  const text = await readFile(join(dir, "ceph.conf"), "utf8");
  const port = /mon[ _]host\s*=\s*\S*?127\.0\.0\.1:(\d+)/.exec(text)?.[1];
  if (port === undefined) throw new Error(`no monitor address in ${dir}/ceph.conf`);
  return Number(port);
}

/** Throws with what to do when the command has not been built. */
export function requireBuild(): void {
  if (!existsSync(resolve("dist/spirula.js"))) throw new Error("not built: npm run build");
}

async function exitOf(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, "close")) as [number | null];
  return code ?? -1;
}
