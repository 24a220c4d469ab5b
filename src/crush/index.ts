/** The crush room: where data goes. */
export {
  addSimpleRule,
  buildDefaultMap,
  type CrushDevice,
  type DefaultMapOptions,
  removeRule,
  type SimpleRuleOptions,
} from "./builder.ts";
export { CrushMapCodec } from "./codec.ts";
export type { RuleInput } from "./draws.ts";
export { crushHash32x2, crushHash32x3, crushHash32x4 } from "./hash.ts";
export * from "./map.ts";
export { doRule, findRule } from "./mapper.ts";
