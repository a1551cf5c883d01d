import { GatewayError } from "../../../kernel/errors.ts";
import { uuidV7 } from "../../../kernel/ids.ts";
import type { McpContext } from "../../../mcp/backend.ts";
import type { ToolRequest } from "../../../mcp/openapi/compile-operation.ts";
import type { RequestPlan } from "../../../mcp/openapi/openapi-tool.ts";
import type { ToolAnswer } from "../../../mcp/openapi/tool-result.ts";
import type { Outcome } from "../../../pipeline/outcome.ts";
import { refusalError } from "../../../pipeline/outcome.ts";
import type { NestedRunner } from "../../../pipeline/run-nested.ts";
import type { RestRequest } from "../../rest/rest-request.ts";
import { restOperation } from "../../rest/rest-request.ts";
import { memberExchange } from "../virtual/member-exchange.ts";
import { tracingHeaders } from "./send-request.ts";

/**
 * A tool's request by way of a REST API that is held here: with that API's subscription, scopes, limits, policies and
 * guardrails, for the caller of the tool. The API is found by name in the snapshot that the call began with.
 */
export async function sendThroughApi(
  name: string,
  { url, headers, body }: ToolRequest,
  plan: RequestPlan,
  context: McpContext,
  runner: NestedRunner,
): Promise<ToolAnswer> {
  const outer = context.exchange;
  if (outer === undefined) throw new GatewayError("internal", "An API's tools serve callers only.");
  const api = outer.snapshot.apis.find((each) => each.kind === "RestApi" && each.name === name);
  if (api === undefined) {
    throw new GatewayError("upstream.unavailable", "The API of this tool is not deployed.", { detail: name });
  }
  const { exchange, refusal } = memberExchange(outer, api, context, api.adapter.call);
  if (refusal !== undefined) throw refusalError(refusal);
  const path = url.slice(new URL(url).origin.length);
  const method = plan.method as RestRequest["method"]; // of the methods that tools are made of
  const sent = { method, path, headers: { ...headers, ...ownHeaders, ...tracingHeaders(context) } };
  const id = uuidV7(outer.startedAtMs);
  const operation = restOperation(id, `${plan.method} ${plan.path}`, sent, body);
  exchange.operations.push(operation);
  let outcome: Outcome | undefined;
  try {
    outcome = await runner.run(exchange, operation);
    if (outcome.type === "failed") throw outcome.error;
    if (outcome.type === "denied") throw refusalError(outcome.deny);
    const { status, headers: told, body: answered } = outcome.answer;
    if (answered.type === "whole") return { status, headers: told, body: answered.frame.bytes };
    throw new GatewayError("internal", "A REST API's answer is whole.");
  } finally {
    await runner.end(exchange, operation, outcome ?? { type: "failed", error: ended() });
  }
}

const ownHeaders = { "user-agent": "gatehouse", "accept-encoding": "identity" };

function ended(): GatewayError {
  return new GatewayError("client.closed", "The call ended before its answer.");
}
