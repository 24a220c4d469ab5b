/** The base room: what every other room may use. No Ceph inside. */
export { alignedBuffer, isAlignedMemory } from "./aligned-memory.ts";
export { formatBytes, formatCount } from "./amounts.ts";
export { AssertionError, assert, must } from "./assert.ts";
export { BufferPool } from "./buffer-pool.ts";
export { type Clock, sleep, systemClock, type Timer } from "./clock.ts";
export {
  CephError,
  ConfigError,
  ERRNO,
  type ErrnoName,
  errnoName,
  errnoText,
  fail,
  isFailure,
  type OpFailure,
  type Result,
} from "./errno.ts";
export { type IniError, type IniSection, type IniSetting, parseIni } from "./ini.ts";
export {
  createLogger,
  LOG_LEVEL,
  type LogFields,
  type Logger,
  type LogLevel,
  type LogSink,
  silentLogger,
} from "./log.ts";
export {
  PRETTY,
  PyFloat,
  type PyJson,
  type PyJsonOptions,
  pythonFloat,
  pythonJson,
} from "./python-json.ts";
export { type Random, randomU32, randomU64, seededRandom, systemRandom } from "./random.ts";
export { settled } from "./settled.ts";
export { SpareMemory } from "./spare-memory.ts";
export { holdProcess, stayAwake } from "./stay-awake.ts";
export { type Align, TextTable } from "./text-table.ts";
export { formatAge, parseTimespan } from "./timespan.ts";
export { Turns } from "./turns.ts";
