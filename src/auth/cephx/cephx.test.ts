/** cephx, both sides: recorded conversations with real daemons, then our own ends against each other. */
import { assert as assertProperty, nat, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { DecodeError } from "../../encoding/index.ts";
import { type AuthEntity, ENTITY_TYPE } from "../../types/index.ts";
import { type AuthInitiator, CON_MODE } from "../auth-method.ts";
import { generateKey, parseKey } from "../crypto-key.ts";
import { createMonAuthServer } from "../server.ts";
import {
  ALICE,
  BOB,
  type Session,
  standingClock,
  talk,
  talkWell,
  world,
} from "../testing/world.ts";
import { CephxClient } from "./initiator.ts";
import {
  LIBRADOS_PROOF,
  MON_RECLAIM,
  MON_SESSION,
  OSD_SESSION,
  RECORDED_KEY,
  type RecordedExchange,
} from "./recorded-exchange.ts";
import { AUTH_TICKET_TTL_MS, SERVICE_TICKET_TTL_MS } from "./rotating-secrets.ts";
import { openTicket, sealTicket } from "./ticket.ts";

const hex = (text: string) => Buffer.from(text, "hex");
const HOUR_MS = 3600 * 1000;

describe("against Ceph 16.2.15", () => {
  function replay(initiator: AuthInitiator, recorded: RecordedExchange) {
    expect(Buffer.from(initiator.begin()).toString("hex")).toBe(recorded.begin);
    const answer = initiator.more(hex(recorded.challenge));
    expect(Buffer.from(answer).toString("hex")).toBe(recorded.answer);
    const { sessionKey } = initiator.done(hex(recorded.done), recorded.globalId, CON_MODE.CRC);
    expect(Buffer.from(sessionKey).toString("hex")).toBe(recorded.sessionKey);
  }

  it("our client's bytes are those that a monitor and an OSD accepted, reclaim included", () => {
    const client = new CephxClient({
      entity: { type: ENTITY_TYPE.CLIENT, id: "vec" },
      key: parseKey(RECORDED_KEY)!,
      clock: standingClock(),
      random: seededRandom(7),
    });
    replay(client.monInitiator([CON_MODE.CRC]), MON_SESSION);
    expect(client.needed).toBe(0);
    replay(client.monInitiator([CON_MODE.CRC]), MON_RECLAIM);
    expect(client.globalId).toBe(MON_RECLAIM.globalId);
    replay(client.serviceInitiator(ENTITY_TYPE.OSD, [CON_MODE.CRC]), OSD_SESSION);
  });

  it("our monitor believes librados, and nobody who flips a bit of its proof", () => {
    const w = world();
    // The challenge is what Random gives: hand out the recorded one.
    const challenge = hex(LIBRADOS_PROOF.challenge).subarray(1);
    const random = {
      bytes: (n: number) => (n === 8 ? Uint8Array.from(challenge) : w.random.bytes(n)),
    };
    const mon = createMonAuthServer({
      clock: w.clock,
      random,
      secrets: w.secrets,
      globalIds: { allocate: () => 1n, wasAllocated: () => false },
      keys: () => ({ key: parseKey(RECORDED_KEY)!, caps: { mon: "allow r" } }),
    });
    const judge = (answer: Buffer) => {
      const acceptor = mon.accept(2, CON_MODE.CRC);
      const first = acceptor.next(hex("0a08000000030000007665630000000000000000"));
      expect(first).toEqual({ kind: "more", blob: hex(LIBRADOS_PROOF.challenge) });
      return acceptor.next(answer).kind;
    };
    expect(judge(hex(LIBRADOS_PROOF.answer))).toBe("done");
    for (let bit = 0; bit < 128; bit++) {
      const answer = hex(LIBRADOS_PROOF.answer);
      const at = 3 + (bit >> 3); // both the client's challenge and the proof
      answer[at] = answer[at]! ^ (1 << (bit & 7));
      expect(judge(answer), `bit ${bit}`).toBe("bad");
    }
  });
});

describe("a monitor session", () => {
  it.each([
    ["crc", CON_MODE.CRC, 0],
    ["secure", CON_MODE.SECURE, 64],
  ])(
    "in %s mode gives a new global id, all tickets and the same secrets to both",
    (_n, mode, length) => {
      const w = world();
      const client = w.client();
      const session = talkWell(w.mon, client.monInitiator(), mode);
      expect(session.identity).toEqual({
        entity: ALICE,
        globalId: 4001n,
        caps: w.keys.get("alice")!.caps,
      });
      expect(session.server.connectionSecret.length).toBe(length);
      expect(client.needed).toBe(0);
      expect(client.globalId).toBe(4001n);
    },
  );

  it("of a client that wants nothing but secure is offered in no other mode, nor is one with a service", () => {
    const w = world();
    const { clock, random, key } = w;
    const only = [CON_MODE.SECURE];
    const modes = { monModes: only, serviceModes: only };
    const client = new CephxClient({ entity: ALICE, key, clock, random, ...modes });
    expect(client.monInitiator().modes).toEqual([CON_MODE.SECURE]);
    talkWell(w.mon, client.monInitiator(), CON_MODE.SECURE);
    expect(client.serviceInitiator(ENTITY_TYPE.OSD).modes).toEqual([CON_MODE.SECURE]);
    expect(w.client().monInitiator().modes).toEqual([CON_MODE.SECURE, CON_MODE.CRC]);
  });

  it("is told no when it has nothing to answer the challenge with, as one without a key", () => {
    const w = world();
    const cut = (at: number, length: number) =>
      talk(w.mon, w.client().monInitiator(), CON_MODE.CRC, (blob, index) =>
        index === at ? blob.subarray(0, length) : blob,
      );
    expect(cut(1, 2)).toBe(-1);
    expect(cut(1, 1)).toBe(-1);
    expect(cut(0, 5)).toBe(-13);
  });

  it("is refused for a wrong key, an unknown entity and one without mon caps, only after the challenge", () => {
    const w = world();
    const refused = (client: CephxClient) => {
      let answers = 0;
      const errno = talk(w.mon, client.monInitiator(), CON_MODE.CRC, (blob, index) => {
        answers = index;
        return blob;
      });
      expect(answers).toBe(1);
      return errno;
    };
    expect(refused(w.client(ALICE, generateKey(w.random, 0)))).toBe(-13);
    expect(refused(w.client({ ...ALICE, id: "nobody" }))).toBe(-13);
    expect(refused(w.client({ ...ALICE, id: "nocaps" }))).toBe(-13);
    expect(refused(w.client({ type: ENTITY_TYPE.OSD, id: "alice" }))).toBe(-13);
  });

  it("spends no global id on strangers", () => {
    const w = world();
    talk(w.mon, w.client(ALICE, generateKey(w.random, 0)).monInitiator());
    expect(talkWell(w.mon, w.client().monInitiator()).identity.globalId).toBe(4001n);
  });

  it("is refused for empty blobs, authorizers and a third request", () => {
    const w = world();
    const start = () => w.mon.accept(2, CON_MODE.CRC);
    expect(start().next(new Uint8Array(0))).toEqual({ kind: "bad", errno: -13 });
    expect(start().next(hex("01"))).toEqual({ kind: "bad", errno: -13 });
    const initiator = w.client().monInitiator();
    const acceptor = start();
    const first = acceptor.next(initiator.begin());
    const answer = initiator.more((first as { blob: Uint8Array }).blob);
    expect(acceptor.next(answer).kind).toBe("done");
    expect(acceptor.next(answer)).toEqual({ kind: "bad", errno: -13 });
  });

  it("does not accept the answer to another challenge", () => {
    const w = world();
    let recorded: Uint8Array = new Uint8Array(0);
    talkWell(w.mon, w.client().monInitiator(), CON_MODE.CRC, (b, i) =>
      i === 1 ? (recorded = b) : b,
    );
    expect(
      talk(w.mon, w.client().monInitiator(), CON_MODE.CRC, (b, i) => (i === 1 ? recorded : b)),
    ).toBe(-13);
  });
});

describe("hostile blobs", () => {
  it("end in a refusal or a DecodeError, whatever they are and wherever they come", () => {
    const w = world();
    const client = w.client();
    const { identity } = talkWell(w.mon, client.monInitiator());
    const begins = [
      client.monInitiator().begin(),
      client.serviceInitiator(ENTITY_TYPE.OSD).begin(),
    ];
    const holds = property(uint8Array({ maxLength: 200 }), nat(2), (bytes, kind) => {
      const first = begins[kind];
      try {
        for (const server of [w.mon, w.osd]) {
          const acceptor = server.accept(2, CON_MODE.CRC);
          if (first !== undefined) acceptor.next(first);
          if (acceptor.next(bytes).kind === "done") return false;
        }
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
      return w.mon.renew(identity, bytes).errno < 0;
    });
    assertProperty(holds, { numRuns: 500, seed: 5 });
  });
});

describe("reclaiming a global id", () => {
  it("works with the AUTH ticket for it, again and again, also after a sleep beyond its validity", () => {
    const w = world();
    const client = w.client();
    for (let i = 0; i < 3; i++) {
      expect(talkWell(w.mon, client.monInitiator()).identity.globalId).toBe(4001n);
    }
    w.clock.nowMs += AUTH_TICKET_TTL_MS + HOUR_MS;
    expect(talkWell(w.mon, client.monInitiator()).identity.globalId).toBe(4001n);
  });

  it("is refused without a ticket, with another's, and once the ticket's secret is gone", () => {
    const w = world();
    const client = w.client();
    talkWell(w.mon, client.monInitiator());
    const claim = (entity: AuthEntity, globalId: bigint) => {
      const begin = Buffer.from(w.client(entity).monInitiator().begin());
      begin.writeBigUInt64LE(globalId, begin.length - 8);
      return begin;
    };
    const asFirst = (blob: Uint8Array) => (b: Uint8Array, i: number) => (i === 0 ? blob : b);
    const stranger = w.client(BOB).monInitiator();
    expect(talk(w.mon, stranger, CON_MODE.CRC, asFirst(claim(BOB, 4001n)))).toBe(-13);
    const bob = w.client(BOB);
    talkWell(w.mon, bob.monInitiator());
    expect(talk(w.mon, bob.monInitiator(), CON_MODE.CRC, asFirst(claim(BOB, 4001n)))).toBe(-13);
    // The same key, the right id, but made for another entity.
    const alice = asFirst(claim(BOB, 4001n));
    expect(talk(w.mon, client.monInitiator(), CON_MODE.CRC, alice)).toBe(-13);
    w.clock.nowMs += 5 * AUTH_TICKET_TTL_MS;
    w.secrets.check();
    expect(talk(w.mon, client.monInitiator())).toBe(-13);
    client.forget();
    expect(talkWell(w.mon, client.monInitiator()).identity.globalId).toBe(4003n);
  });

  it("is refused with a ticket but no claim, as a mistake", () => {
    const w = world();
    const client = w.client();
    talkWell(w.mon, client.monInitiator());
    const fresh = w.client().monInitiator().begin();
    expect(talk(w.mon, client.monInitiator(), CON_MODE.CRC, (b, i) => (i === 0 ? fresh : b))).toBe(
      -22,
    );
  });

  it("is refused if any bit of the ticket is not as it was", () => {
    const w = world();
    const client = w.client();
    talkWell(w.mon, client.monInitiator());
    const length = (() => {
      let n = 0;
      talkWell(w.mon, client.monInitiator(), CON_MODE.CRC, (b, i) => {
        if (i === 1) n = b.length;
        return b;
      });
      return n;
    })();
    // The old ticket lies between the proof (ends at 19) and the mask of other keys (4 bytes).
    for (let bit = 19 * 8; bit < (length - 4) * 8; bit += 5) {
      const flip = (b: Uint8Array, i: number) => (i === 1 ? flipped(b, bit) : b);
      const attempt = () => talk(w.mon, client.monInitiator(), CON_MODE.CRC, flip);
      expect(outcome(attempt), `bit ${bit}`).toBe("refused");
    }
  });
});

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  out[bit >> 3] = (out[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return out;
}

/** A thrown DecodeError closes the link as well. */
function outcome(attempt: () => Session | number): "accepted" | "refused" {
  try {
    return typeof attempt() === "number" ? "refused" : "accepted";
  } catch {
    return "refused";
  }
}

describe("a service session", () => {
  it.each([CON_MODE.CRC, CON_MODE.SECURE])(
    "in mode %i knows who comes and what they may do",
    (mode) => {
      const w = world();
      const client = w.client();
      talkWell(w.mon, client.monInitiator());
      const session = talkWell(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD), mode);
      expect(session.identity).toEqual({
        entity: ALICE,
        globalId: 4001n,
        caps: { osd: "allow rwx" },
      });
      expect(session.server.connectionSecret.length).toBe(mode === CON_MODE.SECURE ? 64 : 0);
    },
  );

  it("never begins if any bit of either authorizer is flipped", () => {
    const w = world();
    const client = w.client();
    talkWell(w.mon, client.monInitiator());
    const lengths: number[] = [];
    talkWell(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD), CON_MODE.CRC, (b) => {
      lengths.push(b.length);
      return b;
    });
    const holds = property(nat(1), nat((lengths[0] ?? 0) * 8 - 1), (index, bit) => {
      const attempt = () =>
        talk(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD), CON_MODE.CRC, (b, i) =>
          i === index ? flipped(b, bit) : b,
        );
      return outcome(attempt) === "refused";
    });
    assertProperty(holds, { numRuns: 600, seed: 3 });
  });

  it("does not accept a recorded answer, nor one that names another ticket", () => {
    const w = world();
    const client = w.client();
    talkWell(w.mon, client.monInitiator());
    const sent: Uint8Array[] = [];
    talkWell(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD), CON_MODE.CRC, (b) => {
      sent.push(b);
      return b;
    });
    const replayed = talk(
      w.osd,
      client.serviceInitiator(ENTITY_TYPE.OSD),
      CON_MODE.CRC,
      (_b, i) => sent[i]!,
    );
    expect(replayed).toBe(-13);
    const late = talk(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD), CON_MODE.CRC, (b, i) =>
      i === 1 ? sent[1]! : b,
    );
    expect(late).toBe(-13);
    const started = client.serviceInitiator(ENTITY_TYPE.OSD);
    const acceptor = w.osd.accept(2, CON_MODE.CRC);
    const first = acceptor.next(started.begin());
    talkWell(w.mon, client.monInitiator());
    const other = client.serviceInitiator(ENTITY_TYPE.OSD);
    expect(acceptor.next(other.begin()).kind).toBe("bad");
    expect(first.kind).toBe("more");
  });

  it("is refused with another service's ticket and with an expired one", () => {
    const w = world();
    const client = w.client();
    talkWell(w.mon, client.monInitiator());
    expect(talk(w.mgr, client.serviceInitiator(ENTITY_TYPE.OSD))).toBe(-13);
    w.clock.nowMs += SERVICE_TICKET_TTL_MS - 1;
    talkWell(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD));
    w.clock.nowMs += 1;
    expect(talk(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD))).toBe(-13);
    expect(client.hasTicket(ENTITY_TYPE.OSD)).toBe(false);
  });

  it("tells the client if the service cannot read its ticket", () => {
    const w = world();
    const client = w.client();
    talkWell(w.mon, client.monInitiator());
    const initiator = client.serviceInitiator(ENTITY_TYPE.OSD);
    const step = w.osd.accept(2, CON_MODE.CRC).next(initiator.begin()) as { blob: Uint8Array };
    expect(() => initiator.more(flipped(step.blob, 5))).toThrow("EACCES");
    expect(() =>
      initiator.done(Buffer.concat([hex("20000000"), step.blob]), 0n, CON_MODE.CRC),
    ).toThrow("EACCES");
  });
});

