/** Whole logins with keys of each type, at both ends, and what becomes of them when a key changes. */
import { assert as assertProperty, nat, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { CephError } from "../../base/index.ts";
import { DecodeError } from "../../encoding/index.ts";
import { ENTITY_TYPE } from "../../types/index.ts";
import { type AuthInitiator, type AuthServer, CON_MODE } from "../auth-method.ts";
import { generateKey, KEY_TYPES, keyTypeOf } from "../crypto-key.ts";
import { ALICE, talk, talkWell, world } from "../testing/world.ts";
import { CephxClient } from "./initiator.ts";
import { AUTH_TICKET_TTL_MS } from "./rotating-secrets.ts";

const HOUR_MS = 3600 * 1000;
const SECRET_LEN: Record<string, number> = { aes: 16, aes256k: 32 };
const typeOf = (name: string) => keyTypeOf(name)!;

function flip(blob: Uint8Array, bit: number): Uint8Array {
  const altered = Uint8Array.from(blob);
  altered[bit >> 3]! ^= 1 << (bit & 7);
  return altered;
}

/** Does the n-th blob of the client's, with one bit flipped, get it in? */
function getsIn(server: AuthServer, initiator: AuthInitiator, index: number, bit: number): boolean {
  try {
    const session = talk(server, initiator, CON_MODE.CRC, (blob, i) =>
      i === index ? flip(blob, bit % (blob.length * 8)) : blob,
    );
    return typeof session !== "number";
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

describe.each(KEY_TYPES)("a key of type %s", (name) => {
  it.each([CON_MODE.CRC, CON_MODE.SECURE])(
    "opens sessions with monitor, OSD and manager in mode %i, with session keys of its type",
    (mode) => {
      const w = world(typeOf(name));
      const client = w.client();
      const mon = talkWell(w.mon, client.monInitiator(), mode);
      const osd = talkWell(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD), mode);
      const mgr = talkWell(w.mgr, client.serviceInitiator(ENTITY_TYPE.MGR), mode);
      for (const { identity, server } of [mon, osd, mgr]) {
        expect(identity.globalId).toBe(4001n);
        expect(server.sessionKey.length).toBe(SECRET_LEN[name]);
        expect(server.connectionSecret.length).toBe(mode === CON_MODE.SECURE ? 64 : 0);
      }
      expect(talkWell(w.mon, client.monInitiator(), mode).identity.globalId).toBe(4001n);
    },
  );

  it("renews its tickets for days, in one session, and they open new ones at any time", () => {
    const w = world(typeOf(name));
    const client = w.client();
    const { identity } = talkWell(w.mon, client.monInitiator());
    const seen = { auth: new Set<bigint>(), osd: new Set<bigint>() };
    for (let now = 0; now < 2 * AUTH_TICKET_TTL_MS; now += HOUR_MS / 2) {
      w.clock.nowMs += HOUR_MS / 2;
      w.secrets.check();
      seen.auth.add(w.secrets.forIssue(ENTITY_TYPE.AUTH).id);
      seen.osd.add(w.secrets.forIssue(ENTITY_TYPE.OSD).id);
      const request = client.buildRenewal();
      if (request !== undefined) {
        const reply = w.mon.renew(identity, request);
        client.takeRenewal(reply.errno, reply.blob);
        expect(client.needed).toBe(0);
      }
      const isTurnOfMgr = seen.osd.size % 2 === 0;
      const service = isTurnOfMgr ? ENTITY_TYPE.MGR : ENTITY_TYPE.OSD;
      const session = talkWell(isTurnOfMgr ? w.mgr : w.osd, client.serviceInitiator(service));
      expect(session.identity).toMatchObject({ entity: ALICE, globalId: identity.globalId });
      expect(session.server.sessionKey.length).toBe(SECRET_LEN[name]);
    }
    expect(seen.auth.size).toBeGreaterThanOrEqual(2);
    expect(seen.osd.size).toBeGreaterThan(100);
  });

  it("that is rotated is what its client logs in with next, if it is told each time", () => {
    const w = world(typeOf(name));
    const { clock, random } = w;
    const current = () => w.keys.get("alice")!;
    const client = new CephxClient({ clock, random, entity: ALICE, key: () => current().key });
    const { identity } = talkWell(w.mon, client.monInitiator());
    const key = generateKey(w.random, w.clock.now(), typeOf(name));
    w.keys.set("alice", { ...current(), key });
    w.clock.nowMs += 0.9 * AUTH_TICKET_TTL_MS;
    const reply = w.mon.renew(identity, client.buildRenewal()!);
    client.takeRenewal(reply.errno, reply.blob);
    expect(talkWell(w.mon, client.monInitiator()).identity.globalId).toBe(identity.globalId);
    talkWell(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD));
  });

  it("is refused for another key, of its own type or not, whatever secret they share", () => {
    const w = world(typeOf(name));
    for (const other of KEY_TYPES) {
      const key = generateKey(w.random, 0, typeOf(other));
      expect(talk(w.mon, w.client(ALICE, key).monInitiator())).toBe(-13);
      if (other === name) continue;
      const same = { ...key, secret: Buffer.concat([w.key.secret, w.key.secret]) };
      expect(talk(w.mon, w.client(ALICE, same).monInitiator())).toBe(-13);
    }
  });

  it("opens no session with an OSD if any bit of either authorizer is flipped", () => {
    const w = world(typeOf(name));
    const client = w.client();
    talkWell(w.mon, client.monInitiator());
    const fails = property(
      nat(1),
      nat(1 << 16),
      (index, bit) => !getsIn(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD), index, bit),
    );
    assertProperty(fails, { numRuns: 400, seed: 5 });
  });

  it("opens none with a monitor if any bit of challenge or proof is flipped", () => {
    const w = world(typeOf(name));
    for (let bit = 0; bit < 128; bit++) {
      // After u16 request, u8 version: the client's challenge and the proof.
      expect(getsIn(w.mon, w.client().monInitiator(), 1, 24 + bit), `bit ${bit}`).toBe(false);
    }
  });
});

