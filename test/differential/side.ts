/** One side: runner.py on a cluster. Requests go in as lines, answers come out in the same order. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { clientEnv, killGroup, ownGroup } from "../harness/run.ts";
import type { Answer, Identity } from "./compare.ts";
import type { Request } from "./generate.ts";

/** Debian's own: the libraries are Debian's. */
const PYTHON = "/usr/bin/python3";
const RUNNER = resolve("test/differential/runner.py");
/** How long a side may say nothing, milliseconds. */
const SILENCE_MS = 120_000;

/** A side that answers no more, and what it has answered. */
export class SideEnded extends Error {
  readonly answers: readonly Answer[];

  constructor(why: string, answers: readonly Answer[]) {
    super(why);
    this.name = "SideEnded";
    this.answers = answers;
  }
}

export class Side {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #errors = "";
  identity: Identity = { ids: [], nonces: [], since: 0 };

  private constructor(name: string, conf: string) {
    this.name = name;
    this.#child = spawn(PYTHON, [RUNNER, conf], {
      env: { ...clientEnv(conf), PYTHONDONTWRITEBYTECODE: "1" },
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    ownGroup(this.#child);
    const { stdin, stdout, stderr } = this.#child;
    if (stdin === null || stdout === null || stderr === null) throw new Error("no pipes");
    // Its end shows in what it prints.
    stdin.on("error", () => undefined);
    stderr.on("data", (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString("utf8")).slice(-4000);
    });
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  static async start(name: string, conf: string): Promise<Side> {
    const side = new Side(name, conf);
    const since = Date.now() / 1000;
    side.identity = { ...(JSON.parse(await side.#line()) as Omit<Identity, "since">), since };
    return side;
  }

  /** Runs requests, all of them even if one fails. @throws SideEnded */
  async run(requests: readonly Request[]): Promise<Answer[]> {
    const lines = requests.map((request) => `${JSON.stringify(request)}\n`).join("");
    this.#child.stdin?.write(lines);
    const answers: Answer[] = [];
    for (let i = 0; i < requests.length; i++) {
      const line = await this.#line(requests[i]).catch((error: Error) => {
        throw new SideEnded(error.message, answers);
      });
      answers.push(JSON.parse(line) as Answer);
    }
    return answers;
  }

  async #line(request?: Request): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const asked = request === undefined ? "" : `: ${JSON.stringify(request)}`;
    const silence = new Promise<never>((_, reject) => {
      const what = `${this.name}: no answer within ${SILENCE_MS} ms${asked}`;
      timer = setTimeout(() => reject(new Error(what)), SILENCE_MS);
    });
    try {
      const { value, done } = await Promise.race([this.#lines.next(), silence]);
      if (done !== true) return value;
      throw new Error(`${this.name}: the runner ended${asked}\n${this.#errors}`);
    } finally {
      clearTimeout(timer);
    }
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, "close");
    killGroup(this.#child.pid, "SIGKILL");
    if (this.#child.exitCode === null && this.#child.signalCode === null) await gone;
  }
}
