import { mcpInspectionInputSchema, mcpInspectionSchema } from "../core/mcp-inspection.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { parseInput } from "./parse-input.ts";
import { schemaComponent } from "./schema-component.ts";

/** A look at an MCP server before anything is published. */
export function mcpInspectionRoutes(): readonly ControlRoute[] {
  return [
    defineRoute({
      tag: "McpServer",
      method: "post",
      path: "/api/v1/mcp-servers:inspect",
      operationId: "inspectMcpServer",
      access: { permission: "apis:write" },
      summary: "Ask an MCP server who it is and what it offers; publishes nothing",
      body: schemaComponent("McpInspectionInput", mcpInspectionInputSchema, "input"),
      answers: {
        200: {
          description: "What the server shows.",
          schema: schemaComponent("McpInspection", mcpInspectionSchema, "output"),
        },
      },
      async handle({ context, body }) {
        const input = parseInput(mcpInspectionInputSchema, await body(), { code: "request.invalid" });
        if (context.inspectMcp === undefined) {
          throw new GatewayError("route.not_served", "No gateway is here that could look at a server.");
        }
        return jsonAnswer(200, await context.inspectMcp(input));
      },
    }),
  ];
}
