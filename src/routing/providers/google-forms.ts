import type { OwnCounting, OwnEmbeddings } from "../../pipeline/define-provider.ts";
import { isWireObject } from "../dialects/member-reader.ts";
import { countOf, objectsOf } from "../dialects/wire-values.ts";

/**
 * `…:batchEmbedContents` of the Gemini API, which does not tell what it has read.
 * @see https://ai.google.dev/api/embeddings
 */
export const geminiEmbeddings: OwnEmbeddings = {
  write({ texts, dimensions }, model) {
    const size = dimensions === undefined ? {} : { outputDimensionality: dimensions };
    const requests = texts.map((text) => ({ model: `models/${model}`, content: { parts: [{ text }] }, ...size }));
    return { requests };
  },
  read(message) {
    const told = objectsOf(isWireObject(message) ? message["embeddings"] : undefined);
    return told.length === 0 ? undefined : { vectors: told.map(({ values }) => numbersOf(values)) };
  },
};

/**
 * `…:predict` of embedding models in Vertex AI.
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
 */
export const vertexEmbeddings: OwnEmbeddings = {
  write({ texts, dimensions }) {
    const parameters = dimensions === undefined ? {} : { parameters: { outputDimensionality: dimensions } };
    return { instances: texts.map((content) => ({ content })), ...parameters };
  },
  read(message) {
    const told = objectsOf(isWireObject(message) ? message["predictions"] : undefined).map(({ embeddings }) =>
      isWireObject(embeddings) ? embeddings : {},
    );
    const counts = told.map(({ statistics }) => countOf(statistics, "token_count"));
    if (told.length === 0) return undefined;
    return {
      vectors: told.map(({ values }) => numbersOf(values)),
      ...(counts.includes(undefined)
        ? {}
        : { inputTokens: counts.reduce<number>((sum, each) => sum + (each ?? 0), 0) }),
    };
  },
};

/**
 * `…:countTokens` of the Gemini API: the whole request, tools and instructions among it.
 * @see https://ai.google.dev/api/tokens
 */
export const geminiCounting: OwnCounting = {
  write: (chat, model) => ({ generateContentRequest: { ...chat, model: `models/${model}` } }),
  read: (message) => countOf(message, "totalTokens"),
};

/**
 * `…:countTokens` of Vertex AI, which takes the members of the request as they are, but for how it is to be answered.
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens
 */
export const vertexCounting: OwnCounting = {
  write: ({ contents, systemInstruction, tools }) => ({
    contents,
    ...(systemInstruction === undefined ? {} : { systemInstruction }),
    ...(tools === undefined ? {} : { tools }),
  }),
  read: (message) => countOf(message, "totalTokens"),
};

function numbersOf(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "number") : [];
}
