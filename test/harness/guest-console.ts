/**
 * A person at the serial console of a virtual machine: starts Debian's qemu-system-x86_64 on a disk,
 * waits for prompts, types commands, and reads what came back.
 *
 * Software emulation (no KVM), `-nographic` as in the walk-through, so the serial console is QEMU's own
 * standard input and output. Everything the machine said is kept for the error message.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { GUEST_PROMPT } from "./guest.ts";
import { clientEnv, killGroup, ownGroup, until } from "./run.ts";

export interface BootOptions {
  /** CEPH_CONF for QEMU. */
  confPath: string;
  /** The value of `-drive`, for example `format=raw,file=rbd:rbd/fedora`. */
  drive: string;
  /** @default 240000 */
  bootTimeoutMs?: number;
}

export class GuestConsole {
  #child: ChildProcess;
  #said = "";
  #errors = "";
  /** Everything before this offset has been waited for already. */
  #read = 0;
  #exit: number | undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString("latin1");
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#errors += chunk.toString("latin1");
    });
    child.on("close", (code) => {
      this.#exit = code ?? -1;
    });
  }

  /** Starts the machine and returns when its shell asks for a command. */
  static async boot(options: BootOptions): Promise<GuestConsole> {
    const args = ["-nographic", "-m", "1G", "-drive", options.drive];
    const child = spawn("qemu-system-x86_64", args, {
      env: clientEnv(options.confPath),
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    ownGroup(child);
    const console = new GuestConsole(child);
    try {
      await console.#waitFor(GUEST_PROMPT, options.bootTimeoutMs ?? 240_000);
    } catch (error) {
      console.kill();
      throw error;
    }
    return console;
  }

  /** Types a command and returns what it printed, without the echo and the next prompt. */
  async type(command: string, timeoutMs = 60_000): Promise<string> {
    this.#child.stdin?.write(`${command}\n`);
    const text = await this.#waitFor(GUEST_PROMPT, timeoutMs);
    const lines = text.slice(0, -GUEST_PROMPT.length).replaceAll("\r", "").split("\n");
    return lines.slice(1).join("\n");
  }

  /** Types `halt` and waits until QEMU itself is gone; returns QEMU's exit code. */
  async halt(timeoutMs = 60_000): Promise<number> {
    this.#child.stdin?.write("halt\n");
    return until("power off", timeoutMs, () => this.#exit).catch((error: unknown) => {
      this.kill();
      throw new Error(`the guest did not power off: ${this.#tail()}`, { cause: error });
    });
  }

  /** Pulls the plug. */
  kill(): void {
    killGroup(this.#child.pid, "SIGKILL");
  }

  /** What QEMU itself complained about so far. */
  get stderr(): string {
    return this.#errors;
  }

  async #waitFor(text: string, timeoutMs: number): Promise<string> {
    const end = await until(JSON.stringify(text), timeoutMs, () => {
      const at = this.#said.indexOf(text, this.#read);
      if (at >= 0) return at + text.length;
      if (this.#exit !== undefined) throw new Error(`QEMU left with ${this.#exit}`);
      return undefined;
    }).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}: ${this.#tail()}`, { cause: error });
    });
    const got = this.#said.slice(this.#read, end);
    this.#read = end;
    return got;
  }

  #tail(): string {
    return `${this.#said.slice(-1500)}\n${this.#errors.slice(-1500)}`;
  }
}
