/** The hello class. */
export { helloClass } from "./class.ts";
