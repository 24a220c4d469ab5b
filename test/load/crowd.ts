/**
 * Those that a server has to bear while others work: sessions that do nothing, peers that never finish a
 * handshake, and a client that asks for more than it will ever read.
 */
import { connect, type Socket } from "node:net";
import { CephxClient, parseKeyring } from "../../src/auth/index.ts";
import { silentLogger, systemClock, systemRandom } from "../../src/base/index.ts";
import { opRead, opStat, opWriteFull } from "../../src/messages/index.ts";
import { type Link, type Transport, tcpTransport } from "../../src/messenger/index.ts";
import { type IoCtx, Rados } from "../../src/rados/index.ts";
import { ADDR_TYPE } from "../../src/types/index.ts";

export interface CrowdOptions {
  /** Port of the monitor, on 127.0.0.1. */
  readonly monPort: number;
  /** Text of the administrator's keyring. */
  readonly keyring: string;
  /** Clients with a session with the monitor and one with the OSD. */
  readonly idle: number;
  /** Links that get a byte a second. */
  readonly slow: number;
}

const POOL = "rbd";
const OBJECT = "crowd";
/** Bytes of the object that the deaf client asks for. */
const OBJECT_BYTES = 4 << 20;
/** Requests of the deaf client: 8 GiB of answers. */
const DEAF_REQUESTS = 2048;
/** Logins under way at a time. */
const LOGINS = 16;
const SLOW_BYTE_MS = 1000;
/** What a handshake begins with: `ceph v2`, and the features of revision 1. */
const BANNER = Buffer.from("636570682076320a100001000000000000000100000000000000", "hex");

/** A transport whose links read no more once `isDeaf`. */
function deafTransport(isDeaf: () => boolean): Transport {
  const deafen = (link: Link): Link => ({
    local: link.local,
    remote: link.remote,
    get queuedBytes() {
      return link.queuedBytes;
    },
    get takenBytes() {
      return link.takenBytes;
    },
    start: (receiver) =>
      link.start({
        target: () => receiver.target(),
        received: (count) => receiver.received(count) && !isDeaf(),
        closed: (reason) => receiver.closed(reason),
        drained: () => receiver.drained(),
      }),
    write: (chunks, taken) => link.write(chunks, taken),
    resume: () => {
      if (!isDeaf()) link.resume();
    },
    destroy: (reason) => link.destroy(reason),
  });
  return {
    listen: (endpoint, onLink) => tcpTransport.listen(endpoint, onLink),
    connect: async (endpoint) => deafen(await tcpTransport.connect(endpoint)),
  };
}

export class Crowd {
  readonly #options: CrowdOptions;
  readonly #clients: Rados[] = [];
  #deaf: Rados | undefined;
  readonly #slow = new Set<Socket>();
  #dripping: NodeJS.Timeout | undefined;
  #osdPort = 0;
  /** Slow links that the server has ended so far. */
  cutOff = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  async gather(): Promise<void> {
    const first = await this.#login();
    const pool = await first.openPool(POOL);
    await pool.write(OBJECT, [opWriteFull(Buffer.alloc(OBJECT_BYTES, 1))]);
    this.#osdPort = first.map.clientAddrs[0]?.[0]?.port ?? 0;
    let left = this.#options.idle - 1;
    const some = async () => {
      while (left-- > 0) {
        const client = await this.#login();
        await (await client.openPool(POOL)).read(OBJECT, [opStat()]);
      }
    };
    await Promise.all(Array.from({ length: LOGINS }, some));
    for (let i = 0; i < this.#options.slow; i++) this.#dawdle(i);
    this.#dripping = setInterval(() => {
      for (const socket of this.#slow) this.#drip(socket);
    }, SLOW_BYTE_MS);
    await this.#goDeaf();
  }

  async disperse(): Promise<void> {
    clearInterval(this.#dripping);
    for (const socket of this.#slow) socket.destroy();
    this.#slow.clear();
    const all = [...this.#clients.splice(0), ...(this.#deaf === undefined ? [] : [this.#deaf])];
    await Promise.all(all.map((client) => client.close()));
  }

  /** Do all idle clients still get an answer? */
  async ask(): Promise<void> {
    for (const client of this.#clients) {
      await (await client.openPool(POOL)).read(OBJECT, [opStat()]);
    }
  }

  async #login(transport: Transport = tcpTransport): Promise<Rados> {
    const { keyring, monPort } = this.#options;
    const entries = parseKeyring(keyring);
    const entry = Array.isArray(entries) ? entries[0] : undefined;
    if (entry === undefined) throw new Error("no key in the keyring");
    const auth = new CephxClient({
      entity: entry.entity,
      key: entry.auth.key,
      clock: systemClock,
      random: systemRandom,
    });
    const client = await Rados.connect({
      monitors: [[{ type: ADDR_TYPE.MSGR2, nonce: 0, ip: "127.0.0.1", port: monPort }]],
      auth,
      transport,
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
    });
    this.#clients.push(client);
    return client;
  }

  /** Half of them at the monitor, half at the OSD. The server ends each in its time; another takes its place. */
  #dawdle(i: number): void {
    const port = i % 2 === 0 ? this.#options.monPort : this.#osdPort;
    const socket = connect(port, "127.0.0.1");
    this.#slow.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", () => undefined);
    socket.on("close", () => {
      if (!this.#slow.delete(socket)) return;
      this.cutOff++;
      this.#dawdle(i);
    });
  }

  /** The next byte of a banner, and after its end of a frame that never ends. */
  #drip(socket: Socket): void {
    socket.write(BANNER.subarray(socket.bytesWritten, socket.bytesWritten + 1));
  }

  /** Its answers pile up at the server, as far as that lets them. */
  async #goDeaf(): Promise<void> {
    let isDeaf = false;
    const client = await this.#login(deafTransport(() => isDeaf));
    const pool: IoCtx = await client.openPool(POOL);
    await pool.read(OBJECT, [opStat()]);
    isDeaf = true;
    for (let i = 0; i < DEAF_REQUESTS; i++) {
      pool.read(OBJECT, [opRead(0, OBJECT_BYTES)]).catch(() => undefined);
    }
    this.#clients.splice(this.#clients.indexOf(client), 1);
    this.#deaf = client;
  }
}
