/** `rbd ls`: names, or a line for each image and snapshot. ceph: src/tools/rbd/action/List.cc */

import { formatBytes } from "../../base/index.ts";
import type { Json } from "../../encoding/index.ts";
import type { Image, ParentSnapshot, Rbd } from "../../librbd/index.ts";
import { CommandFailure, cppStrerror } from "../client/index.ts";
import type { Call } from "./call.ts";
import { orFail } from "./failure.ts";
import { flag, formatOptions, poolOptions } from "./options.ts";
import { left, right, textTable } from "./table.ts";
import { poolSpec, type Verb } from "./verb.ts";

export const listVerbs: readonly Verb[] = [
  {
    name: "list",
    alias: "ls",
    summary: "List images.",
    positional: [poolSpec],
    options: [flag("long", "with sizes, parents and locks", "l"), ...poolOptions, ...formatOptions],
    run: list,
  },
];

/** Images looked at together. ceph: rbd_concurrent_management_ops */
const CONCURRENT = 10;
const FAILED = "rbd: listing images failed";

async function list(call: Call): Promise<void> {
  const spec = call.pool();
  // Said before anything is asked.
  call.checkFormat();
  const rbd = await call.open(spec).catch((error: unknown) => {
    if (!(error instanceof CommandFailure)) throw error;
    const { message, exitCode } = error;
    // compat: the original says it in both its words.
    throw new CommandFailure(`${message}\n${FAILED}: ${cppStrerror(exitCode)}`, exitCode, error);
  });
  const images = await orFail(rbd.list(), FAILED);
  if (!call.has("long")) {
    const names = images.map(({ name }) => name);
    await call.show(
      () => names,
      { root: "images", items: { images: "name" } },
      () => names.map((name) => `${name}\n`).join(""),
    );
    return;
  }
  const found: Listed[] = [];
  for (let at = 0; at < images.length; at += CONCURRENT) {
    const part = images.slice(at, at + CONCURRENT);
    const listed = await Promise.all(part.map((image) => describe(call, rbd, image)));
    found.push(...listed.flat());
  }
  await call.show(
    () => found.map(jsonOf),
    {
      root: "images",
      items: { images: (x) => ("snapshot" in (x as object) ? "snapshot" : "image") },
    },
    () => (images.length === 0 ? "" : textTable(COLUMNS, found.map(rowOf))),
  );
}

const COLUMNS = [
  left("NAME"),
  right("SIZE"),
  left("PARENT"),
  right("FMT"),
  left("PROT"),
  left("LOCK"),
];

interface Listed {
  readonly image: string;
  readonly id: string;
  readonly format: 1 | 2;
  readonly size: number;
  readonly parent: ParentSnapshot | undefined;
  /** undefined: the image itself. */
  readonly snapshot:
    | { readonly id: bigint; readonly name: string; readonly isProtected: boolean }
    | undefined;
  /** undefined: nobody has it. */
  readonly lock: "exclusive" | "shared" | undefined;
}

async function describe(
  call: Call,
  rbd: Rbd,
  { name, id }: { name: string; id: string },
): Promise<Listed[]> {
  let image: Image;
  try {
    image = await rbd.open(name, { readOnly: true });
  } catch (error) {
    // Somebody may have removed it meanwhile.
    call.warnOf(`rbd: error opening ${name}`, error);
    return [];
  }
  try {
    const { isExclusive, lockers } = await image.locks();
    const kind = isExclusive ? "exclusive" : "shared";
    const lock = lockers.length === 0 ? undefined : kind;
    const parent = await image.parent();
    const { format } = await image.info();
    const own = { image: name, id, format };
    const listed: Listed[] = [{ ...own, size: image.size, parent, snapshot: undefined, lock }];
    for (const snapshot of await image.snapshots()) {
      await image.setSnapshot(snapshot.name);
      const { size } = snapshot;
      const shown = await image.parent();
      listed.push({ ...own, size, parent: shown, snapshot, lock: undefined });
    }
    return listed;
  } catch (error) {
    call.warnOf(`rbd: error processing image ${name}`, error);
    return [];
  } finally {
    await image.close();
  }
}

/** `pool/namespace/image@snap` */
export function parentText({ pool, namespace, image, snapshot }: ParentSnapshot): string {
  return `${pool}/${namespace === "" ? "" : `${namespace}/`}${image}@${snapshot}`;
}

export function parentJson({ pool, namespace, image, snapshot }: ParentSnapshot): Json {
  return { pool, pool_namespace: namespace, image, snapshot };
}

function jsonOf({ image, id, format, size, parent, snapshot, lock }: Listed): Json {
  const shown = parent === undefined ? {} : { parent: parentJson(parent) };
  if (snapshot === undefined) {
    const locked = lock === undefined ? {} : { lock_type: lock };
    return { image, id, size, ...shown, format, ...locked };
  }
  const isProtected = String(snapshot.isProtected);
  return {
    image,
    id,
    snapshot: snapshot.name,
    snapshot_id: snapshot.id,
    size,
    ...shown,
    format,
    protected: isProtected,
  };
}

function rowOf({ image, format, size, parent, snapshot, lock }: Listed): string[] {
  const name = snapshot === undefined ? image : `${image}@${snapshot.name}`;
  const shown = parent === undefined ? "" : parentText(parent);
  const locks = { exclusive: "excl", shared: "shr" };
  return [
    name,
    formatBytes(size),
    shown,
    String(format),
    snapshot?.isProtected === true ? "yes" : "",
    lock === undefined ? "" : locks[lock],
  ];
}
