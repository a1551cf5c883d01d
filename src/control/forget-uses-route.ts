import { forgetUses, forgetUsesInputSchema } from "../core/forget-uses.ts";
import { llmApi } from "../core/llm-api.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, nameOf } from "./control-route.ts";
import { parseInput } from "./parse-input.ts";
import { schemaComponent } from "./schema-component.ts";

/** Has gateways forget what the tool filter of an API has learnt from use. */
export function forgetUsesRoute(): ControlRoute {
  return defineRoute({
    tag: "LlmApi",
    method: "post",
    path: "/api/v1/llm-apis/{name}/tool-filter:forget",
    operationId: "forgetToolUses",
    access: { permission: "apis:publish" },
    summary: "Forget what the tool filter has learnt from use: of an application, of a tool, or all of it",
    body: schemaComponent("ForgetUsesInput", forgetUsesInputSchema, "input"),
    answers: { 202: { description: "Every gateway is told; one that is away forgets it when it comes back." } },
    async handle(call) {
      const input = parseInput(forgetUsesInputSchema, await call.body(), { code: "request.invalid" });
      await forgetUses(call.context, call.actor, llmApi, nameOf(call), input);
      return new Response(null, { status: 202 });
    },
  });
}
