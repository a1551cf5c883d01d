import { llmApi } from "../core/llm-api.ts";
import { mcpServer } from "../core/mcp-server.ts";
import { getResource } from "../core/resources.ts";
import { routeTestInputSchema } from "../core/route-test.ts";
import type { ToolFilterTester } from "../core/tool-filter-test.ts";
import { mcpToolFilterInputSchema, toolFilterTestSchema } from "../core/tool-filter-test.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ApiId } from "../kernel/ids.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer, nameOf } from "./control-route.ts";
import { parseInput } from "./parse-input.ts";
import { schemaComponent } from "./schema-component.ts";

const answers = {
  200: { description: "What is left.", schema: schemaComponent("ToolFilterTest", toolFilterTestSchema, "output") },
};

/** What the tool filter of an API would leave of a request's tools, or of a server's. */
export function toolFilterTestRoutes(): readonly ControlRoute[] {
  return [
    defineRoute({
      tag: "LlmApi",
      method: "post",
      path: "/api/v1/llm-apis/{name}/tool-filter:test",
      operationId: "testLlmToolFilter",
      access: { permission: "apis:read" },
      summary: "Filter a request's tools by what is deployed, and tell why; it is sent nowhere",
      body: schemaComponent("RouteTestInput", routeTestInputSchema, "input"),
      answers,
      async handle(call) {
        const { context } = call;
        const { id } = await getResource(context, llmApi, nameOf(call));
        const input = parseInput(routeTestInputSchema, await call.body(), { code: "request.invalid" });
        return jsonAnswer(200, await testerOf(context).request(id as ApiId, input)); // an API's own id
      },
    }),
    defineRoute({
      tag: "McpServer",
      method: "post",
      path: "/api/v1/mcp-servers/{name}/tool-filter:test",
      operationId: "testMcpToolFilter",
      access: { permission: "apis:read" },
      summary: "Filter a server's tools for a task by what is deployed, and tell why",
      body: schemaComponent("McpToolFilterInput", mcpToolFilterInputSchema, "input"),
      answers,
      async handle(call) {
        const { context } = call;
        const { id } = await getResource(context, mcpServer, nameOf(call));
        const input = parseInput(mcpToolFilterInputSchema, await call.body(), { code: "request.invalid" });
        return jsonAnswer(200, await testerOf(context).list(id as ApiId, input)); // an API's own id
      },
    }),
  ];
}

function testerOf({ testToolFilter }: { readonly testToolFilter?: ToolFilterTester }): ToolFilterTester {
  if (testToolFilter !== undefined) return testToolFilter;
  throw new GatewayError("route.not_served", "No gateway is here that could filter tools.");
}