describe("renewal", () => {
  it("gives new service tickets for the AUTH ticket, and a new AUTH ticket when that ages", () => {
    const w = world();
    const client = w.client();
    const { identity } = talkWell(w.mon, client.monInitiator());
    expect(client.buildRenewal()).toBeUndefined();
    for (let quarters = 0; quarters < 4 * 80; quarters++) {
      w.clock.nowMs += HOUR_MS / 4;
      const request = client.buildRenewal();
      if (request === undefined) continue;
      const reply = w.mon.renew(identity, request);
      client.takeRenewal(reply.errno, reply.blob);
      expect(client.needed, `quarter ${quarters}`).toBe(0);
    }
    expect(talkWell(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD)).identity.globalId).toBe(4001n);
    expect(talkWell(w.mon, client.monInitiator()).identity.globalId).toBe(4001n);
  });

  it.each([
    ["a clock that was days ahead and has been put back", -100 * HOUR_MS, HOUR_MS],
    ["a machine that has slept", HOUR_MS, 0],
  ])("is due in time after %s", (_what, wallMs, monotonicMs) => {
    const w = world();
    let [ahead, gone] = [0, 0];
    const clock = {
      ...w.clock,
      now: () => w.clock.nowMs + ahead,
      monotonic: () => gone,
    };
    const client = new CephxClient({ entity: ALICE, key: w.key, clock, random: w.random });
    const { identity } = talkWell(w.mon, client.monInitiator());
    w.clock.nowMs += HOUR_MS;
    ahead = wallMs - HOUR_MS;
    gone = monotonicMs;
    expect(client.hasTicket(ENTITY_TYPE.OSD)).toBe(false);
    const reply = w.mon.renew(identity, client.buildRenewal()!);
    client.takeRenewal(reply.errno, reply.blob);
    talkWell(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD));
    expect(client.needed).toBe(0);
  });

  it("is refused for a foreign session, a removed entity and an expired AUTH ticket", () => {
    const w = world();
    const [alice, bob] = [w.client(), w.client(BOB)];
    const { identity } = talkWell(w.mon, alice.monInitiator());
    const bobs = talkWell(w.mon, bob.monInitiator()).identity;
    w.clock.nowMs += HOUR_MS;
    const request = alice.buildRenewal()!;
    expect(w.mon.renew(bobs, request).errno).toBe(-13);
    expect(w.mon.renew({ ...identity }, request).errno).toBe(-22);
    const auth = w.keys.get("alice")!;
    w.keys.delete("alice");
    expect(w.mon.renew(identity, request)).toEqual({ errno: -13, blob: new Uint8Array(0) });
    w.keys.set("alice", auth);
    expect(w.mon.renew(identity, request).errno).toBe(0);
    w.clock.nowMs += AUTH_TICKET_TTL_MS;
    expect(w.mon.renew(identity, request).errno).toBe(-13);
    expect(() => alice.takeRenewal(-13, new Uint8Array(0))).toThrow("EACCES");
  });

  it("uses caps as they are now", () => {
    const w = world();
    const client = w.client();
    const { identity } = talkWell(w.mon, client.monInitiator());
    w.keys.set("alice", { key: w.key, caps: { mon: "allow r", osd: "allow r" } });
    w.clock.nowMs += HOUR_MS;
    const reply = w.mon.renew(identity, client.buildRenewal()!);
    client.takeRenewal(reply.errno, reply.blob);
    const session = talkWell(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD));
    expect(session.identity.caps).toEqual({ osd: "allow r" });
  });

  it("refuses rotating secrets, unknown requests and rubbish", () => {
    const w = world();
    const { identity } = talkWell(w.mon, w.client().monInitiator());
    expect(w.mon.renew(identity, hex("0004")).errno).toBe(-13);
    expect(w.mon.renew(identity, hex("0003")).errno).toBe(-22);
    for (const rubbish of ["", "00", "0002", "000201ffffffff", "0001ffffffffffff"]) {
      expect(w.mon.renew(identity, hex(rubbish)).errno, rubbish).toBe(-22);
    }
  });
});

