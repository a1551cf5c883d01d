import { GatewayError } from "../../../kernel/errors.ts";
import type { AnswerPart, ChatAnswer, ChatCandidate, FinishReason } from "../chat-answer.ts";
import type { ToolCallPart } from "../chat-request.ts";
import { madeCallId } from "../made-call-id.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";
import { textOf } from "../wire-values.ts";
import { readContentTexts } from "./read-content-texts.ts";
import { readOpenAiUsage } from "./read-openai-usage.ts";

/** A whole chat completion. What it says beyond what a chat is made of stays behind; it is lenient, as clients are. */
export function readOpenAiAnswer(body: unknown): ChatAnswer {
  const choices = isWireObject(body) ? body["choices"] : undefined;
  if (!isWireObject(body) || !Array.isArray(choices) || choices.length === 0) {
    throw new GatewayError("upstream.invalid", "The provider's answer is no chat completion.");
  }
  const { created, service_tier: tier, system_fingerprint: fingerprint } = body;
  return {
    id: textOf(body["id"]),
    model: textOf(body["model"]),
    createdAtMs: typeof created === "number" ? created * 1_000 : undefined,
    candidates: choices.filter(isWireObject).map((choice, place) => readChoice(choice, place, madeCallId(body["id"]))),
    usage: readOpenAiUsage(body["usage"]),
    ...(typeof tier === "string" ? { serviceTier: tier } : {}),
    ...(typeof fingerprint === "string" ? { fingerprint } : {}),
  };
}

function readChoice(choice: WireObject, place: number, callIds: string): ChatCandidate {
  const message = isWireObject(choice["message"]) ? choice["message"] : {};
  const parts: AnswerPart[] = [];
  const thought = message["reasoning_content"] ?? message["reasoning"];
  if (typeof thought === "string" && thought !== "") parts.push({ type: "reasoning", text: thought });
  const { content, refusal, tool_calls: calls } = message;
  parts.push(...readContentTexts(content));
  if (typeof refusal === "string" && refusal !== "") parts.push({ type: "refusal", text: refusal });
  if (Array.isArray(calls))
    parts.push(...calls.filter(isWireObject).map((call, place) => readCall(call, `${callIds}_${place}`)));
  const index = typeof choice["index"] === "number" ? choice["index"] : place;
  const finish = readFinish(choice["finish_reason"], {
    hasCalls: Array.isArray(calls),
    refused: typeof refusal === "string",
  });
  return { index, parts, finish };
}

function readCall(call: WireObject, callId: string): ToolCallPart {
  const about = isWireObject(call["function"]) ? call["function"] : {};
  const signature = signatureOf(call);
  return {
    type: "tool-call",
    id: textOf(call["id"]) || callId,
    name: textOf(about["name"]),
    arguments: textOf(about["arguments"]),
    ...(signature === undefined ? {} : { signature: { of: "gemini", value: signature } }),
  };
}

/** What Google's own OpenAI endpoint has signed of a call. */
export function signatureOf(call: WireObject): string | undefined {
  const extra = isWireObject(call["extra_content"]) ? call["extra_content"]["google"] : undefined;
  const value = isWireObject(extra) ? extra["thought_signature"] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** Why a choice ended; some servers say `stop` where there are calls to be made. */
export function readFinish(
  reason: unknown,
  seen: { readonly hasCalls: boolean; readonly refused: boolean },
): FinishReason {
  if (seen.refused) return "refusal";
  switch (reason) {
    case "length":
      return "length";
    case "content_filter":
      return "filtered";
    case "tool_calls":
    case "function_call":
      return "tool-calls";
    default:
      return seen.hasCalls ? "tool-calls" : "stop";
  }
}
