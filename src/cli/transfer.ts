/**
 * `spirula transfer POOL --to CONF`: a pool's images from one cluster to another, in either direction. Ended at
 * any point it is gone on from when it is run again.
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { ConfigError } from "../base/index.ts";
import { type Cluster, connectWith, readConfig } from "../librados/index.ts";
import { type TransferProgress, transferPool } from "../librbd/index.ts";
import { completeWords, optionsOf } from "./client/complete-words.ts";
import { CommandFailure, ConnectFailure, interruptible, runCommand } from "./client/index.ts";

const HELP = `usage: spirula transfer POOL --to CONF [options]

  --from CONF          the cluster that has the images   (default as any Ceph client finds it)
  --to CONF            the cluster that they go to; its pool has to be there
  --from-name NAME     who we are there                  (default client.admin)
  --to-name NAME       who we are here                   (default client.admin)
  --to-pool POOL       the pool's name on the target     (default the same)
  --image NAME         only this one, or namespace/NAME; may be given several times
  --again              bring images that are there already up to date: what was written to them there is lost
  --no-verify          do not compare every byte at the end
  --no-progress        do not tell how far it is
`;

interface TransferArguments {
  readonly pool: string;
  readonly from: string | undefined;
  readonly to: string;
  readonly fromName: string | undefined;
  readonly toName: string | undefined;
  readonly toPool: string | undefined;
  readonly images: readonly string[] | undefined;
  readonly again: boolean;
  readonly verify: boolean;
  readonly progress: boolean;
}

const OPTIONS = {
  from: { type: "string" },
  to: { type: "string" },
  "from-name": { type: "string" },
  "to-name": { type: "string" },
  "to-pool": { type: "string" },
  image: { type: "string", multiple: true },
  again: { type: "boolean", default: false },
  "no-verify": { type: "boolean", default: false },
  "no-progress": { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** What the last of the words may become. */
export async function completeTransfer(words: readonly string[]): Promise<readonly string[]> {
  return completeWords(words, optionsOf(OPTIONS), () => []);
}

/** undefined: help is asked for. @throws ConfigError */
export function parseTransferArguments(args: string[]): TransferArguments | undefined {
  const { values, positionals } = parse(() =>
    parseArgs({ args, options: OPTIONS, allowPositionals: true }),
  );
  if (values.help) return undefined;
  const [pool, ...others] = positionals;
  if (pool === undefined || others.length > 0) {
    throw new ConfigError("transfer: name one pool; 'spirula transfer --help' tells more");
  }
  if (values.to === undefined) {
    throw new ConfigError("transfer: --to is missing: the ceph.conf of the cluster to go to");
  }
  return {
    pool,
    from: values.from,
    to: values.to,
    fromName: values["from-name"],
    toName: values["to-name"],
    toPool: values["to-pool"],
    images: values.image,
    again: values.again,
    verify: !values["no-verify"],
    progress: !values["no-progress"],
  };
}

function parse<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new ConfigError(`transfer: ${(error as Error).message}`, error);
  }
}

export async function runTransfer(args: string[]): Promise<number> {
  const wanted = parseTransferArguments(args);
  if (wanted === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  return await runCommand("spirula transfer", async () => {
    await using from = await open("the source", wanted.from, wanted.fromName);
    await using to = await open("the target", wanted.to, wanted.toName);
    const interrupt = interruptible();
    try {
      return await transfer(from, to, wanted, interrupt.signal);
    } finally {
      interrupt.release();
    }
  });
}

async function transfer(
  from: Cluster,
  to: Cluster,
  { pool, toPool, images, again, verify, progress }: TransferArguments,
  signal: AbortSignal,
): Promise<number> {
  if (from.fsid === to.fsid && (toPool ?? pool) === pool) {
    throw new CommandFailure(
      "spirula transfer: source and target are the same pool of one cluster",
    );
  }
  const line = new Line(progress && process.stderr.isTTY);
  const done = await transferPool(from, to, pool, {
    ...(toPool === undefined ? {} : { toPool }),
    ...(images === undefined ? {} : { images }),
    again,
    verify,
    signal,
    onProgress: (step) => line.show(step),
    onNote: (text) => line.say(text),
  });
  line.clear();
  const what = verify ? "transferred and compared" : "transferred";
  process.stdout.write(done.map((name) => `${name}: ${what}\n`).join(""));
  return 0;
}

async function open(
  what: string,
  conf: string | undefined,
  name: string | undefined,
): Promise<Cluster> {
  try {
    return await connectWith(
      await readConfig({
        ...(conf === undefined ? {} : { conf }),
        ...(name === undefined ? {} : { name }),
      }),
    );
  } catch (error) {
    const { message } = error as Error;
    throw new ConnectFailure(`spirula transfer: ${what}: ${message}`, -1, error);
  }
}

/** One line of a terminal that is written over. */
class Line {
  readonly #isShown: boolean;
  #last = "";

  constructor(isShown: boolean) {
    this.#isShown = isShown;
  }

  show({ image, snapshot, done, total }: Parameters<TransferProgress>[0]): void {
    const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
    const text = `${image}${snapshot === undefined ? "" : `@${snapshot}`}: ${percent}%`;
    if (!this.#isShown || text === this.#last) return;
    process.stderr.write(`\r${text.padEnd(this.#last.length)}`);
    this.#last = text;
  }

  say(text: string): void {
    this.clear();
    process.stderr.write(`${text}\n`);
  }

  clear(): void {
    if (this.#last === "") return;
    process.stderr.write(`\r${" ".repeat(this.#last.length)}\r`);
    this.#last = "";
  }
}
