import type { z } from "zod";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Usage } from "./exchange.ts";
import type { PluginDescription, PluginTools } from "./plugin.ts";

/** A wire format of chats. */
export type DialectId = "openai-chat" | "openai-responses" | "anthropic-messages" | "gemini" | "bedrock-converse";

/** What the LLM adapter asks of a provider. */
export interface ProviderCall {
  /** `count-tokens` is asked only of those that speak Anthropic's dialect, or have `counting`. */
  readonly operation: "chat" | "count-tokens" | "embeddings" | "models";
  /** What a chat's body is written in; one of the provider's own. */
  readonly dialect: DialectId;
  /** The model as the provider knows it, after the target's renaming. Empty for `models`. */
  readonly model: string;
  readonly stream: boolean;
  /** The request's bytes; empty for `models`. */
  readonly body: Buffer;
}

/** What is asked of a provider whose answer passes as it is: an image, a file, a batch. */
export interface PassThroughCall {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the base URL of OpenAI's dialect, with a leading slash, and its query if there is one. */
  readonly path: string;
}

/** The HTTP request that carries a call. */
export interface ProviderRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the provider's base URL, with a leading slash. */
  readonly path: string;
  /** Lower-case names; credentials among them. The adapter adds nothing but what HTTP itself needs. */
  readonly headers: Readonly<Record<string, string>>;
  /** Headers for clients that do not send them. */
  readonly defaults?: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** What is asked of a provider with embeddings of its own form. */
export interface EmbeddingsAsked {
  readonly texts: readonly string[];
  /** Numbers in each vector; the model's own where absent. */
  readonly dimensions?: number;
}

/** One vector for each text, in their order. */
export interface EmbeddingsTold {
  readonly vectors: readonly (readonly number[])[];
  /** Undefined where the provider does not tell. */
  readonly inputTokens?: number;
}

/** Embeddings in a form of the provider's own. */
export interface OwnEmbeddings {
  /** The body for it, or the client's member that the provider has no word for. */
  write(asked: EmbeddingsAsked, model: string): Readonly<Record<string, unknown>> | { readonly lost: string };
  /** Undefined for what is no answer. */
  read(message: unknown): EmbeddingsTold | undefined;
}

/** Counting of a prompt's tokens in a form of the provider's own. */
export interface OwnCounting {
  /** @param chat the chat whose tokens are asked for, in the provider's dialect */
  write(chat: Readonly<Record<string, unknown>>, model: string): Readonly<Record<string, unknown>>;
  /** Undefined for what is no answer. */
  read(message: unknown): number | undefined;
}

/** A provider with its configuration: where it is, and how it is spoken to. */
export interface CompiledProvider {
  /** Scheme, host, port and base path, without a trailing slash. */
  readonly baseUrl: string;
  /**
   * What it speaks, the preferred one first; OpenAI's chat completions when absent. A client of one of them is passed
   * through byte for byte, any other is translated.
   */
  readonly dialects?: readonly DialectId[];
  /** How its streams are framed: server-sent events, or AWS's binary event stream. */
  readonly framing?: "sse" | "aws-event-stream";
  /** Tokens of an answer where it must be told and the client does not say. */
  readonly maxOutputTokens?: number;
  /** False when it has no list of models to ask for. */
  readonly listsModels?: false;
  /**
   * True where OpenAI's own newest words are understood: `max_completion_tokens`, `safety_identifier`, `developer`.
   * Whoever else speaks that dialect is told in those that all of them know.
   */
  readonly newestWords?: true;
  /** A header of its own that tells how many tokens are left of its limit; the usual ones are known. Lower-case. */
  readonly remainingTokensHeader?: string;
  /** True when the provider understands `stream_options.include_usage`. */
  readonly streamUsage: boolean;
  request(call: ProviderCall): MaybePromise<ProviderRequest>;
  /** Where the provider takes calls of OpenAI's dialect that are no chats, and with what; without a body. Absent: nowhere. */
  passThrough?(call: PassThroughCall): MaybePromise<ProviderRequest>;
  /** The usage that a whole answer or one streamed message reports; undefined when it reports none. */
  usage(message: unknown): Usage | undefined;
  /** True when answers tell their usage in places of the provider's own, not in those of its dialect. */
  readonly tellsUsageElsewhere?: true;
  /** Absent: as OpenAI's where it speaks that dialect, else there are none. */
  readonly embeddings?: OwnEmbeddings;
  /** Absent: as Anthropic's where it speaks that dialect, else counts are estimated. */
  readonly counting?: OwnCounting;
  dispose?(): MaybePromise<void>;
}

export interface ProviderPlugin<Config extends z.ZodType = z.ZodType> extends PluginDescription<Config> {
  readonly kind: "provider";
  compile(config: z.output<Config>, tools: PluginTools): CompiledProvider;
}

/** Declares an LLM provider; pure. Put it in its own file and in the list of `routing/providers/index.ts`. */
export function defineProvider<Config extends z.ZodType>(
  plugin: Omit<ProviderPlugin<Config>, "kind">,
): ProviderPlugin<Config> {
  return { ...plugin, kind: "provider" };
}
