import { afterEach, describe, expect, test } from "vitest";
import { ManualClock, until } from "../../test/harness/manual-clock.ts";
import { type AuthServer, CON_MODE } from "../auth/index.ts";
import { type Random, seededRandom, silentLogger, systemClock } from "../base/index.ts";
import { DecodeError, decodeFromBytes } from "../encoding/index.ts";
import { ENTITY_TYPE, type EntityAddr, FEATURE_MSG_ADDR2 } from "../types/index.ts";
import type { Connection } from "./api.ts";
import { makeBanner } from "./banner.ts";
import { CONTROL, type ControlTag, type ControlValue, FLAG_LOSSY } from "./control.ts";
import { crcOnWire } from "./crc-on-wire.ts";
import { HANDSHAKE_DEADLINE_MS, HANDSHAKES_MAX } from "./limits.ts";
import { Messenger, type MessengerOptions } from "./messenger.ts";
import { OutQueue } from "./out-queue.ts";
import { TAG } from "./preamble.ts";
import { FeatureError } from "./protocol-error.ts";
import { FAKE_GLOBAL_ID, keyed, noneInitiator, noneServer, Recorder } from "./testing/fakes.ts";
import { Script } from "./testing/script.ts";
import { MemoryNetwork } from "./transport/memory.ts";
import { tcpTransport } from "./transport/tcp.ts";
import type { Transport } from "./transport/transport.ts";

const random: Random = seededRandom(1);
const open: Messenger[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((messenger) => messenger.close()));
});

function make(transport: Transport, type: number, options: Partial<MessengerOptions> = {}) {
  const dispatcher = new Recorder();
  const messenger = new Messenger({
    name: { type, num: type === ENTITY_TYPE.CLIENT ? FAKE_GLOBAL_ID : 3n },
    transport,
    clock: systemClock,
    random,
    log: silentLogger,
    dispatcher,
    ...options,
  });
  open.push(messenger);
  return { messenger, dispatcher };
}

async function pair(transport: Transport, auth: AuthServer = noneServer) {
  const server = make(transport, ENTITY_TYPE.OSD, { auth });
  const client = make(transport, ENTITY_TYPE.CLIENT);
  const addr = await server.messenger.bind({ host: "127.0.0.1", port: 0 });
  return { server, client, addr };
}

const message = (type: number, front: string, data?: Uint8Array) => ({
  type,
  version: 8,
  compatVersion: 3,
  tid: 77,
  front: Buffer.from(front),
  ...(data === undefined ? {} : { data: [data] }),
});

const SECRETS = {
  sessionKey: Buffer.alloc(16, 5),
  connectionSecret: Buffer.from(Array.from({ length: 64 }, (_, i) => 255 - i)),
};

const TRANSPORTS: [string, () => Transport][] = [
  ["memory", () => new MemoryNetwork(systemClock).transport("127.0.0.1")],
  ["tcp", () => tcpTransport],
];

