/** The refcount class. */
export { refcountClass } from "./class.ts";
