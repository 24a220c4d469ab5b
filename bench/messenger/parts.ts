/** What the messenger's benchmark takes from the source, bundled together for a plain script. */
export { BufferPool, systemClock } from "../../src/base/index.ts";
export { crc32c } from "../../src/encoding/index.ts";
export { MOSDOpReply } from "../../src/messages/index.ts";
export { makeBanner } from "../../src/messenger/banner.ts";
export { crcOnWire } from "../../src/messenger/crc-on-wire.ts";
export { FrameParser } from "../../src/messenger/frame.ts";
export { createHeader, writeHeader } from "../../src/messenger/message-header.ts";
export { OutQueue } from "../../src/messenger/out-queue.ts";
export { TAG } from "../../src/messenger/preamble.ts";
export { readRequest, replyTo, writeRequest } from "../encoding/requests.ts";