describe.each(TRANSPORTS)("over %s", (_name, transport) => {
  test("both ends learn who the other is", async () => {
    const { server, client, addr } = await pair(transport());
    const near = await client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
    await until(() => server.dispatcher.opened.length === 1);
    const far = server.dispatcher.opened[0]!;
    expect(client.dispatcher.opened).toEqual([near]);
    expect(near.peerName).toEqual({ type: ENTITY_TYPE.OSD, num: 3n });
    expect(near.peerAddr).toEqual(addr);
    expect(far.peerName).toEqual({ type: ENTITY_TYPE.CLIENT, num: FAKE_GLOBAL_ID });
    expect(far.peerAddr).toEqual(client.messenger.addrs[0]);
    expect(far.peerAddr).toMatchObject({ type: 3, ip: "127.0.0.1", port: 0 });
    expect(far.peerAddr.nonce).not.toBe(0);
    expect(far.identity?.entity.id).toBe("admin");
    expect(far.features).toBe(0x3f01cfbdfffdffffn);
  });

  test("messages and replies arrive in order, small ones and large ones", async () => {
    const { server, client, addr } = await pair(transport());
    server.dispatcher.onMessageHook = (far, m) => {
      far.send({ ...message(m.type + 1, "ok", Buffer.from(m.data)), tid: m.tid });
    };
    const near = await client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
    const sizes = [0, 1, 4096, 65_535, 65_536, 1 << 20, 3, 4 << 20, 0];
    for (const [i, size] of sizes.entries()) {
      near.send({ ...message(42, `op ${i}`, Buffer.alloc(size, i)), tid: i });
    }
    await until(() => client.dispatcher.messages.length === sizes.length, 20_000);
    for (const [i, reply] of client.dispatcher.messages.entries()) {
      expect([reply.type, reply.tid, reply.seq, reply.priority]).toEqual([43, i, i + 1, 127]);
      const data = Buffer.from(reply.data);
      expect(data.equals(Buffer.alloc(sizes[i]!, i)), `reply ${i}`).toBe(true);
    }
    expect(server.dispatcher.messages[2]).toMatchObject({ version: 8, compatVersion: 3, seq: 3 });
    expect(server.dispatcher.batches).toBeGreaterThan(0);
  });

  test("closing one end tells the other, each once", async () => {
    const { server, client, addr } = await pair(transport());
    const near = await client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
    await until(() => server.dispatcher.opened.length === 1);
    near.send(message(1, "last words"));
    near.close("done");
    near.close("again");
    near.send(message(1, "dropped"));
    expect(near.isOpen).toBe(false);
    await until(() => server.dispatcher.closed.length === 1);
    expect(client.dispatcher.closed).toEqual(["done"]);
    expect(server.dispatcher.messages.map((m) => String(m.front))).toEqual(["last words"]);
  });

  test("sessions of one who is not wanted any more are closed, and no others", async () => {
    const { server, client, addr } = await pair(transport());
    await client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
    await until(() => server.dispatcher.opened.length === 1);
    const seen: string[] = [];
    const closeIf = (id: string) =>
      server.messenger.closeSessions(({ entity }, sinceMs) => {
        seen.push(`${entity.id} ${sinceMs <= systemClock.now()}`);
        return entity.id === id;
      }, "not wanted");
    closeIf("somebody");
    closeIf("admin");
    await until(() => client.dispatcher.closed.length === 1);
    expect(seen).toEqual(["admin true", "admin true"]);
  });

  test("a paused connection stops reading and goes on where it was", async () => {
    const { server, client, addr } = await pair(transport());
    server.dispatcher.onMessageHook = (far) => far.pause();
    const near = await client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
    for (let i = 0; i < 40; i++) near.send(message(42, "op", Buffer.alloc(1 << 20, i)));
    await until(() => server.dispatcher.messages.length > 0, 20_000);
    const far = server.dispatcher.opened[0]!;
    for (let i = 0; i < 50; i++) await until(() => true, 1);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    expect(server.dispatcher.messages.length).toBeLessThan(40);
    server.dispatcher.onMessageHook = undefined;
    far.resume();
    await until(() => server.dispatcher.messages.length === 40, 20_000);
    expect(server.dispatcher.messages.every((m, i) => m.data[9] === i)).toBe(true);
  });

  test.each([
    ["crc", CON_MODE.CRC],
    ["secure", CON_MODE.SECURE],
  ])("signatures hold and messages pass in %s mode", async (_mode, mode) => {
    const { server: auth, initiator } = keyed(SECRETS, [mode]);
    const { server, client, addr } = await pair(transport(), auth);
    server.dispatcher.onMessageHook = (far, m) => {
      far.send(message(43, "reply", Buffer.from(m.data)));
    };
    const near = await client.messenger.connect([addr], ENTITY_TYPE.OSD, initiator());
    near.send(message(42, "a front of more than forty-eight bytes, to be sure", Buffer.alloc(90)));
    near.send(message(42, "b", Buffer.alloc(100_000, 1)));
    await until(() => client.dispatcher.messages.length === 2, 20_000);
    expect(client.dispatcher.messages[1]!.data.length).toBe(100_000);
  });

  test("nobody at the address rejects", async () => {
    const { server, client, addr } = await pair(transport());
    await server.messenger.close();
    const connecting = client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
    await expect(connecting).rejects.toThrow("ECONNREFUSED");
  });
});

