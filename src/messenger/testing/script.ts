/** A peer of the messenger that sends, frame by frame, what a test tells it to. */

import { expect } from "vitest";
import { until } from "../../../test/harness/manual-clock.ts";
import { type ControlTag, type ControlValue, encodeControl } from "../control.ts";
import { crcOnWire } from "../crc-on-wire.ts";
import { FrameParser } from "../frame.ts";
import { OutQueue } from "../out-queue.ts";
import { tagName } from "../preamble.ts";
import type { Link } from "../transport/transport.ts";

/** A peer that sends what the test tells it to and shows what it got. */
export class Script {
  readonly got: { name: string; payload: Buffer }[] = [];
  readonly #link: Link;
  isClosed = false;

  constructor(link: Link) {
    this.#link = link;
    const parser = new FrameParser({
      onBanner: () => {},
      onControl: (tag, payload) =>
        this.got.push({ name: tagName(tag), payload: Buffer.from(payload) }),
      onMessageFrame: (_bytes, _at, front) => this.got.push({ name: "MESSAGE", payload: front }),
    });
    parser.messagesAllowed = true;
    link.start({
      target: () => parser.target(),
      received: (count) => {
        parser.received(count);
        return true;
      },
      closed: () => {
        this.isClosed = true;
      },
      drained: () => {},
    });
  }

  write(bytes: Uint8Array): void {
    this.#link.write([bytes]);
  }
  send<T extends ControlTag>(tag: T, value: ControlValue<T>): void {
    const out = new OutQueue();
    crcOnWire.seal(out, tag, encodeControl(tag, value), []);
    this.#link.write(out.take());
  }
  get names(): string[] {
    return this.got.map((frame) => frame.name);
  }
  async expectNames(...names: string[]): Promise<void> {
    await until(() => this.got.length >= names.length || this.isClosed);
    expect(this.names).toEqual(names);
  }
}
