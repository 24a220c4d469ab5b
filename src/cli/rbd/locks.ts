/** Locks that users take on images. ceph: src/tools/rbd/action/Lock.cc */

import type { Call } from "./call.ts";
import { failed, orFail, saying } from "./failure.ts";
import { formatOptions, imageOptions, textOption } from "./options.ts";
import { left, textTable } from "./table.ts";
import { imageSpec, type Positional, type Verb } from "./verb.ts";

const lockId: Positional = { name: "lock-id", help: "what the lock is called" };

export const lockVerbs: readonly Verb[] = [
  {
    name: "lock list",
    alias: "lock ls",
    summary: "List who has locks on an image.",
    positional: [imageSpec()],
    options: [...imageOptions(), ...formatOptions],
    run: list,
  },
  {
    name: "lock add",
    summary: "Take a lock on an image.",
    positional: [imageSpec(), lockId],
    options: [...imageOptions(), textOption("shared", "tag of those who share it")],
    run: add,
  },
  {
    name: "lock remove",
    alias: "lock rm",
    summary: "Take a lock away from whoever has it.",
    positional: [imageSpec(), lockId, { name: "locker", help: "who has it, as client.<number>" }],
    options: imageOptions(),
    run: remove,
  },
];

async function list(call: Call): Promise<void> {
  const spec = call.spec();
  call.checkFormat();
  await call.withImage(spec, "read", async (image) => {
    const locks = await orFail(image.locks(), "rbd: listing locks failed");
    const { lockers, isExclusive, tag } = locks;
    await call.show(
      () => lockers.map(({ cookie, locker, address }) => ({ id: cookie, locker, address })),
      { root: "locks", items: { locks: "lock" } },
      () => {
        if (lockers.length === 0) return "";
        const isOne = lockers.length === 1;
        const kind = isExclusive ? "exclusive" : "shared";
        const verb = isOne ? "is" : "are";
        const head = `There ${verb} ${lockers.length} ${kind} lock${isOne ? "" : "s"} on this image.\n`;
        const columns = [left("Locker"), left("ID"), left("Address")];
        const rows = lockers.map(({ locker, cookie, address }) => [locker, cookie, address]);
        return `${head}${isExclusive ? "" : `Lock tag: ${tag}\n`}${textTable(columns, rows)}`;
      },
    );
  });
}

async function add(call: Call): Promise<void> {
  const spec = call.spec();
  const cookie = call.mustWord("lock id was not specified");
  const tag = call.text("shared");
  await call.withImage(spec, "write", async (image) => {
    await orFail(image.lock(cookie, tag === "" ? undefined : tag), (error) => {
      if (error.code !== "EBUSY" && error.code !== "EEXIST") {
        return failed("rbd: taking lock failed", error);
      }
      const by = tag === "" ? "" : " with a different tag";
      return saying(`rbd: lock is already held by someone else${by}`, error);
    });
  });
}

async function remove(call: Call): Promise<void> {
  const spec = call.spec();
  const cookie = call.mustWord("lock id was not specified");
  const locker = call.mustWord("locker was not specified");
  await call.withImage(spec, "write", async (image) => {
    await orFail(image.breakLock(locker, cookie), "rbd: releasing lock failed");
  });
}
