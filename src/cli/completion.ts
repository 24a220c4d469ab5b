/**
 * `spirula completion bash|zsh|fish`: a script with which the shell completes the command's words. It knows none of
 * them: for each it runs `spirula completion --words` with those that stand there, and gets what the last one may
 * become, a line each, from the tables that the verbs themselves go by.
 * ceph: src/bash_completion
 */

import process from "node:process";
import { ConfigError } from "../base/index.ts";
import { completeWords, runCommand } from "./client/index.ts";
import type { Verb } from "./verb.ts";

const HELP = `usage: spirula completion bash|zsh|fish

Prints a script for the shell, to be read when it starts:

  bash   source <(spirula completion bash)      in ~/.bashrc
  zsh    source <(spirula completion zsh)       in ~/.zshrc, behind compinit
  fish   spirula completion fish | source       in ~/.config/fish/config.fish
`;

/** Where nothing is known that the word may become, files' names are. */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_spirula()
{
    mapfile -t COMPREPLY < <("\${COMP_WORDS[0]}" completion --words "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _spirula spirula
`,
  zsh: `_spirula()
{
    local -a found
    found=("\${(@f)$("\${words[1]}" completion --words "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "\${found[1]}" ]]; then
        compadd -a found
    else
        _files
    fi
}
compdef _spirula spirula
`,
  fish: `function __spirula_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found ($words[1] completion --words $words[2..-1] 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c spirula -f -a '(__spirula_complete)'
`,
};

/** @returns the exit code */
export async function runCompletion(
  args: readonly string[],
  verbs: Readonly<Record<string, Verb>>,
): Promise<number> {
  const [shell = "", ...words] = args;
  if (shell === "--words") {
    return await runCommand("spirula completion", async () => {
      const found = await completeCommand(words, verbs);
      process.stdout.write(found.map((word) => `${word}\n`).join(""));
      return 0;
    });
  }
  if (shell === "--help" || shell === "-h") {
    process.stdout.write(HELP);
    return 0;
  }
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined) {
    throw new ConfigError(`completion: ${Object.keys(SCRIPTS).join(", ")}: one of these is needed`);
  }
  process.stdout.write(script);
  return 0;
}

export async function completeCompletion(words: readonly string[]): Promise<readonly string[]> {
  return completeWords(words, [], (before) => (before.length === 0 ? Object.keys(SCRIPTS) : []));
}

async function completeCommand(
  words: readonly string[],
  verbs: Readonly<Record<string, Verb>>,
): Promise<readonly string[]> {
  const [name = "", ...rest] = words;
  if (rest.length > 0) return Object.hasOwn(verbs, name) ? await verbs[name]!.complete(rest) : [];
  const options = [{ names: ["--help", "--version"], takesValue: false }];
  return completeWords(words, options, () => ["help", ...Object.keys(verbs)]);
}
