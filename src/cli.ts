import { CommanderError } from "commander";
import { createProgram } from "./cli/program.ts";
import type { Shell } from "./cli/shell.ts";
import { systemShell } from "./cli/system-shell.ts";
import { GatewayError } from "./kernel/errors.ts";

/**
 * Runs one command. `argv` is the process's own: runtime and script first. Sets the exit code of the process when the
 * command has ended, and lets what is still running go on.
 */
export async function runCli(argv: readonly string[]): Promise<void> {
  process.exitCode = await runCommand(argv.slice(2), systemShell());
}

/** Runs one command in the given terminal and gives its exit code: 0 done, 1 refused or failed, 2 wrong usage. */
export async function runCommand(args: readonly string[], shell: Shell): Promise<number> {
  let told: number | undefined;
  const onResult = (code: number): void => {
    told = code;
  };
  try {
    await createProgram(shell, onResult).parseAsync([...args], { from: "user" });
    return told ?? 0;
  } catch (error) {
    // commander has said it already; asked for help it throws too, with code 0
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    for (const line of explain(error, args.includes("--verbose"))) shell.note(line);
    return told ?? (error instanceof GatewayError && error.code === "config.invalid" ? 2 : 1);
  }
}

function explain(error: unknown, verbose: boolean): readonly string[] {
  const known = error instanceof GatewayError;
  const message = error instanceof Error ? error.message : String(error);
  const lines = [`gatehouse: ${message}${known || verbose ? "" : " (--verbose shows where)"}`];
  // A message that tells of one field has told of it; only further ones are news.
  const issues = known
    ? error.issues.filter(({ path, message: text }) => !(message.includes(path) && message.includes(text)))
    : [];
  for (const issue of issues) lines.push(`  ${issue.path}: ${issue.message}`);
  if (verbose && known && error.detail !== undefined) lines.push(`  ${error.detail}`);
  if (verbose && error instanceof Error && error.stack !== undefined) lines.push(error.stack);
  return lines;
}
