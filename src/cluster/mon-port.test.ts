import { expect, test } from "vitest";
import { AUTH_METHOD, type AuthServer, CON_MODE } from "../auth/index.ts";
import { seededRandom, silentLogger, systemClock } from "../base/index.ts";
import { type Dispatcher, type Link, MemoryNetwork } from "../messenger/index.ts";
import { MonPort } from "./mon-port.ts";

const PORT = { host: "mon", port: 3300 };
/** As many as the port keeps waiting. */
const WAITING_MAX = 1024;

const auth: AuthServer = {
  methods: [AUTH_METHOD.NONE],
  modes: [CON_MODE.CRC],
  accept: () => expect.unreachable("nobody gets as far as that"),
};
const dispatcher: Dispatcher = { onOpen() {}, onMessage() {}, onClose() {} };

function network() {
  const net = new MemoryNetwork(systemClock);
  const port = new MonPort({
    clock: systemClock,
    random: seededRandom(1),
    log: silentLogger,
    transport: net.transport("mon"),
  });
  return { net, port };
}

/** One end of a connection that counts what it hears. */
async function connect(net: MemoryNetwork, host: string) {
  const link: Link = await net.transport(host).connect(PORT);
  const heard = { bytes: 0, closed: "" };
  const into = Buffer.alloc(4096);
  link.start({
    target: () => into,
    received: (count) => {
      heard.bytes += count;
      return true;
    },
    drained() {},
    closed: (reason) => {
      heard.closed = reason;
    },
  });
  return { link, heard };
}

/** Lets everything that is due happen. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
}

test("peers that come before the monitor hear nothing and stay; when it opens all are let in", async () => {
  const { net, port } = network();
  await port.messenger.bind(PORT);
  const early = [await connect(net, "a"), await connect(net, "b")];
  await settle();
  for (const { heard } of early) expect(heard).toEqual({ bytes: 0, closed: "" });
  port.open(auth, dispatcher);
  const late = await connect(net, "c");
  await settle();
  // A messenger speaks first: its banner and hello.
  for (const { heard } of [...early, late]) {
    expect(heard.bytes).toBeGreaterThan(0);
    expect(heard.closed).toBe("");
  }
  await port.messenger.close();
});

test("what an early peer has already said is not lost", async () => {
  const { net, port } = network();
  await port.messenger.bind(PORT);
  const { link, heard } = await connect(net, "a");
  link.write([Buffer.from("no banner at all, and long enough to be seen as such")]);
  await settle();
  expect(heard.closed).toBe("");
  port.open(auth, dispatcher);
  await settle();
  expect(heard.closed).not.toBe("");
  await port.messenger.close();
});

test("only so many wait: one more is dropped and can try again", async () => {
  const { net, port } = network();
  await port.messenger.bind(PORT);
  for (let i = 0; i < WAITING_MAX; i++) await net.transport(`h${i}`).connect(PORT);
  await settle();
  const { heard } = await connect(net, "late");
  await settle();
  expect(heard.closed).not.toBe("");
  await port.messenger.close();
});

test("before there is a monitor there are no terms to accept a peer on", () => {
  const { port } = network();
  expect(() => port.methods).toThrow(/missing a monitor/);
  port.open(auth, dispatcher);
  expect(port.methods).toBe(auth.methods);
  expect(port.modes).toBe(auth.modes);
});
