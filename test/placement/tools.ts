/** Ceph's own tools: crushtool and osdmaptool of one release, of this machine or of another root directory. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientEnv, type RunResult, run } from "../harness/run.ts";

/** A tool's last word, for an error. */
const OUTPUT_SHOWN = 500;

export class Tools {
  /** `16.2.15` */
  readonly version: string;
  /** 16 */
  readonly release: number;
  readonly #root: string | undefined;
  readonly #dir: string;
  #files = 0;

  private constructor(root: string | undefined, version: string) {
    this.#root = root;
    this.version = version;
    this.release = Number(version.split(".")[0]);
    this.#dir = mkdtempSync(join(root === undefined ? tmpdir() : join(root, "tmp"), "placement-"));
  }

  /**
   * @param root where another release is installed or unpacked: its tools run by chroot, which needs root
   * @throws Error naming the tool that is missing
   */
  static async open(root?: string): Promise<Tools> {
    let version = "";
    for (const tool of ["crushtool", "osdmaptool"]) {
      // What it says about the missing rest of its arguments does not matter.
      const { stdout, stderr } = await runTool(root, tool, ["--version"]);
      const found = /ceph version (\d+\.\d+\.\d+)/.exec(stdout + stderr)?.[1];
      if (found !== undefined) version = found;
      else if (!/usage: crushtool|no action specified/.test(stdout + stderr)) {
        throw new Error(`${tool} is missing: it comes with Ceph's package ceph-base`);
      }
    }
    if (version === "") throw new Error("osdmaptool does not tell its version");
    return new Tools(root, version);
  }

  close(): void {
    rmSync(this.#dir, { recursive: true });
  }

  /** A new file with those bytes, by its name as the tools see it. */
  write(bytes: Uint8Array | string): string {
    const name = `file-${this.#files++}`;
    writeFileSync(join(this.#dir, name), bytes);
    return this.#seen(name);
  }

  /** Name of a file that a tool is to write. */
  blank(): string {
    return this.#seen(`file-${this.#files++}`);
  }

  read(seen: string): Buffer {
    return readFileSync(this.#root === undefined ? seen : join(this.#root, seen));
  }

  /**
   * @param args one or several words each
   * @returns stdout and stderr together
   * @throws Error if the tool fails
   */
  async crushtool(...args: string[]): Promise<string> {
    return succeeded(await runTool(this.#root, "crushtool", words(args)));
  }

  async osdmaptool(...args: string[]): Promise<string> {
    return succeeded(await runTool(this.#root, "osdmaptool", words(args)));
  }

  /** The same, for what the tool may die of; it has said what it knew by then. */
  async tryOsdmaptool(...args: string[]): Promise<string> {
    const { stdout } = await runTool(this.#root, "osdmaptool", words(args));
    return stdout;
  }

  #seen(name: string): string {
    const path = join(this.#dir, name);
    return this.#root === undefined ? path : path.slice(this.#root.length);
  }
}

/** No configuration that happens to be here, and no report of a crash: the tools die of some maps. */
const ENV = { ...clientEnv(), CEPH_ARGS: "--no-config-file --fatal_signal_handlers=false" };

function runTool(root: string | undefined, tool: string, args: string[]): Promise<RunResult> {
  return root === undefined
    ? run("sh", ["-c", `exec ${tool} "$@"`, tool, ...args], { env: ENV })
    : run("chroot", [root, `/usr/bin/${tool}`, ...args], { env: ENV });
}

const words = (args: readonly string[]): string[] => args.flatMap((arg) => arg.split(" "));

function succeeded({ command, code, stdout, stderr }: RunResult): string {
  const said = stdout + stderr;
  if (code !== 0) throw new Error(`${command}: exit ${code}\n${said.slice(-OUTPUT_SHOWN)}`);
  return said;
}
