/**
 * One link from its first byte to its last: handshake, then session.
 *
 * What is queued goes out in one write when a read has been handled, or at the end of the event-loop
 * turn. A peer that sends but does not read is no longer read from once much is queued for it, and is
 * dropped when far too much is.
 * ceph: src/msg/async/AsyncConnection.cc
 */

import type { AuthIdentity, AuthSecrets } from "../auth/index.ts";
import { assert, CephError, ERRNO, type Logger, must } from "../base/index.ts";
import {
  ADDR_TYPE,
  type AddrVec,
  type EntityAddr,
  type EntityName,
  formatAddr,
  formatEntityName,
  type OutgoingMessage,
  type Utime,
} from "../types/index.ts";
import type { Dispatcher, OpenedConnection } from "./api.ts";
import type { BannerFeatures } from "./banner.ts";
import { type ControlTag, type ControlValue, encodeControl } from "./control.ts";
import { type DataMemory, type FrameHandler, FrameParser } from "./frame.ts";
import type { Established, Handshake, HandshakeLink } from "./handshake.ts";
import { QUEUE_BYTES_MAX, QUEUE_BYTES_PAUSE } from "./limits.ts";
import { createOnWire, type Role } from "./modes.ts";
import { OutQueue } from "./out-queue.ts";
import { isPeerFault, ProtocolError } from "./protocol-error.ts";
import { Session } from "./session.ts";
import type { Link, Receiver } from "./transport/transport.ts";

/** What a connection needs of its messenger. */
export interface ConnectionHost {
  readonly log: Logger;
  readonly dispatcher: Dispatcher;
  readonly dataMemory: DataMemory | undefined;
  /** Something is queued: `flush` the connection before the turn ends. */
  onQueued(connection: LinkConnection): void;
  /** A read brought so many messages. */
  onMessages(count: number): void;
  /** A read has been handled: flush all that have something queued. */
  flush(): void;
  onEstablished(connection: LinkConnection): void;
  /** The link is gone. `failure` says why if there never was a session. */
  onGone(connection: LinkConnection, failure: Error): void;
}

type State = "handshake" | "open" | "closed";

export class LinkConnection implements OpenedConnection, Receiver, FrameHandler, HandshakeLink {
  readonly id: number;
  readonly role: Role;
  readonly remote: EntityAddr;
  session: unknown = undefined;
  /** Among those to be flushed this turn; kept by the host. */
  isDirty = false;
  heardBytes = 0;
  readonly #host: ConnectionHost;
  readonly #link: Link;
  readonly #parser: FrameParser;
  readonly #out = new OutQueue();
  #state: State = "handshake";
  #handshake: Handshake | undefined;
  #facts: Established | undefined;
  #session: Session | undefined;
  #failure: Error | undefined;
  /** Messages handled in the current read. */
  #batch = 0;
  /** Why we do not read: the owner's wish, or a queue that is too long. */
  #isPaused = false;
  #isThrottled = false;
  /** The link was told to stop, and needs a resume. */
  #hasStopped = false;

  constructor(id: number, role: Role, link: Link, host: ConnectionHost) {
    this.id = id;
    this.role = role;
    this.#link = link;
    this.#host = host;
    const { host: ip, port } = link.remote;
    this.remote = { type: ADDR_TYPE.MSGR2, nonce: 0, ip, port };
    this.#parser = new FrameParser(this, host.dataMemory);
  }

  /** Starts talking. Called once. */
  start(makeHandshake: (link: HandshakeLink) => Handshake): void {
    this.#handshake = makeHandshake(this);
    this.#link.start(this);
    this.#handshake.start();
    this.#host.onQueued(this);
  }

  // Connection

  get peerName(): EntityName {
    return this.#known.peerName;
  }
  get peerAddrs(): AddrVec {
    return this.#known.peerAddrs;
  }
  get peerAddr(): EntityAddr {
    return this.#known.peerAddr;
  }
  get features(): bigint {
    return this.#known.features;
  }
  get identity(): AuthIdentity | undefined {
    return this.#known.identity;
  }
  get isOpen(): boolean {
    return this.#state === "open";
  }
  get queuedBytes(): number {
    return this.#out.bytes + this.#link.queuedBytes;
  }
  get takenBytes(): number {
    return this.#link.takenBytes;
  }

