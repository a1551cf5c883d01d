import { parseJson } from "../../../kernel/parse-json.ts";
import type { AnswerPart, ChatAnswer, ChatUsage, FinishReason } from "../chat-answer.ts";
import type { AnswerContext } from "../dialect.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";
import { carryCallSignature, carrySignature } from "./foreign-signature.ts";

/** A whole message, as Anthropic's clients read it. Of several candidates the first. */
export function writeAnthropicAnswer(answer: ChatAnswer, { exchangeId }: AnswerContext): WireObject {
  const candidate = answer.candidates[0];
  return {
    id: messageId(answer.id, exchangeId),
    type: "message",
    role: "assistant",
    model: answer.model,
    content: (candidate?.parts ?? []).flatMap(writeBlocks),
    stop_reason: writeStopReason(candidate?.finish ?? "stop"),
    stop_sequence: candidate?.stoppedBy ?? null,
    usage: writeAnthropicUsage(answer.usage),
  };
}

/** The provider's own id, or one made of the exchange's. */
export function messageId(id: string, exchangeId: string): string {
  return id === "" ? `msg_${exchangeId}` : id;
}

function writeBlocks(part: AnswerPart): readonly WireObject[] {
  switch (part.type) {
    case "text":
    case "refusal":
      return part.text === "" ? [] : [{ type: "text", text: part.text }];
    case "reasoning": {
      if (part.redacted !== undefined) return [{ type: "redacted_thinking", data: carrySignature(part.redacted) }];
      const signature = part.signature === undefined ? "" : carrySignature(part.signature);
      return [{ type: "thinking", thinking: part.text, signature }];
    }
    default: {
      const call = { type: "tool_use", id: part.id, name: part.name, input: inputOf(part.arguments) };
      if (part.signature === undefined) return [call];
      return [{ type: "redacted_thinking", data: carryCallSignature(part.id, part.signature) }, call];
    }
  }
}

function inputOf(text: string): WireObject {
  try {
    const value: unknown = parseJson(text);
    return isWireObject(value) ? value : {};
  } catch {
    return {}; // cut off, or no JSON: an SDK expects an object
  }
}

/** Why it ended, in Anthropic's words. */
export function writeStopReason(finish: FinishReason): string {
  switch (finish) {
    case "length":
      return "max_tokens";
    case "tool-calls":
      return "tool_use";
    case "refusal":
    case "filtered":
      return "refusal";
    case "paused":
      return "pause_turn";
    case "overflow":
      return "model_context_window_exceeded";
    default:
      return "end_turn";
  }
}

/** Usage as Anthropic counts: what a cache has read or kept is no part of `input_tokens`. */
export function writeAnthropicUsage(usage: ChatUsage | undefined): WireObject {
  const [read, written] = [usage?.cachedInputTokens ?? 0, usage?.cacheWriteTokens ?? 0];
  return {
    input_tokens: Math.max((usage?.inputTokens ?? 0) - read - written, 0),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
    output_tokens: usage?.outputTokens ?? 0,
  };
}