describe("refusals", () => {
  const network = () => new MemoryNetwork(systemClock).transport("127.0.0.1");

  test("a peer with another session key is dropped at its signature", async () => {
    const { server: auth, initiator } = keyed(SECRETS, [CON_MODE.CRC]);
    const { server, client, addr } = await pair(network(), auth);
    const wrong = initiator({ ...SECRETS, sessionKey: Buffer.alloc(16, 6) });
    const connecting = client.messenger.connect([addr], ENTITY_TYPE.OSD, wrong);
    await expect(connecting).rejects.toThrow(/signature mismatch|closed by peer/);
    expect(server.dispatcher.opened).toEqual([]);
  });

  test("a peer that cannot prove itself hears the errno", async () => {
    const { server: auth, initiator } = keyed(SECRETS, [CON_MODE.CRC]);
    const { client, addr } = await pair(network(), auth);
    const connecting = client.messenger.connect([addr], ENTITY_TYPE.OSD, initiator(SECRETS, 7));
    await expect(connecting).rejects.toMatchObject({ code: "EACCES" });
  });

  test("a server that requires what we do not know says so, and we say what it means", async () => {
    const transport = network();
    const requiredFeatures = 1n << 50n;
    const server = make(transport, ENTITY_TYPE.OSD, { auth: noneServer, requiredFeatures });
    const client = make(transport, ENTITY_TYPE.CLIENT);
    const addr = await server.messenger.bind({ host: "127.0.0.1", port: 0 });
    const connecting = client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
    await expect(connecting).rejects.toThrow(FeatureError);
    await expect(connecting).rejects.toThrow("requires features 4000000000000 of its clients");
  });

  test("a method that is not taken is refused with EOPNOTSUPP", async () => {
    const { client, addr } = await pair(network(), keyed(SECRETS, [CON_MODE.CRC]).server);
    const connecting = client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
    await expect(connecting).rejects.toMatchObject({ code: "EOPNOTSUPP" });
  });

  test("a peer of another type than wanted is not talked to", async () => {
    const { client, addr } = await pair(network());
    const connecting = client.messenger.connect([addr], ENTITY_TYPE.MON, noneInitiator);
    await expect(connecting).rejects.toThrow("peer is a osd, wanted a mon");
  });

  test("an ident for an address that is not ours is dropped", async () => {
    const { client, addr } = await pair(network());
    const other = { ...addr, nonce: addr.nonce + 1 };
    const connecting = client.messenger.connect([other], ENTITY_TYPE.OSD, noneInitiator);
    await expect(connecting).rejects.toThrow("closed by peer");
  });

  test("a message the dispatcher cannot decode closes the link and nothing else", async () => {
    const { server, client, addr } = await pair(network());
    server.dispatcher.onMessageHook = (_far, m) => {
      if (m.type === 13) throw new DecodeError("MOSDOp", 0, "hostile");
    };
    const bad = await client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
    const good = await client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
    bad.send(message(13, ""));
    await until(() => client.dispatcher.closed.length === 1);
    expect([bad.isOpen, good.isOpen]).toEqual([false, true]);
    good.send(message(14, ""));
    await until(() => server.dispatcher.messages.some((m) => m.type === 14));
  });

  test("links beyond the bound of handshakes cost the oldest theirs, keep no client out, and end at the deadline", async () => {
    const clock = new ManualClock();
    const transport = new MemoryNetwork(systemClock).transport("127.0.0.1");
    const server = make(transport, ENTITY_TYPE.MON, { auth: noneServer, clock });
    const addr = await server.messenger.bind({ host: "127.0.0.1", port: 0 });
    const { ip, port } = addr;
    const closed: number[] = [];
    for (let i = 0; i < HANDSHAKES_MAX + 2; i++) {
      const link = await transport.connect({ host: ip, port });
      const scratch = Buffer.alloc(100);
      link.start({
        target: () => scratch,
        received: () => true,
        closed: () => closed.push(i),
        drained: () => {},
      });
    }
    await until(() => closed.length === 2);
    expect(closed).toEqual([0, 1]);
    const client = make(transport, ENTITY_TYPE.CLIENT);
    await client.messenger.connect([addr], ENTITY_TYPE.MON, noneInitiator);
    expect(server.dispatcher.opened.length).toBe(1);
    expect(closed).toEqual([0, 1, 2]);
    clock.advance(HANDSHAKE_DEADLINE_MS - 1);
    expect(closed.length).toBe(3);
    clock.advance(2);
    await until(() => closed.length === HANDSHAKES_MAX + 2);
  });
});

