import { llmApi } from "../core/llm-api.ts";
import { getResource } from "../core/resources.ts";
import { routeTestInputSchema, routeTestSchema } from "../core/route-test.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ApiId } from "../kernel/ids.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer, nameOf } from "./control-route.ts";
import { parseInput } from "./parse-input.ts";
import { schemaComponent } from "./schema-component.ts";

/** Where a request to an LLM API would go, and why. */
export function routeTestRoutes(): readonly ControlRoute[] {
  return [
    defineRoute({
      tag: "LlmApi",
      method: "post",
      path: "/api/v1/llm-apis/{name}/route:test",
      operationId: "testLlmRoute",
      access: { permission: "apis:read" },
      summary: "Route a request by what is deployed, and tell why; it is sent nowhere",
      body: schemaComponent("RouteTestInput", routeTestInputSchema, "input"),
      answers: {
        200: { description: "The decision.", schema: schemaComponent("RouteTest", routeTestSchema, "output") },
      },
      async handle(call) {
        const { context } = call;
        const { id } = await getResource(context, llmApi, nameOf(call));
        const input = parseInput(routeTestInputSchema, await call.body(), { code: "request.invalid" });
        if (context.testRoute === undefined) {
          throw new GatewayError("route.not_served", "No gateway is here that could route a request.");
        }
        return jsonAnswer(200, await context.testRoute(id as ApiId, input)); // an API's own id
      },
    }),
  ];
}
