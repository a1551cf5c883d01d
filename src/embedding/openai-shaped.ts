import { z } from "zod";
import type { EmbeddingsAddress } from "./call-openai.ts";
import type { EmbedderPlugin, EmbedderThresholds } from "./define-embedder.ts";
import { defineEmbedder } from "./define-embedder.ts";
import { apiKeyMember, baseUrlSchema, callMembers, modelSchema, secretOf } from "./http-config.ts";
import { createHttpEmbedder } from "./http-embedder.ts";
import { withThresholds } from "./threshold-schema.ts";

interface Row {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly baseUrl?: string;
  readonly model?: string;
  /** Works without a key. */
  readonly keyless?: true;
  readonly header?: string;
  readonly prefix?: string;
  /** Whose models are reached by another path than `/embeddings` below the base URL. */
  readonly azure?: true;
  readonly thresholds: EmbedderThresholds;
}

/**
 * Start values, from the ranges that are told of these models' cosines: not measured here. `gatehouse embeddings
 * calibrate` finds those of one's own texts.
 */
const openAiThresholds = { route: 0.4, tool: 0.35, guard: 0.55, cache: 0.85 };
const mistralThresholds = { route: 0.7, tool: 0.68, guard: 0.78, cache: 0.92 };
const unknownThresholds = { route: 0.5, tool: 0.45, guard: 0.6, cache: 0.9 };

/** Providers of OpenAI's form, each as its differences. */
const rows: readonly Row[] = [
  {
    id: "openai",
    title: "OpenAI",
    summary: "Embedding models at OpenAI.",
    baseUrl: "https://api.openai.com/v1",
    model: "text-embedding-3-small",
    thresholds: openAiThresholds,
  },
  {
    id: "mistral",
    title: "Mistral",
    summary: "Embedding models at Mistral.",
    baseUrl: "https://api.mistral.ai/v1",
    model: "mistral-embed",
    thresholds: mistralThresholds,
  },
  {
    id: "azure-openai",
    title: "Azure OpenAI",
    summary: "OpenAI's embedding models, deployed in Azure.",
    header: "api-key",
    prefix: "",
    azure: true,
    thresholds: openAiThresholds,
  },
  {
    id: "openai-compatible",
    title: "OpenAI-compatible",
    summary: "Any server that speaks OpenAI's embeddings.",
    keyless: true,
    thresholds: unknownThresholds,
  },
];

const versionMember = z
  .string()
  .regex(/^(v1|\d{4}-\d{2}-\d{2}(-preview)?)$/, "a date such as 2024-10-21, or v1")
  .default("2024-10-21")
  .meta({ title: "API version", description: "A dated version, or `v1` for the interface that has none." });

/** The embedders of the table. */
export const openaiShaped: readonly EmbedderPlugin[] = rows.map((row) => {
  const config = configOf(row);
  const example = exampleOf(row);
  return defineEmbedder({
    id: row.id,
    title: row.title,
    summary: row.summary,
    config,
    examples: [example],
    compile: (parsed, tools) =>
      createHttpEmbedder(
        {
          modelId: modelIdOf(row, parsed),
          address: addressOf(row, parsed),
          thresholds: withThresholds(row.thresholds, parsed.thresholds),
          limits: { ...parsed, breaker: { failures: parsed.failures, openMs: parsed.restMs } },
        },
        tools,
      ),
  });
});

interface Config extends z.output<z.ZodObject<typeof callMembers>> {
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey?: string | undefined;
  /** Of Azure only. */
  readonly apiVersion?: string | undefined;
}

function configOf(row: Row): z.ZodType<Config> {
  const members = {
    baseUrl: baseUrlSchema(row.baseUrl),
    model: modelSchema(row.model),
    apiKey: row.keyless === true ? apiKeyMember.optional() : apiKeyMember,
    ...callMembers,
  };
  return row.azure === true ? z.strictObject({ ...members, apiVersion: versionMember }) : z.strictObject(members);
}

function exampleOf({ id, keyless, azure }: Row): object {
  if (azure === true) {
    return { baseUrl: "https://example.openai.azure.com", model: "embeddings", apiKey: `\${secret:${id}-key}` };
  }
  if (keyless === true) return { baseUrl: "http://127.0.0.1:11434/v1", model: "nomic-embed-text" };
  return { apiKey: `\${secret:${id}-key}` };
}

function modelIdOf(row: Row, { baseUrl, model, dimensions }: Config): string {
  // Elsewhere the model behind a name may be another's.
  const host = baseUrl === row.baseUrl ? "" : `${new URL(baseUrl).host}/`;
  return `${row.id}/${host}${model}${dimensions === undefined ? "" : `@${dimensions}`}`;
}

function addressOf(row: Row, { baseUrl, model, dimensions, apiKey, apiVersion, timeoutMs }: Config): EmbeddingsAddress {
  const base = baseUrl.replace(/\/+$/, "");
  const header = row.header ?? "authorization";
  const prefix = row.prefix ?? "Bearer ";
  const key = apiKey === undefined ? undefined : { secret: secretOf(apiKey), header, prefix };
  const common = { model, dimensions, timeoutMs, ...(key !== undefined && { key }) };
  if (row.azure !== true) return { ...common, baseUrl: base };
  if (apiVersion === "v1") return { ...common, baseUrl: `${base}/openai/v1` };
  const deployment = `${base}/openai/deployments/${encodeURIComponent(model)}`;
  return { ...common, baseUrl: deployment, query: { "api-version": apiVersion ?? "" } };
}
