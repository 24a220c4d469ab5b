/** The journal class: table, argument codecs, stored types. */

import { defineClass } from "../objclass.ts";
import { appendMethods } from "./append.ts";
import { clientMethods } from "./clients.ts";
import { headerMethods } from "./header.ts";
import { tagMethods } from "./tags.ts";

export {
  AppendArgs,
  ClientCommitArgs,
  ClientDataArgs,
  ClientListArgs,
  ClientListReply,
  ClientStateArgs,
  CreateArgs,
  GuardAppendArgs,
  TagCreateArgs,
  TagListArgs,
  TagListReply,
} from "./ops.ts";
export { CLIENT_STATE, Client, ObjectPosition, ObjectSetPosition, Tag } from "./types.ts";

export const journalClass = defineClass("journal", {
  ...headerMethods,
  ...clientMethods,
  ...tagMethods,
  ...appendMethods,
});
