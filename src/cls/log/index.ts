/** The log class. */
export { logClass } from "./class.ts";