  send(message: OutgoingMessage, taken?: () => void): void {
    if (this.#state !== "open") {
      taken?.();
      return;
    }
    must(this.#session, "session").send(message);
    if (taken !== undefined) this.#out.addOwner(taken);
    this.#host.onQueued(this);
  }

  keepAlive(now: Utime): void {
    if (this.#state !== "open") return;
    must(this.#session, "session").keepAlive(now);
    this.#host.onQueued(this);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#readOn();
  }

  close(reason: string): void {
    this.fail(new CephError(-ERRNO.ECONNRESET, { op: "connect", target: reason }), reason);
  }

  /** Closes the link; `failure` is what an initiator's `connect` rejects with. */
  fail(failure: Error, reason: string = failure.message): void {
    if (this.#state === "closed") return;
    this.flush();
    // flush() itself drops a peer that does not read.
    if (this.#isClosed()) return;
    this.#failure = failure;
    this.#setClosed();
    this.#link.destroy(reason);
  }

  // HandshakeLink

  sendBytes(bytes: Uint8Array): void {
    this.#out.push(bytes);
    this.#host.onQueued(this);
  }

  sendControl<T extends ControlTag>(tag: T, value: ControlValue<T>): Uint8Array {
    // Sealed by itself, as the transcript wants exactly this frame's bytes.
    const frame = new OutQueue();
    this.#parser.onWire.seal(frame, tag, encodeControl(tag, value), []);
    const bytes = Buffer.concat(frame.take());
    this.sendBytes(bytes);
    return bytes;
  }

  useMode(mode: number, secrets: AuthSecrets): void {
    this.#parser.onWire = createOnWire(mode, secrets, this.role);
  }

  established(facts: Established): void {
    assert(this.#state === "handshake", "established twice");
    this.#state = "open";
    this.#facts = facts;
    this.#handshake = undefined;
    this.#session = new Session(this.#out, this.#parser.onWire, facts.acksWanted);
    this.#parser.messagesAllowed = true;
    this.debug("session established", { addr: formatAddr(facts.peerAddr) });
    this.#host.onEstablished(this);
    this.#host.dispatcher.onOpen(this);
  }

  debug(event: string, fields: Record<string, string | number | bigint>): void {
    if (this.#host.log.debugOn) this.#host.log.debug(event, { ...this.#logFields(), ...fields });
  }

  // FrameHandler

  onBanner(features: BannerFeatures, raw: Buffer): void {
    must(this.#handshake, "handshake").onBanner(features, raw);
  }

  onControl(tag: number, payload: Buffer, raw: Buffer): void {
    if (this.#session === undefined) {
      must(this.#handshake, "handshake").onControl(tag, payload, raw);
    } else {
      this.#session.onControl(tag, payload);
      this.#host.onQueued(this);
    }
  }

  onMessageFrame(
    bytes: Buffer,
    headerAt: number,
    front: Buffer,
    middle: Buffer,
    data: Uint8Array,
    sums: readonly number[],
  ): void {
    const session = must(this.#session, "session");
    const message = session.receive(bytes, headerAt, front, middle, data, sums);
    if (message === undefined) {
      this.#host.dataMemory?.give(data);
      this.debug("message dropped: seen before", {});
      return;
    }
    this.#batch++;
    this.#host.dispatcher.onMessage(this, message);
  }

  // Receiver

  target(): Uint8Array {
    return this.#parser.target();
  }

  received(count: number): boolean {
    if (this.#state === "closed") return false;
    this.heardBytes += count;
    this.#parse(() => this.#parser.received(count));
    if (this.#parser.isStalled) this.#parser.whenReady(() => this.#unstall());
    this.#hasStopped = this.#isPaused || this.#isThrottled || this.#parser.isStalled;
    return !this.#hasStopped && !this.#isClosed();
  }

  /** There may be memory for what the peer is sending. */
  #unstall(): void {
    if (this.#state === "closed") return;
    this.#parse(() => this.#parser.goOn());
    if (this.#parser.isStalled) this.#parser.whenReady(() => this.#unstall());
    else this.#readOn();
  }

  /** Lets the parser work, then what is due after a batch of messages. */
  #parse(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#onError(error);
    }
    if (this.#batch > 0) {
      this.#host.onMessages(this.#batch);
      this.#batch = 0;
      this.#host.dispatcher.onBatchEnd?.();
      if (this.isOpen) {
        this.#session?.onBatchEnd();
        this.#host.onQueued(this);
      }
    }
    this.#host.flush();
  }

  closed(reason: string): void {
    const wasOpen = this.#facts !== undefined;
    this.#setClosed();
    this.debug("link closed", { reason });
    const failure =
      this.#failure ?? new CephError(-ERRNO.ECONNRESET, { op: "connect to", target: reason });
    this.#host.onGone(this, failure);
    if (wasOpen) this.#host.dispatcher.onClose(this, reason);
  }

  drained(): void {
    if (this.#link.queuedBytes > 0) return;
    this.#out.recycle();
    if (!this.#isThrottled) return;
    this.#isThrottled = false;
    this.#readOn();
  }

  /** Hands what is queued to the network. */
  flush(): void {
    this.isDirty = false;
    if (this.#state === "closed" || this.#out.bytes === 0) return;
    this.#link.write(this.#out.take(), this.#out.takeOwners());
    const queued = this.#link.queuedBytes;
    if (queued === 0) this.#out.recycle();
    // What we ask ourselves is our own affair, and may be more than the peer takes at a time. Its answers are read
    // meanwhile: two ends that both wait to be read would wait for ever.
    if (this.role === "initiator") return;
    if (queued > QUEUE_BYTES_PAUSE) this.#isThrottled = true;
    if (queued > QUEUE_BYTES_MAX) {
      this.#failure = new ProtocolError(`peer does not read: ${queued} bytes queued`);
      this.#host.log.warn("peer does not read", { ...this.#logFields(), queued });
      this.#setClosed();
      this.#link.destroy("peer does not read");
    }
  }

  #readOn(): void {
    if (!this.#hasStopped || this.#isPaused || this.#isThrottled || this.#parser.isStalled) return;
    this.#hasStopped = false;
    if (this.#state !== "closed") this.#link.resume();
  }

  /** The peer's fault closes the link; an initiator's failed handshake too; anything else is ours. */
  #onError(error: unknown): void {
    const isRefusal = this.role === "initiator" && this.#facts === undefined;
    if (!(error instanceof Error) || !(isRefusal || isPeerFault(error))) throw error;
    // An initiator's caller gets the error itself.
    if (!isRefusal) {
      this.#host.log.warn("link closed: peer's fault", {
        ...this.#logFields(),
        why: error.message,
      });
    }
    this.fail(error);
  }

  #setClosed(): void {
    this.#state = "closed";
    this.#parser.stop();
    this.#out.takeOwners()?.();
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  get #known(): Established {
    return must(this.#facts, "session");
  }

  #logFields(): { link: number; peer: string } {
    const peer = this.#facts === undefined ? "?" : formatEntityName(this.#facts.peerName);
    return { link: this.id, peer: `${peer} ${this.remote.ip}:${this.remote.port}` };
  }
}
