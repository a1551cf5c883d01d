import { canonicalJson } from "../../kernel/canonical-json.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { AnswerEnd, AnswerKeeping, KeptAnswer, Question } from "../../pipeline/answer-keeping.ts";
import type { Exchange, Frame, Operation } from "../../pipeline/exchange.ts";
import type { FinishReason } from "../../routing/dialects/chat-answer.ts";
import { upstreamDialects } from "../../routing/dialects/index.ts";
import { SseFrame } from "../sse-frame.ts";
import type { LlmRequest } from "./llm-request.ts";
import { llmRequest } from "./llm-request.ts";
import { jsonFrame } from "./parsed-frame.ts";
import { sseFraming } from "./stream-framing.ts";

/** How answers of models are kept: chats in all dialects, and embeddings where the whole request is equal. */
export const keepAnswers: AnswerKeeping = {
  question(exchange, operation) {
    const request = llmRequest(operation);
    if (request.kind !== "chat" && request.kind !== "embeddings") return undefined;
    return reasonAgainst(request) ?? questionOf(request, exchange);
  },
  end(operation, answer) {
    try {
      return answer.isStream ? streamEnd(operation, answer) : wholeEnd(operation, answer);
    } catch {
      return "unfinished"; // what its own dialect cannot read is nobody else's answer
    }
  },
  frames: (answer) => (answer.isStream ? events(answer).map(({ bytes }) => new SseFrame(bytes)) : [wholeFrame(answer)]),
};

/** Whether the request is about more than what it says, so that an equal one need not have an equal answer. */
function reasonAgainst({ json, dialect, affinity }: LlmRequest): string | undefined {
  if (affinity?.state !== undefined || isGiven(json["previous_response_id"]) || isGiven(json["conversation"]))
    return "state";
  if (json["background"] === true) return "background";
  return dialect === "openai-chat" && json["store"] === true ? "stored" : undefined;
}

/** What changes no answer: whom it is for, and how it is billed, labelled and cached elsewhere. */
const beside: ReadonlySet<string> = new Set([
  "user",
  "safety_identifier",
  "metadata",
  "service_tier",
  "prompt_cache_key",
  "prompt_cache_retention",
  "cache_control",
]);

/** Headers of the dialects that choose how a provider answers. */
const telling = ["anthropic-version", "anthropic-beta", "openai-beta"];

function questionOf(request: LlmRequest, { inbound }: Pick<Exchange, "inbound">): Question {
  const { json, dialect, kind } = request;
  const rest = Object.fromEntries(Object.entries(json).filter(([name]) => !beside.has(name)));
  const turns: string[][] = [];
  if (kind === "chat") {
    const list = dialect === "openai-responses" ? "input" : "messages";
    rest[list] = withoutWords(rest[list], turns);
    if (dialect === "anthropic-messages") for (const name of ["system", "tools"]) rest[name] = withoutMarks(rest[name]);
  }
  const headers = telling.map((name) => inbound.headers[name] ?? null);
  return {
    frame: canonicalJson([dialect, kind, headers, rest]),
    turns,
    isCallersOwn: dialect === "openai-responses" && json["store"] !== false,
  };
}

/** A conversation with the user's words taken out of it, which go to `turns`. */
function withoutWords(conversation: unknown, turns: string[][]): unknown {
  if (typeof conversation === "string") {
    turns.push([conversation]);
    return "";
  }
  if (!Array.isArray(conversation)) return conversation;
  return conversation.map((turn: unknown) => {
    if (!isObject(turn)) return turn;
    const { content } = turn;
    if (turn["role"] !== "user") return { ...turn, content: withoutMarks(content) };
    if (typeof content === "string") {
      turns.push([content]);
      return { ...turn, content: "" };
    }
    if (!Array.isArray(content)) return turn;
    const texts: string[] = [];
    const parts = withoutMarks(content).map((part) => {
      if (!isObject(part) || typeof part["text"] !== "string") return part;
      texts.push(part["text"]);
      return { ...part, text: "" };
    });
    turns.push(texts);
    return { ...turn, content: parts };
  });
}

/** Blocks without Anthropic's marks, which say what to keep and nothing to the model. They move on with each turn. */
function withoutMarks<Blocks>(blocks: Blocks): Blocks extends readonly unknown[] ? readonly unknown[] : Blocks;
function withoutMarks(blocks: unknown): unknown {
  if (!Array.isArray(blocks)) return blocks;
  return blocks.map((block: unknown) => {
    if (!isObject(block) || block["cache_control"] === undefined) return block;
    const { cache_control: _mark, ...rest } = block;
    return rest;
  });
}

type Kept = Pick<KeptAnswer, "isStream" | "bytes">;

function wholeEnd(operation: Operation, answer: Kept): AnswerEnd {
  const message = wholeFrame(answer).message();
  const { kind, dialect } = llmRequest(operation);
  if (!isObject(message) || isGiven(message["error"])) return "unfinished";
  if (kind === "embeddings") return Array.isArray(message["data"]) ? "whole" : "unfinished";
  const { candidates } = upstreamDialects[dialect].readAnswer(message);
  const callsTools = candidates.some(({ parts }) => parts.some(({ type }) => type === "tool-call"));
  const finished = candidates.map(({ finish }) => finish);
  return endOf(finished, callsTools, operation);
}

function streamEnd(operation: Operation, answer: Kept): AnswerEnd {
  const reader = upstreamDialects[llmRequest(operation).dialect].deltaReader();
  const finished: FinishReason[] = [];
  let callsTools = false;
  for (const { event } of events(answer)) {
    for (const delta of reader.read(event())) {
      if (delta.type === "error") return "unfinished";
      if (delta.type === "finish") finished.push(delta.reason);
      if (delta.type === "open" && delta.of.type === "tool-call") callsTools = true;
    }
  }
  return reader.end() ? endOf(finished, callsTools, operation) : "unfinished";
}

function endOf(finished: readonly FinishReason[], callsTools: boolean, operation: Operation): AnswerEnd {
  const { n } = llmRequest(operation).json;
  if (finished.length < (typeof n === "number" && n > 1 ? n : 1)) return "unfinished";
  if (finished.some((reason) => reason !== "stop" && reason !== "tool-calls")) return "unfinished";
  return callsTools || finished.includes("tool-calls") ? "calls-tools" : "whole";
}

function events({ bytes }: Kept) {
  const framing = sseFraming(Number.MAX_SAFE_INTEGER);
  return framing.push(bytes);
}

function wholeFrame({ bytes }: Kept): Frame {
  return jsonFrame(bytes, parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8")));
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
