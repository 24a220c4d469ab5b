/**
 * Are two answers the same? The one place that knows what two clusters may tell differently, and why.
 *
 * Answers are compared as they are first; only if they differ is what must differ blanked out of both:
 *
 * - The present: object classes store the time of a call, and a lock's end. Eight bytes that are a time between
 *   the run's start and now, or an hour later, in seconds and nanoseconds; and a `mtime` likewise.
 * - Clients: their global ids and nonces are the cluster's choice. An entity name of a client (08 and the id)
 *   and a nonce are replaced by the client's number.
 * - Random tags: class version gives an object without a version a tag of 24 random characters, classes
 *   store it and return it.
 * - UUIDs: the rbd class names a snapshot that goes to the trash by a random one, and a peer of a mirror, too; its
 *   list of peers is in the order of these.
 * - Holes: which extents a sparse read lists depends on how the store allocates. The bytes that
 *   the extents make up, zeros in between, are compared, without the zeros at the end.
 */
import { MirrorPeer } from "../../src/cls/rbd/types/mirror.ts";
import { DecodeError, decodeFromBytes, encodeToBytes, list } from "../../src/encoding/index.ts";

export interface Answer {
  /** The result; at least 0, or a negative errno. */
  r: number;
  out: unknown;
  /** User version, where the library tells one. */
  v?: number;
}

/** What is known of one side's clients. */
export interface Identity {
  /** Global ids, by client. */
  ids: number[];
  nonces: number[];
  /** When its run began, seconds. */
  since: number;
}

/** Longer than anything that holds a time or a name. */
const BLANKED_MAX = 32 * 1024;
/** How much later than now a stored time may lie: the duration of the locks that end. */
const LATER = [0, 3600];
const CLOCK_SLACK = 30;
const CLIENT = 8;
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

interface SparseOut {
  sparse: [number, number];
  rval: number;
  extents: [number, number][];
  data: string;
}

function isSparse(value: object): value is SparseOut {
  return "sparse" in value;
}

/** The bytes of a sparse read, zeros in the holes, none at the end. */
function filled({ sparse, extents, data }: SparseOut): string {
  const [offset, length] = sparse;
  const bytes = Buffer.from(data, "hex");
  const out = Buffer.alloc(length);
  let at = 0;
  for (const [start, count] of extents) {
    bytes.copy(out, start - offset, at, at + count);
    at += count;
  }
  let end = out.length;
  while (end > 0 && out[end - 1] === 0) end--;
  return out.toString("hex", 0, end) + (at === bytes.length ? "" : " and data beside the extents");
}

class Blanker {
  readonly #identity: Identity;
  readonly #now: number;

  constructor(identity: Identity, now: number) {
    this.#identity = identity;
    this.#now = now;
  }

  value(value: unknown): unknown {
    if (typeof value === "string") return this.#text(value);
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    if (typeof value !== "object" || value === null) return value;
    if (isSparse(value)) {
      return { rval: Math.min(value.rval, 0), bytes: filled(value) };
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        key === "mtime" && typeof item === "number" && this.#isPresent(item)
          ? "now"
          : this.value(item),
      ]),
    );
  }

  #isPresent(seconds: number): boolean {
    return LATER.some(
      (later) =>
        seconds >= this.#identity.since - CLOCK_SLACK + later &&
        seconds <= this.#now + CLOCK_SLACK + later,
    );
  }

  #text(text: string): string {
    const isBytes = text.length % 2 === 0 && /^[0-9a-f]*$/.test(text);
    if (!isBytes || text.length > 2 * BLANKED_MAX) return text;
    const bytes = this.#blankNames(Buffer.from(text, "hex"));
    for (let at = 0; at + 4 <= bytes.length; at++) this.#blankAt(bytes, at);
    return bytes.toString("hex");
  }

  /** Clients by name, as class hello writes them down: client.4123 127.0.0.1:0/1234. */
  #blankNames(bytes: Buffer): Buffer {
    let text = bytes.toString("latin1");
    for (const [n, id] of this.#identity.ids.entries())
      text = text.replaceAll(`client.${id}`, `client ${n}`);
    for (const [n, nonce] of this.#identity.nonces.entries())
      text = text.replaceAll(`/${nonce}`, `/${n}`);
    const blanked = text.replace(UUID, (uuid) => "U".repeat(uuid.length));
    const named = Buffer.from(blanked, "latin1");
    return blanked === text ? named : sortedPeers(named);
  }

  #blankAt(bytes: Buffer, at: number): void {
    const word = bytes.readUInt32LE(at);
    const nonce = this.#identity.nonces.indexOf(word);
    if (nonce >= 0) bytes.fill(nonce, at, at + 4);
    if (at + 8 > bytes.length) return;
    if (this.#isPresent(word) && bytes.readUInt32LE(at + 4) < 1_000_000_000) {
      bytes.fill("T", at, at + 8);
      return;
    }
    const client = this.#identity.ids.findIndex(
      (id) => bytes.readBigUInt64LE(at) === BigInt(id) && bytes[at - 1] === CLIENT,
    );
    if (client >= 0) bytes.fill(client, at, at + 8);
    const tag = bytes.subarray(at + 4, at + 4 + word);
    if (
      word >= 23 &&
      word <= 24 &&
      tag.length === word &&
      /^[\w+/-]+\0?$/.test(tag.toString("latin1"))
    ) {
      tag.fill("R");
    }
  }
}

const Peers = list(MirrorPeer);

/** The bytes, if they are a list of peers in an order of its own. */
function sortedPeers(bytes: Buffer): Buffer {
  let peers: MirrorPeer[];
  try {
    peers = decodeFromBytes(Peers, bytes);
  } catch (error) {
    if (error instanceof DecodeError) return bytes;
    throw error;
  }
  const keyOf = (peer: MirrorPeer) => Buffer.from(encodeToBytes(MirrorPeer, peer)).toString("hex");
  peers.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const sorted = Buffer.from(encodeToBytes(Peers, peers));
  // Something else may read as the beginning of such a list.
  return sorted.length === bytes.length ? sorted : bytes;
}

/** Undefined if they are the same; otherwise both, blanked, for a reader. */
export function difference(
  answers: readonly [Answer, Answer],
  identities: readonly [Identity, Identity],
  now: number,
): readonly [unknown, unknown] | undefined {
  const [a, b] = answers;
  if (JSON.stringify(a) === JSON.stringify(b)) return undefined;
  const blanked = answers.map((answer, i) =>
    new Blanker(identities[i] as Identity, now).value(answer),
  ) as [unknown, unknown];
  return JSON.stringify(blanked[0]) === JSON.stringify(blanked[1]) ? undefined : blanked;
}
