/**
 * TCP whose links a test cuts: at once, or after a while in which they take bytes and deliver none, so that
 * requests are lost that were sent, and replies that were given.
 */
import { type Link, type Transport, tcpTransport } from "../../src/messenger/index.ts";
import type { Dice } from "../harness/dice.ts";

type Receiver = Parameters<Link["start"]>[0];

class CuttableLink implements Link {
  readonly local: Link["local"];
  readonly remote: Link["remote"];
  readonly #link: Link;
  #isHeld = false;
  #held: { bytes: Buffer; taken: (() => void) | undefined }[] = [];

  constructor(link: Link) {
    this.#link = link;
    this.local = link.local;
    this.remote = link.remote;
  }

  get queuedBytes(): number {
    return this.#link.queuedBytes;
  }
  get takenBytes(): number {
    return this.#link.takenBytes;
  }

  start(receiver: Receiver): void {
    this.#link.start({
      target: () => receiver.target(),
      received: (count) => receiver.received(count) && !this.#isHeld,
      closed: (reason) => receiver.closed(reason),
      drained: () => receiver.drained(),
    });
  }

  write(chunks: readonly Uint8Array[], taken?: () => void): void {
    if (this.#isHeld) this.#held.push({ bytes: Buffer.concat(chunks), taken });
    else this.#link.write(chunks, taken);
  }

  resume(): void {
    if (!this.#isHeld) this.#link.resume();
  }

  destroy(reason: string): void {
    for (const { taken } of this.#held.splice(0)) taken?.();
    this.#link.destroy(reason);
  }

  /** Takes bytes and delivers none, in either direction. */
  hold(): void {
    this.#isHeld = true;
  }
}

export class CutTransport implements Transport {
  readonly #links = new Set<CuttableLink>();
  cuts = 0;

  listen: Transport["listen"] = (endpoint, onLink) => tcpTransport.listen(endpoint, onLink);

  connect: Transport["connect"] = async (endpoint) => {
    const link = new CuttableLink(await tcpTransport.connect(endpoint));
    this.#links.add(link);
    return link;
  };

  /** Cuts some links, each at once or after having held it for up to `holdMs`. */
  async cut(dice: Dice, holdMs: number): Promise<void> {
    const some = [...this.#links].filter(() => dice.chance(0.7));
    const held = some.filter(() => dice.chance(0.5));
    for (const link of held) link.hold();
    if (held.length > 0) {
      await new Promise((resolve) => {
        setTimeout(resolve, holdMs * dice.random.u32() * 2 ** -32);
      });
    }
    for (const link of some) {
      this.#links.delete(link);
      link.destroy("cut by the test");
      this.cuts++;
    }
  }
}
