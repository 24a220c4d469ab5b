/**
 * The verb `lock`: advisory locks on objects.
 * ceph: src/tools/rados/rados.cc do_lock_cmd
 */

import { type EntityName, parseEntityName } from "../../types/index.ts";
import { CommandFailure, formatLocalTime, parseIecSize, renderFormat } from "../client/index.ts";
import { failedTwice, type RadosContext } from "./context.ts";
import type { Verbs } from "./verb.ts";

export const LOCK_VERBS: Verbs = {
  lock: {
    summary: "list, get, break and show locks on an object",
    arguments: "(list OBJECT | info OBJECT LOCK | get OBJECT LOCK | break OBJECT LOCK CLIENT)",
    run: lock,
  },
};

interface LockOptions {
  readonly tag: string;
  readonly cookie: string;
  readonly description: string;
  readonly durationMs: number;
  readonly type: "exclusive" | "shared";
}

const STEPS: Readonly<
  Record<string, (context: RadosContext, oid: string, how: LockOptions) => Promise<void>>
> = { list, info, get, break: breakLock };

async function lock(context: RadosContext): Promise<void> {
  const word = context.take();
  const oid = context.take();
  const how = lockOptions(context);
  const step = Object.hasOwn(STEPS, word) ? STEPS[word] : undefined;
  if (step === undefined) throw context.usage();
  await step(context, oid, how);
}

function invalid(what: string): CommandFailure {
  return new CommandFailure(`${what}\nerror 22: (22) Invalid argument`);
}

function lockOptions({ options }: RadosContext): LockOptions {
  const seconds = parseIecSize(options.get("lockDuration") ?? "0");
  if (typeof seconds !== "number") {
    throw invalid(`Invalid value for lock-duration: ${seconds.error}`);
  }
  const type = options.get("lockType") ?? "exclusive";
  if (type !== "exclusive" && type !== "shared") {
    throw invalid("unknown lock type was specified, aborting");
  }
  return {
    tag: options.get("lockTag") ?? "",
    cookie: options.get("lockCookie") ?? "",
    description: options.get("lockDescription") ?? "",
    durationMs: seconds * 1000,
    type,
  };
}

async function tried<T>(what: string, body: () => Promise<T>): Promise<T> {
  return await body().catch((error: unknown) => {
    throw failedTwice(`ERROR: ${what}`, error);
  });
}

async function list(context: RadosContext, oid: string): Promise<void> {
  const { io, out, options, format } = context;
  const names = await tried("rados_list_locks()", () => io.locks(oid));
  const result = { objname: oid, locks: names.map((name) => ({ name })) };
  const as = format ?? (options.has("pretty") ? "json-pretty" : "json");
  out.put(renderFormat(result, as, { root: "object", items: { locks: "lock" } }));
}

async function info(context: RadosContext, oid: string): Promise<void> {
  const { io, out, options, format } = context;
  const name = context.take();
  const found = await tried("rados_lock_get_lock_info()", () => io.lockInfo(oid, name));
  const lockers = found.lockers.map(({ locker, cookie, description, address, expiresMs = 0 }) => ({
    name: locker,
    cookie,
    description,
    expiration: formatLocalTime({
      sec: Math.floor(expiresMs / 1000),
      nsec: Math.round((expiresMs % 1000) * 1_000_000),
    }),
    addr: address,
  }));
  const result = { name, type: found.type, tag: found.tag, lockers };
  const as = format ?? (options.has("pretty") ? "json-pretty" : "json");
  out.put(renderFormat(result, as, { root: "lock", items: { lockers: "locker" } }));
}

async function get(context: RadosContext, oid: string, how: LockOptions): Promise<void> {
  const name = context.take();
  await tried("failed locking", () => context.writable.lock(oid, { name, ...how }));
}

async function breakLock(
  context: RadosContext,
  oid: string,
  { cookie }: LockOptions,
): Promise<void> {
  const name = context.take();
  const word = context.take();
  const locker: EntityName | undefined = parseEntityName(word);
  if (locker === undefined) throw invalid(`ERROR: failed to parse locker name (${word})`);
  await tried("failed breaking lock", () =>
    context.writable.breakLock(oid, { name, locker, cookie }),
  );
}
