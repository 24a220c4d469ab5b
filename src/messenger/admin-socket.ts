/**
 * The admin socket of a daemon: whoever may open it sends one command and gets one answer.
 *
 *   request   JSON, ended by a zero byte or a line end
 *   answer    u32, big-endian: the bytes that follow; then what the command prints, with the error in front of it
 *             if it failed
 *
 * ceph: src/common/admin_socket.cc, src/pybind/ceph_daemon.py
 */

import { type Clock, errnoText, type Logger, type Timer } from "../base/index.ts";
import { ADMIN_DEADLINE_MS, ADMIN_LINKS_MAX, ADMIN_REQUEST_BYTES_MAX } from "./limits.ts";
import type { Link, Receiver } from "./transport/transport.ts";

/** What comes of a command. */
export interface AdminAnswer {
  /** 0 or a negative error number. */
  readonly r: number;
  /** Why it failed; not shown otherwise. */
  readonly status: string;
  readonly data: Uint8Array | string;
}

export interface AdminSocketOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Answers a request, one JSON object if it is right. Who gets here may do everything. */
  readonly answer: (request: string) => Promise<AdminAnswer>;
}

export class AdminSocket {
  readonly #options: AdminSocketOptions;
  readonly #visits = new Set<Visit>();

  constructor(options: AdminSocketOptions) {
    this.#options = options;
  }

  /** Serves a link that has been accepted. */
  accept(link: Link): void {
    if (this.#visits.size >= ADMIN_LINKS_MAX) return link.destroy("too many at a time");
    const visit = new Visit(link, this.#options, () => this.#visits.delete(visit));
    this.#visits.add(visit);
    link.start(visit);
  }

  /** Closes all links. */
  close(): void {
    for (const visit of this.#visits) visit.end("closing");
  }
}

/** One request and its answer. */
class Visit implements Receiver {
  readonly #link: Link;
  readonly #options: AdminSocketOptions;
  readonly #gone: () => void;
  readonly #request = new Uint8Array(ADMIN_REQUEST_BYTES_MAX);
  #length = 0;
  #isAsked = false;
  #isClosed = false;
  /** For the peer to send, then to take; a command itself may last. */
  #deadline: Timer;

  constructor(link: Link, options: AdminSocketOptions, gone: () => void) {
    this.#link = link;
    this.#options = options;
    this.#gone = gone;
    this.#deadline = this.#due();
  }

  #due(): Timer {
    return this.#options.clock.after(ADMIN_DEADLINE_MS, () => this.end("too slow"));
  }

  end(reason: string): void {
    this.#link.destroy(reason);
  }

  target(): Uint8Array {
    return this.#request.subarray(this.#length);
  }

  received(count: number): boolean {
    if (this.#isAsked) return false;
    const from = this.#length;
    this.#length += count;
    const end = this.#request
      .subarray(0, this.#length)
      .findIndex((byte, at) => at >= from && (byte === 0 || byte === 0x0a));
    if (end < 0) {
      if (this.#length < this.#request.length) return true;
      this.end("request too long");
      return false;
    }
    this.#isAsked = true;
    this.#deadline.cancel();
    void this.#answer(Buffer.from(this.#request.subarray(0, end)).toString("utf8"));
    return false;
  }

  async #answer(request: string): Promise<void> {
    const { answer, log } = this.#options;
    let reply: AdminAnswer;
    try {
      reply = await answer(request);
    } catch (error) {
      log.error("admin command failed", { why: (error as Error).stack ?? String(error) });
      reply = { r: -5, status: "internal error; see the server's log", data: "" };
    }
    if (this.#isClosed) return;
    const { r, status, data } = reply;
    const failure = r < 0 ? `ERROR: ${errnoText(r)}\n${status}\n` : "";
    const body = Buffer.concat([
      Buffer.from(failure),
      typeof data === "string" ? Buffer.from(data) : data,
    ]);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(body.length);
    this.#deadline = this.#due();
    this.#link.write([head, body], () => this.end("answered"));
  }

  closed(): void {
    this.#isClosed = true;
    this.#deadline.cancel();
    this.#gone();
  }

  drained(): void {}
}
