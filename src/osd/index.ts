/** The osd room: one OSD, from a client's request to the store. */

export type { FirstObject } from "./first-objects.ts";
export { ObjectInfoCheck } from "./object-check.ts";
export type { AskPeer, PeerMessage } from "./peers.ts";
export { type OsdOptions, OsdServer } from "./server.ts";
