/**
 * Verbs on watches of an object, and on notifications to those who watch it.
 * ceph: src/tools/rados/rados.cc
 */

import process from "node:process";
import { byteString, encodeToBytes, str } from "../../encoding/index.ts";
import {
  attempt,
  CommandFailure,
  cppStrerror,
  errnoOf,
  hexdump,
  interruptible,
} from "../client/index.ts";
import { failedTwice, type RadosContext } from "./context.ts";
import type { Verbs } from "./verb.ts";

/** How long a notifier waits for answers. */
const NOTIFY_TIMEOUT_MS = 10_000;

export const WATCH_VERBS: Verbs = {
  watch: { summary: "watch an object until enter is pressed", arguments: "OBJECT", run: watch },
  notify: { summary: "tell who watches an object", arguments: "OBJECT MESSAGE", run: notify },
  listwatchers: { summary: "who watches an object", arguments: "OBJECT", run: listWatchers },
};

async function watch(context: RadosContext): Promise<void> {
  const { io, out } = context;
  const oid = context.take();
  const { signal, release } = interruptible();
  const registered = io.watch(
    oid,
    async ({ notifyId, notifierGid, payload }) => {
      const { cookie } = await registered;
      await out.say(`NOTIFY cookie ${cookie} notify_id ${notifyId} from ${notifierGid}`);
      out.put(hexdump(payload));
      await out.flush();
      return payload;
    },
    (error) => {
      const line = `ERROR err ${cppStrerror(errnoOf(error))}`;
      void registered.then(({ cookie }) => out.say(line.replace("err", `cookie ${cookie} err`)));
    },
  );
  try {
    const watching = await registered.catch((error: unknown) => {
      throw failedTwice("error calling watch", error);
    });
    await out.say("press enter to exit...");
    await enterPressed(signal);
    await watching.close();
    signal.throwIfAborted();
  } finally {
    release();
  }
}

/** A line, or the end, of standard input; or a signal to end. */
async function enterPressed(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    process.stdin.on("data", (chunk: Buffer) => {
      if (chunk.includes("\n")) resolve();
    });
    process.stdin.on("end", resolve);
    process.stdin.on("error", () => resolve());
    signal.addEventListener("abort", () => resolve());
  });
  process.stdin.destroy();
}

async function notify(context: RadosContext): Promise<void> {
  const { io, out } = context;
  const oid = context.take();
  const payload = encodeToBytes(str, byteString(context.take()));
  const { acks, timeouts } = await io.notify(oid, payload, NOTIFY_TIMEOUT_MS).catch((error) => {
    throw failedTwice("error calling notify", error);
  });
  const isLate = timeouts.length > 0;
  const why = "(110) Connection timed out";
  if (isLate) process.stderr.write(`error calling notify: ${why}\n`);
  for (const { gid, cookie, payload: answer } of acks) {
    out.put(`reply client.${gid} cookie ${cookie} : ${answer.length} bytes\n${hexdump(answer)}`);
  }
  for (const { gid, cookie } of timeouts) out.put(`timeout client.${gid} cookie ${cookie}\n`);
  if (!isLate) return;
  await out.flush();
  throw new CommandFailure(`error 110: ${why}`);
}

async function listWatchers(context: RadosContext): Promise<void> {
  const oid = context.take();
  const what = `error listing watchers ${context.poolName}/${oid}`;
  const watchers = await attempt(what, () => context.io.listWatchers(oid));
  for (const { address, gid, cookie } of watchers) {
    context.out.put(`watcher=${address} client.${gid} cookie=${cookie}\n`);
  }
}