describe("a ticket", () => {
  it("opens only as it was sealed: for its service, under its id, every bit in place", () => {
    const { clock, random, secrets } = world();
    const { id, key } = secrets.forIssue(ENTITY_TYPE.OSD);
    const ticket = {
      entity: { ...ALICE, id: "\xe4" },
      globalId: 2n ** 63n,
      createdMs: clock.now(),
      expiresMs: clock.now() + 1.5,
      caps: { osd: 'allow rw pool="käse"' },
      sessionKey: generateKey(random, clock.now()),
    };
    const blob = sealTicket(ticket, { service: ENTITY_TYPE.OSD, id, key, random });
    expect(openTicket(blob, ENTITY_TYPE.OSD, secrets)).toEqual(ticket);
    expect(openTicket(blob, ENTITY_TYPE.MGR, secrets)).toBeUndefined();
    const everywhere = { find: () => key, isRevoked: () => false };
    expect(openTicket(blob, ENTITY_TYPE.MGR, everywhere)).toBeUndefined();
    expect(openTicket({ ...blob, secretId: id + 1n }, ENTITY_TYPE.OSD, everywhere)).toBeUndefined();
    for (let bit = 0; bit < blob.blob.length * 8; bit++) {
      const altered = { ...blob, blob: flipped(blob.blob, bit) };
      expect(openTicket(altered, ENTITY_TYPE.OSD, secrets), `bit ${bit}`).toBeUndefined();
    }
    for (const length of [0, 12, 27, 28, blob.blob.length - 1]) {
      const short = { ...blob, blob: blob.blob.subarray(0, length) };
      expect(openTicket(short, ENTITY_TYPE.OSD, secrets), `${length} bytes`).toBeUndefined();
    }
  });
});
