#!/usr/bin/env node
// What the hot bytes cost: crc32c by size, a request decoded, a reply encoded. The machine's limit beside them
// is a copy of the same bytes. Best of several batches.
import { loadTs } from "../../scripts/load-ts.mjs";
import { markdown, nanoseconds, sizeText, timeText } from "../stats.mjs";

const CRC_SIZES = [32, 256, 1024, 4096, 65536, 4 * 2 ** 20];

const parts = await loadTs("bench/encoding/parts.ts");
const { MOSDOp, MOSDOpReply, crc32c, crc32cCombine, crc32cTable } = parts;

/** Whatever a loop computes ends here, so that it is not optimised away. */
let sink = 0;

const heads = ["", "a call", "a second", "copy of the same bytes", "times copy"];
console.log(`\n${markdown(["crc32c", ...heads.slice(1)], CRC_SIZES.flatMap(crcRows))}\n`);
console.log(markdown(["message", ...heads.slice(1)], messageRows()));
if (!Number.isFinite(sink)) throw new Error("a loop computed nothing");

function row(title, ns, bytes) {
  const copy = copying(bytes);
  const perSecond = Math.round(1e9 / ns).toLocaleString("en");
  return [title, timeText(ns), perSecond, timeText(copy), (ns / copy).toFixed(1)];
}

function crcRows(size) {
  const data = Buffer.alloc(size, 0x5a);
  const call = (crc) => (count) => {
    for (let i = 0; i < count; i++) sink = crc(sink, data);
  };
  const rows = [row(sizeText(size), nanoseconds(call(crc32c)), size)];
  if (size === 4096) {
    rows.push(row("4 KiB, by tables", nanoseconds(call(crc32cTable)), size));
    const combine = nanoseconds((count) => {
      for (let i = 0; i < count; i++) sink = crc32cCombine(sink, 0x1234_5678, size);
    });
    rows.push(row("4 KiB, combined from a known one", combine, size));
  }
  return rows;
}

function copying(size) {
  const [source, target] = [Buffer.alloc(size, 0x5a), Buffer.alloc(size)];
  return nanoseconds((count) => {
    for (let i = 0; i < count; i++) target.set(source);
  });
}

function messageRows() {
  const write = parts.writeRequest(4096);
  const read = parts.readRequest(4096);
  return [
    decodeRow("MOSDOp decode, librbd's 4 KiB write", MOSDOp, write),
    decodeRow("MOSDOp decode, 4 KiB read", MOSDOp, read),
    encodeRow("MOSDOpReply encode, to a write", parts.replyTo(write)),
    encodeRow("MOSDOpReply encode, to a 4 KiB read", parts.replyTo(read, 4096)),
  ];
}

function decodeRow(title, type, message) {
  const incoming = parts.received(message);
  const ns = nanoseconds((count) => {
    for (let i = 0; i < count; i++) sink += type.decode(incoming).ops.length;
  });
  return row(title, ns, message.front.length);
}

function encodeRow(title, reply) {
  const size = MOSDOpReply.encode(reply).front.length;
  const ns = nanoseconds((count) => {
    for (let i = 0; i < count; i++) sink += MOSDOpReply.encode(reply, i).front.length;
  });
  return row(title, ns, size);
}
