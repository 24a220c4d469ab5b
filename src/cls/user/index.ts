/** The user class. */
export { userClass } from "./class.ts";
