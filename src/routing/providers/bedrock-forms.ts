import type { OwnCounting, OwnEmbeddings } from "../../pipeline/define-provider.ts";
import { isWireObject } from "../dialects/member-reader.ts";
import { countOf, objectsOf } from "../dialects/wire-values.ts";

/**
 * Embeddings by `InvokeModel`, whose bodies are the models' own: Cohere's take a list, Amazon's Titan one text.
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html
 */
export const bedrockEmbeddings: OwnEmbeddings = {
  write({ texts, dimensions }, model) {
    if (model.includes("cohere.embed")) {
      return dimensions === undefined ? { texts, input_type: "search_document" } : { lost: "dimensions" };
    }
    const [inputText] = texts;
    if (texts.length > 1) return { lost: "input[1]" };
    return { inputText, ...(dimensions === undefined ? {} : { dimensions }) };
  },
  read(message) {
    if (!isWireObject(message)) return undefined;
    if (Array.isArray(message["embedding"])) {
      const inputTokens = countOf(message, "inputTextTokenCount");
      return { vectors: [numbersOf(message["embedding"])], ...(inputTokens === undefined ? {} : { inputTokens }) };
    }
    const told = message["embeddings"];
    return Array.isArray(told) ? { vectors: told.map(numbersOf) } : undefined;
  },
};

/**
 * `CountTokens`, which takes a conversation without how it is to be answered.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
 */
export const bedrockCounting: OwnCounting = {
  write: ({ messages, system, toolConfig }) => ({
    input: {
      converse: {
        messages,
        ...(objectsOf(system).length === 0 ? {} : { system }),
        ...(toolConfig === undefined ? {} : { toolConfig }),
      },
    },
  }),
  read: (message) => countOf(message, "inputTokens"),
};

function numbersOf(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "number") : [];
}
