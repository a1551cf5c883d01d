import type { DialectId } from "../../pipeline/define-provider.ts";

/** A conversation and what is asked of a model with it, in no provider's words. */
export interface ChatRequest {
  /** As the client named it. */
  readonly model: string;
  readonly stream: boolean;
  /** In order, system and developer texts where they stood. */
  readonly turns: readonly ChatTurn[];
  readonly tools: readonly ChatTool[];
  readonly toolChoice: ToolChoice | undefined;
  /** False: at most one call in an answer. */
  readonly parallelToolCalls: boolean | undefined;
  /** Tokens of the answer at most, those of reasoning among them. */
  readonly maxOutputTokens: number | undefined;
  readonly sampling: Sampling;
  /** The answer ends before any of these. */
  readonly stop: readonly string[];
  /** Answers asked for; 1 as a rule. */
  readonly candidates: number;
  readonly output: OutputForm | undefined;
  readonly reasoning: ReasoningWish | undefined;
  /** Alternatives told for each token; undefined asks for none. */
  readonly topLogprobs: number | undefined;
  /** Whom the provider may hold responsible; opaque. */
  readonly user: string | undefined;
  /** Kept beside the request at the provider; changes no answer. */
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /** Binds requests with the same beginning to one cache. */
  readonly cacheKey: string | undefined;
  /** A price and speed class by the provider's own name. */
  readonly serviceTier: string | undefined;
  /** The client asked for the usage of a stream itself. */
  readonly wantsStreamUsage: boolean;
  /**
   * What this request says beyond all that, by the path of each member: nothing of it can be carried to another dialect,
   * so whoever would have to lose one refuses the request and names it.
   */
  readonly uncarried: readonly string[];
}

export interface Sampling {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly seed?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
}

/** What one side says at a time. Consecutive turns of one role are kept apart; a dialect that cannot joins them. */
export interface ChatTurn {
  readonly role: "system" | "developer" | "user" | "assistant" | "tool";
  readonly parts: readonly ChatPart[];
  /** Who of several speaks. */
  readonly name?: string;
  /** Where it stood in the client's body, for errors: `messages[3]`. */
  readonly at: string;
}

/** A piece of a turn. `at` is where it stood in the client's body; `cache` marks the end of a prefix to be cached. */
export type ChatPart = (
  | TextPart
  | ImagePart
  | AudioPart
  | FilePart
  | ToolCallPart
  | ToolResultPart
  | ReasoningPart
  | RefusalPart
) & { readonly at: string; readonly cache?: CacheMark };

export interface CacheMark {
  /** Seconds that the provider is asked to keep it; its default when absent. */
  readonly ttlSeconds?: number;
}

export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

/** Bytes by themselves or by their address; `file` is an id that only its provider knows. */
export type PartSource =
  | { readonly type: "base64"; readonly mediaType: string; readonly data: string }
  | { readonly type: "url"; readonly url: string; readonly mediaType?: string }
  | { readonly type: "file"; readonly id: string };

export interface ImagePart {
  readonly type: "image";
  readonly source: PartSource;
  readonly detail?: "auto" | "low" | "high";
}

export interface AudioPart {
  readonly type: "audio";
  readonly source: PartSource;
  /** `wav`, `mp3`, …; the media type's subtype when absent. */
  readonly format?: string;
}

/** A document, such as a PDF. */
export interface FilePart {
  readonly type: "file";
  readonly source: PartSource;
  readonly name?: string;
}

/** The model's wish to call a function. The id is echoed by its result and never changed. */
export interface ToolCallPart {
  readonly type: "tool-call";
  readonly id: string;
  readonly name: string;
  /** JSON text as the model wrote it; may be cut off or empty. */
  readonly arguments: string;
  /** What its provider signed about how it came to this call; replayed as it was, to that provider only. */
  readonly signature?: Signature;
}

export interface ToolResultPart {
  readonly type: "tool-result";
  readonly callId: string;
  /** The function's name where the dialect tells it; else found by the call's id. */
  readonly name?: string;
  readonly parts: readonly (TextPart | ImagePart | FilePart)[];
  /** Undefined where the dialect has no word for it. */
  readonly isError?: boolean;
}

/** What the model thought. Replayed verbatim and in order: a provider refuses a text that its signature is not of. */
export interface ReasoningPart {
  readonly type: "reasoning";
  /** Empty where the provider keeps it to itself. */
  readonly text: string;
  readonly signature?: Signature;
  /** The thought itself, encrypted by its provider. */
  readonly redacted?: Signature;
  /** The item's id at its provider. */
  readonly id?: string;
}

/** Proof of a provider about its own earlier output; means nothing to another. */
export interface Signature {
  /** The dialect that made it. */
  readonly of: DialectId;
  readonly value: string;
}

export interface RefusalPart {
  readonly type: "refusal";
  readonly text: string;
}

/** A function that the model may call; the client runs it. */
export interface ChatTool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of its arguments, as it came; undefined for none. */
  readonly parameters: Readonly<Record<string, unknown>> | undefined;
  /** The arguments must follow the schema exactly. */
  readonly strict?: boolean;
  readonly cache?: CacheMark;
  readonly at: string;
}

export type ToolChoice =
  | { readonly type: "auto" | "none" | "required" }
  | { readonly type: "tool"; readonly name: string };

/** How the answer is to be formed. */
export type OutputForm =
  | { readonly type: "text" }
  | { readonly type: "json" }
  | {
      readonly type: "schema";
      readonly name: string;
      readonly description?: string;
      readonly schema: Readonly<Record<string, unknown>>;
      readonly strict?: boolean;
    };

/** How much the model is to think first. */
export interface ReasoningWish {
  readonly effort?: "none" | "minimal" | "low" | "medium" | "high" | "max";
  readonly budgetTokens?: number;
  /** Whether the client wants to see it. */
  readonly visible?: boolean;
}
