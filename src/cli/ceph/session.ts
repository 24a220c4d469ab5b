/**
 * One run of the command: its options, the cluster, and how commands are given and their answers shown.
 * ceph: src/ceph.in do_command, new_style_command
 */

import process from "node:process";
import { ERRNO, errnoName, pythonJson, sleep, systemClock } from "../../base/index.ts";
import type { Cluster } from "../../librados/index.ts";
import { Output } from "../client/index.ts";
import { type Answer, ask, textOf } from "./ask.ts";
import { type Chosen, chooseCommand } from "./choose.ts";
import { commandJson, isForManager, isPolled } from "./command-json.ts";
import type { OptionKey } from "./options.ts";
import { pythonNumber } from "./python-text.ts";
import type { Signature } from "./signature.ts";
import type { Target } from "./target.ts";

/** Seconds between two polls. */
const PERIOD_SECONDS = 1;
/** A terminal that does not say how large it is. */
const ROWS = 25;
const COLUMNS = 80;

export class Session {
  readonly options: ReadonlyMap<OptionKey, string>;
  readonly cluster: Cluster;
  readonly out = new Output();
  /** The exit code if the user ends it: an error, but for commands that go on until then. */
  interruptedCode: number = ERRNO.EINTR;

  constructor(options: ReadonlyMap<OptionKey, string>, cluster: Cluster) {
    this.options = options;
    this.cluster = cluster;
  }

  get isVerbose(): boolean {
    return this.options.has("verbose");
  }

  /** Gives a command, if the words are one. */
  async run(
    target: Target,
    words: readonly string[],
    signatures: readonly Signature[],
    input: Uint8Array,
  ): Promise<Answer> {
    const onBetter = this.isVerbose ? { onBetter: complain } : {};
    const chosen = chooseCommand(signatures, words, onBetter);
    if ("advice" in chosen) {
      for (const line of chosen.advice) complain(line);
      return { result: -ERRNO.EINVAL, status: "invalid command", data: new Uint8Array() };
    }
    const to: Target = isForManager(chosen) ? { type: "mon-mgr" } : target;
    if (isPolled(chosen)) return await this.#poll(to, chosen, input);
    return await this.#ask(to, commandJson(chosen, this.#format), input);
  }

  get #format(): { format?: string | undefined } {
    return { format: this.options.get("format") };
  }

  async #ask(to: Target, command: ReturnType<typeof commandJson>, input: Uint8Array) {
    if (this.isVerbose) complain(`Submitting command: ${pythonJson(command)}`);
    return await ask(this.cluster, to, command, input);
  }

  /**
   * Asks again and again until it fails or the user has seen enough.
   * compat: with no time between two polls there is one, and its answer is shown once more.
   */
  async #poll(to: Target, chosen: Chosen, input: Uint8Array): Promise<Answer> {
    const seconds = pythonNumber(this.options.get("period") ?? "") ?? PERIOD_SECONDS;
    this.interruptedCode = 0;
    const nothing: Answer = { result: 0, status: "", data: new Uint8Array() };
    for (let shown = 0; !this.out.isGone; shown++) {
      const { rows, columns: width } = terminalSize();
      const printHeader = shown % Math.max(rows - 3, 1) === 0;
      const command = commandJson(chosen, { ...this.#format, width, printHeader });
      const answer = await this.#ask(to, command, input);
      if (answer.result !== 0) {
        const errno = Math.abs(answer.result);
        complain(`Error: ${errno} ${errnoName(errno)}`);
        return answer;
      }
      if (answer.data.length > 0) await this.out.say(textOf(answer));
      if (answer.status !== "") complain(answer.status);
      if (seconds <= 0) return answer;
      await sleep(systemClock, seconds * 1000);
    }
    return nothing;
  }
}

export function terminalSize(): { rows: number; columns: number } {
  // The terminal is the one that is typed at, wherever output goes.
  const { rows = ROWS, columns = COLUMNS } = process.stdin.isTTY ? process.stdout : {};
  return { rows, columns };
}

/** A line on standard error. */
export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** `Error ENOENT: …`. @param errno with either sign */
export function complainOf(errno: number, status: string): void {
  complain(`Error ${errnoName(errno)}: ${status}`);
}
