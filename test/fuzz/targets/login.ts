/**
 * Logins that are nearly right, at a monitor and at an OSD, from the banner to the established session: every
 * control frame and every blob in it, tickets and proofs, changed before it is sealed and signed. Nobody gets
 * in as anyone else, and nobody without the key gets in at all.
 */
import {
  AUTH_TICKET_TTL_MS,
  type AuthIdentity,
  type AuthInitiator,
  type AuthServer,
  CephxClient,
  CON_MODE,
  type CryptoKey,
  createMonAuthServer,
  createServiceAuthServer,
  type EntityAuth,
  generateKey,
  KEY_TYPES,
  keyTypeOf,
  type MonAuthServer,
  RotatingSecrets,
} from "../../../src/auth/index.ts";
import {
  CephError,
  type Clock,
  seededRandom,
  silentLogger,
  systemClock,
  type Timer,
} from "../../../src/base/index.ts";
import { DecodeError } from "../../../src/encoding/index.ts";
import {
  type ControlTag,
  type ControlValue,
  encodeControl,
  SIGNATURE_SIZE,
} from "../../../src/messenger/control.ts";
import { crcOnWire } from "../../../src/messenger/crc-on-wire.ts";
import { FrameParser } from "../../../src/messenger/frame.ts";
import type { HandshakeLink } from "../../../src/messenger/handshake.ts";
import {
  type Connection,
  type Endpoint,
  type Link,
  MemoryNetwork,
  Messenger,
  ProtocolError,
} from "../../../src/messenger/index.ts";
import { InitiatorHandshake } from "../../../src/messenger/initiator-handshake.ts";
import { createOnWire } from "../../../src/messenger/modes.ts";
import type { OnWire } from "../../../src/messenger/on-wire.ts";
import { OutQueue } from "../../../src/messenger/out-queue.ts";
import { HEADER2_SIZE, TAG, tagName } from "../../../src/messenger/preamble.ts";
import { ADDR_TYPE, ENTITY_TYPE, type EntityAddr } from "../../../src/types/index.ts";
import { type Dice, mutated, pick } from "../mutate.ts";
import type { Target } from "../target.ts";

const CAPS = { mon: "allow r", osd: "allow rwx pool=a" };
const BLANK: EntityAddr = { type: ADDR_TYPE.ANY, nonce: 9, ip: "", port: 0 };
const TAGS = Object.values(TAG).filter((tag) => tag !== TAG.MESSAGE);

/** Where one listens, and the address that clients are told, with its nonce. */
interface Door extends Endpoint {
  readonly addr: EntityAddr;
}

/** Who tries to get in: one with her key, and one who has a key of somebody else's. */
const ALICE = { type: ENTITY_TYPE.CLIENT, id: "alice" };
const VICTIM = { type: ENTITY_TYPE.CLIENT, id: "admin" };

/** The real one, which knows whether anything deferred is still to come: then nobody has more to say. */
class CountingClock implements Clock {
  pending = 0;

  now(): number {
    return systemClock.now();
  }
  monotonic(): number {
    return systemClock.monotonic();
  }
  after(delayMs: number, fn: () => void): Timer {
    return systemClock.after(delayMs, fn);
  }
  every(periodMs: number, fn: () => void): Timer {
    return systemClock.every(periodMs, fn);
  }
  defer(fn: () => void): void {
    this.pending++;
    systemClock.defer(() => {
      this.pending--;
      fn();
    });
  }

  /** Until nothing moves any more, or `isOver`. */
  async settle(isOver: () => boolean = () => false): Promise<void> {
    do await new Promise(setImmediate);
    while (this.pending > 0 && !isOver());
  }
}

/** A client's end of a link that lies, once in a while, in what it sends. */
class Liar implements HandshakeLink {
  readonly remote: EntityAddr;
  readonly said: string[] = [];
  readonly #dice: Dice;
  readonly #link: Link;
  readonly #samples: Buffer[] = [];
  #onWire: OnWire = crcOnWire;
  readonly #parser: FrameParser;
  #handshake: InitiatorHandshake | undefined;
  /** There is nothing more to say: it is in a session, or the link is closed. */
  isOver = false;
  isClosed = false;
  /** Its signature was not the right one. */
  isForger = false;

