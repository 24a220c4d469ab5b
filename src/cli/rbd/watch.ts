/** Showing what clients tell each other of an image. ceph: src/tools/rbd/action/Watch.cc */

import { once } from "node:events";
import process from "node:process";
import { Reader } from "../../encoding/index.ts";
import { interruptible } from "../client/index.ts";
import type { Call } from "./call.ts";
import { orFail } from "./failure.ts";
import { imageOptions } from "./options.ts";
import { imageSpec, type Verb } from "./verb.ts";

export const watchVerbs: readonly Verb[] = [
  {
    name: "watch",
    summary: "Show notices about an image until enter is pressed.",
    positional: [imageSpec()],
    options: imageOptions(),
    run: watch,
  },
];

/** By number. ceph: src/librbd/WatchNotifyTypes.h NotifyOp */
const NOTICES = (
  "AcquiredLock ReleasedLock RequestLock HeaderUpdate AsyncProgress AsyncComplete Flatten Resize " +
  "SnapCreate SnapRemove RebuildObjectMap SnapRename SnapProtect SnapUnprotect Rename " +
  "UpdateFeatures Migrate Sparsify Quiesce Unquiesce MetadataUpdate"
).split(" ");

/** An empty notice is what the oldest clients send: a header update. */
function noticeName(payload: Buffer): string {
  if (payload.length === 0) return "HeaderUpdate";
  // Two versions and the length of what follows stand in front.
  const op = payload.length < 10 ? undefined : new Reader(payload.subarray(6)).u32();
  return (op === undefined ? undefined : NOTICES[op]) ?? `Unknown (${op ?? "short"})`;
}

async function watch(call: Call): Promise<void> {
  const spec = call.spec();
  await call.withImage(spec, "read", async (image, rbd) => {
    const { name, id } = image;
    const cookie = { text: "" };
    const watching = rbd.io.watch(
      id === "" ? `${name}.rbd` : `rbd_header.${id}`,
      ({ notifyId, notifierGid, payload }) => {
        const about = `notify_id=${notifyId}, cookie=${cookie.text}, notifier_id=${notifierGid}`;
        const what = `bl.length=${payload.length}, notify_op=${noticeName(payload)}`;
        void call.out.say(`${name} received notification: ${about}, ${what}`);
        return undefined;
      },
      (error) => call.warn(`${name} received error: cookie=${cookie.text}, err=${error.message}`),
    );
    const held = await orFail(watching, "rbd: watch failed");
    cookie.text = String(held.cookie);
    try {
      await call.out.say("press enter to exit...");
      await enterPressed();
    } finally {
      await held.close();
    }
  });
}

/** A line, or the end, of standard input. @throws CommandFailure at ctrl-C */
async function enterPressed(): Promise<void> {
  const stop = interruptible();
  const { signal } = stop;
  try {
    const ended = once(process.stdin, "end", { signal });
    await Promise.race([once(process.stdin, "data", { signal }), ended]);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    stop.release();
    process.stdin.destroy();
  }
}
