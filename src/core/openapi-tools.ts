import { z } from "zod";

const line = z.string().min(1).max(500);
const hint = z.boolean().optional();

/** What an administrator says of the tools that are made of an OpenAPI description. */
export const openApiToolsSchema = z.strictObject({
  select: z.array(line).max(10_000).default([]).meta({
    title: "Select",
    description:
      "Operations that become tools, others do not: an operationId or a tool's name (`list*`), a method and path (`GET /pets/*`), or a tag (`tag:pets`). `*` stands for anything.",
  }),
  exclude: z.array(line).max(10_000).default([]).meta({
    title: "Exclude",
    description: "Operations that are taken away from those, in the same words.",
  }),
  overrides: z
    .record(
      line,
      z.strictObject({
        name: z
          .string()
          .regex(/^[A-Za-z0-9_-]{1,64}$/, "letters, digits, _ and -, at most 64")
          .optional(),
        title: z.string().max(100).optional(),
        description: z.string().max(10_000).optional(),
        annotations: z
          .strictObject({ readOnlyHint: hint, destructiveHint: hint, idempotentHint: hint, openWorldHint: hint })
          .optional(),
      }),
    )
    .default({})
    .meta({
      title: "Overrides",
      description: "What takes the place of the description's words, by operationId, tool name or `GET /pets`.",
    }),
  fixed: z
    .record(z.string().max(200), z.union([z.string().max(1_000), z.number(), z.boolean()]))
    .default({})
    .meta({
      title: "Fixed parameters",
      description: "Parameters that no caller chooses, by name: sent with each request, and no arguments.",
    }),
  serverVariables: z.record(z.string().max(200), z.string().max(500)).default({}).meta({
    title: "Server variables",
    description: "Values of variables in the address of the description's server.",
  }),
  output: z.enum(["declared", "any", "none"]).default("declared").meta({
    title: "Output",
    description:
      "What is told of answers: `declared`, the description's schema; `any`, that they are objects, for a service that does not keep to its description; `none`, nothing.",
  }),
});

export type OpenApiToolsSpec = z.output<typeof openApiToolsSchema>;
