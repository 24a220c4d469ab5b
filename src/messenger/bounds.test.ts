/** Links and handshakes that are too much, and peers that do not read: what a messenger bears, and where it ends. */
import { afterEach, expect, test } from "vitest";
import { until } from "../../test/harness/manual-clock.ts";
import { type AcceptorStep, AUTH_METHOD, type AuthServer, CON_MODE } from "../auth/index.ts";
import { seededRandom, silentLogger, systemClock } from "../base/index.ts";
import { ENTITY_TYPE } from "../types/index.ts";
import { makeBanner } from "./banner.ts";
import {
  AUTH_ATTEMPTS_MAX,
  AUTH_BLOB_BYTES_MAX,
  AUTH_ROUNDS_MAX,
  QUEUE_BYTES_MAX,
  QUEUE_BYTES_PAUSE,
  TRANSCRIPT_BYTES_MAX,
} from "./limits.ts";
import { Messenger } from "./messenger.ts";
import { TAG } from "./preamble.ts";
import { FAKE_GLOBAL_ID, noneInitiator, noneServer, Recorder } from "./testing/fakes.ts";
import { Script } from "./testing/script.ts";
import { MemoryNetwork } from "./transport/memory.ts";
import type { Link, Transport } from "./transport/transport.ts";

/** Of a server here: 4096 take their time. */
const LINKS = 20;

const open: Messenger[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((messenger) => messenger.close()));
});

function make(transport: Transport, type: number, auth = noneServer) {
  const dispatcher = new Recorder();
  const messenger = new Messenger({
    name: { type, num: type === ENTITY_TYPE.CLIENT ? FAKE_GLOBAL_ID : 3n },
    transport,
    clock: systemClock,
    random: seededRandom(type),
    log: silentLogger,
    dispatcher,
    auth,
    linksMax: LINKS,
  });
  open.push(messenger);
  return { messenger, dispatcher };
}

const words = (front: string) => ({
  type: 42,
  version: 1,
  compatVersion: 1,
  front: Buffer.from(front),
});

/** Links that are accepted, or those that are dialled, hold as much unsent as the test says, whatever they were given. */
class FullNetwork implements Transport {
  readonly #inner = new MemoryNetwork(systemClock).transport("127.0.0.1");
  queuedBytes = 0;
  /** That end, as the messenger was told of it. */
  onDrained: (() => void) | undefined;
  readonly #which: "accepted" | "dialled";

  constructor(which: "accepted" | "dialled") {
    this.#which = which;
  }

  connect: Transport["connect"] = async (endpoint) => {
    const link = await this.#inner.connect(endpoint);
    return this.#which === "dialled" ? this.#full(link) : link;
  };
  listen: Transport["listen"] = (endpoint, onLink) =>
    this.#inner.listen(endpoint, (link) =>
      onLink(this.#which === "accepted" ? this.#full(link) : link),
    );

  #full(link: Link): Link {
    const queued = () => this.queuedBytes;
    return {
      local: link.local,
      remote: link.remote,
      takenBytes: 0,
      get queuedBytes() {
        return queued();
      },
      start: (receiver) => {
        this.onDrained = () => receiver.drained();
        link.start(receiver);
      },
      write: (chunks, taken) => link.write(chunks, taken),
      resume: () => link.resume(),
      destroy: (reason) => link.destroy(reason),
    };
  }
}

async function fullPair(which: "accepted" | "dialled" = "accepted") {
  const network = new FullNetwork(which);
  const server = make(network, ENTITY_TYPE.OSD);
  const client = make(network, ENTITY_TYPE.CLIENT);
  const addr = await server.messenger.bind({ host: "127.0.0.1", port: 0 });
  const there = await client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
  return { network, server, client, there, here: server.dispatcher.opened[0]! };
}

test("as many links as there may be are sessions; one more is closed unheard, until there is room", async () => {
  const network = new MemoryNetwork(systemClock);
  const transport = network.transport("127.0.0.1");
  const server = make(transport, ENTITY_TYPE.OSD);
  const client = make(transport, ENTITY_TYPE.CLIENT);
  const addr = await server.messenger.bind({ host: "127.0.0.1", port: 0 });
  const connect = () => client.messenger.connect([addr], ENTITY_TYPE.OSD, noneInitiator);
  const first = await connect();
  for (let i = 1; i < LINKS; i++) await connect();
  expect(server.dispatcher.opened.length).toBe(LINKS);
  await expect(connect()).rejects.toThrow("closed by peer");
  expect(server.dispatcher.closed).toEqual([]);
  first.close("enough");
  await until(() => server.dispatcher.closed.length === 1);
  expect((await connect()).isOpen).toBe(true);
});

