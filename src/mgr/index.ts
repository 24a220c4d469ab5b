/** The manager room: the port that clients send manager commands to. */
export { Manager, type ManagerOptions, mgrCommandTable } from "./manager.ts";