describe("a scripted client", () => {
  async function begin() {
    const transport = new MemoryNetwork(systemClock).transport("127.0.0.1");
    const server = make(transport, ENTITY_TYPE.MON, { auth: noneServer });
    const addr = await server.messenger.bind({ host: "127.0.0.1", port: 3300 });
    const script = new Script(await transport.connect({ host: addr.ip, port: addr.port }));
    return { server, addr, script };
  }
  const blank: EntityAddr = { type: 3, nonce: 9, ip: "", port: 0 };
  const request = { method: 1, preferredModes: [2, 1], payload: Buffer.from("me") };
  const ident = (
    target: EntityAddr,
    change: Partial<ControlValue<typeof TAG.CLIENT_IDENT>> = {},
  ) => ({
    addrs: [blank],
    target,
    gid: -1n,
    globalSeq: 1n,
    supported: 0x3f01cfbdfffdffffn,
    required: 0n,
    flags: 0n,
    cookie: 99n,
    ...change,
  });

  async function toIdent() {
    const all = await begin();
    const { script } = all;
    script.write(makeBanner());
    script.send(TAG.HELLO, { entityType: 8, peerAddr: blank });
    script.send(TAG.AUTH_REQUEST, request);
    await script.expectNames("HELLO", "AUTH_DONE", "AUTH_SIGNATURE");
    script.send(TAG.AUTH_SIGNATURE, { signature: Buffer.alloc(32) });
    return all;
  }

  test("with a client's key that says it is an OSD is turned away", async () => {
    const { script, addr, server } = await begin();
    script.write(makeBanner());
    script.send(TAG.HELLO, { entityType: ENTITY_TYPE.OSD, peerAddr: blank });
    script.send(TAG.AUTH_REQUEST, request);
    await script.expectNames("HELLO", "AUTH_DONE", "AUTH_SIGNATURE");
    script.send(TAG.AUTH_SIGNATURE, { signature: Buffer.alloc(32) });
    script.send(TAG.CLIENT_IDENT, ident(addr));
    await until(() => script.isClosed);
    expect(server.dispatcher.opened).toEqual([]);
  });

  test("that tries another method first is let in on the same link, in crc mode", async () => {
    const { script } = await begin();
    script.write(makeBanner());
    script.send(TAG.HELLO, { entityType: 8, peerAddr: blank });
    script.send(TAG.AUTH_REQUEST, { ...request, method: 2 });
    script.send(TAG.AUTH_REQUEST, { ...request, method: 66 });
    script.send(TAG.AUTH_REQUEST, request);
    await script.expectNames(
      "HELLO",
      "AUTH_BAD_METHOD",
      "AUTH_BAD_METHOD",
      "AUTH_DONE",
      "AUTH_SIGNATURE",
    );
    const decode = <T extends ControlTag>(i: number, tag: T) =>
      decodeFromBytes<ControlValue<T>>(CONTROL[tag] as never, script.got[i]!.payload);
    expect(decode(1, TAG.AUTH_BAD_METHOD)).toMatchObject({ result: -95, allowedMethods: [1] });
    expect(decode(2, TAG.AUTH_BAD_METHOD)).toMatchObject({ result: -13 });
    expect(decode(3, TAG.AUTH_DONE)).toMatchObject({ globalId: FAKE_GLOBAL_ID, mode: 1 });
    expect(script.got[4]!.payload).toEqual(Buffer.alloc(32));
  });

  test("whose modes are not taken hears which are, and may try again on the same link", async () => {
    const transport = new MemoryNetwork(systemClock).transport("127.0.0.1");
    const auth = keyed(SECRETS, [CON_MODE.SECURE]).server;
    const server = make(transport, ENTITY_TYPE.OSD, { auth });
    const addr = await server.messenger.bind({ host: "127.0.0.1", port: 0 });
    const script = new Script(await transport.connect({ host: addr.ip, port: addr.port }));
    script.write(makeBanner());
    script.send(TAG.HELLO, { entityType: 8, peerAddr: blank });
    script.send(TAG.AUTH_REQUEST, { ...request, method: 2, preferredModes: [1] });
    script.send(TAG.AUTH_REQUEST, { ...request, method: 2, preferredModes: [] });
    script.send(TAG.AUTH_REQUEST, { method: 2, preferredModes: [1, 2], payload: Buffer.of(42) });
    await script.expectNames("HELLO", "AUTH_BAD_METHOD", "AUTH_BAD_METHOD", "AUTH_REPLY_MORE");
    for (const i of [1, 2]) {
      const answer = decodeFromBytes(CONTROL[TAG.AUTH_BAD_METHOD], script.got[i]!.payload);
      // As a daemon of Ceph 16.2.15 with ms_service_mode = secure answers.
      expect(answer).toEqual({ method: 2, result: -95, allowedMethods: [2], allowedModes: [2] });
    }
  });

  test("of a lossless session is answered with a lossy one", async () => {
    const { script, server, addr } = await toIdent();
    script.send(TAG.CLIENT_IDENT, ident(addr));
    await script.expectNames("HELLO", "AUTH_DONE", "AUTH_SIGNATURE", "SERVER_IDENT");
    const answer = decodeFromBytes(CONTROL[TAG.SERVER_IDENT], script.got[3]!.payload);
    expect(answer).toMatchObject({ gid: 3n, flags: FLAG_LOSSY, cookie: 0n, addrs: [addr] });
    const far = server.dispatcher.opened[0]!;
    expect(far.peerName).toEqual({ type: 8, num: FAKE_GLOBAL_ID });
    expect(far.peerAddr).toEqual({ ...blank, ip: "127.0.0.1" });
  });

  test("that comes back for an unknown session is told to start afresh, and may", async () => {
    const { script, addr } = await toIdent();
    script.send(TAG.SESSION_RECONNECT, {
      addrs: [blank],
      clientCookie: 1n,
      serverCookie: 2n,
      globalSeq: 3n,
      connectSeq: 4n,
      messageSeq: 5n,
    });
    script.send(TAG.CLIENT_IDENT, ident(addr));
    const opening = ["HELLO", "AUTH_DONE", "AUTH_SIGNATURE"];
    await script.expectNames(...opening, "SESSION_RESET", "SERVER_IDENT");
    expect(script.got[3]!.payload).toEqual(Buffer.of(1));
  });

  test("without a feature we need is told which", async () => {
    const { script, addr, server } = await toIdent();
    script.send(TAG.CLIENT_IDENT, ident(addr, { supported: 1n }));
    const opening = ["HELLO", "AUTH_DONE", "AUTH_SIGNATURE"];
    await script.expectNames(...opening, "IDENT_MISSING_FEATURES");
    expect(script.got[3]!.payload.readBigUInt64LE()).toBe(FEATURE_MSG_ADDR2);
    expect(server.dispatcher.opened).toEqual([]);
  });

  test("gets its keepalives back", async () => {
    const { script, addr } = await toIdent();
    script.send(TAG.CLIENT_IDENT, ident(addr));
    script.send(TAG.KEEPALIVE2, { sec: 11, nsec: 12 });
    script.send(TAG.KEEPALIVE2, { sec: 13, nsec: 14 });
    const opening = ["HELLO", "AUTH_DONE", "AUTH_SIGNATURE", "SERVER_IDENT"];
    await script.expectNames(...opening, "KEEPALIVE2_ACK", "KEEPALIVE2_ACK");
    expect(script.got[4]!.payload.readUInt32LE(0)).toBe(11);
    expect(script.got[5]!.payload.readUInt32LE(4)).toBe(14);
  });

  test.each([
    ["an ident before authentication", TAG.CLIENT_IDENT],
    ["a keepalive before a session", TAG.KEEPALIVE2],
    ["AUTH_DONE, which is ours to say", TAG.AUTH_DONE],
    ["a signature before it is due", TAG.AUTH_SIGNATURE],
  ])("%s closes the link", async (_what, tag) => {
    const { script } = await begin();
    script.write(makeBanner());
    script.send(TAG.HELLO, { entityType: 8, peerAddr: blank });
    const out = new OutQueue();
    crcOnWire.seal(out, tag, Buffer.alloc(200), []);
    script.write(Buffer.concat(out.take()));
    await until(() => script.isClosed);
    expect(script.names).toEqual(["HELLO"]);
  });

  test("with a wrong signature is dropped before its ident is read", async () => {
    const { script, server } = await begin();
    script.write(makeBanner());
    script.send(TAG.HELLO, { entityType: 8, peerAddr: blank });
    script.send(TAG.AUTH_REQUEST, request);
    script.send(TAG.AUTH_SIGNATURE, { signature: Buffer.alloc(32, 1) });
    await until(() => script.isClosed);
    expect(server.dispatcher.opened).toEqual([]);
  });

  test("that keeps talking in the handshake is dropped", async () => {
    const { script } = await begin();
    script.write(makeBanner());
    script.send(TAG.HELLO, { entityType: 8, peerAddr: blank });
    for (let i = 0; i < 20; i++) script.send(TAG.AUTH_REQUEST, { ...request, method: 2 });
    await until(() => script.isClosed);
    expect(script.names.filter((name) => name === "AUTH_BAD_METHOD").length).toBe(8);
  });
});

