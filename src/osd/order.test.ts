/** The order of requests under all that they may have to wait for, at random: maps, splits, copies, memory. */
import { expect, test } from "vitest";
import { seededRandom } from "../base/index.ts";
import { newPool, pgKey } from "../maps/index.ts";
import { opAppend, opCopyFrom, opRead, opWriteFull } from "../messages/index.ts";
import { BULK_READ_BYTES_MAX } from "./limits.ts";
import { PG_NUM, POOL, type TestClient, TestOsd } from "./testing/osd-fixture.ts";

const OBJECTS = Array.from({ length: 6 }, (_, i) => `o${i}`);
/** Others, so that a PG takes some turns to be taken apart. */
const FILL = Array.from({ length: 60 }, (_, i) => `fill${i}`);
const STEPS = 160;
/** A pool of one PG, for copies that need not wait for a split. */
const ELSEWHERE = 2;

interface Write {
  readonly client: TestClient;
  readonly oid: string;
  readonly tid: number;
}

/** One OSD and its clients, who do something at random at every step. */
class Crowd {
  readonly #random: ReturnType<typeof seededRandom>;
  readonly #osd = new TestOsd();
  readonly #clients: TestClient[] = [];
  readonly writes: Write[] = [];
  #nextClient = 4100;
  #pgNum = PG_NUM;
  /** Epochs by which clients are ahead of the OSD. */
  #ahead = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#osd.changeMap((inc) => {
      inc.newPools.set(ELSEWHERE, newPool({ pgNum: 1, size: 1 }));
      inc.newPgTemp.set(pgKey({ pool: ELSEWHERE, seed: 0 }), [0]);
    });
  }

  #below(n: number): number {
    return Buffer.from(this.#random.bytes(4)).readUInt32LE(0) % n;
  }

  #any<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!;
  }

  #connect(): TestClient {
    return this.#osd.client(this.#nextClient++);
  }

  async run(): Promise<void> {
    const first = this.#connect();
    for (const oid of [...OBJECTS, ...FILL]) await first.op(oid, [opWriteFull(Buffer.of(0))]);
    for (let i = 0; i < 3; i++) this.#clients.push(this.#connect());
    for (let step = 0; step < STEPS; step++) await this.#step();
    this.#catchUp();
    for (let i = 0; i < 200; i++) {
      this.#osd.clock.settle();
      await Promise.resolve();
    }
  }

  async #step(): Promise<void> {
    const client = this.#any(this.#clients);
    const oid = this.#any(OBJECTS);
    const o = { epoch: this.#osd.map.epoch + this.#ahead };
    const dice = this.#below(100);
    if (dice < 40) {
      this.writes.push({ client, oid, tid: client.submit(oid, [opAppend(Buffer.of(1))], o) });
    } else if (dice < 50) {
      client.submit(oid, [opRead(0, BULK_READ_BYTES_MAX)], o);
    } else if (dice < 58) {
      const source = this.#any([POOL, ELSEWHERE]);
      const locator = { pool: source, key: "", nspace: "", hash: -1 };
      const ops = [opCopyFrom({ oid: this.#any(OBJECTS), locator })];
      this.writes.push({ client, oid, tid: client.submit(oid, ops, o) });
    } else if (dice < 78) {
      this.#osd.clock.turn();
    } else if (dice < 88) {
      await Promise.resolve();
    } else if (dice < 90) {
      this.#ahead = 1;
    } else if (dice < 93) {
      this.#catchUp();
    } else if (dice < 98) {
      if (this.#ahead > 0) return;
      // By few: most PGs stay as they are, and what was sent before is not for its sender to send again.
      this.#pgNum += 1 + this.#below(4);
      this.#osd.split(this.#pgNum);
    } else {
      client.close();
      this.#clients[this.#clients.indexOf(client)] = this.#connect();
    }
  }

  #catchUp(): void {
    if (this.#ahead > 0) this.#osd.changeMap(() => {});
    this.#ahead = 0;
  }
}

/** Writes that were done before an earlier one of the same client to the same object. */
function overtaking(writes: readonly Write[]): string[] {
  const wrong: string[] = [];
  const last = new Map<string, number>();
  for (const { client, oid, tid } of writes) {
    const reply = client.reply(tid);
    // Refused, as a source is not there, or dropped, for the PG has split since: sent again in real life.
    if (reply === undefined || reply.result < 0) continue;
    const key = `client ${client.peerName.num}, ${oid}`;
    const { version } = reply.replayVersion;
    if (version < (last.get(key) ?? 0)) wrong.push(`${key}: ${version} after ${last.get(key)}`);
    last.set(key, version);
  }
  return wrong;
}

test.each(Array.from({ length: 24 }, (_, i) => i + 1))(
  "each client's writes to an object are done in the order they were sent (seed %i)",
  async (seed) => {
    const crowd = new Crowd(seed);
    await crowd.run();
    expect(overtaking(crowd.writes)).toEqual([]);
  },
);
