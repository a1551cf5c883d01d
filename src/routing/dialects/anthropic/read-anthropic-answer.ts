import { GatewayError } from "../../../kernel/errors.ts";
import type { AnswerPart, ChatAnswer, ChatUsage, FinishReason } from "../chat-answer.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";
import { countOf, textOf } from "../wire-values.ts";

/** A whole message of the model. Blocks of Anthropic's own tools stay behind. */
export function readAnthropicAnswer(body: unknown): ChatAnswer {
  const content = isWireObject(body) ? body["content"] : undefined;
  if (!isWireObject(body) || !Array.isArray(content)) {
    throw new GatewayError("upstream.invalid", "The provider's answer is no message of Anthropic's.");
  }
  const stoppedBy = body["stop_sequence"];
  return {
    id: textOf(body["id"]),
    model: textOf(body["model"]),
    createdAtMs: undefined,
    candidates: [
      {
        index: 0,
        parts: content.filter(isWireObject).flatMap(readBlock),
        finish: readStopReason(body["stop_reason"]),
        ...(typeof stoppedBy === "string" ? { stoppedBy } : {}),
      },
    ],
    usage: readAnthropicUsage(body["usage"]),
  };
}

function readBlock(block: WireObject): readonly AnswerPart[] {
  switch (block["type"]) {
    case "text":
      return [{ type: "text", text: textOf(block["text"]) }];
    case "thinking": {
      const value = textOf(block["signature"]);
      const signature = value === "" ? {} : { signature: { of: "anthropic-messages" as const, value } };
      return [{ type: "reasoning", text: textOf(block["thinking"]), ...signature }];
    }
    case "redacted_thinking":
      return [{ type: "reasoning", text: "", redacted: { of: "anthropic-messages", value: textOf(block["data"]) } }];
    case "tool_use": {
      const given = JSON.stringify(block["input"] ?? {});
      return [{ type: "tool-call", id: textOf(block["id"]), name: textOf(block["name"]), arguments: given }];
    }
    default:
      return [];
  }
}

/** Why a message ended. */
export function readStopReason(reason: unknown): FinishReason {
  switch (reason) {
    case "max_tokens":
      return "length";
    case "tool_use":
      return "tool-calls";
    case "refusal":
      return "refusal";
    case "pause_turn":
      return "paused";
    case "model_context_window_exceeded":
      return "overflow";
    default:
      return "stop";
  }
}

/**
 * Usage with all of the input in one sum: Anthropic's `input_tokens` has neither what was read from a cache nor what was
 * written to it.
 */
export function readAnthropicUsage(usage: unknown): ChatUsage | undefined {
  if (!isWireObject(usage)) return undefined;
  const plain = countOf(usage, "input_tokens");
  const [read, written] = [countOf(usage, "cache_read_input_tokens"), countOf(usage, "cache_creation_input_tokens")];
  const hour = countOf(usage["cache_creation"], "ephemeral_1h_input_tokens");
  const outputTokens = countOf(usage, "output_tokens");
  const tier = usage["service_tier"];
  if (plain === undefined && outputTokens === undefined) return undefined;
  return {
    inputTokens: (plain ?? 0) + (read ?? 0) + (written ?? 0),
    outputTokens: outputTokens ?? 0,
    cachedInputTokens: read ?? 0,
    reasoningTokens: countOf(usage["output_tokens_details"], "thinking_tokens") ?? 0,
    source: "actual",
    ...(written === undefined ? {} : { cacheWriteTokens: written }),
    ...(hour === undefined ? {} : { cacheWriteHourTokens: hour }),
    ...(typeof tier === "string" ? { serviceTier: tier } : {}),
  };
}
