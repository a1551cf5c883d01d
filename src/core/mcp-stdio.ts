import { isAbsolute } from "node:path";
import { z } from "zod";

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, "a variable's name");

/**
 * An MCP server on its standard streams, as the operator's configuration allows it. No resource can say a command: it
 * names one of these.
 */
export const stdioCommandSchema = z.strictObject({
  command: z.string().min(1).max(4_096).meta({
    title: "Command",
    description: "A program, as it is: no shell reads it. A name without a slash is looked for in PATH.",
  }),
  args: z.array(z.string().max(32_768)).max(200).default([]).meta({ title: "Arguments" }),
  env: z.record(variable, z.string().max(32_768)).default({}).meta({
    title: "Environment",
    description: "Variables of the process; `${secret:name}` is the value of a secret. There are no others.",
  }),
  inherit: z.array(variable).max(50).default(["PATH"]).meta({
    title: "Inherited",
    description: "Variables that the process has as the gateway itself has them.",
  }),
  cwd: z.string().max(4_096).refine(isAbsolute, "an absolute path").default("/").meta({ title: "Working directory" }),
  share: z.enum(["principal", "server"]).default("principal").meta({
    title: "Share",
    description:
      "`principal`: a process for each caller's client, which the server may ask questions. `server`: one for all, which may ask nobody.",
  }),
  maxProcesses: z.int().min(1).max(1_000).default(20).meta({
    title: "Processes",
    description: "At the same time, for each MCP server and environment; the longest unused goes first.",
  }),
  idleMs: z.int().min(1_000).max(86_400_000).default(600_000).meta({
    title: "Idle",
    description: "Milliseconds after which a process that nobody uses is ended.",
  }),
});

/** One allowed command, with what it inherits in its environment. */
export type StdioCommand = z.output<typeof stdioCommandSchema>;

/** The allowed commands by name. */
export type StdioCommands = Readonly<Record<string, StdioCommand>>;
