import { z } from "zod";
import { nameSchema } from "./resource.ts";

const globs = z.array(z.string().min(1).max(512)).max(1_000);

const memberSchema = z.strictObject({
  server: nameSchema.meta({ title: "Server", description: "The name of an MCP server that is not virtual itself." }),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,32}$/, "letters, digits and _ . -, at most 32")
    .optional()
    .meta({ title: "Prefix", description: "Begins the names of its tools and prompts, where `naming` is `prefix`." }),
  tools: globs
    .default(["*"])
    .meta({ title: "Tools", description: "Globs of the tools that are taken, by their own names." }),
  prompts: globs
    .default(["*"])
    .meta({ title: "Prompts", description: "Globs of the prompts that are taken, by their own names." }),
  resources: globs.default(["*"]).meta({
    title: "Resources",
    description: "Globs of the resources that are taken, by URI, and templates by their text.",
  }),
  priority: z.int().min(-1_000).max(1_000).default(0).meta({
    title: "Priority",
    description: "Of equal names the one of the higher priority stays, then that of the first server.",
  }),
});

/** `spec.virtual`: several MCP servers as one. */
export const mcpVirtualSchema = z
  .strictObject({
    servers: z
      .array(memberSchema)
      .min(1)
      .max(50)
      .meta({ title: "Servers", description: "Whose tools, prompts and resources are offered, in this order." }),
    naming: z.enum(["server_tool", "prefix", "bare"]).default("server_tool").meta({
      title: "Naming",
      description:
        "What tools and prompts are called: `server_tool` puts the server's name and an underscore before, `prefix` what the server's entry says, `bare` nothing.",
    }),
    onFailure: z.enum(["failOpen", "failClosed"]).default("failOpen").meta({
      title: "On failure",
      description:
        "`failOpen` leaves out what belongs to a server that does not answer and says so in `_meta`; `failClosed` refuses the list.",
    }),
    lastKnown: z.boolean().default(true).meta({
      title: "Last known lists",
      description: "Of a server that does not answer the last list that it gave this caller is shown.",
    }),
    timeoutMs: z
      .int()
      .min(100)
      .max(120_000)
      .default(10_000)
      .meta({ title: "Timeout", description: "Milliseconds that a list waits for one server." }),
    keepMs: z.int().min(0).max(3_600_000).default(10_000).meta({
      title: "Keep",
      description: "Milliseconds that a caller's lists are kept; a change that a server tells ends that.",
    }),
    pageSize: z
      .int()
      .min(1)
      .max(10_000)
      .default(1_000)
      .meta({ title: "Page", description: "Entries of a list in one answer." }),
  })
  .refine(({ servers }) => new Set(servers.map(({ server }) => server)).size === servers.length, {
    path: ["servers"],
    message: "each server once",
  })
  .refine(({ naming, servers }) => naming !== "prefix" || servers.every(({ prefix }) => prefix !== undefined), {
    path: ["servers"],
    message: "with `naming: prefix` each server needs a `prefix`",
  });

export type McpVirtualSpec = z.output<typeof mcpVirtualSchema>;
