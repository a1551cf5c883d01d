import { GatewayError } from "../../../kernel/errors.ts";
import type { AnswerPart, ChatAnswer, ChatUsage, FinishReason } from "../chat-answer.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";
import { countOf, objectsOf, textOf } from "../wire-values.ts";

/** A whole answer of Converse. It names neither itself nor its model: that is known from the request. */
export function readBedrockAnswer(body: unknown): ChatAnswer {
  const output = isWireObject(body) ? body["output"] : undefined;
  const message = isWireObject(output) ? output["message"] : undefined;
  if (!isWireObject(body) || !isWireObject(message) || !Array.isArray(message["content"])) {
    throw new GatewayError("upstream.invalid", "The provider's answer is none of Bedrock's Converse.");
  }
  const parts = message["content"].filter(isWireObject).flatMap(readBlock);
  return {
    id: "",
    model: "",
    createdAtMs: undefined,
    candidates: [{ index: 0, parts, finish: readBedrockStop(body["stopReason"]) }],
    usage: readBedrockUsage(body["usage"], body["serviceTier"]),
  };
}

function readBlock(block: WireObject): readonly AnswerPart[] {
  if (typeof block["text"] === "string") return [{ type: "text", text: block["text"] }];
  if (isWireObject(block["toolUse"])) {
    const { toolUseId, name, input } = block["toolUse"];
    return [{ type: "tool-call", id: textOf(toolUseId), name: textOf(name), arguments: JSON.stringify(input ?? {}) }];
  }
  const thought = block["reasoningContent"];
  if (!isWireObject(thought)) return [];
  if (typeof thought["redactedContent"] === "string") {
    return [{ type: "reasoning", text: "", redacted: { of: "bedrock-converse", value: thought["redactedContent"] } }];
  }
  const said = isWireObject(thought["reasoningText"]) ? thought["reasoningText"] : {};
  const value = textOf(said["signature"]);
  const signature = value === "" ? {} : { signature: { of: "bedrock-converse" as const, value } };
  return [{ type: "reasoning", text: textOf(said["text"]), ...signature }];
}

/** Why an answer ended. */
export function readBedrockStop(reason: unknown): FinishReason {
  switch (reason) {
    case "max_tokens":
      return "length";
    case "tool_use":
      return "tool-calls";
    case "guardrail_intervened":
    case "content_filtered":
      return "filtered";
    case "model_context_window_exceeded":
      return "overflow";
    case "malformed_model_output":
    case "malformed_tool_use":
      return "error";
    default:
      return "stop";
  }
}

/**
 * Usage with all of the input in one sum, as it is told beside the service tier: Bedrock's `inputTokens` leaves out what a
 * cache has read or kept.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
 */
export function readBedrockUsage(usage: unknown, tier?: unknown): ChatUsage | undefined {
  const input = countOf(usage, "inputTokens");
  if (input === undefined) return undefined;
  const [read, written] = [countOf(usage, "cacheReadInputTokens"), countOf(usage, "cacheWriteInputTokens")];
  const details = isWireObject(usage) ? objectsOf(usage["cacheDetails"]) : [];
  const hour = countOf(
    details.find(({ ttl }) => ttl === "1h"),
    "inputTokens",
  );
  return {
    inputTokens: input + (read ?? 0) + (written ?? 0),
    outputTokens: countOf(usage, "outputTokens") ?? 0,
    cachedInputTokens: read ?? 0,
    reasoningTokens: 0,
    source: "actual",
    ...(written === undefined ? {} : { cacheWriteTokens: written }),
    ...(hour === undefined ? {} : { cacheWriteHourTokens: hour }),
    ...(isWireObject(tier) && typeof tier["type"] === "string" ? { serviceTier: tier["type"] } : {}),
  };
}
