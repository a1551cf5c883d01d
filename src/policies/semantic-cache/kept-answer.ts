import type { AnswerKeeping, KeptAnswer } from "../../pipeline/answer-keeping.ts";
import type { Operation } from "../../pipeline/exchange.ts";
import type { CacheConfig } from "./cache-config.ts";
import type { HeardAnswer } from "./hear-answer.ts";

/** What was heard as it is kept; undefined of an answer that may not stand for another. */
export function keptAnswer(
  { status, headers, isStream, bytes }: HeardAnswer,
  operation: Operation,
  keeping: Pick<AnswerKeeping, "end">,
  { toolCalls, ttlSeconds }: Pick<CacheConfig, "toolCalls" | "ttlSeconds">,
  nowMs: number,
): KeptAnswer | undefined {
  if (bytes === undefined) return undefined;
  const end = keeping.end(operation, { isStream, bytes });
  if (end !== "whole" && !(end === "calls-tools" && toolCalls)) return undefined;
  return {
    status,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => aboutTheAnswer.has(name))),
    isStream,
    bytes,
    storedAtMs: nowMs,
    expiresAtMs: nowMs + ttlSeconds * 1_000,
    inputTokens: operation.usage?.inputTokens ?? 0,
    outputTokens: operation.usage?.outputTokens ?? 0,
  };
}

/** All other headers are about the call that brought it. */
const aboutTheAnswer: ReadonlySet<string> = new Set(["content-type", "cache-control", "x-accel-buffering"]);
