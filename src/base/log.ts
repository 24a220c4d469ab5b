/**
 * Structured log lines by Ceph's subsystem names. Fields, not prose; nothing is built when a level is off.
 * error = an operator must act; warn = may become that; info = rare milestones; debug = per event.
 * Keys, tickets and peers' bytes as text never go in.
 */

export const LOG_LEVEL = { error: 0, warn: 1, info: 2, debug: 3 } as const;
export type LogLevel = keyof typeof LOG_LEVEL;
export type LogFields = Record<string, string | number | bigint | boolean | undefined>;
/** Takes one finished line (without line end) and where it ranks. */
export type LogSink = (level: LogLevel, line: string) => void;

export interface Logger {
  readonly debugOn: boolean;
  error(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  debug(event: string, fields?: LogFields): void;
  /** The same log under another subsystem or entity, e.g. `log.child("osd.0")`. */
  child(subsystem: string): Logger;
}

function format(now: number, level: LogLevel, subsystem: string, event: string, fields: LogFields) {
  let line = `${new Date(now).toISOString()} ${level} ${subsystem}: ${event}`;
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    line += ` ${key}=${typeof value === "string" && /[\s"=]/.test(value) ? JSON.stringify(value) : value}`;
  }
  return line;
}

/** A logger that hands finished lines to `sink`, stamped with `now` (milliseconds since 1970). */
export function createLogger(options: {
  sink: LogSink;
  level: LogLevel;
  now: () => number;
  subsystem?: string;
}): Logger {
  const limit = LOG_LEVEL[options.level];
  const make = (subsystem: string): Logger => {
    const at =
      (level: LogLevel) =>
      (event: string, fields: LogFields = {}) => {
        if (LOG_LEVEL[level] > limit) return;
        options.sink(level, format(options.now(), level, subsystem, event, fields));
      };
    return {
      debugOn: limit >= LOG_LEVEL.debug,
      error: at("error"),
      warn: at("warn"),
      info: at("info"),
      debug: at("debug"),
      child: make,
    };
  };
  return make(options.subsystem ?? "spirula");
}

/** Drops everything. For tests and for embedding programs that ask for silence. */
export const silentLogger: Logger = createLogger({ sink: () => {}, level: "error", now: () => 0 });
