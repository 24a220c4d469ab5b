/** Sessions that nobody waits for any more before they are there. */
import { afterEach, expect, test } from "vitest";
import { CephxClient, createMonAuthServer, generateKey, RotatingSecrets } from "../auth/index.ts";
import { type CephError, seededRandom, silentLogger, sleep, systemClock } from "../base/index.ts";
import { ENTITY_TYPE, type EntityAddr } from "../types/index.ts";
import { Messenger } from "./messenger.ts";
import { noneInitiator, noneServer, Recorder } from "./testing/fakes.ts";
import { MemoryNetwork } from "./transport/memory.ts";
import { tcpTransport } from "./transport/tcp.ts";
import type { Transport } from "./transport/transport.ts";

const random = seededRandom(3);
const clock = systemClock;
const open: Messenger[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((messenger) => messenger.close()));
});

function make(transport: Transport, type: number, auth = noneServer) {
  const dispatcher = new Recorder();
  const messenger = new Messenger({
    name: { type, num: 0n },
    transport,
    clock,
    random,
    log: silentLogger,
    dispatcher,
    auth,
  });
  open.push(messenger);
  return { messenger, dispatcher };
}

/** A network that leaves an attempt to connect without an answer, as one that drops packets does. */
const blackHole: Transport = {
  listen: (endpoint, onLink) => tcpTransport.listen(endpoint, onLink),
  connect: (_endpoint, signal) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason as Error));
    }),
};
const NOWHERE = { type: 2, nonce: 0, ip: "127.0.0.1", port: 1 };

test("who is given up before there is a link is not waited for, and the reason is told", async () => {
  const { messenger } = make(blackHole, ENTITY_TYPE.CLIENT);
  const abort = new AbortController();
  const connect = (signal?: AbortSignal) =>
    messenger
      .connect([NOWHERE], ENTITY_TYPE.OSD, noneInitiator, signal === undefined ? {} : { signal })
      .catch((error: unknown) => error);
  const first = connect(abort.signal);
  const second = connect();
  abort.abort("no more");
  expect(await first).toBe("no more");
  expect(await connect(abort.signal)).toBe("no more");
  await messenger.close();
  expect(((await second) as CephError).code).toBe("ESHUTDOWN");
});

test("a TCP connection that is not there yet is given up", async () => {
  const abort = new AbortController();
  const listener = await tcpTransport.listen({ host: "127.0.0.1", port: 0 }, () => undefined);
  const connecting = tcpTransport.connect(listener.endpoint, abort.signal);
  abort.abort(new Error("no more"));
  await expect(connecting).rejects.toThrow("no more");
  await listener.close();
});

test("a monitor that answers when it has been given up gives no identity beside the next one's", async () => {
  let slowMs = 0;
  const network = new MemoryNetwork(clock, {
    delayMs: (from, to) => (from.port === 1 || to.port === 1 ? slowMs : 0),
  });
  const transport = network.transport("127.0.0.1");
  const key = generateKey(random, clock.now());
  let last = 4000n;
  const auth = createMonAuthServer({
    clock,
    random,
    secrets: new RotatingSecrets({ clock, random }),
    keys: () => ({ key, caps: { mon: "allow r", osd: "allow r" } }),
    globalIds: { allocate: () => ++last, wasAllocated: (id) => id <= last },
  });
  const [slow, fast] = [1, 2].map(() => make(transport, ENTITY_TYPE.MON, auth));
  const slowAddr = await slow!.messenger.bind({ host: "127.0.0.1", port: 1 });
  const fastAddr = await fast!.messenger.bind({ host: "127.0.0.1", port: 2 });
  const { messenger, dispatcher } = make(transport, ENTITY_TYPE.CLIENT);
  const entity = { type: ENTITY_TYPE.CLIENT, id: "x" };
  const client = new CephxClient({ entity, key, clock, random });
  const connect = (addr: EntityAddr, signal?: AbortSignal) =>
    messenger.connect(
      [addr],
      ENTITY_TYPE.MON,
      client.monInitiator(),
      signal === undefined ? {} : { signal },
    );
  slowMs = 20;
  const abort = new AbortController();
  const late = connect(slowAddr, abort.signal).catch((error: unknown) => error);
  await sleep(clock, 30);
  abort.abort("too slow");
  const session = await connect(fastAddr);
  const { globalId } = client;
  expect(await late).toBe("too slow");
  await sleep(clock, 200);
  expect(client.globalId).toBe(globalId);
  expect(dispatcher.opened).toEqual([session]);
  // What the client holds is the session's: else no ticket would ever be renewed on it.
  client.dropTicket(ENTITY_TYPE.OSD);
  const { identity } = fast!.dispatcher.opened[0]!;
  expect(auth.renew(identity!, client.buildRenewal()!).errno).toBe(0);
});
