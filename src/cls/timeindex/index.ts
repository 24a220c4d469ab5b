/** The timeindex class. */
export { timeindexClass } from "./class.ts";