describe("a scripted server", () => {
  const addr: EntityAddr = { type: 2, nonce: 5, ip: "127.0.0.1", port: 7000 };
  const ident = {
    addrs: [addr],
    gid: 3n,
    globalSeq: 1n,
    supported: 0x3f01cfbdfffdffffn,
    required: 0n,
    flags: 0n,
    cookie: 4n,
  };

  /** A server that lets the client in and answers its ident with `answer`. */
  async function begin(answer: ControlValue<typeof TAG.SERVER_IDENT>) {
    const transport = new MemoryNetwork(systemClock).transport("127.0.0.1");
    const scripts: Script[] = [];
    await transport.listen({ host: addr.ip, port: addr.port }, (link) => {
      const script = new Script(link);
      scripts.push(script);
      script.write(makeBanner());
      script.send(TAG.HELLO, { entityType: 4, peerAddr: { ...addr, port: 1 } });
      script.send(TAG.AUTH_DONE, { globalId: 1n, mode: 1, payload: Buffer.alloc(0) });
      script.send(TAG.AUTH_SIGNATURE, { signature: Buffer.alloc(32) });
      script.send(TAG.SERVER_IDENT, answer);
    });
    const client = make(transport, ENTITY_TYPE.CLIENT);
    const connecting = client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
    return { connecting, scripts, client };
  }

  test("that keeps a lossless session gets its messages acknowledged, once a read", async () => {
    const { connecting, scripts, client } = await begin(ident);
    await connecting;
    const out = new OutQueue();
    for (let seq = 1; seq <= 3; seq++) {
      const header = Buffer.alloc(41);
      header.writeUInt32LE(seq, 0);
      crcOnWire.seal(out, TAG.MESSAGE, header, [[Buffer.from("hi")]]);
      // The same message again is no second message.
      crcOnWire.seal(out, TAG.MESSAGE, header, [[Buffer.from("hi")]]);
    }
    scripts[0]!.write(Buffer.concat(out.take()));
    await scripts[0]!.expectNames("HELLO", "AUTH_REQUEST", "AUTH_SIGNATURE", "CLIENT_IDENT", "ACK");
    expect(scripts[0]!.got[4]!.payload.readUInt32LE(0)).toBe(3);
    expect(client.dispatcher.messages.map((m) => m.seq)).toEqual([1, 2, 3]);
  });

  test.each([
    ["is somebody else", { ...ident, addrs: [{ ...addr, nonce: 6 }] }, "peer is not v2:127.0.0.1"],
    ["lacks a feature we need", { ...ident, supported: 1n }, "peer lacks features"],
  ])("that %s is left", async (_what, answer, why) => {
    const { connecting, client } = await begin(answer);
    await expect(connecting).rejects.toThrow(why);
    expect(client.dispatcher.opened).toEqual([]);
  });
});

