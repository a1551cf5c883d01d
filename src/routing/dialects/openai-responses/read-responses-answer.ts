import { GatewayError } from "../../../kernel/errors.ts";
import type { AnswerPart, ChatAnswer, ChatUsage, FinishReason } from "../chat-answer.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";
import { countOf, objectsOf, textOf } from "../wire-values.ts";

/** A whole response. Items of OpenAI's own tools stay behind. */
export function readResponsesAnswer(body: unknown): ChatAnswer {
  const output = isWireObject(body) ? body["output"] : undefined;
  if (!isWireObject(body) || !Array.isArray(output)) {
    throw new GatewayError("upstream.invalid", "The provider's answer is no response of OpenAI's.");
  }
  const parts = output.filter(isWireObject).flatMap(readItem);
  const { created_at: created, service_tier: tier } = body;
  return {
    id: textOf(body["id"]),
    model: textOf(body["model"]),
    createdAtMs: typeof created === "number" ? created * 1_000 : undefined,
    candidates: [{ index: 0, parts, finish: readResponsesFinish(body, parts) }],
    usage: readResponsesUsage(body["usage"], tier),
    ...(typeof tier === "string" ? { serviceTier: tier } : {}),
  };
}

function readItem(item: WireObject): readonly AnswerPart[] {
  switch (item["type"]) {
    case "message":
      return objectsOf(item["content"]).flatMap((part): readonly AnswerPart[] => {
        if (part["type"] === "output_text") return [{ type: "text", text: textOf(part["text"]) }];
        return part["type"] === "refusal" ? [{ type: "refusal", text: textOf(part["refusal"]) }] : [];
      });
    case "function_call": {
      const [id, name] = [textOf(item["call_id"]), textOf(item["name"])];
      return [{ type: "tool-call", id, name, arguments: textOf(item["arguments"]) }];
    }
    case "reasoning": {
      const text = [...objectsOf(item["summary"]), ...objectsOf(item["content"])].map((part) => textOf(part["text"]));
      return [{ type: "reasoning", text: text.join("\n"), ...proofOf(item) }];
    }
    default:
      return [];
  }
}

/** The id of a thought and what its provider has encrypted of it. */
export function proofOf(item: WireObject): Partial<Extract<AnswerPart, { type: "reasoning" }>> {
  const { id, encrypted_content: value } = item;
  return {
    ...(typeof id === "string" ? { id } : {}),
    ...(typeof value === "string" ? { signature: { of: "openai-responses", value } } : {}),
  };
}

/** Why a response ended; calls are told by what it holds, and by no word of their own. */
export function readResponsesFinish(
  response: WireObject,
  parts: readonly { readonly type: AnswerPart["type"] }[],
): FinishReason {
  const details = response["incomplete_details"];
  if (response["status"] === "failed") return "error";
  if (response["status"] === "incomplete") {
    return isWireObject(details) && details["reason"] === "content_filter" ? "filtered" : "length";
  }
  if (parts.some(({ type }) => type === "refusal")) return "refusal";
  return parts.some(({ type }) => type === "tool-call") ? "tool-calls" : "stop";
}

/** Usage as a response tells it beside its service tier: cached tokens are input too, those of reasoning output. */
export function readResponsesUsage(usage: unknown, tier?: unknown): ChatUsage | undefined {
  const inputTokens = countOf(usage, "input_tokens");
  if (!isWireObject(usage) || inputTokens === undefined) return undefined;
  return {
    inputTokens,
    outputTokens: countOf(usage, "output_tokens") ?? 0,
    cachedInputTokens: countOf(usage["input_tokens_details"], "cached_tokens") ?? 0,
    reasoningTokens: countOf(usage["output_tokens_details"], "reasoning_tokens") ?? 0,
    source: "actual",
    ...(typeof tier === "string" ? { serviceTier: tier } : {}),
  };
}
