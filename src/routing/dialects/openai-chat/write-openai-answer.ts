import type { ChatAnswer, ChatCandidate, ChatUsage, FinishReason } from "../chat-answer.ts";
import type { ReasoningPart } from "../chat-request.ts";
import type { AnswerContext } from "../dialect.ts";
import type { WireObject } from "../member-reader.ts";
import { withoutAbsent } from "../without-absent.ts";
import { writeToolCall } from "./write-openai-turns.ts";

/** A whole chat completion, as OpenAI's clients read it. */
export function writeOpenAiAnswer(answer: ChatAnswer, { exchangeId, nowMs }: AnswerContext): WireObject {
  return withoutAbsent({
    id: completionId(answer.id, exchangeId),
    object: "chat.completion",
    created: Math.floor((answer.createdAtMs ?? nowMs) / 1_000),
    model: answer.model,
    choices: answer.candidates.map(writeChoice),
    usage: answer.usage && writeOpenAiUsage(answer.usage),
    service_tier: answer.serviceTier,
    system_fingerprint: answer.fingerprint,
  });
}

/** The provider's own id, or one made of the exchange's. */
export function completionId(id: string, exchangeId: string): string {
  return id === "" ? `chatcmpl-${exchangeId}` : id;
}

function writeChoice({ index, parts, finish }: ChatCandidate): WireObject {
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  const refusals = parts.flatMap((part) => (part.type === "refusal" ? [part.text] : []));
  const thoughts = parts.filter((part) => part.type === "reasoning");
  const calls = parts.filter((part) => part.type === "tool-call");
  const message = withoutAbsent({
    role: "assistant",
    content: texts.length === 0 ? null : texts.join(""),
    refusal: refusals.length === 0 ? null : refusals.join(""),
    reasoning_content: thoughts.length === 0 ? undefined : thoughts.map(({ text }) => text).join(""),
    thinking_blocks: thoughts.some(isReplayable) ? thoughts.map(writeThinkingBlock) : undefined,
    tool_calls: calls.length === 0 ? undefined : calls.map(writeToolCall),
  });
  return { index, message, logprobs: null, finish_reason: writeFinish(finish) };
}

function isReplayable({ signature, redacted, id }: ReasoningPart): boolean {
  return signature !== undefined || redacted !== undefined || id !== undefined;
}

/** A thought as the client is to send it back: opaque to it, and verbatim for its provider. */
export function writeThinkingBlock({ text, signature, redacted, id }: ReasoningPart): WireObject {
  if (redacted !== undefined) return { type: "redacted_thinking", data: redacted.value, dialect: redacted.of };
  return withoutAbsent({ type: "thinking", thinking: text, signature: signature?.value, dialect: signature?.of, id });
}

/** Why it ended, in OpenAI's five words. */
export function writeFinish(finish: FinishReason): string {
  switch (finish) {
    case "length":
    case "overflow":
      return "length";
    case "tool-calls":
      return "tool_calls";
    case "refusal":
    case "filtered":
      return "content_filter";
    default:
      return "stop";
  }
}

/** Usage as OpenAI counts: cached tokens are part of the prompt. */
export function writeOpenAiUsage(usage: ChatUsage): WireObject {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: withoutAbsent({
      cached_tokens: cachedInputTokens,
      cache_creation_tokens: usage.cacheWriteTokens,
      audio_tokens: usage.audioInputTokens,
    }),
    completion_tokens_details: withoutAbsent({
      reasoning_tokens: reasoningTokens,
      audio_tokens: usage.audioOutputTokens,
    }),
  };
}
