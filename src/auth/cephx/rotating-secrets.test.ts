/** What tickets are sealed under, over time: rotation, restarts, and keys that are lost. */
import { describe, expect, it } from "vitest";
import { ENTITY_TYPE } from "../../types/index.ts";
import { createServiceAuthServer } from "../server.ts";
import { ALICE, BOB, talk, talkWell, world } from "../testing/world.ts";
import { AUTH_TICKET_TTL_MS, RotatingSecrets, SERVICE_TICKET_TTL_MS } from "./rotating-secrets.ts";
import { issueTicket, openTicket } from "./ticket.ts";

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const HOUR_MS = 3600 * 1000;

describe("rotating secrets", () => {
  it("open no ticket of before for who has lost the key, in any thread and after a restart", () => {
    const w = world();
    const client = w.client();
    talkWell(w.mon, client.monInitiator());
    talkWell(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD));
    const other = w.client(BOB);
    talkWell(w.mon, other.monInitiator());
    let told: Uint8Array | undefined;
    w.secrets.onRotate((state) => {
      told = state;
    });
    w.secrets.revoke(ALICE);
    const state = told ?? w.secrets.encode();
    const worker = new RotatingSecrets({ clock: w.clock, random: w.random, state });
    for (const secrets of [w.secrets, worker]) {
      const common = { clock: w.clock, random: w.random, secrets };
      const osd = createServiceAuthServer({ ...common, serviceType: ENTITY_TYPE.OSD });
      expect(talk(osd, client.serviceInitiator(ENTITY_TYPE.OSD))).toBe(-13);
      talkWell(osd, other.serviceInitiator(ENTITY_TYPE.OSD));
    }
    expect(talk(w.mon, client.monInitiator())).toBe(-13);
    w.clock.nowMs += 1;
    const anew = w.client();
    talkWell(w.mon, anew.monInitiator());
    talkWell(w.osd, anew.serviceInitiator(ENTITY_TYPE.OSD));
  });

  it("keep a revocation for as long as there are tickets of before, whichever service's last longest", () => {
    const w = world();
    let osdMs = HOUR_MS;
    const { clock, random } = w;
    const ttlMs = (service: number) => (service === ENTITY_TYPE.OSD ? osdMs : 60_000);
    const secrets = new RotatingSecrets({ clock, random, ttlMs });
    const from = { secrets, clock, random };
    const subject = { entity: ALICE, globalId: 1n, caps: {}, keyType: w.key.type };
    const { ticket } = issueTicket(subject, ENTITY_TYPE.OSD, from);
    secrets.revoke(ALICE);
    // Shorter ones make those of before no shorter.
    osdMs = 60_000;
    w.clock.nowMs += HOUR_MS / 2;
    secrets.revoke(BOB);
    expect(openTicket(ticket, ENTITY_TYPE.OSD, secrets)).toBeUndefined();
  });

  it("keep a revocation whatever the name is written with", () => {
    const w = world();
    const named = { type: ENTITY_TYPE.CLIENT, id: "日本é" };
    w.keys.set(named.id, { key: w.key, caps: { mon: "allow r", osd: "allow r" } });
    const client = w.client(named);
    talkWell(w.mon, client.monInitiator());
    talkWell(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD));
    w.secrets.revoke(named);
    const state = w.secrets.encode();
    const secrets = new RotatingSecrets({ clock: w.clock, random: w.random, state });
    expect(secrets.isRevoked(named, w.clock.nowMs)).toBe(true);
    expect(talk(w.osd, client.serviceInitiator(ENTITY_TYPE.OSD))).toBe(-13);
  });

  it("are read from a state of before there were revocations", () => {
    const w = world();
    const client = w.client();
    talkWell(w.mon, client.monInitiator());
    // No revocations are four bytes at the end, and version 2.
    const now = w.secrets.encode();
    const before = Uint8Array.from(now.subarray(0, -4));
    before[0] = 1;
    new DataView(before.buffer).setUint32(2, before.length - 6, true);
    const secrets = new RotatingSecrets({ clock: w.clock, random: w.random, state: before });
    expect(secrets.encode()).toEqual(now);
    const common = { clock: w.clock, random: w.random, secrets };
    const osd = createServiceAuthServer({ ...common, serviceType: ENTITY_TYPE.OSD });
    talkWell(osd, client.serviceInitiator(ENTITY_TYPE.OSD));
  });

  it("keep tickets readable for their whole validity, across rotations and restarts", () => {
    const w = world();
    const client = w.client();
    const { identity } = talkWell(w.mon, client.monInitiator());
    const ids = new Set<bigint>();
    for (let minutes = 0; minutes < 10 * 60; minutes += 7) {
      w.clock.nowMs += 7 * 60 * 1000;
      w.secrets.check();
      const request = client.buildRenewal();
      if (request !== undefined) {
        const reply = w.mon.renew(identity, request);
        client.takeRenewal(reply.errno, reply.blob);
      }
      ids.add(w.secrets.forIssue(ENTITY_TYPE.OSD).id);
      // A worker that only loads the state reads the tickets too.
      const worker = new RotatingSecrets({
        clock: w.clock,
        random: w.random,
        state: w.secrets.encode(),
      });
      const osd = createServiceAuthServer({
        clock: w.clock,
        random: w.random,
        secrets: worker,
        serviceType: ENTITY_TYPE.OSD,
      });
      talkWell(osd, client.serviceInitiator(ENTITY_TYPE.OSD));
    }
    expect(ids.size).toBeGreaterThanOrEqual(9);
    expect([...ids]).toEqual([...ids].sort((a, b) => Number(a - b)));
  });

  it("tell listeners of each rotation, and nothing in between", () => {
    const w = world();
    let told = 0;
    const stop = w.secrets.onRotate(() => void told++);
    w.secrets.check();
    w.secrets.check();
    expect(told).toBe(1);
    w.clock.nowMs += SERVICE_TICKET_TTL_MS * 2;
    w.secrets.check();
    expect(told).toBe(2);
    stop();
    w.clock.nowMs += AUTH_TICKET_TTL_MS;
    expect(w.secrets.check()).toBe(true);
    expect(told).toBe(2);
  });

  it("obey a ttl that was lowered from the next start on, and lose none that is in use", () => {
    const { clock, random, secrets } = world();
    const before = secrets.forIssue(ENTITY_TYPE.OSD);
    expect(before.ttlMs).toBe(HOUR_MS);
    const ttlMs = () => 8000;
    const again = new RotatingSecrets({ clock, random, state: secrets.encode(), ttlMs });
    again.start();
    again.close();
    expect(again.forIssue(ENTITY_TYPE.OSD)).toMatchObject({ id: before.id, ttlMs: 8000 });
    clock.nowMs += 16_000;
    expect(again.forIssue(ENTITY_TYPE.OSD).id).not.toBe(before.id);
    expect(hexOf(again.find(ENTITY_TYPE.OSD, before.id)!)).toBe(hexOf(before.key));
    clock.nowMs += 8000;
    again.check();
    expect(again.find(ENTITY_TYPE.OSD, before.id)).toBeUndefined();
  });

  it("do not load from rubbish", () => {
    const { clock, random, secrets } = world();
    secrets.check();
    const state = secrets.encode();
    for (const length of [0, 1, 6, state.length - 1]) {
      expect(
        () => new RotatingSecrets({ clock, random, state: state.subarray(0, length) }),
      ).toThrow("cannot decode");
    }
  });
});
