/** The osd room: one OSD, from a client's request to the store. */
export { type FirstObject, type OsdOptions, OsdServer } from "./server.ts";
