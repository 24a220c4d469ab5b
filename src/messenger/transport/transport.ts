/**
 * The only door to sockets: TCP in production, memory in simulation.
 */

/** Where a listener or a peer is. `host` is an IP address in text form. */
export interface Endpoint {
  host: string;
  port: number;
}

/** The reading side of a link: it says where bytes go, so that a payload is received where it will stay. */
export interface Receiver {
  /** Where the next bytes go; never empty. Asked again after every `received`. */
  target(): Uint8Array;
  /** `count` bytes have been put at the start of what `target` returned. False pauses the link. */
  received(count: number): boolean;
  /** The link is gone; told once, after the last `received`. */
  closed(reason: string): void;
  /** What was queued has been handed to the network. */
  drained(): void;
}

/** A connected stream. */
export interface Link {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Starts delivery. Called once. */
  start(receiver: Receiver): void;
  /**
   * Queues chunks in order, in one system call where possible. The bytes may not change until `taken` is
   * called, once: the network has them, or the link is gone.
   */
  write(chunks: readonly Uint8Array[], taken?: () => void): void;
  /** Bytes written and not yet handed to the network. */
  readonly queuedBytes: number;
  /** Bytes that the network has taken since the link was made: who reads makes it grow. */
  readonly takenBytes: number;
  resume(): void;
  /** Closes at once; queued bytes may be lost. `closed` follows. */
  destroy(reason: string): void;
}

export interface Listener {
  readonly endpoint: Endpoint;
  /** Stops accepting. Links accepted before stay. */
  close(): Promise<void>;
}

export interface Transport {
  /** Port 0 picks a free one. @throws ConfigError if the port is in use or not ours to take */
  listen(endpoint: Endpoint, onLink: (link: Link) => void): Promise<Listener>;
  /** Rejects with the system's error if nobody answers. @param signal gives up what is not connected yet */
  connect(endpoint: Endpoint, signal?: AbortSignal): Promise<Link>;
}
