/** What all commands that speak to a cluster have in common. */
export {
  asksFor,
  cephArguments,
  type OptionSpec,
  type OwnOptions,
  takeOptions,
} from "./arguments.ts";
export { type CompletedOption, completeWords, optionsOf } from "./complete-words.ts";
export { ConnectFailure, connectCluster } from "./connect.ts";
export { attempt, CommandFailure, errnoOf, runCommand } from "./failure.ts";
export { openSink, openSource, readWhole, type Sink, type Source } from "./files.ts";
export {
  isStructuredFormat,
  ListWriter,
  renderFormat,
  STRUCTURED_FORMATS,
  type StructuredFormat,
} from "./format.ts";
export { hexdump } from "./hexdump.ts";
export { interruptible } from "./interrupt.ts";
export { formatDottedTime, formatLocalTime } from "./local-time.ts";
export { Output, textBytes, writeAll } from "./output.ts";
export { Progress } from "./progress.ts";
export { parseIecSize } from "./sizes.ts";
export { cppStrerror, strerror } from "./strerror.ts";
