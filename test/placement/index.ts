/** All that the script needs, from one bundle. */
export { differencesOf, pairsOf, placementTest, type Recorded } from "./placement.ts";
export { readRecord, recordText } from "./record.ts";
export { Tools } from "./tools.ts";
