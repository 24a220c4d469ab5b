/** The osd room: one OSD, from a client's request to the store. */
export { ObjectInfoCheck } from "./object-check.ts";
export { type FirstObject, type OsdOptions, OsdServer } from "./server.ts";
