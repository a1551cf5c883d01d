import type { Usage } from "../../pipeline/exchange.ts";
import type { ReasoningPart, RefusalPart, Signature, TextPart, ToolCallPart } from "./chat-request.ts";

/** A model's whole answer, in no provider's words. */
export interface ChatAnswer {
  /** The provider's id of it. */
  readonly id: string;
  /** The model that answered, by the provider's name. */
  readonly model: string;
  /** Milliseconds since the epoch; undefined where the provider does not tell. */
  readonly createdAtMs: number | undefined;
  readonly candidates: readonly ChatCandidate[];
  readonly usage: ChatUsage | undefined;
  readonly serviceTier?: string;
  readonly fingerprint?: string;
}

/** One of the answers asked for. */
export interface ChatCandidate {
  readonly index: number;
  readonly parts: readonly AnswerPart[];
  readonly finish: FinishReason;
  /** Which of the stop texts ended it, where the provider tells. */
  readonly stoppedBy?: string;
}

export type AnswerPart = TextPart | ToolCallPart | ReasoningPart | RefusalPart;

/**
 * Why an answer ended. `refusal` is the model's own, `filtered` the provider's; `paused` is an unfinished turn of a
 * provider's own tools; `overflow` is a context window that was full.
 */
export type FinishReason = "stop" | "length" | "tool-calls" | "refusal" | "filtered" | "paused" | "overflow" | "error";

/** Tokens of an answer. `inputTokens` holds what was read from a cache and written to it, as OpenAI counts. */
export type ChatUsage = Usage;

/**
 * One step of a streamed answer. Parts are numbered within their candidate, in the order in which they begin; several
 * may be open at one time. A stream is whole when each candidate that was asked for has finished.
 */
export type ChatDelta =
  | { readonly type: "start"; readonly id: string; readonly model: string; readonly createdAtMs?: number }
  | { readonly type: "open"; readonly candidate: number; readonly part: number; readonly of: OpenedPart }
  /** More text of a part: of a tool call, of its arguments. */
  | { readonly type: "more"; readonly candidate: number; readonly part: number; readonly text: string }
  | { readonly type: "signature"; readonly candidate: number; readonly part: number; readonly signature: Signature }
  | { readonly type: "close"; readonly candidate: number; readonly part: number }
  | {
      readonly type: "finish";
      readonly candidate: number;
      readonly reason: FinishReason;
      readonly stoppedBy?: string;
    }
  /** All that is known so far, in place of what was told before. */
  | { readonly type: "usage"; readonly usage: ChatUsage }
  /** The provider broke off and said why. */
  | { readonly type: "error"; readonly error: ProviderError };

export type OpenedPart =
  | { readonly type: "text" | "refusal" }
  | { readonly type: "reasoning"; readonly redacted?: Signature; readonly id?: string }
  | { readonly type: "tool-call"; readonly id: string; readonly name: string };

/** What a provider's error means, in no provider's words. */
export interface ProviderError {
  readonly kind:
    | "invalid-request"
    | "authentication"
    | "permission"
    | "not-found"
    | "too-large"
    | "context-window"
    | "content-policy"
    | "rate-limit"
    | "quota"
    | "overloaded"
    | "timeout"
    | "server";
  /** The provider's HTTP status; undefined inside a stream. */
  readonly status: number | undefined;
  /** The provider's own text, bounded. */
  readonly message: string;
  /** Its own code, where it has one. */
  readonly code?: string;
  /** The member of the request that it is about, by the provider's name. */
  readonly param?: string;
}