test("who leaves unread what the bound allows is read from; beyond it no more, until it has read", async () => {
  const { network, server, there, here } = await fullPair();
  const heard = () => server.dispatcher.messages.map(({ front }) => Buffer.from(front).toString());
  const hears = async (front: string) => {
    there.send(words(front));
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    return heard().includes(front);
  };
  network.queuedBytes = QUEUE_BYTES_PAUSE;
  here.send(words("an answer"));
  expect(await hears("at the bound")).toBe(true);
  network.queuedBytes = QUEUE_BYTES_PAUSE + 1;
  here.send(words("another"));
  // What had arrived before the answer left is heard still.
  await hears("on the way");
  expect(await hears("past it")).toBe(false);
  expect(here.isOpen).toBe(true);
  network.queuedBytes = 0;
  network.onDrained?.();
  expect(await hears("when it has read")).toBe(true);
  expect(heard()).toContain("past it");
});

test("who leaves more unread than there can be memory for loses its link", async () => {
  const { network, server, here } = await fullPair();
  network.queuedBytes = QUEUE_BYTES_MAX;
  here.send(words("an answer"));
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  expect(here.isOpen).toBe(true);
  network.queuedBytes = QUEUE_BYTES_MAX + 1;
  here.send(words("another"));
  await until(() => server.dispatcher.closed.length === 1);
  expect(here.isOpen).toBe(false);
});

test("who asks reads the answers and keeps its link, however much of what it asks is not sent yet", async () => {
  const { network, client, there, here } = await fullPair("dialled");
  network.queuedBytes = QUEUE_BYTES_MAX + 1;
  for (let i = 1; i <= 3; i++) {
    there.send(words("a request"));
    here.send(words("an answer"));
    await until(() => client.dispatcher.messages.length === i);
  }
  expect(there.isOpen).toBe(true);
});

/** Has a word for every blob, and never enough of them. */
const insatiable: AuthServer = {
  methods: [AUTH_METHOD.CEPHX],
  modes: [CON_MODE.CRC],
  accept: () => ({ next: (): AcceptorStep => ({ kind: "more", blob: Uint8Array.of(1) }) }),
};

/** A client that has said hello, and asks with the methods and blobs that a test gives it. */
async function stranger() {
  const transport = new MemoryNetwork(systemClock).transport("127.0.0.1");
  const { messenger } = make(transport, ENTITY_TYPE.MON, insatiable);
  const { ip, port } = await messenger.bind({ host: "127.0.0.1", port: 0 });
  const script = new Script(await transport.connect({ host: ip, port }));
  script.write(makeBanner());
  const peerAddr = { type: 3, nonce: 9, ip: "", port: 0 };
  script.send(TAG.HELLO, { entityType: ENTITY_TYPE.CLIENT, peerAddr });
  await script.expectNames("HELLO");
  const ask = (method: number, payload = Buffer.of(1)) =>
    script.send(TAG.AUTH_REQUEST, { method, preferredModes: [CON_MODE.CRC], payload });
  const goOn = (payload = Buffer.of(1)) => script.send(TAG.AUTH_REQUEST_MORE, { payload });
  return { script, ask, goOn };
}

test("a link may ask with as many methods as are allowed, and is closed at the next", async () => {
  const { script, ask } = await stranger();
  const refused = Array.from({ length: AUTH_ATTEMPTS_MAX }, () => "AUTH_BAD_METHOD");
  for (const _ of refused) ask(AUTH_METHOD.NONE);
  await script.expectNames("HELLO", ...refused);
  expect(script.isClosed).toBe(false);
  ask(AUTH_METHOD.NONE);
  await until(() => script.isClosed);
  expect(script.names).toEqual(["HELLO", ...refused]);
});

test("a conversation has as many rounds as are allowed, and the link is closed at the next", async () => {
  const { script, ask, goOn } = await stranger();
  const rounds = Array.from({ length: AUTH_ROUNDS_MAX + 1 }, () => "AUTH_REPLY_MORE");
  ask(AUTH_METHOD.CEPHX);
  for (const _ of rounds.slice(1)) goOn();
  await script.expectNames("HELLO", ...rounds);
  expect(script.isClosed).toBe(false);
  goOn();
  await until(() => script.isClosed);
  expect(script.names).toEqual(["HELLO", ...rounds]);
});

test("what has to be kept of a handshake until it is signed is bounded", async () => {
  const { script, ask, goOn } = await stranger();
  const blob = Buffer.alloc(AUTH_BLOB_BYTES_MAX);
  // Refused ones count, too; the hello and the frames around the blobs are what makes it too much.
  const whole = TRANSCRIPT_BYTES_MAX / blob.length;
  expect(whole).toBeLessThanOrEqual(AUTH_ATTEMPTS_MAX + AUTH_ROUNDS_MAX);
  for (let i = 1; i < AUTH_ATTEMPTS_MAX; i++) ask(AUTH_METHOD.NONE, blob);
  ask(AUTH_METHOD.CEPHX, blob);
  for (let i = AUTH_ATTEMPTS_MAX + 1; i < whole; i++) goOn(blob);
  await until(() => script.names.length === whole);
  expect(script.isClosed).toBe(false);
  goOn(blob);
  await until(() => script.isClosed);
  expect(script.names).toHaveLength(whole);
});
