/** The version class. */
export { versionClass } from "./class.ts";
