/**
 * `spirula ceph`: Ceph's administration command, on any cluster. It knows hardly a command itself: it asks the
 * monitor, or whoever is told something, which commands there are, matches the words against their signatures,
 * and shows what the daemon answers.
 * ceph: src/ceph.in main
 */

import process from "node:process";
import { ERRNO } from "../../base/index.ts";
import { VERSION_TEXT } from "../../cluster/version.ts";
import { type CephArguments, parseCephArguments } from "../../config/index.ts";
import {
  CommandFailure,
  ConnectFailure,
  completeWords,
  connectCluster,
  Output,
  readWhole,
  runCommand,
  type Sink,
} from "../client/index.ts";
import { runAdminCommand } from "./admin.ts";
import { ArgumentError } from "./argument-error.ts";
import { type Answer, askSignatures, daemonIds } from "./ask.ts";
import { completions } from "./complete.ts";
import { basicHelp, commandsHelp, targetHelp } from "./help.ts";
import { runLines } from "./interactive.ts";
import { COMPLETED_OPTIONS, type OptionKey, parseOptions } from "./options.ts";
import { fileError, openOutputFile } from "./output-file.ts";
import { ping, pingProblem } from "./ping.ts";
import { isScrub, scrubStamps, waitForScrub } from "./scrub-wait.ts";
import { complain, complainOf, Session } from "./session.ts";
import type { Signature } from "./signature.ts";
import { findTarget, type Target, targetLabel } from "./target.ts";
import { watch, watchedLevel } from "./watch.ts";

/** Seconds to try to connect when only help or a completion is wanted. */
const HELP_SECONDS = 5;
const COMPLETION_SECONDS = 3;

/** @returns the exit code */
export async function runCeph(words: string[]): Promise<number> {
  return await runCommand("ceph", () => runWords(withCephArgs(words)));
}

/** `CEPH_ARGS` goes behind, but in front of `injectargs`, behind which all is the daemon's. */
function withCephArgs(words: readonly string[]): string[] {
  const more = (process.env["CEPH_ARGS"] ?? "").split(/\s+/).filter((word) => word !== "");
  const at = words.indexOf("injectargs");
  if (at >= 0) return [...words.slice(0, at), ...more, ...words.slice(at)];
  return [...words, ...more.filter((word) => !word.includes("--admin-socket"))];
}

/**
 * What the last of the words may become. Only the cluster knows its commands: it is asked, for a moment.
 * @throws CommandFailure
 */
