import type { z } from "zod";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Usage } from "./exchange.ts";
import type { PluginDescription, PluginTools } from "./plugin.ts";

/** What the LLM adapter asks of a provider, in OpenAI's terms. */
export interface ProviderCall {
  readonly operation: "chat" | "embeddings" | "models";
  /** The model as the provider knows it, after the target's renaming. Empty for `models`. */
  readonly model: string;
  readonly stream: boolean;
  /** The request's bytes; empty for `models`. */
  readonly body: Buffer;
}

/** The HTTP request that carries a call. */
export interface ProviderRequest {
  readonly method: "GET" | "POST";
  /** Below the provider's base URL, with a leading slash. */
  readonly path: string;
  /** Lower-case names; credentials among them. The adapter adds nothing but what HTTP itself needs. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** A provider with its configuration: where it is, and how it is spoken to. */
export interface CompiledProvider {
  /** Scheme, host, port and base path, without a trailing slash. */
  readonly baseUrl: string;
  /** True when the provider understands `stream_options.include_usage`. */
  readonly streamUsage: boolean;
  request(call: ProviderCall): MaybePromise<ProviderRequest>;
  /** The usage that a whole answer or one streamed message reports; undefined when it reports none. */
  usage(message: unknown): Usage | undefined;
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
