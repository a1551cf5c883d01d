import { GatewayError } from "../kernel/errors.ts";
import type { EmbedderTools } from "./define-embedder.ts";
import type { OpenAiAddress } from "./openai-client.ts";
import { openAiClient, translateOpenAiError } from "./openai-client.ts";

/** Where embeddings are asked for, and how. */
export interface EmbeddingsAddress extends Omit<OpenAiAddress, "chosenBy" | "maxAnswerBytes"> {
  readonly model: string;
  /** Asked of models that can shorten their vectors; the provider's own length when absent. */
  readonly dimensions?: number | undefined;
}

/** One call without another try: what the provider has sent as `data`, unread. */
export type EmbeddingsCall = (texts: readonly string[], signal: AbortSignal) => Promise<unknown>;

/**
 * Calls through the `openai` package, which is loaded at the first call and is given no way out but ours. Throws what
 * `SafeFetch` throws; for a status that is a refusal `upstream.credentials` (401, 403), `upstream.unavailable` with the
 * time to wait (408, 409, 429, 5xx), else `upstream.invalid`. What the provider wrote stays with the operator.
 */
export function createEmbeddingsCall(
  address: EmbeddingsAddress,
  tools: Pick<EmbedderTools, "fetch" | "secrets">,
): EmbeddingsCall {
  const client = openAiClient({ ...address, chosenBy: "operator", maxAnswerBytes }, tools);
  return async (texts, signal) => {
    const { embeddings } = await client();
    const body = {
      model: address.model,
      input: [...texts],
      encoding_format: "float" as const, // the one that every provider knows
      ...(address.dimensions !== undefined && { dimensions: address.dimensions }),
    };
    try {
      const answer: unknown = await embeddings.create(body, { signal });
      return typeof answer === "object" && answer !== null && "data" in answer ? answer.data : undefined;
    } catch (error) {
      throw signal.aborted
        ? new GatewayError("client.closed", "The call was abandoned.", { cause: error })
        : translateOpenAiError(error, address.baseUrl, "embedding provider");
    }
  };
}

/** Vectors as numbers in JSON are long: 128 texts of 3,072 numbers come near 10 MB. */
const maxAnswerBytes = 67_108_864;
