/**
 * Connecting, and what to tell who cannot: which thing is missing or refused, and what to do about it.
 */

import process from "node:process";
import { CephError, ConfigError, createLogger, ERRNO, systemClock } from "../../base/index.ts";
import type { CephArguments } from "../../config/index.ts";
import { type Cluster, connectWith, readConfig } from "../../librados/index.ts";
import { CommandFailure } from "./failure.ts";
import { cppStrerror } from "./strerror.ts";

/** There is no connection. The message is one line that says why; what stands before it is the command's. */
export class ConnectFailure extends CommandFailure {
  /** Negative Linux error number, as librados has it; some commands end with it. */
  readonly errno: number;

  constructor(message: string, errno: number, cause: unknown) {
    super(message, 1, cause);
    this.errno = errno;
  }
}

/** What a user has to know while a command goes on, or waits. */
const warnings = createLogger({
  level: "warn",
  subsystem: "client",
  now: () => systemClock.now(),
  sink: (_level, line) => void process.stderr.write(`${line}\n`),
});

/** @throws ConnectFailure */
export async function connectCluster(
  args: CephArguments,
  options: { readonly needsMap?: boolean } = {},
): Promise<Cluster> {
  try {
    const found = await readConfig({ args });
    for (const problem of found.problems) process.stderr.write(`${problem}\n`);
    return await connectWith(found, { ...options, log: warnings });
  } catch (error) {
    throw connectFailure(error);
  }
}

function connectFailure(error: unknown): unknown {
  // What librados says when a configuration leads to no cluster.
  if (error instanceof ConfigError) {
    return new ConnectFailure(error.message, -ERRNO.ENOENT, error);
  }
  if (!(error instanceof CephError)) return error;
  const { errno, target, cause } = error;
  const why = cppStrerror(errno);
  const known: Readonly<Record<string, string>> = {
    ENOENT: `no key for ${target}: ${why}; name a keyring with -k, or another user with --id`,
    EACCES: `the cluster does not accept this user and key: ${why}; see --id and -k`,
    EOPNOTSUPP: `the cluster does not accept our way to authenticate: ${why}; see auth_client_required`,
    ETIMEDOUT: `no answer from ${target}: ${why}; see mon_host, and client_mount_timeout`,
  };
  const text = known[error.code] ?? `${error.op} ${target}: ${why}`;
  const detail = cause instanceof Error && error.code === "ETIMEDOUT" ? ` (${cause.message})` : "";
  return new ConnectFailure(text + detail, errno, error);
}
