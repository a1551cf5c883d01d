import { z } from "zod";
import { httpUrlSchema, secretReferenceSchema } from "../../core/api-spec.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { PassThroughCall, ProviderCall, ProviderRequest } from "../../pipeline/define-provider.ts";
import { defineProvider } from "../../pipeline/define-provider.ts";
import { openAiUsage } from "./openai-usage.ts";
import { secretHeader, withValue } from "./secret-header.ts";

const config = z.strictObject({
  endpoint: httpUrlSchema.meta({
    title: "Endpoint",
    description: "Of the resource: `https://NAME.openai.azure.com`. The key goes to this host only.",
  }),
  apiKey: secretReferenceSchema.meta({ title: "API key", description: "The secret that holds the key." }),
  apiVersion: z
    .string()
    .regex(/^(v1|\d{4}-\d{2}-\d{2}(-preview)?)$/, "v1, or a date such as 2024-10-21")
    .default("v1")
    .meta({
      title: "API version",
      description: "`v1` takes the model from the body; a dated one has a deployment of the model's name in the path.",
    }),
});

/**
 * OpenAI's models in Azure, and models of Azure AI Foundry that speak its dialect. Model names are those of deployments.
 * @see https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference
 */
export const azureOpenai = defineProvider({
  id: "azure-openai",
  title: "Azure OpenAI",
  summary: "Deployments of an Azure OpenAI or AI Foundry resource.",
  config,
  examples: [
    { endpoint: "https://example.openai.azure.com", apiKey: "${secret:azure-key}" },
    { endpoint: "https://example.openai.azure.com", apiKey: "${secret:azure-key}", apiVersion: "2024-10-21" },
  ],
  compile({ endpoint, apiKey, apiVersion }, { secrets }) {
    const readKey = secretHeader(secrets, apiKey);
    return {
      baseUrl: `${endpoint.replace(/\/+$/, "")}/openai`,
      dialects: apiVersion === "v1" ? ["openai-chat", "openai-responses"] : ["openai-chat"],
      newestWords: true,
      streamUsage: true,
      usage: openAiUsage,
      ...(apiVersion === "v1" && { passThrough: (call: PassThroughCall) => passed(call, readKey) }),
      request: (call) => withValue(readKey(), (key) => build(call, key, apiVersion)),
    };
  },
});

function passed({ method, path }: PassThroughCall, readKey: () => MaybePromise<string>): MaybePromise<ProviderRequest> {
  return withValue(readKey(), (key) => {
    const headers = { "api-key": key, "accept-encoding": "identity" };
    return { method, path: `/v1${path}`, headers, body: undefined };
  });
}

function build(call: ProviderCall, key: string, apiVersion: string): ProviderRequest {
  const { operation, stream, body } = call;
  const headers = {
    "api-key": key,
    "accept-encoding": "identity",
    accept: stream ? "text/event-stream" : "application/json",
  };
  const path = apiVersion === "v1" ? `/v1${pathOf(call)}` : datedPath(call, apiVersion);
  if (operation === "models") return { method: "GET", path, headers, body: undefined };
  return { method: "POST", path, headers: { ...headers, "content-type": "application/json" }, body };
}

function pathOf({ operation, dialect }: ProviderCall): string {
  if (operation !== "chat") return `/${operation}`;
  return dialect === "openai-responses" ? "/responses" : "/chat/completions";
}

function datedPath(call: ProviderCall, apiVersion: string): string {
  const place = call.operation === "models" ? "" : `/deployments/${encodeURIComponent(call.model)}`;
  return `${place}${pathOf(call)}?api-version=${apiVersion}`;
}
