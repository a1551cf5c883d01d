import { z } from "zod";
import { httpUrlSchema, secretName, secretReferenceSchema } from "../../core/api-spec.ts";
import { headerValue } from "../../kernel/header-value.ts";
import type { ProviderCall, ProviderRequest } from "../../pipeline/define-provider.ts";
import { defineProvider } from "../../pipeline/define-provider.ts";
import { anthropicMessages } from "../dialects/anthropic/anthropic-messages.ts";
import { geminiGenerate } from "../dialects/gemini/gemini-generate.ts";
import { vertexCounting, vertexEmbeddings } from "./google-forms.ts";
import { googleToken } from "./google-token.ts";
import { reshapeMembers } from "./reshape-members.ts";
import { withValue } from "./secret-header.ts";

const name = /^[a-z0-9][a-z0-9.:-]{0,99}$/;

const config = z.strictObject({
  project: z.string().regex(name, "a project's id").meta({ title: "Project", description: "Id of the project." }),
  location: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/, "a location such as europe-west1, or global")
    .meta({ title: "Location", description: "Where the models run; `global` for any place." }),
  publisher: z.enum(["google", "anthropic"]).default("google").meta({
    title: "Publisher",
    description: "Whose models; each has a wire format of its own.",
  }),
  serviceAccountKey: secretReferenceSchema.meta({
    title: "Service account key",
    description: "The secret that holds the JSON key of a service account.",
  }),
  endpoint: httpUrlSchema.optional().meta({
    title: "Endpoint",
    description: "Another one than the location's own, up to and with the version.",
  }),
  maxOutputTokens: z.int().min(1).max(1_000_000).default(8_192).meta({
    title: "Answer",
    description: "Tokens that an answer of Anthropic's models may have where a client of another dialect does not say.",
  }),
});

/**
 * Models in Google's Vertex AI: Gemini, and Anthropic's. Tokens are made from a service account's key.
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude
 */
export const vertex = defineProvider({
  id: "vertex",
  title: "Google Vertex AI",
  summary: "Models of Google and Anthropic in Vertex AI.",
  config,
  examples: [
    { project: "acme-ai", location: "europe-west1", serviceAccountKey: "${secret:vertex-key}" },
    { project: "acme-ai", location: "global", publisher: "anthropic", serviceAccountKey: "${secret:vertex-key}" },
  ],
  compile({ project, location, publisher, serviceAccountKey, endpoint, maxOutputTokens }, tools) {
    const host = location === "global" ? "aiplatform.googleapis.com" : `${location}-aiplatform.googleapis.com`;
    const base = (endpoint ?? `https://${host}/v1`).replace(/\/+$/, "");
    const secret = secretName(serviceAccountKey);
    const tokenOf = googleToken(tools);
    const isClaude = publisher === "anthropic";
    return {
      baseUrl: `${base}/projects/${project}/locations/${location}/publishers/${publisher}/models`,
      dialects: [isClaude ? "anthropic-messages" : "gemini"],
      ...(isClaude ? { maxOutputTokens } : { embeddings: vertexEmbeddings, counting: vertexCounting }),
      listsModels: false,
      streamUsage: false,
      usage: isClaude ? anthropicMessages.usage : geminiGenerate.usage,
      request: (call) =>
        withValue(tools.secrets.read(secret), (account) =>
          withValue(tokenOf(account), (token) => {
            const headers = headersOf(headerValue(token, secret), call.stream && isClaude);
            return isClaude ? claude(call, headers) : google(call, headers);
          }),
        ),
    };
  },
});

function headersOf(token: string, isStream: boolean): Record<string, string> {
  return {
    authorization: `Bearer ${token}`,
    "accept-encoding": "identity",
    accept: isStream ? "text/event-stream" : "application/json",
    "content-type": "application/json",
  };
}

function google({ operation, model, stream, body }: ProviderCall, headers: Record<string, string>): ProviderRequest {
  const chat = stream ? "streamGenerateContent?alt=sse" : "generateContent";
  const others = { embeddings: "predict", "count-tokens": "countTokens" } as const;
  const method = operation === "embeddings" || operation === "count-tokens" ? others[operation] : chat;
  const path = `/${encodeURIComponent(model)}:${method}`;
  return { method: "POST", path, headers, body };
}

function claude({ operation, model, stream, body }: ProviderCall, headers: Record<string, string>): ProviderRequest {
  if (operation === "count-tokens") return { method: "POST", path: "/count-tokens:rawPredict", headers, body };
  const path = `/${encodeURIComponent(model)}:${stream ? "streamRawPredict" : "rawPredict"}`;
  return { method: "POST", path, headers, body: withVersion(body) };
}

const replaced = { drop: new Set(["model", "anthropic_version"]) };
const version = '{"anthropic_version":"vertex-2023-10-16"';

/** The model stands in the path, and the version in the body. */
function withVersion(body: Buffer): Buffer {
  const kept = reshapeMembers(body, replaced).toString("utf8").trimStart().slice(1);
  return Buffer.from(`${version}${kept.trimStart().startsWith("}") ? "" : ","}${kept}`);
}
