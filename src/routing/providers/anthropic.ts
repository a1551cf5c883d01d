import { z } from "zod";
import { secretReferenceSchema } from "../../core/api-spec.ts";
import type { ProviderCall, ProviderRequest } from "../../pipeline/define-provider.ts";
import { defineProvider } from "../../pipeline/define-provider.ts";
import { anthropicMessages } from "../dialects/anthropic/anthropic-messages.ts";
import { baseUrlWithDefault } from "./openai-config.ts";
import { secretHeader, withValue } from "./secret-header.ts";

const config = z.strictObject({
  baseUrl: baseUrlWithDefault("https://api.anthropic.com/v1").meta({
    title: "Base URL",
    description: "What stands before `/messages`. The key goes to this host only.",
  }),
  apiKey: secretReferenceSchema.meta({ title: "API key", description: "The secret that holds the key." }),
  version: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/)
    .default("2023-06-01")
    .meta({ title: "Version", description: "`anthropic-version` for clients that do not send one." }),
  maxOutputTokens: z.int().min(1).max(1_000_000).default(8_192).meta({
    title: "Answer",
    description: "Tokens that an answer may have where a client of another dialect does not say.",
  }),
});

/**
 * Models of Anthropic's. Its own clients are passed through, with the versions and betas that they name.
 * @see https://docs.anthropic.com/en/api/messages
 */
export const anthropic = defineProvider({
  id: "anthropic",
  title: "Anthropic",
  summary: "Models at Anthropic.",
  config,
  examples: [{ apiKey: "${secret:anthropic-key}" }],
  compile({ baseUrl, apiKey, version, maxOutputTokens }, { secrets }) {
    const readKey = secretHeader(secrets, apiKey);
    return {
      baseUrl: baseUrl.replace(/\/+$/, ""),
      dialects: ["anthropic-messages"],
      maxOutputTokens,
      streamUsage: false,
      usage: anthropicMessages.usage,
      request: (call) => withValue(readKey(), (key) => build(call, key, version)),
    };
  },
});

const paths: Readonly<Record<ProviderCall["operation"], string>> = {
  chat: "/messages",
  "count-tokens": "/messages/count_tokens",
  embeddings: "/embeddings", // asked of nobody here: embeddings are of another dialect
  models: "/models",
};

function build({ operation, stream, body }: ProviderCall, key: string, version: string): ProviderRequest {
  const headers = {
    "x-api-key": key,
    "accept-encoding": "identity",
    accept: stream ? "text/event-stream" : "application/json",
  };
  const defaults = { "anthropic-version": version };
  const path = paths[operation];
  if (operation === "models") return { method: "GET", path: `${path}?limit=1000`, headers, defaults, body: undefined };
  return { method: "POST", path, headers: { ...headers, "content-type": "application/json" }, defaults, body };
}