test("one write per turn: replies of a batch leave together", async () => {
  const writes: number[] = [];
  const network = new MemoryNetwork(systemClock, {
    delayMs: (from, _to, bytes) => {
      if (from.port === 5555) writes.push(bytes);
      return 0;
    },
  });
  const server = make(network.transport("127.0.0.1"), ENTITY_TYPE.OSD, { auth: noneServer });
  const addr = await server.messenger.bind({ host: "127.0.0.1", port: 5555 });
  const client = make(network.transport("127.0.0.2"), ENTITY_TYPE.CLIENT);
  let far: Connection | undefined;
  server.dispatcher.onMessageHook = (connection) => {
    far = connection;
    connection.send(message(43, "reply"));
  };
  const near = await client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
  const before = writes.length;
  for (let i = 0; i < 10; i++) near.send(message(42, "op"));
  const settled = () =>
    new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  await until(() => client.dispatcher.messages.length === 10);
  await settled();
  expect(writes.length).toBe(before + 1);
  // Sends outside a read wait for the end of the turn.
  for (let i = 0; i < 10; i++) far!.send(message(44, "push"));
  expect(far!.queuedBytes).toBeGreaterThan(0);
  await until(() => client.dispatcher.messages.length === 20);
  await settled();
  expect(writes.length).toBe(before + 2);
});

test("a cut network closes both ends", async () => {
  const network = new MemoryNetwork(systemClock);
  const { server, client, addr } = await pair(network.transport("127.0.0.1"));
  await client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
  await until(() => server.dispatcher.opened.length === 1);
  expect(network.cut((a, b) => a.port === addr.port || b.port === addr.port)).toBe(1);
  await until(() => server.dispatcher.closed.length + client.dispatcher.closed.length === 2);
  expect(client.dispatcher.closed).toEqual(["network cut"]);
});
