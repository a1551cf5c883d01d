import { z } from "zod";
import { pinKinds } from "../core/mcp-definition.ts";
import { approvePin, listPins } from "../core/mcp-pins.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer, nameOf } from "./control-route.ts";
import { parseInput } from "./parse-input.ts";
import { schemaComponent } from "./schema-component.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/);

const pinSchema = z.strictObject({
  id: z.string(),
  environment: z.enum(["production", "sandbox"]),
  kind: z.enum(pinKinds),
  name: z.string(),
  state: z.enum(["approved", "changed", "new"]),
  approvedHash: hash.nullable(),
  seenHash: hash,
  seenAtMs: z.number(),
  changes: z.array(z.strictObject({ path: z.string(), before: z.unknown().optional(), after: z.unknown().optional() })),
});
const listSchema = z.strictObject({ items: z.array(pinSchema) });
const approvalSchema = z.strictObject({
  pin: z.string().max(64).meta({ title: "Pin", description: "Its id." }),
  seenHash: hash.meta({ title: "Seen hash", description: "The definition that was looked at; another is refused." }),
});

/** What was approved of an MCP server's definitions, what has changed, and the approval. */
export function mcpPinRoutes(): readonly ControlRoute[] {
  return [
    defineRoute({
      tag: "McpServer",
      method: "get",
      path: "/api/v1/mcp-servers/{name}/pins",
      operationId: "listMcpPins",
      access: { permission: "apis:read" },
      summary: "What was approved of the server's definitions, with the differences; what waits comes first",
      answers: { 200: { description: "All pins.", schema: schemaComponent("McpPins", listSchema, "output") } },
      async handle(call) {
        return jsonAnswer(200, { items: await listPins(call.context, nameOf(call)) });
      },
    }),
    defineRoute({
      tag: "McpServer",
      method: "post",
      path: "/api/v1/mcp-servers/{name}/pins/approve",
      operationId: "approveMcpPin",
      access: { permission: "apis:publish" },
      summary: "Approve a definition as it was seen last",
      body: schemaComponent("McpPinApproval", approvalSchema, "input"),
      answers: { 200: { description: "The pin.", schema: schemaComponent("McpPin", pinSchema, "output") } },
      async handle(call) {
        const { pin, seenHash } = parseInput(approvalSchema, await call.body(), { code: "request.invalid" });
        return jsonAnswer(200, await approvePin(call.context, call.actor, nameOf(call), pin, seenHash));
      },
    }),
  ];
}
