/** The crush room: where data goes. */
export { CrushMapCodec } from "./codec.ts";
export * from "./map.ts";