export async function completeCeph(given: readonly string[]): Promise<readonly string[]> {
  let isOfCluster = false;
  const own = completeWords(given, COMPLETED_OPTIONS, () => {
    isOfCluster = true;
    return [];
  });
  if (!isOfCluster) return own;
  const { options, rest } = parseOptions(["--completion", ...given.slice(0, -1)]);
  const { args, words } = commonArguments(options, rest);
  const cluster = await connected(args);
  try {
    const signatures = await askSignatures(cluster, targetOf(words));
    if (!Array.isArray(signatures)) return [];
    const toTarget = words[0] === "tell" && words.length > 1 ? words.slice(2) : words;
    const last = given.at(-1) ?? "";
    // A hint at what is to come is no word.
    return completions(signatures, [...toTarget, last]).filter((word) => /^[^\s#]/.test(word));
  } finally {
    await cluster.close();
  }
}

async function runWords(all: readonly string[]): Promise<number> {
  const { options, rest } = parseOptions(all);
  const out = new Output();
  if (options.has("version")) {
    await out.say(VERSION_TEXT);
    return 0;
  }
  const at = rest.indexOf("injectargs");
  const injected = at < 0 ? undefined : rest.slice(at);
  const { args, words } = commonArguments(options, at < 0 ? rest : rest.slice(0, at));
  const asked = await runAdminCommand(options, args, words);
  if (asked !== undefined) return asked;
  if (options.has("help")) await basicHelp(out);
  const isPing = words[0] === "ping" && !options.has("help");
  const problem = isPing ? pingProblem(words) : undefined;
  if (problem !== undefined) throw new CommandFailure(problem);

  const cluster = await connected(args);
  const session = new Session(options, cluster);
  const onInterrupt = () => {
    process.stdout.write("Interrupted\n", () => process.exit(session.interruptedCode));
  };
  process.once("SIGINT", onInterrupt);
  try {
    if (isPing) return await ping(session, words[1] ?? "");
    if (options.has("help")) return await commandsHelp(session, words);
    if (words[0] === "tell" && words[2] === "help")
      return await targetHelp(session, words[1] ?? "");
    const level = watchedLevel(options);
    if (level !== undefined) {
      process.off("SIGINT", onInterrupt);
      process.once("SIGINT", () => process.exit(0));
      return await watch(session, level);
    }
    return await runForCluster(session, words, injected);
  } finally {
    process.off("SIGINT", onInterrupt);
    await cluster.close();
  }
}

/** The words that every Ceph command knows, ours among them, and what is left. */
function commonArguments(
  options: ReadonlyMap<OptionKey, string>,
  rest: readonly string[],
): { args: CephArguments; words: string[] } {
  const args = parseCephArguments(rest);
  if ("error" in args) throw new CommandFailure(args.error);
  for (const key of ["conf", "cluster", "name"] as const) {
    const value = options.get(key);
    if (value !== undefined) args[key] = value;
  }
  const id = options.get("id");
  if (id !== undefined && !options.has("name")) args.id = id;
  const seconds = timeoutSeconds(options);
  if (seconds !== undefined) args.options.set("client_mount_timeout", seconds);
  // It has ended the options, and is no word itself.
  const words = [...args.rest];
  const dashes = words.indexOf("--");
  if (dashes >= 0) words.splice(dashes, 1);
  return { args, words };
}

function timeoutSeconds(options: ReadonlyMap<OptionKey, string>): string | undefined {
  if (options.has("completion")) return String(COMPLETION_SECONDS);
  const asked = options.get("connectTimeout");
  if (asked !== undefined && asked !== "0") return asked;
  return options.has("help") ? String(HELP_SECONDS) : undefined;
}

async function connected(args: CephArguments) {
  try {
    return await connectCluster(args, { needsMap: false });
  } catch (error) {
    if (!(error instanceof ConnectFailure)) throw error;
    const exitCode = error.errno === -ERRNO.EACCES ? ERRNO.EACCES : 1;
    throw new CommandFailure(`Error connecting to cluster: ${error.message}`, exitCode, error);
  }
}

async function runForCluster(
  session: Session,
  given: readonly string[],
  injected: readonly string[] | undefined,
): Promise<number> {
  const { options } = session;
  const doesBlock = options.has("block") && isScrub(given);
  const stamps = doesBlock ? await scrubStamps(session, given) : undefined;
  const input = await readInput(options.get("inFile"));
  const file = await openOutputFile(options);
  try {
    // -s is a command like any other.
    const words = options.has("status") ? ["status", ...given] : [...given];
    const target = targetOf(words);
    const isTell = words[0] === "tell";
    const command = isTell ? (injected?.filter(isNotDashes) ?? words.slice(2)) : words;
    if (isTell && command.length === 0) {
      complain(
        '"spirula ceph tell" requires additional arguments. Try "spirula ceph tell <name> <command> [options...]" instead.',
      );
      return ERRNO.EINVAL;
    }
    const exitCode = await runForTargets(session, target, command, { input, file });
    if (stamps !== undefined) await waitForScrub(session, given, stamps);
    return exitCode;
  } finally {
    await file?.close();
  }
}

/** Only the first two dashes end the options. */
function isNotDashes(word: string, at: number, words: readonly string[]): boolean {
  return word !== "--" || words.indexOf("--") !== at;
}

async function readInput(path: string | undefined): Promise<Uint8Array> {
  if (path === undefined) return new Uint8Array();
  try {
    return await readWhole(path);
  } catch (error) {
    throw new CommandFailure(`Can't open input file ${path}: ${fileError(path, error)}`, 1, error);
  }
}

/** @throws CommandFailure */
function targetOf(words: readonly string[]): Target {
  try {
    return findTarget(words);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    throw new CommandFailure(`error handling command target: ${error.message}`, 1, error);
  }
}

interface Ends {
  readonly input: Uint8Array;
  readonly file: Sink | undefined;
}

/** Gives the command to each. @returns the exit code: of those that failed the last one's */
async function runForTargets(
  session: Session,
  target: Target,
  words: readonly string[],
  ends: Ends,
): Promise<number> {
  const isAll = "id" in target && target.id === "*";
  const ids = isAll ? await daemonIds(session.cluster, target.type) : undefined;
  const targets = ids?.map((id) => ({ ...target, id }) as Target) ?? [target];
  let exitCode = 0;
  for (const one of targets) {
    const label = targets.length > 1 ? `${targetLabel(one)}: ` : "";
    const failure = await runForTarget(session, one, words, { ...ends, label });
    if (failure !== 0) exitCode = failure;
  }
  return exitCode;
}

async function runForTarget(
  session: Session,
  target: Target,
  words: readonly string[],
  { input, file, label }: Ends & { label: string },
): Promise<number> {
  const signatures = await askSignatures(session.cluster, target);
  let answer: Answer;
  if (!Array.isArray(signatures)) {
    const status = `problem getting command descriptions from ${targetLabel(target)}`;
    answer = { ...signatures, status };
  } else if (session.options.has("completion")) {
    await session.out.say(completions(signatures, words).join("\n"));
    return 0;
  } else {
    answer = await runOnce(session, target, words, { signatures, input, label });
  }
  await show(session, answer, { file, label });
  if (answer.result >= 0) {
    if (answer.status !== "") complain(`${label}${answer.status}`);
    return 0;
  }
  complainOf(answer.result, answer.status);
  return -answer.result;
}

async function runOnce(
  session: Session,
  target: Target,
  words: readonly string[],
  { signatures, input, label }: { signatures: Signature[]; input: Uint8Array; label: string },
): Promise<Answer> {
  if (words.length === 0) {
    await runLines(session, signatures, input);
    return { result: 0, status: "", data: new Uint8Array() };
  }
  const answer = await session.run(target, words, signatures, input);
  // For tests: what has been done may be asked for again.
  if (answer.result !== 0 || process.env["CEPH_CLI_TEST_DUP_COMMAND"] === undefined) return answer;
  const again = await session.run(target, words, signatures, input);
  if (again.result < 0) {
    complain(
      `${label}Second attempt of previously successful command failed with ${-again.result}: ${again.status}`,
    );
  }
  return again;
}

async function show(
  { out, options }: Session,
  { data }: Answer,
  { file, label }: { file: Sink | undefined; label: string },
): Promise<void> {
  if (file !== undefined) return await file.write(data);
  // compat: once a line stood before JSON, and those who skip it find an empty one.
  if (options.get("format")?.startsWith("json") === true) out.put("\n");
  const shown = label === "" ? data : withoutEnd(data);
  if (shown.length > 0) {
    out.put(label);
    out.put(shown);
    if (label !== "") out.put("\n");
  }
  await out.flush();
}

/** Without blanks and line ends behind. */
function withoutEnd(data: Uint8Array): Uint8Array {
  let end = data.length;
  while (end > 0 && [0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d].includes(data[end - 1] ?? 0)) end--;
  return data.subarray(0, end);
}