// Of an aes key only the first block is checked, in every Ceph.
it("a client with a key of type aes256k has nothing to believe in if any bit of what a monitor seals is flipped", () => {
  const w = world(typeOf("aes256k"));
  const client = w.client();
  const acceptor = w.mon.accept(2, CON_MODE.SECURE);
  const initiator = client.monInitiator();
  const first = acceptor.next(initiator.begin()) as { blob: Uint8Array };
  const { blob } = acceptor.next(initiator.more(first.blob)) as { blob: Uint8Array };
  // u16 request, s32 status, u8 version, u32 count, u32 service, u8 version, u32 length: then sealed.
  for (let bit = 20 * 8; bit < (20 + 80) * 8; bit++) {
    expect(() => initiator.done(flip(blob, bit), 4001n, CON_MODE.SECURE), `bit ${bit}`).toThrow(
      CephError,
    );
  }
  initiator.done(blob, 4001n, CON_MODE.SECURE);
});

describe.each([
  ["aes", "aes"],
  ["aes", "aes256k"],
  ["aes256k", "aes"],
])("a key that is replaced, %s by %s", (before, after) => {
  it("opens no session any more; those of before go on, with what their client speaks", () => {
    const w = world(typeOf(before));
    const client = w.client();
    const { identity } = talkWell(w.mon, client.monInitiator());
    const caps = w.keys.get("alice")!.caps;
    const fresh = generateKey(w.random, w.clock.now(), typeOf(after));
    w.keys.set("alice", { key: fresh, caps });

    expect(talk(w.mon, w.client().monInitiator())).toBe(-13);
    expect(talk(w.mon, client.monInitiator())).toBe(-13);
    w.clock.nowMs += HOUR_MS;
    const reply = w.mon.renew(identity, client.buildRenewal()!);
    client.takeRenewal(reply.errno, reply.blob);
    const osd = talkWell(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD));
    expect(osd.server.sessionKey.length).toBe(SECRET_LEN[before]);
    // The AUTH ticket itself wants the key again.
    w.clock.nowMs += 0.9 * AUTH_TICKET_TTL_MS;
    expect(w.mon.renew(identity, client.buildRenewal()!).errno).toBe(-13);

    const again = talkWell(w.mon, w.client(ALICE, fresh).monInitiator());
    expect(again.server.sessionKey.length).toBe(SECRET_LEN[after]);
  });
});
