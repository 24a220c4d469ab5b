/** A monitor, an OSD and a manager that clients authenticate to, and conversations with them. */

import { type Clock, seededRandom } from "../../base/index.ts";
import { type AuthEntity, ENTITY_TYPE } from "../../types/index.ts";
import {
  type AcceptorStep,
  type AuthIdentity,
  type AuthInitiator,
  type AuthSecrets,
  type AuthServer,
  CON_MODE,
} from "../auth-method.ts";
import { CephxClient } from "../cephx/initiator.ts";
import { RotatingSecrets } from "../cephx/rotating-secrets.ts";
import { type CryptoKey, generateKey } from "../crypto-key.ts";
import type { EntityAuth } from "../identity.ts";
import { createMonAuthServer, createServiceAuthServer } from "../server.ts";

/** A clock that stands until told otherwise. */
export function standingClock(): Clock & { nowMs: number } {
  const clock = {
    nowMs: 1_700_000_000_000,
    now: () => clock.nowMs,
    monotonic: () => clock.nowMs,
    after: () => ({ cancel: () => {} }),
    every: () => ({ cancel: () => {} }),
    defer: (fn: () => void) => fn(),
  };
  return clock;
}

export const ALICE = { type: ENTITY_TYPE.CLIENT, id: "alice" };
export const BOB = { type: ENTITY_TYPE.CLIENT, id: "bob" };

/** @param keyType what the clients' key is of; not given: what is the default */
export function world(keyType?: number) {
  const clock = standingClock();
  const random = seededRandom(42);
  const secrets = new RotatingSecrets({ clock, random });
  const key = generateKey(random, clock.now(), keyType);
  const caps = { mon: "allow r", osd: "allow rwx", mgr: "allow r" };
  const keys = new Map<string, EntityAuth>([
    ["alice", { key, caps }],
    ["bob", { key, caps }],
    ["nocaps", { key, caps: { osd: "allow *" } }],
  ]);
  let last = 4000n;
  const globalIds = { allocate: () => ++last, wasAllocated: (id: bigint) => id <= last };
  const common = { clock, random, secrets };
  const mon = createMonAuthServer({
    ...common,
    globalIds,
    keys: (entity) => (entity.type === ENTITY_TYPE.CLIENT ? keys.get(entity.id) : undefined),
  });
  const osd = createServiceAuthServer({ ...common, serviceType: ENTITY_TYPE.OSD });
  const mgr = createServiceAuthServer({ ...common, serviceType: ENTITY_TYPE.MGR });
  const client = (entity: AuthEntity = ALICE, k: CryptoKey = key) =>
    new CephxClient({ entity, key: k, clock, random });
  return { clock, random, secrets, key, keys, mon, osd, mgr, client };
}

export interface Session {
  identity: AuthIdentity;
  /** Both ends' view; the test compares them. */
  server: AuthSecrets;
  client: AuthSecrets;
}

/** Runs a whole conversation. `alter` may change the n-th blob that the client sends. */
export function talk(
  server: AuthServer,
  initiator: AuthInitiator,
  mode: number = CON_MODE.CRC,
  alter: (blob: Uint8Array, index: number) => Uint8Array = (blob) => blob,
): Session | number {
  const acceptor = server.accept(initiator.method, mode);
  let step: AcceptorStep = acceptor.next(alter(initiator.begin(), 0));
  for (let i = 1; step.kind === "more"; i++)
    step = acceptor.next(alter(initiator.more(step.blob), i));
  if (step.kind === "bad") return step.errno;
  const client = initiator.done(step.blob, step.identity.globalId, mode);
  return { identity: step.identity, server: step.secrets, client };
}

export function talkWell(...args: Parameters<typeof talk>): Session {
  const session = talk(...args);
  if (typeof session === "number") throw new Error(`refused with ${session}`);
  const [ours, theirs] = [session.client, session.server].map((secrets) =>
    Buffer.concat([secrets.sessionKey, secrets.connectionSecret]).toString("hex"),
  );
  if (ours !== theirs) throw new Error("the two ends have different secrets");
  return session;
}
