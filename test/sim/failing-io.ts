/** A pool whose requests a test may let fail, as for want of room, or as those of a client that has died. */
import { CephError, ERRNO, type ErrnoName } from "../../src/base/index.ts";
import type { IoCtx, OpOptions } from "../../src/rados/index.ts";

export interface SentRequest {
  readonly kind: (typeof KINDS)[number];
  readonly oid: string;
  /** Of the object class. */
  readonly method: string | undefined;
  /** Of a write. */
  readonly hasSnapContext: boolean;
}

const KINDS = [
  "execute",
  "query",
  "read",
  "write",
  "remove",
  "watch",
  "notify",
  "listSnaps",
  "listWatchers",
  "createSnapId",
  "removeSnapId",
] as const;

/** @param failure asked before each request; what it returns the request fails with, and is not made */
export function failingIo(
  io: IoCtx,
  failure: (request: SentRequest) => ErrnoName | undefined | Promise<ErrnoName | undefined>,
): IoCtx {
  return new Proxy(io, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      if (key === "inPool" || key === "inNamespace") {
        return (...args: unknown[]) => failingIo(value.apply(target, args), failure);
      }
      const kind = KINDS.find((known) => known === key);
      if (kind === undefined) return value.bind(target);
      return async (...args: unknown[]) => {
        const [subject, what, options] = args as [unknown, { method?: string }?, OpOptions?];
        const oid = typeof subject === "string" ? subject : "";
        const method = what?.method;
        const hasSnapContext = kind === "write" && options?.snapContext !== undefined;
        const failed = failure({ kind, oid, method, hasSnapContext });
        const code = failed instanceof Promise ? await failed : failed;
        if (code !== undefined) {
          throw new CephError(-ERRNO[code], { op: method ?? kind, target: oid });
        }
        return await value.apply(target, args);
      };
    },
  });
}

/** Nothing that a client sends is answered from the first such request on: it has died. */
export function dyingIo(io: IoCtx, diesAt: (request: SentRequest) => boolean): IoCtx {
  let isDead = false;
  return failingIo(io, (request) => {
    isDead ||= diesAt(request);
    return isDead ? "ESHUTDOWN" : undefined;
  });
}

/** The code that work fails with, or "done". */
export function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "done",
    (error: unknown) => {
      if (error instanceof CephError) return error.code;
      throw error;
    },
  );
}
