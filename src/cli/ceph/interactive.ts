/**
 * Commands a line each, from a terminal with a prompt or from what is piped in.
 * ceph: src/ceph.in new_style_command, read_input
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { CommandFailure } from "../client/index.ts";
import { ArgumentError } from "./argument-error.ts";
import { textOf } from "./ask.ts";
import { parseOptions } from "./options.ts";
import { complain, complainOf, type Session } from "./session.ts";
import { splitWords } from "./shell-words.ts";
import type { Signature } from "./signature.ts";
import { findTarget } from "./target.ts";

const PROMPT = "ceph> ";
const ENDS = ["q", "quit", "Q", "exit"];

/** Runs lines until there are no more, or one says so. */
export async function runLines(
  session: Session,
  signatures: readonly Signature[],
  input: Uint8Array,
): Promise<void> {
  const isTerminal = process.stdin.isTTY;
  const lines = createInterface({
    input: process.stdin,
    ...(isTerminal && { output: process.stdout, prompt: PROMPT }),
  });
  try {
    if (isTerminal) lines.prompt();
    for await (const line of lines) {
      const text = line.trimEnd();
      if (isTerminal && ENDS.includes(text)) return;
      if (text !== "") await runLine(session, text, signatures, input);
      if (isTerminal) lines.prompt();
    }
    // An uncluttered prompt for the shell.
    if (isTerminal) await session.out.say("");
  } finally {
    lines.close();
  }
}

async function runLine(
  session: Session,
  line: string,
  signatures: readonly Signature[],
  input: Uint8Array,
): Promise<void> {
  let words: readonly string[];
  try {
    words = parseOptions(splitWords(line)).rest;
    const target = findTarget(words);
    if (words[0] === "tell") return complain("Can not use 'tell' in interactive mode.");
    const answer = await session.run(target, words, signatures, input);
    if (answer.result < 0) return complainOf(answer.result, answer.status);
    if (answer.status !== "") complain(answer.status);
    if (answer.data.length > 0) await session.out.say(textOf(answer));
  } catch (error) {
    if (error instanceof ArgumentError) complain(`error handling command target: ${error.message}`);
    else if (error instanceof CommandFailure) complain(error.message);
    else throw error;
  }
}
