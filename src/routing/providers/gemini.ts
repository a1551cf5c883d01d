import { z } from "zod";
import { secretReferenceSchema } from "../../core/api-spec.ts";
import type { ProviderCall, ProviderRequest } from "../../pipeline/define-provider.ts";
import { defineProvider } from "../../pipeline/define-provider.ts";
import { geminiGenerate } from "../dialects/gemini/gemini-generate.ts";
import { geminiCounting, geminiEmbeddings } from "./google-forms.ts";
import { baseUrlWithDefault } from "./openai-config.ts";
import { secretHeader, withValue } from "./secret-header.ts";

const config = z.strictObject({
  baseUrl: baseUrlWithDefault("https://generativelanguage.googleapis.com/v1beta").meta({
    title: "Base URL",
    description: "What stands before `/models`. The key goes to this host only.",
  }),
  apiKey: secretReferenceSchema.meta({ title: "API key", description: "The secret that holds the key." }),
});

/**
 * Google's Gemini API. Clients of all dialects are translated.
 * @see https://ai.google.dev/api/generate-content
 */
export const gemini = defineProvider({
  id: "gemini",
  title: "Google Gemini",
  summary: "Models at Google's Gemini API.",
  config,
  examples: [{ apiKey: "${secret:gemini-key}" }],
  compile({ baseUrl, apiKey }, { secrets }) {
    const readKey = secretHeader(secrets, apiKey);
    return {
      baseUrl: baseUrl.replace(/\/+$/, ""),
      dialects: ["gemini"],
      embeddings: geminiEmbeddings,
      counting: geminiCounting,
      streamUsage: false,
      usage: geminiGenerate.usage,
      request: (call) => withValue(readKey(), (key) => build(call, key)),
    };
  },
});

function build({ operation, model, stream, body }: ProviderCall, key: string): ProviderRequest {
  const headers = { "x-goog-api-key": key, "accept-encoding": "identity" };
  if (operation === "models") return { method: "GET", path: "/models?pageSize=1000", headers, body: undefined };
  const name = encodeURIComponent(model.replace(/^models\//, ""));
  const chat = stream ? "streamGenerateContent?alt=sse" : "generateContent";
  const path = `/models/${name}:${{ chat, embeddings: "batchEmbedContents", "count-tokens": "countTokens" }[operation]}`;
  return { method: "POST", path, headers: { ...headers, "content-type": "application/json" }, body };
}
