/**
 * A link as one process has it: dead when the process is; and with a kernel that now and then does not take
 * what is written at once, so that what it holds must stay as it is until then.
 */
import type { Link, Receiver } from "../../src/messenger/index.ts";
import type { Dice } from "../harness/dice.ts";
import type { World } from "./world.ts";

/** Share of the writes that the kernel does not take at once, and how long they wait on average. */
const WAITING_WRITES = 0.02;
const WAIT_MS = 3;
/** A dead receiver's bytes go here. */
const NOWHERE = new Uint8Array(65_536);

export interface LinkOwner {
  readonly world: World;
  readonly dice: Dice;
  isAlive(): boolean;
  whileAlive(fn: () => void): void;
  closed(): void;
}

interface Waiting {
  readonly chunks: readonly Uint8Array[];
  readonly taken: (() => void) | undefined;
}

export class ProcessLink implements Link {
  readonly #link: Link;
  readonly #owner: LinkOwner;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;

  constructor(link: Link, owner: LinkOwner) {
    this.#link = link;
    this.#owner = owner;
  }

  get local() {
    return this.#link.local;
  }
  get remote() {
    return this.#link.remote;
  }
  get takenBytes(): number {
    return this.#link.takenBytes;
  }

  get queuedBytes(): number {
    return this.#link.queuedBytes + this.#waitingBytes;
  }

  start(receiver: Receiver): void {
    const owner = this.#owner;
    this.#link.start({
      target: () => (owner.isAlive() ? receiver.target() : NOWHERE),
      received: (count) => {
        let goesOn = false;
        owner.whileAlive(() => {
          goesOn = receiver.received(count);
        });
        return goesOn;
      },
      closed: (reason) => {
        owner.closed();
        owner.whileAlive(() => {
          this.#giveBack();
          receiver.closed(reason);
        });
      },
      drained: () => {
        if (this.#waiting.length === 0) owner.whileAlive(() => receiver.drained());
      },
    });
  }

  write(chunks: readonly Uint8Array[], taken?: () => void): void {
    const { dice, world } = this.#owner;
    if (!this.#owner.isAlive()) return;
    if (this.#waiting.length === 0 && !dice.chance(WAITING_WRITES)) {
      this.#link.write(chunks, this.#guarded(taken));
      return;
    }
    if (this.#waiting.length === 0) world.after(dice.exponential(WAIT_MS), () => this.#take());
    this.#waiting.push({ chunks, taken });
    for (const chunk of chunks) this.#waitingBytes += chunk.length;
  }

  resume(): void {
    if (this.#owner.isAlive()) this.#link.resume();
  }

  destroy(reason: string): void {
    if (!this.#owner.isAlive()) return;
    this.#giveBack();
    this.#link.destroy(reason);
  }

  /** The kernel has room again. */
  #take(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (!this.#owner.isAlive()) return;
    for (const { chunks, taken } of waiting) this.#link.write(chunks, this.#guarded(taken));
  }

  /** The link is gone: what the kernel has not taken it never will. */
  #giveBack(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const { taken } of waiting) taken?.();
  }

  #guarded(taken: (() => void) | undefined): (() => void) | undefined {
    return taken && (() => this.#owner.whileAlive(taken));
  }
}
