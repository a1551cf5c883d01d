import { z } from "zod";
import { applyDocuments } from "../core/apply.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { parseInput } from "./parse-input.ts";
import { schemaComponent } from "./schema-component.ts";

/** Resources as files: many documents, all or none. */
export function applyRoutes(): readonly ControlRoute[] {
  return [
    defineRoute({
      method: "post",
      path: "/api/v1/apply",
      tag: "Apply",
      operationId: "apply",
      access: { permission: "resources:apply" },
      summary: "Create or replace many resources in one step, all or none; APIs are published unless `draft`",
      body: applyBody,
      answers: {
        200: { description: "What became of each document, in their order of application.", schema: applied },
      },
      async handle({ context, actor, body }) {
        const input = parseInput(applySchema, await body(), { code: "resource.invalid" });
        const documents = input.documents.map(({ source, line, value, lines }) => ({
          source,
          line,
          value,
          lineOf: (path: string) => (Object.hasOwn(lines, path) ? lines[path] : undefined),
        }));
        const { dryRun, draft } = input;
        return jsonAnswer(200, { dryRun, applied: await applyDocuments(context, actor, documents, { dryRun, draft }) });
      },
    }),
  ];
}

const lineSchema = z.int().min(1).max(100_000_000);

const applySchema = z.strictObject({
  documents: z
    .array(
      z.strictObject({
        source: z.string().min(1).max(4_096).meta({ title: "Source", description: "The file, for messages." }),
        line: lineSchema.meta({ title: "Line", description: "Where the document begins in it." }),
        value: z.unknown().meta({ title: "Document", description: "`{apiVersion, kind, metadata, spec}`" }),
        lines: z
          .record(z.string().max(1_000), lineSchema)
          .default({})
          .meta({ title: "Lines", description: "Lines by field path (`spec.context`), for messages." }),
      }),
    )
    .min(1)
    .max(10_000)
    .meta({ title: "Documents", description: "In any order; references among them are resolved." }),
  dryRun: z
    .boolean()
    .default(false)
    .meta({ title: "Dry run", description: "Say what would happen, and change nothing." }),
  draft: z.boolean().default(false).meta({ title: "Draft", description: "Leave APIs unpublished." }),
});
const applyBody = schemaComponent("Apply", applySchema, "input");

/** What an apply answers. */
export const appliedSchema = z.strictObject({
  dryRun: z.boolean(),
  applied: z.array(
    z.strictObject({
      kind: z.string(),
      name: z.string(),
      change: z.enum(["created", "changed", "unchanged"]),
      revision: z.int().optional(),
      published: z.boolean().optional(),
    }),
  ),
});
const applied = schemaComponent("Applied", appliedSchema, "output");
