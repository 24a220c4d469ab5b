/**
 * How commands end that cannot do what they were told: with lines on standard error and an exit code, both as
 * the original has them. A command throws; who runs it prints.
 */

import process from "node:process";
import { CephError, ConfigError } from "../../base/index.ts";
import { cppStrerror } from "./strerror.ts";

export class CommandFailure extends Error {
  readonly exitCode: number;

  /** @param message lines for standard error, without the last line end; "": all has been said */
  constructor(message: string, exitCode = 1, cause?: unknown) {
    super(message, { cause });
    this.name = "CommandFailure";
    this.exitCode = exitCode;
  }
}

/**
 * Runs a command and prints why it failed, if it did.
 * @param tool its name, for failures that the command has no words of its own for
 * @returns the exit code
 */
export async function runCommand(tool: string, body: () => Promise<number>): Promise<number> {
  try {
    return await body();
  } catch (error) {
    const failure = failureOf(tool, error);
    if (failure === undefined) throw error;
    if (failure.message !== "") process.stderr.write(`${failure.message}\n`);
    return failure.exitCode;
  }
}

function failureOf(tool: string, error: unknown): CommandFailure | undefined {
  if (error instanceof CommandFailure) return error;
  if (error instanceof ConfigError) return new CommandFailure(`${tool}: ${error.message}`);
  if (error instanceof CephError) {
    const { op, target, errno } = error;
    return new CommandFailure(`${tool}: ${op} ${target}: ${cppStrerror(errno)}`);
  }
  return undefined;
}

/** The errno of an error that a call of the cluster or of the file system ended with. @throws what is neither */
export function errnoOf(error: unknown): number {
  if (error instanceof CephError) return error.errno;
  const { errno } = error as NodeJS.ErrnoException;
  if (error instanceof Error && typeof errno === "number") return errno;
  throw error;
}

/**
 * Does one thing of a command.
 * @param what the line's beginning, should it fail: `error getting rbd/x`
 * @throws CommandFailure `what: (2) No such file or directory`
 */
export async function attempt<T>(what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(`${what}: ${cppStrerror(errnoOf(error))}`, 1, error);
  }
}
