/** The numops class. */
export { numopsClass } from "./class.ts";
