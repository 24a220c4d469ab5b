/**
 * Runs one foreign command and tells what it said: stdout, stderr, exit code, duration.
 *
 * Every end-to-end test goes through here, so every child has a deadline and its own process group,
 * and nothing a test started outlives it. A command that passes its deadline is killed and reported
 * as timed out; that is never mistaken for an exit code of the command itself.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** What a finished command left behind. `code` is 128 plus the signal number when a signal ended it. */
export interface RunResult {
  command: string;
  stdout: string;
  stderr: string;
  code: number;
  timedOut: boolean;
  durationMs: number;
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** @default 120000 */
  timeoutMs?: number;
  input?: string;
}

/** Output kept of one stream, in bytes: a runaway child must not take the test process with it. */
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const SIGNAL_NUMBERS: Record<string, number> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** The environment of a client: plain C locale and UTC, so that output does not depend on the machine. */
export function clientEnv(confPath?: string): Record<string, string> {
  const env: Record<string, string> = {
    PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`,
    HOME: process.env["HOME"] ?? "/root",
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    TZ: "UTC",
  };
  if (confPath !== undefined) env["CEPH_CONF"] = confPath;
  return env;
}

/**
 * Runs `command` with bash (so pipes and redirections work) and waits for it. Never throws for an exit code.
 * Without --norc bash takes Node's pipe for a remote shell's socket and reads the user's own settings first.
 */
export function sh(command: string, options: RunOptions = {}, shown = command): Promise<RunResult> {
  return run("bash", ["--norc", "-c", command], options, shown);
}

/** Runs a program with arguments and waits for it. Never throws for an exit code. */
export async function run(
  program: string,
  args: string[],
  options: RunOptions = {},
  shown = [program, ...args].join(" "),
): Promise<RunResult> {
  const startMs = performance.now();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env ?? clientEnv(),
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  ownGroup(child);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  collect(child.stdout, out);
  collect(child.stderr, err);
  // A child that exits before reading its input is not an error of ours.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid, "SIGKILL");
  }, options.timeoutMs ?? 120_000);
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    return {
      command: shown,
      stdout: Buffer.concat(out).toString("utf8"),
      stderr: Buffer.concat(err).toString("utf8"),
      code: code ?? 128 + (SIGNAL_NUMBERS[signal ?? ""] ?? 0),
      timedOut,
      durationMs: performance.now() - startMs,
    };
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a command that has to succeed; the error carries everything it said. Returns its stdout. */
export async function must(command: string, options: RunOptions = {}): Promise<string> {
  return outputOf(await sh(command, options));
}

/** Stdout of a command that had to succeed. @throws Error everything it said, if it has not */
export function outputOf(result: RunResult): string {
  if (result.code !== 0 || result.timedOut) {
    const how = result.timedOut ? "timed out" : `exit ${result.code}`;
    throw new Error(`${result.command}: ${how}\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}

/** Signals a whole process group started by us; a group that is gone already is fine. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Leaders of the process groups that are still ours to end. */
const ownGroups = new Set<number>();
let ending = false;

/**
 * Takes charge of a detached child: its group does not outlive this process, however it leaves short of
 * SIGKILL or a signal nobody handles.
 */
export function ownGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  if (ending) return killGroup(pid, "SIGKILL");
  if (!process.listeners("exit").includes(endAtExit)) process.once("exit", endAtExit);
  ownGroups.add(pid);
  child.once("close", () => ownGroups.delete(pid));
}

/** Ends every child taken charge of, and those still to come, except the groups in `keep`. */
export function endChildren(keep: number[] = []): void {
  ending = true;
  for (const pid of ownGroups) {
    if (!keep.includes(pid)) killGroup(pid, "SIGKILL");
  }
}

function endAtExit(): void {
  endChildren();
}

/** Waits until `probe` gives something other than undefined, asking every `stepMs`. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | undefined> | T | undefined,
  stepMs = 100,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > endMs) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await sleep(stepMs);
  }
}

/** @param signal ends it early: it never resolves then */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => clearTimeout(timer));
  });
}

function collect(stream: NodeJS.ReadableStream, into: Buffer[]): void {
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= OUTPUT_BYTES_MAX) into.push(chunk);
  });
}
