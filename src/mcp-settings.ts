import { z } from "zod";
import type { StdioCommand, StdioCommands } from "./core/mcp-stdio.ts";
import { stdioCommandSchema } from "./core/mcp-stdio.ts";
import { nameSchema } from "./core/resource.ts";

/** What the operator says of MCP. */
export const mcpSettings = z
  .strictObject({
    stdio: z.record(nameSchema, stdioCommandSchema).default({}).meta({
      title: "Commands",
      description:
        "MCP servers on their standard streams that gateways may start, by name: `command`, `args`, `env`, `inherit`, `cwd`, `share`, `maxProcesses`, `idleMs`. Each gateway needs them.",
      secret: true, // of what stands in their environments
    }),
    registry: z.enum(["off", "callers", "public"]).default("callers").meta({
      title: "Registry",
      description:
        "`/v0.1/servers` on the gateway's port: `callers` lists what the key or token that is shown may use; `public` lists all MCP servers to everybody.",
    }),
  })
  .prefault({})
  .meta({ title: "MCP" });

/** The commands with what each one inherits of `environment` put into its own; what a command says itself stays. */
export function withInherited(
  commands: StdioCommands,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, StdioCommand> {
  return Object.fromEntries(
    Object.entries(commands).map(([name, command]) => {
      const inherited = command.inherit.flatMap((variable) => {
        const value = environment[variable];
        return value === undefined ? [] : [[variable, value] as const];
      });
      return [name, { ...command, env: { ...Object.fromEntries(inherited), ...command.env } }];
    }),
  );
}