  constructor(link: Link, at: Door, dice: Dice) {
    this.remote = at.addr;
    this.#dice = dice;
    this.#link = link;
    this.#parser = new FrameParser({
      onBanner: (features, raw) => this.#handshake?.onBanner(features, raw),
      onControl: (tag, payload, raw) => this.#handshake?.onControl(tag, payload, raw),
      onMessageFrame: () => undefined,
    });
    link.start({
      target: () => this.#parser.target(),
      received: (count) => this.#received(count),
      closed: () => {
        this.isOver = true;
        this.isClosed = true;
      },
      drained: () => undefined,
    });
  }

  start(auth: AuthInitiator, peerType: number, gid: bigint): void {
    this.#handshake = new InitiatorHandshake(this, {
      entityType: ENTITY_TYPE.CLIENT,
      peerType,
      target: this.remote,
      auth,
      gid,
      requiredFeatures: 0n,
      nextGlobalSeq: () => 1n,
      learnAddr: () => [BLANK],
    });
    this.#handshake.start();
  }

  /** What the server says may make no sense to us after what we have said. */
  #received(count: number): boolean {
    try {
      this.#parser.received(count);
    } catch (error) {
      const isExpected =
        error instanceof DecodeError ||
        error instanceof ProtocolError ||
        error instanceof CephError;
      if (!isExpected) throw error;
      this.#link.destroy("enough");
    }
    return true;
  }

  sendBytes(bytes: Uint8Array): void {
    const lie = this.#dice.below(20) === 0;
    this.#link.write([lie ? mutated(this.#dice, bytes, [bytes]) : Buffer.from(bytes)]);
  }

  sendControl<T extends ControlTag>(tag: T, value: ControlValue<T>): Uint8Array {
    let payload = encodeControl(tag, value);
    let sentAs: number = tag;
    this.#samples.push(payload);
    if (this.#dice.below(4) === 0) payload = mutated(this.#dice, payload, this.#samples);
    if (tag === TAG.AUTH_SIGNATURE) {
      // More after it is passed over, as in every control frame.
      const [right, sent] = [encodeControl(tag, value), payload.subarray(0, SIGNATURE_SIZE)];
      this.isForger = !sent.equals(right);
    }
    if (this.#dice.below(40) === 0) sentAs = pick(this.#dice, TAGS);
    const out = new OutQueue();
    this.#onWire.seal(out, sentAs, payload, []);
    if (this.#dice.below(40) === 0) this.#onWire.seal(out, sentAs, payload, []);
    const bytes = Buffer.concat(out.take());
    this.said.push(`${tagName(sentAs)} ${payload.toString("hex")}`);
    this.#link.write([bytes]);
    return bytes;
  }

  useMode(mode: number, secrets: Parameters<HandshakeLink["useMode"]>[1]): void {
    this.#onWire = createOnWire(mode, secrets, "initiator");
    this.#parser.onWire = this.#onWire;
  }

  established(): void {
    this.isOver = true;
    // Whatever the server says in the session is nothing to us.
    this.#handshake = undefined;
    this.#parser.messagesAllowed = true;
  }

  /** Goes on to talk, if it is in a session: frames of every kind, most of them wrong in it. */
  chatter(): void {
    if (!this.isOver || this.isClosed) return;
    const out = new OutQueue();
    for (let n = this.#dice.below(5) - 1; n > 0; n--) {
      const [payload, front] = [pick(this.#dice, this.#samples), pick(this.#dice, this.#samples)];
      if (this.#dice.below(3) === 0) {
        const tag = pick(this.#dice, TAGS);
        this.said.push(tagName(tag));
        this.#onWire.seal(out, tag, mutated(this.#dice, payload, this.#samples), []);
      } else {
        const header = Buffer.alloc(HEADER2_SIZE);
        header.writeUInt32LE(n, 0);
        const told = mutated(this.#dice, header, [header]);
        // A message's header has its size, whatever is in it.
        told.copy(header, 0, 0, HEADER2_SIZE);
        this.said.push(`message ${header.toString("hex")}`);
        this.#onWire.seal(out, TAG.MESSAGE, header, [[front], [], [payload]]);
      }
    }
    const bytes = out.take();
    if (bytes.length > 0) this.#link.write([Buffer.concat(bytes)]);
  }

  debug(): void {}

  close(): void {
    this.#link.destroy("done");
  }
}

/** A monitor's and an OSD's messengers, who has got in there, and what a client needs to try. */
class Doors {
  readonly clock = new CountingClock();
  readonly random = seededRandom(42);
  readonly secrets = new RotatingSecrets({ clock: systemClock, random: this.random });
  readonly #keys: ReadonlyMap<string, EntityAuth>;
  readonly transport = new MemoryNetwork(this.clock).transport("127.0.0.1");
  readonly opened: Connection[] = [];
  readonly #messengers: Messenger[] = [];
  readonly mon: MonAuthServer;
  readonly key: CryptoKey;
  lastId = 4000n;

  /** @param keyType the name of a type: everybody's keys are of it */
  constructor(keyType: string) {
    const type = keyTypeOf(keyType);
    const auth = () => ({ key: generateKey(this.random, 0, type), caps: CAPS });
    this.#keys = new Map([
      ["alice", auth()],
      ["admin", { ...auth(), caps: { mon: "allow *", osd: "allow *" } }],
    ]);
    this.key = this.#keys.get("alice")!.key;
    this.mon = createMonAuthServer({
      clock: systemClock,
      random: this.random,
      secrets: this.secrets,
      globalIds: { allocate: () => ++this.lastId, wasAllocated: (id) => id <= this.lastId },
      keys: ({ type, id }) => (type === ENTITY_TYPE.CLIENT ? this.#keys.get(id) : undefined),
    });
  }

  async open(type: number): Promise<Door> {
    const auth: AuthServer =
      type === ENTITY_TYPE.MON
        ? this.mon
        : createServiceAuthServer({
            clock: systemClock,
            random: this.random,
            secrets: this.secrets,
            serviceType: type,
          });
    const messenger = new Messenger({
      name: { type, num: 0n },
      transport: this.transport,
      clock: this.clock,
      random: this.random,
      log: silentLogger,
      auth,
      dispatcher: {
        onOpen: (connection) => this.opened.push(connection),
        onMessage: () => undefined,
        onClose: () => undefined,
      },
    });
    this.#messengers.push(messenger);
    const addr = await messenger.bind({ host: "127.0.0.1", port: 0 });
    return { host: addr.ip, port: addr.port, addr };
  }

  client(entity = ALICE, clock = systemClock): CephxClient {
    return new CephxClient({ entity, key: this.key, clock, random: this.random });
  }
}

/** Never lies. */
const truthful: Dice = { ...seededRandom(1), below: () => 1 };

const modes = (dice: Dice) => [pick(dice, [CON_MODE.CRC, CON_MODE.SECURE])];

/** One attempt; whoever got in by it. */
async function attempt(
  doors: Doors,
  at: Door,
  dice: Dice,
  who: { auth: AuthInitiator; peerType: number; gid: bigint },
): Promise<{ said: string; in: Connection | undefined }> {
  doors.opened.length = 0;
  const liar = new Liar(await doors.transport.connect(at), at, dice);
  liar.start(who.auth, who.peerType, who.gid);
  await doors.clock.settle(() => liar.isOver);
  const [connection] = doors.opened;
  if (connection !== undefined && liar.isForger) throw new Error("got in by a wrong signature");
  liar.chatter();
  await doors.clock.settle();
  liar.close();
  await doors.clock.settle();
  return { said: liar.said.join("\n"), in: connection };
}

/** A client that is in a session all the while, and what must not change by others' attempts. */
interface Bystander {
  /** Throws if either has changed, or nobody has got in: then the fuzzer knocks at a wall. */
  check(): void;
  /** Somebody got in, as who she is. */
  gotIn(): void;
}

async function createBystander(
  doors: Doors,
  at: Door,
  client: CephxClient,
  peerType: number,
): Promise<Bystander> {
  const liar = new Liar(await doors.transport.connect(at), at, truthful);
  const isMonitor = peerType === ENTITY_TYPE.MON;
  const auth = isMonitor ? client.monInitiator() : client.serviceInitiator(peerType);
  liar.start(auth, peerType, isMonitor ? -1n : client.globalId);
  await doors.clock.settle(() => liar.isOver);
  const secrets = Buffer.from(doors.secrets.encode());
  let successes = 0;
  return {
    gotIn: () => successes++,
    check() {
      if (liar.isClosed) throw new Error("somebody else's session has ended");
      if (!secrets.equals(doors.secrets.encode())) throw new Error("the secrets have changed");
      if (successes === 0) throw new Error("nobody has got in");
    },
  };
}

/** A client's first login to the monitor, without a lie. */
async function logIn(doors: Doors, monitor: Door, client: CephxClient): Promise<AuthIdentity> {
  const auth = client.monInitiator();
  const who = { auth, peerType: ENTITY_TYPE.MON, gid: -1n };
  const identity = (await attempt(doors, monitor, truthful, who)).in?.identity;
  if (identity === undefined) throw new Error("the first login failed");
  return identity;
}

function mustBeAlice(
  connection: Connection | undefined,
  caps: object,
  ids: (id: bigint) => boolean,
) {
  if (connection === undefined) return;
  const { identity, peerName } = connection;
  const isRight =
    identity?.entity.type === ALICE.type &&
    identity.entity.id === ALICE.id &&
    JSON.stringify(identity.caps) === JSON.stringify(caps) &&
    ids(identity.globalId) &&
    peerName.num === identity.globalId;
  if (!isRight)
    throw new Error(
      `got in as ${JSON.stringify(identity, (_, x: unknown) => (typeof x === "bigint" ? `${x}` : x))}`,
    );
}

const monitorLogins = (keyType: string): Target => ({
  name: `logins to a monitor, ${keyType}`,
  share: 0.15,
  async open() {
    const doors = new Doors(keyType);
    const at = await doors.open(ENTITY_TYPE.MON);
    const returning = doors.client();
    await logIn(doors, at, returning);
    const bystander = await createBystander(doors, at, doors.client(), ENTITY_TYPE.MON);
    return {
      check: () => bystander.check(),
      async feed(dice) {
        const isStranger = dice.below(4) === 0;
        const client = isStranger
          ? doors.client(VICTIM)
          : dice.below(2) === 0
            ? returning
            : doors.client();
        const before = doors.lastId;
        const own = client.globalId;
        const auth = client.monInitiator(modes(dice));
        const gid = client.globalId === 0n ? -1n : client.globalId;
        const result = await attempt(doors, at, dice, { auth, peerType: ENTITY_TYPE.MON, gid });
        if (isStranger && result.in !== undefined) throw new Error("got in without the key");
        if (isStranger && doors.lastId !== before) throw new Error("an id for a stranger");
        mustBeAlice(result.in, CAPS, (id) => id === own || (id > before && id === doors.lastId));
        if (result.in !== undefined) bystander.gotIn();
        return result.said;
      },
    };
  },
});

const osdLogins = (keyType: string): Target => ({
  name: `logins to an OSD, ${keyType}`,
  share: 0.15,
  async open() {
    const doors = new Doors(keyType);
    const mon = await doors.open(ENTITY_TYPE.MON);
    const at = await doors.open(ENTITY_TYPE.OSD);
    const client = doors.client();
    await logIn(doors, mon, client);
    const bystander = await createBystander(doors, at, client, ENTITY_TYPE.OSD);
    return {
      check: () => bystander.check(),
      async feed(dice) {
        const auth = client.serviceInitiator(ENTITY_TYPE.OSD, modes(dice));
        const who = { auth, peerType: ENTITY_TYPE.OSD, gid: client.globalId };
        const result = await attempt(doors, at, dice, who);
        mustBeAlice(result.in, { osd: CAPS.osd }, (id) => id === client.globalId);
        if (result.in !== undefined) bystander.gotIn();
        return result.said;
      },
    };
  },
});

const renewals = (keyType: string): Target => ({
  name: `renewals, ${keyType}`,
  share: 0.5,
  async open() {
    const doors = new Doors(keyType);
    const at = await doors.open(ENTITY_TYPE.MON);
    let late = 0;
    const client = doors.client(ALICE, { ...systemClock, now: () => systemClock.now() + late });
    const identity = await logIn(doors, at, client);
    return {
      feed(dice) {
        // Either services' tickets by the one for the monitor, or that one too.
        late = dice.below(2) * 0.9 * AUTH_TICKET_TTL_MS;
        client.dropTicket(ENTITY_TYPE.OSD);
        const blob = client.buildRenewal();
        if (blob === undefined) throw new Error("nothing to renew");
        const sent = mutated(dice, blob, [blob]);
        doors.mon.renew(identity, sent);
        return sent.toString("hex");
      },
    };
  },
});

export const loginTargets: readonly Target[] = KEY_TYPES.flatMap((keyType) => [
  monitorLogins(keyType),
  osdLogins(keyType),
  renewals(keyType),
]);
