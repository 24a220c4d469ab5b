/**
 * Requests to an OSD, of one op or several, nearly right: each is answered or dropped, none changes what is not
 * its own, and what they leave behind can be read after a restart.
 */
import { readdirSync, readFileSync } from "node:fs";
import {
  blob,
  bool,
  DecodeError,
  decodeFromBytes,
  EMPTY,
  map,
  record,
  str,
} from "../../../src/encoding/index.ts";
import {
  COPY_START,
  OSD_OP,
  OSD_OP_FLAG,
  type OsdOp,
  opAppend,
  opAssertVer,
  opCall,
  opChecksum,
  opCmpExt,
  opCmpXattr,
  opCopyFrom,
  opCopyGet,
  opCreate,
  opDelete,
  opGetXattr,
  opGetXattrs,
  opListSnaps,
  opListWatchers,
  opNotify,
  opOmapGetVals,
  opOmapRmKeyRange,
  opOmapSetHeader,
  opOmapSetVals,
  opPgnls,
  opRead,
  opRollback,
  opSetXattr,
  opSparseRead,
  opStat,
  opTruncate,
  opWatch,
  opWrite,
  opWriteFull,
  opWriteSame,
  opZero,
} from "../../../src/messages/index.ts";
import { type TestClient, TestOsd } from "../../../src/osd/testing/osd-fixture.ts";
import { HOBJECT_MIN, SNAPDIR } from "../../../src/types/index.ts";
import { type Dice, mutated, pick } from "../mutate.ts";
import type { Target } from "../target.ts";

const CLASSES = new URL("../../vectors/cls/", import.meta.url);
const OIDS = ["a", "b", "rbd_header.1", "rbd_directory", "journal.1", "log"];
const CONTENT = Buffer.from("nobody may change this");
const HERE = { pool: 1, key: "", nspace: "", hash: -1 };

const Entries = record("omap_get_vals reply", { entries: map(str, blob), more: bool });

interface Recording {
  sequences: { steps: { do: string; cls: string; method: string; input: string }[] }[];
}

/** What a real cluster was called with. */
export function recordedCalls(): OsdOp[] {
  const files = readdirSync(CLASSES).filter((name) => name.endsWith(".json"));
  return files
    .map((name) => JSON.parse(readFileSync(new URL(name, CLASSES), "utf8")) as Recording)
    .flatMap(({ sequences }) => sequences.flatMap(({ steps }) => steps))
    .filter((step) => step.do === "call")
    .map(({ cls, method, input }) => opCall(cls, method, Buffer.from(input, "hex")));
}

function plainOps(): OsdOp[] {
  const data = Buffer.alloc(5000, 7);
  const entries = new Map([
    ["k1", data.subarray(0, 10)],
    ["k2", EMPTY],
  ]);
  return [
    opRead(0, 0),
    opSparseRead(0, 9000),
    opStat(),
    opChecksum(2, 0, 4096, 1024, data.subarray(0, 4)),
    opCmpExt(0, data),
    opAssertVer(1),
    opWrite(100, data),
    opWriteFull(data),
    opWriteSame(0, 15_000, data),
    opAppend(data),
    opTruncate(3000),
    opZero(10, 5000),
    opCreate(false),
    opDelete(),
    opRollback(4n),
    opSetXattr("x", data),
    opGetXattr("x"),
    opGetXattrs(),
    opCmpXattr("x", 1, 1, data),
    opOmapSetVals(entries),
    opOmapSetHeader(data),
    opOmapGetVals("", 10),
    opOmapRmKeyRange("a", "z"),
    opListWatchers(),
    opListSnaps(),
    opWatch(5n),
    opNotify(5n, data.subarray(0, 20), 1),
    opCopyGet(COPY_START, 10_000),
    opCopyFrom({ oid: "b", locator: HERE }),
  ];
}

class Requests {
  readonly #osd = new TestOsd();
  #client: TestClient;
  #calls = recordedCalls();
  #plain = plainOps();
  #inputs = [...this.#calls, ...this.#plain].map(({ indata }) => indata);
  #clients = 4100;

  constructor() {
    this.#client = this.#osd.client(this.#clients);
  }

