/**
 * The messenger's face: who talks on which link, and what the owner of the links gets told.
 */

import type { AuthIdentity } from "../auth/index.ts";
import type {
  AddrVec,
  EntityAddr,
  EntityName,
  IncomingMessage,
  OutgoingMessage,
  Utime,
} from "../types/index.ts";

/** One established session with a peer, acceptor or initiator alike. */
export interface Connection {
  /** Unique within this process, for logs and maps. */
  readonly id: number;
  /** Peer's type and number; a client's number is its global id. */
  readonly peerName: EntityName;
  /** Peer's addresses as it gave them in its ident. A client's: type any, port 0, its nonce. */
  readonly peerAddrs: AddrVec;
  /** The address that names this peer instance in blocklists, watches and locks. */
  readonly peerAddr: EntityAddr;
  /** Connection features: what both sides have. */
  readonly features: bigint;
  /** Who authenticated; on the initiating side, undefined. */
  readonly identity: AuthIdentity | undefined;
  readonly isOpen: boolean;
  /** Session state of the dispatcher that owns the connection. */
  session: unknown;
  /**
   * Queues a message. On a closed link it is dropped: lossy sessions resend by their own rules.
   * @param taken called once, when the bytes are the sender's again: the network has them, or the link is gone
   */
  send(message: OutgoingMessage, taken?: () => void): void;
  /** Bytes queued and not yet taken by the socket: what back-pressure looks at. */
  readonly queuedBytes: number;
  /** Bytes that the network has taken: grows as long as the peer reads. */
  readonly takenBytes: number;
  /**
   * Stops reading from the peer until `resume`: back-pressure on the socket, not memory. Messages of
   * bytes already read (at most one ring, 256 KiB, and one large message) are still delivered.
   */
  pause(): void;
  resume(): void;
  /** Drops the link. The dispatcher hears `onClose` once. */
  close(reason: string): void;
}

/** A session that we have opened: whether its peer is still there is ours to find out. */
export interface OpenedConnection extends Connection {
  /** Asks the peer for a sign of life, which any peer answers. @param now the sender's time */
  keepAlive(now: Utime): void;
  /** Bytes that have come from the peer: grows as long as it is alive and asked. */
  readonly heardBytes: number;
}

/** Told what happens on the links of one messenger. Callbacks must not throw for a peer's mistakes. */
export interface Dispatcher {
  /** A session is established; messages may follow. */
  onOpen(connection: Connection): void;
  /**
   * `front` and `middle` are good only during the call: copy what outlives it. `data` has memory of its
   * own, which may be kept; where the messenger was given `dataMemory`, only data of 64 KiB or more, which is
   * to be given back there, and any other is a view like the rest.
   * DecodeError thrown here closes the link (the peer's fault); anything else is ours and is fatal.
   */
  onMessage(connection: Connection, message: IncomingMessage): void;
  /** All messages of one read have been handled: a good moment to flush batches. */
  onBatchEnd?(): void;
  onClose(connection: Connection, reason: string): void;
}
