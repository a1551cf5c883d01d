import type { Command } from "commander";
import { Option } from "commander";
import type { AddControlCommand } from "./audit-commands.ts";
import type { Shell } from "./shell.ts";

/** `gatehouse mcp …`. */
export function addMcpCommands(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const mcp = program.command("mcp").description("MCP servers, before and after they are published");
  controlCommand(mcp, "inspect <url>", "ask a server who it is and what it offers; publishes nothing")
    .addOption(
      new Option("--era <which>", "what the server speaks; found out when absent").choices(["legacy", "modern"]),
    )
    .option("--authorization-file <file>", "file with the header Authorization that is shown to it")
    .option("--json", "as JSON")
    .action(async (url, options) => (await import("./mcp.ts")).inspectMcp(url, options, shell));
}
