import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { severities } from "../governance/finding.ts";
import type { Shell } from "./shell.ts";

/** `gatehouse lint`. `onResult` hears the exit code. */
export function addLintCommand(program: Command, shell: Shell, onResult: (code: number) => void): void {
  program
    .command("lint [target...]")
    .description("hold OpenAPI, AsyncAPI, resource files and live MCP servers against rules; needs no server")
    .option("--stdio <command>", "an MCP server on its standard streams, started for this; no shell reads the command")
    .option("--ruleset <name...>", "built-in rulesets and files in place of those that are usual for each document")
    .addOption(new Option("--format <form>", "of the report").choices(formats).default("pretty"))
    .option("--output <file>", "where the report goes; the standard output when absent")
    .addOption(
      new Option("--fail-severity <severity>", "from which on the exit code is 1").choices(severities).default("error"),
    )
    .option("--quiet", "tell only of what fails")
    .addOption(
      new Option("--era <which>", "what MCP servers speak; found out when absent").choices(["legacy", "modern"]),
    )
    .option("--authorization-file <file>", "file with the header Authorization that servers are shown")
    .option("--env <name=value...>", "variables for the server of --stdio, which has PATH and HOME and no others")
    .option("--timeout <seconds>", "for one document, and for all that a server is asked", seconds, 60)
    .option("--config <file>", "configuration file, for `network`")
    .option("--verbose", "on a fault, the stack too")
    .addHelpText("after", exitCodes)
    .action(async (targets, options) => {
      onResult(2); // whatever is thrown
      onResult(await (await import("./lint/lint.ts")).lint(targets, options, shell));
    });
}

const formats = ["pretty", "json", "sarif", "junit", "github"];

const exitCodes = `
Targets: files, directories, patterns, http(s) URLs, mcp+https://… and mcp+http://… for MCP servers, - for the standard input

Exit codes:
  0  nothing at or above --fail-severity
  1  findings at or above it
  2  something could not be linted, or wrong usage`;

function seconds(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 3_600) return number;
  throw new InvalidArgumentError("whole seconds, 1 to 3600");
}
