import { llmApi } from "../core/llm-api.ts";
import { purgeAnswers } from "../core/purge-answers.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, nameOf } from "./control-route.ts";

/** Has gateways drop the answers that they keep of an API. */
export function purgeAnswersRoute(): ControlRoute {
  return defineRoute({
    tag: "LlmApi",
    method: "post",
    path: "/api/v1/llm-apis/{name}/cache:purge",
    operationId: "purgeAnswers",
    access: { permission: "apis:publish" },
    summary: "Drop all answers that the caches of an API keep",
    answers: { 202: { description: "Every gateway is told; one that is away drops them when it comes back." } },
    async handle(call) {
      await purgeAnswers(call.context, call.actor, llmApi, nameOf(call));
      return new Response(null, { status: 202 });
    },
  });
}
