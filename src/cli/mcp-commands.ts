import type { Command } from "commander";
import { Option } from "commander";
import { mcpClients } from "../core/mcp-client-config.ts";
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
  controlCommand(mcp, "config <server>", "print what goes into a client's configuration so that it uses a server")
    .addOption(new Option("--client <name>", "whose configuration").choices(mcpClients).makeOptionMandatory())
    .option("--no-key", "without an API key, for servers that clients log in to")
    .action(async (server, options) => (await import("./mcp-config.ts")).printClientConfig(server, options, shell));
  addPinCommands(mcp, shell, controlCommand);
  mcp
    .command("tools <description>")
    .description("print the tools that an OpenAPI description, a file or URL, would give; publishes nothing")
    .option("--select <line...>", "operations: names, 'GET /pets/*' or tag:pets; all when absent")
    .option("--exclude <line...>", "operations to leave out")
    .option("--settings <file>", "select, exclude, overrides, fixed, serverVariables and output, in YAML")
    .option("--follow", "fetch other documents that it refers to")
    .option("--json", "the tools as tools/list shows them, and what was left out")
    .option("--config <file>", "configuration file")
    .option("--verbose", "on a fault, the stack too")
    .action(async (description, options) => (await import("./mcp-tools.ts")).printTools(description, options, shell));
}

/** `gatehouse approvals …`. */
export function addApprovalCommands(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const approvals = program.command("approvals").description("calls of tools that wait for a person");
  const load = async () => import("./approvals.ts");
  controlCommand(approvals, "list", "list the calls that wait, the newest first")
    .option("--server <name>", "only of this MCP server")
    .option("--all", "also what was decided, used or too late in the last week")
    .option("--json", "as JSON")
    .action(async (options) => (await load()).listApprovals(options, shell));
  controlCommand(approvals, "approve <id>", "let a call that waits be made, once").action(async (id, options) =>
    (await load()).decideApproval(id, "approve", options, shell),
  );
  controlCommand(approvals, "deny <id>", "refuse a call that waits")
    .option("--reason <text>", "told to the caller")
    .action(async (id, options) => (await load()).decideApproval(id, "deny", options, shell));
}

function addPinCommands(mcp: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const pins = mcp.command("pins").description("what was approved of servers' definitions, and what has changed since");
  controlCommand(pins, "list <server>", "show all pins, those that wait for an approval first")
    .option("--json", "as JSON")
    .action(async (server, options) => (await import("./mcp-pins.ts")).listPins(server, options, shell));
  controlCommand(pins, "diff <server>", "show what differs from what was approved, member by member")
    .option("--json", "as JSON")
    .action(async (server, options) => (await import("./mcp-pins.ts")).diffPins(server, options, shell));
  controlCommand(pins, "approve <server> [pins...]", "approve definitions, by the names that `diff` gives them")
    .option("--all", "all that wait, as they are now")
    .action(async (server, named, options) =>
      (await import("./mcp-pins.ts")).approvePins(server, named, options, shell),
    );
}