  #op(dice: Dice): OsdOp {
    const sample = pick(dice, dice.below(2) === 0 ? this.#calls : this.#plain);
    const op = { ...sample };
    // Names of classes and methods are kept more often than not: what is behind them is wanted.
    const isCall = op.code === OSD_OP.CALL;
    const fate = dice.below(12);
    if (fate < 4) {
      const kept = isCall && dice.below(4) > 0 ? op.args[0]! + op.args[1]! : 0;
      const rest = mutated(dice, op.indata.subarray(kept), this.#inputs, 2);
      op.indata = Buffer.concat([op.indata.subarray(0, kept), rest]);
      if (isCall) op.args = withLength(op.args, rest.length);
    }
    if (fate === 4) op.args = mutated(dice, op.args, [op.args]).subarray(0, 28);
    if (op.args.length < 28) op.args = Buffer.concat([op.args], 28);
    if (fate === 5) op.code = pick(dice, Object.values(OSD_OP));
    if (dice.below(12) === 0) op.flags = pick(dice, Object.values(OSD_OP_FLAG));
    return op;
  }

  async feed(dice: Dice): Promise<string> {
    const ops = Array.from({ length: 1 + dice.below(3) }, () => this.#op(dice));
    const oid = pick(dice, OIDS);
    const snaps = [9n, 8n, 7n, 4n].slice(dice.below(4));
    const options = {
      ...(dice.below(3) === 0 ? { snapContext: { seq: snaps[0]!, snaps } } : {}),
      ...(dice.below(6) === 0 ? { snap: pick(dice, [4n, 8n, SNAPDIR, 2n ** 63n]) } : {}),
      flags: pick(dice, [0, 0, 0, 0, 0x400_0000, 0x80_0000, dice.u32() & 0x7fff_ffff]),
    };
    try {
      this.#client.submit(oid, ops, options);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
    this.#osd.clock.advance(1);
    if (dice.below(20) === 0) await Promise.resolve();
    if (dice.below(40) === 0) await this.#spoil(oid, dice);
    // Replies that nobody looks at would be all the memory there is.
    this.#client.received.length = 0;
    if (dice.below(100) === 0) {
      this.#client.close();
      this.#client = this.#osd.client(++this.#clients);
    }
    return `${oid} ${ops.map((op) => `${op.code.toString(16)}:${Buffer.from(op.indata.subarray(0, 60)).toString("hex")}`).join(" ")}`;
  }

  /** Writes nonsense over what a class keeps in an object's omap, as whoever may write to it can. */
  async #spoil(oid: string, dice: Dice): Promise<void> {
    const { result, ops } = await this.#client.op(oid, [opOmapGetVals("", 100)]);
    if (result !== 0) return;
    const { entries } = decodeFromBytes(Entries, Buffer.concat(ops[0]!.outdata));
    if (entries.size === 0) return;
    const [key, value] = pick(dice, [...entries]);
    const nonsense = new Map([[key, mutated(dice, value, this.#inputs, 2)]]);
    this.#client.submit(oid, [opOmapSetVals(nonsense)]);
  }

  /** Another client's object is what it was; all objects can still be asked for, also after a restart. */
  async check(): Promise<void> {
    const mine = { nspace: "mine" };
    this.#client.close();
    for (const again of [false, true]) {
      if (again) this.#osd.restart();
      const client = this.#osd.client(++this.#clients);
      const { result, ops } = await client.op("kept", [opRead(0, 0)], mine);
      if (result === -2) await client.op("kept", [opWriteFull(CONTENT)], mine);
      else if (Buffer.compare(Buffer.concat(ops[0]!.outdata), CONTENT) !== 0) {
        throw new Error(`an object of others has changed: ${result}`);
      }
      for (const oid of OIDS) {
        const reply = await client.op(oid, [opStat()]);
        if (reply.result !== 0 && reply.result !== -2) throw new Error(`${oid}: ${reply.result}`);
      }
      for (let seed = 0; seed < 8; seed++) await client.list(seed, opPgnls(100, 0, HOBJECT_MIN));
      client.close();
    }
    this.#client = this.#osd.client(++this.#clients);
  }
}

/** A call's argument length is said beside it. */
function withLength(args: Buffer, length: number): Buffer {
  const out = Buffer.from(args);
  out.writeUInt32LE(length, 3);
  return out;
}

export const osdTarget: Target = {
  name: "osd",
  share: 0.5,
  async open() {
    const requests = new Requests();
    await requests.check();
    return requests;
  },
};
