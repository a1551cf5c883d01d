import { GatewayError } from "../../../kernel/errors.ts";
import type { AnswerPart, ChatAnswer, ChatCandidate, ChatUsage, FinishReason } from "../chat-answer.ts";
import { madeCallId } from "../made-call-id.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";
import { countOf, objectsOf, textOf } from "../wire-values.ts";

/** A whole `GenerateContentResponse`. One without candidates was blocked by the prompt's own content. */
export function readGeminiAnswer(body: unknown): ChatAnswer {
  if (!isWireObject(body) || (body["candidates"] === undefined && body["promptFeedback"] === undefined)) {
    throw new GatewayError("upstream.invalid", "The provider's answer is none of Google's generateContent.");
  }
  const callIds = madeCallId(body["responseId"]);
  const candidates = objectsOf(body["candidates"]).map((each, place) => readCandidate(each, place, callIds));
  const blocked: ChatCandidate = { index: 0, parts: [], finish: "filtered" };
  return {
    id: textOf(body["responseId"]),
    model: textOf(body["modelVersion"]),
    createdAtMs: timeOf(body["createTime"]),
    candidates: candidates.length === 0 ? [blocked] : candidates,
    usage: readGeminiUsage(body["usageMetadata"]),
  };
}

function readCandidate(candidate: WireObject, place: number, callIds: string): ChatCandidate {
  const index = typeof candidate["index"] === "number" ? candidate["index"] : place;
  const content = isWireObject(candidate["content"]) ? candidate["content"] : {};
  const parts: AnswerPart[] = [];
  for (const [at, part] of objectsOf(content["parts"]).entries()) {
    const read = readGeminiPart(part, `${callIds}_${index}_${at}`);
    const last = parts.at(-1);
    if (read === undefined) continue;
    if (read.type === "text" && last?.type === "text") parts.splice(-1, 1, { ...last, text: last.text + read.text });
    else parts.push(read);
  }
  const hasCalls = parts.some(({ type }) => type === "tool-call");
  return { index, parts, finish: readGeminiFinish(candidate["finishReason"], hasCalls) };
}

/** A part of an answer; undefined for one of Google's own tools. A call without an id of its own gets `callId`. */
export function readGeminiPart(part: WireObject, callId: string): AnswerPart | undefined {
  const value = part["thoughtSignature"];
  const signature = typeof value === "string" ? { signature: { of: "gemini" as const, value } } : {};
  if (isWireObject(part["functionCall"])) {
    const { id, name, args } = part["functionCall"];
    return {
      type: "tool-call",
      id: typeof id === "string" && id !== "" ? id : callId,
      name: textOf(name),
      arguments: JSON.stringify(args ?? {}),
      ...signature,
    };
  }
  if (typeof part["text"] !== "string") return undefined;
  if (part["thought"] === true) return { type: "reasoning", text: part["text"], ...signature };
  return { type: "text", text: part["text"] };
}

const filtered: ReadonlySet<unknown> = new Set([
  "SAFETY",
  "RECITATION",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "SPII",
  "IMAGE_SAFETY",
  "LANGUAGE",
]);

const failed: ReadonlySet<unknown> = new Set([
  "MALFORMED_FUNCTION_CALL",
  "UNEXPECTED_TOOL_CALL",
  "TOO_MANY_TOOL_CALLS",
  "MISSING_THOUGHT_SIGNATURE",
  "MALFORMED_RESPONSE",
  "OTHER",
]);

/** Why a candidate ended: Google says `STOP` where there are calls to be made too. */
export function readGeminiFinish(reason: unknown, hasCalls: boolean): FinishReason {
  if (filtered.has(reason)) return "filtered";
  if (reason === "MAX_TOKENS") return "length";
  if (failed.has(reason)) return "error";
  return hasCalls ? "tool-calls" : "stop";
}

/**
 * Usage: thoughts count as output here, of which Google's `candidatesTokenCount` has only the rest.
 * @see https://ai.google.dev/api/generate-content#UsageMetadata
 */
export function readGeminiUsage(usage: unknown): ChatUsage | undefined {
  const prompt = countOf(usage, "promptTokenCount");
  if (prompt === undefined) return undefined;
  const thoughts = countOf(usage, "thoughtsTokenCount") ?? 0;
  const [heard, spoken] = [audioIn(usage, "promptTokensDetails"), audioIn(usage, "candidatesTokensDetails")];
  return {
    inputTokens: prompt + (countOf(usage, "toolUsePromptTokenCount") ?? 0),
    outputTokens: (countOf(usage, "candidatesTokenCount") ?? 0) + thoughts,
    cachedInputTokens: countOf(usage, "cachedContentTokenCount") ?? 0,
    reasoningTokens: thoughts,
    source: "actual",
    ...(heard === undefined ? {} : { audioInputTokens: heard }),
    ...(spoken === undefined ? {} : { audioOutputTokens: spoken }),
  };
}

function audioIn(usage: unknown, list: string): number | undefined {
  const details = isWireObject(usage) ? objectsOf(usage[list]) : [];
  return countOf(
    details.find(({ modality }) => modality === "AUDIO"),
    "tokenCount",
  );
}

function timeOf(value: unknown): number | undefined {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
