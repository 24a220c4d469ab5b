/**
 * What `npm run quickstart` takes from the harness, as one module: bundled as one, its parts share the
 * record of the children to end.
 */
export { buildGuest } from "./guest.ts";
export { endChildren } from "./run.ts";
export { startSpirula } from "./spirula.ts";
export { walkThrough } from "./walk.ts";
