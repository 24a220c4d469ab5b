/** Method none, and which methods and modes a server takes. */
import { describe, expect, it } from "vitest";
import { seededRandom, systemClock } from "../base/index.ts";
import { ENTITY_TYPE } from "../types/index.ts";
import { AUTH_METHOD, CON_MODE } from "./auth-method.ts";
import { RotatingSecrets } from "./cephx/rotating-secrets.ts";
import { createNoneInitiator } from "./none.ts";
import { createMonAuthServer, createServiceAuthServer } from "./server.ts";

const ADMIN = { type: ENTITY_TYPE.CLIENT, id: "admin" };
const random = seededRandom(1);
const secrets = new RotatingSecrets({ clock: systemClock, random });
const common = { clock: systemClock, random, secrets, methods: [AUTH_METHOD.NONE] };

function monitor() {
  let last = 10n;
  const globalIds = { allocate: () => ++last, wasAllocated: (id: bigint) => id <= last };
  return createMonAuthServer({ ...common, keys: () => undefined, globalIds });
}
const osd = createServiceAuthServer({ ...common, serviceType: ENTITY_TYPE.OSD });

describe("method none", () => {
  it("sends a monitor what librados 16.2.15 sends, and is let in with a new id and all caps", () => {
    const initiator = createNoneInitiator(ADMIN, { peer: "mon" });
    const blob = Buffer.from(initiator.begin());
    expect(blob.toString("hex")).toBe("0a080000000500000061646d696e0000000000000000");
    expect(monitor().accept(AUTH_METHOD.NONE, CON_MODE.CRC).next(blob)).toMatchObject({
      kind: "done",
      identity: { entity: ADMIN, globalId: 11n, caps: { mon: "allow *", osd: "allow *" } },
      secrets: { sessionKey: new Uint8Array(0) },
    });
  });

  it("keeps a global id that was given out, and replaces one that was not", () => {
    const ask = (globalId: bigint) =>
      monitor()
        .accept(AUTH_METHOD.NONE, CON_MODE.CRC)
        .next(createNoneInitiator(ADMIN, { peer: "mon", globalId }).begin());
    expect(ask(9n)).toMatchObject({ identity: { globalId: 9n } });
    expect(ask(999n)).toMatchObject({ identity: { globalId: 11n } });
  });

  it("tells a service who comes", () => {
    const blob = createNoneInitiator(ADMIN, { peer: "service", globalId: 7n }).begin();
    const step = osd.accept(AUTH_METHOD.NONE, CON_MODE.CRC).next(blob);
    expect(step).toMatchObject({ kind: "done", identity: { entity: ADMIN, globalId: 7n } });
    expect(monitor().accept(AUTH_METHOD.NONE, CON_MODE.CRC).next(blob).kind).toBe("bad");
  });

  it("cannot be secure, and refuses emptiness", () => {
    const blob = createNoneInitiator(ADMIN, { peer: "mon" }).begin();
    expect(monitor().accept(AUTH_METHOD.NONE, CON_MODE.SECURE).next(blob)).toEqual({
      kind: "bad",
      errno: -95,
    });
    expect(osd.accept(AUTH_METHOD.NONE, CON_MODE.CRC).next(new Uint8Array(0))).toEqual({
      kind: "bad",
      errno: -13,
    });
  });

  it("is refused where only cephx is taken, and the other way round", () => {
    const strict = createServiceAuthServer({
      ...common,
      methods: [AUTH_METHOD.CEPHX],
      serviceType: 4,
    });
    const blob = createNoneInitiator(ADMIN, { peer: "service", globalId: 7n }).begin();
    expect(strict.accept(AUTH_METHOD.NONE, CON_MODE.CRC).next(blob)).toEqual({
      kind: "bad",
      errno: -95,
    });
    expect(osd.accept(AUTH_METHOD.CEPHX, CON_MODE.CRC).next(blob)).toEqual({
      kind: "bad",
      errno: -95,
    });
    expect(osd.accept(99, CON_MODE.CRC).next(blob)).toEqual({ kind: "bad", errno: -95 });
  });
});
