/** What the encoding's benchmark takes from the source, bundled together for a plain script. */
export { crc32c, crc32cCombine, crc32cTable } from "../../src/encoding/index.ts";
export { MOSDOp, MOSDOpReply } from "../../src/messages/index.ts";
export { readRequest, received, replyTo, writeRequest } from "./requests.ts";
