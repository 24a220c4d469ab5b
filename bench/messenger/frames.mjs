#!/usr/bin/env node
// Frames per second through the messenger's parser and its sealing, without a network.
//
// Parsing is fed as a socket feeds it: the bytes of up to 64 KiB a read are copied to the parser's target. The
// machine's limit beside it is that copy alone, and the copy with one pass of crc32c, which the protocol asks
// for. Sealing is what a reply costs on its way into the out queue. Best of several batches.
import { loadTs } from "../../scripts/load-ts.mjs";
import { markdown, nanoseconds, timeText } from "../stats.mjs";

const READ_BYTES = 64 * 1024;
const POOL_BYTES = 16 * 2 ** 20;
/** Frames in the stream that is fed over and over: more of the small ones than one read holds. */
const STREAMS = [
  ["4 KiB write", 4096, 64],
  ["64 KiB write", 65536, 8],
  ["4 MiB write", 4 * 2 ** 20, 1],
];

const parts = await loadTs("bench/messenger/parts.ts");
const { BufferPool, FrameParser, MOSDOpReply, OutQueue, TAG, crc32c, crcOnWire } = parts;
const header = parts.createHeader();

const rows = [];
for (const [title, bytes, frames] of STREAMS) rows.push(parseRow(title, bytes, frames));
const heads = ["parse", "a frame", "frames/s", "GB/s", "copy", "copy + crc", "times copy + crc"];
console.log(`\n${markdown(heads, rows)}\n`);
console.log(markdown(["seal", "a frame", "frames/s"], sealRows()));

function parseRow(title, bytes, frames) {
  const message = parts.writeRequest(bytes);
  const stream = Buffer.concat(Array.from({ length: frames }, () => sealed(message)));
  const parse = nanoseconds(parsing(stream, frames)) / frames;
  const target = Buffer.alloc(Math.max(READ_BYTES, stream.length));
  const copy = nanoseconds((count) => {
    for (let i = 0; i < count; i++) copyInReads(stream, target);
  });
  const copyCrc = nanoseconds((count) => {
    for (let i = 0; i < count; i++) {
      copyInReads(stream, target);
      crc32c(0xffff_ffff, target, 0, stream.length);
    }
  });
  return [
    title,
    timeText(parse),
    Math.round(1e9 / parse).toLocaleString("en"),
    (stream.length / frames / parse).toFixed(2),
    timeText(copy / frames),
    timeText(copyCrc / frames),
    (parse / (copyCrc / frames)).toFixed(2),
  ];
}

function copyInReads(stream, target) {
  for (let at = 0; at < stream.length; at += READ_BYTES) {
    target.set(stream.subarray(at, at + READ_BYTES), at);
  }
}

/** Feeds the stream `count` times to one parser and makes sure that every frame came out. */
function parsing(stream, frames) {
  const memory = new BufferPool(POOL_BYTES, parts.systemClock);
  let seen = 0;
  const parser = new FrameParser(
    {
      onBanner: () => {},
      onControl: () => {},
      onMessageFrame: (_bytes, _at, _front, _middle, data) => {
        seen++;
        memory.give(data);
      },
    },
    memory,
  );
  parser.messagesAllowed = true;
  feed(parser, parts.makeBanner());
  return (count) => {
    seen = 0;
    for (let i = 0; i < count; i++) feed(parser, stream);
    if (seen !== count * frames) throw new Error(`${seen} frames of ${count * frames}`);
  };
}

function feed(parser, bytes) {
  for (let at = 0; at < bytes.length; ) {
    const target = parser.target();
    const size = Math.min(target.length, READ_BYTES, bytes.length - at);
    target.set(bytes.subarray(at, at + size));
    at += size;
    parser.received(size);
  }
}

function sealed(message) {
  const out = new OutQueue();
  seal(out, message);
  return Buffer.concat(out.take());
}

function seal(out, message) {
  parts.writeHeader(header, message, 1, 1);
  const rest = [[message.front], [], message.data ?? []];
  crcOnWire.seal(out, TAG.MESSAGE, header, rest, message.dataCrc);
}

function sealRows() {
  const replies = [
    ["reply to a write", parts.replyTo(parts.writeRequest(4096))],
    ["reply to a 4 KiB read", parts.replyTo(parts.readRequest(4096), 4096)],
    ["reply to a 4 MiB read", parts.replyTo(parts.readRequest(4 * 2 ** 20), 4 * 2 ** 20)],
  ];
  return replies.map(([title, reply]) => {
    const message = MOSDOpReply.encode(reply, 4711);
    const out = new OutQueue();
    const ns = nanoseconds((count) => {
      for (let i = 0; i < count; i++) {
        seal(out, message);
        // A turn's worth of replies goes out at once.
        if (i % 32 === 31) {
          out.take();
          out.recycle();
        }
      }
      out.take();
      out.recycle();
    });
    return [title, timeText(ns), Math.round(1e9 / ns).toLocaleString("en")];
  });
}
