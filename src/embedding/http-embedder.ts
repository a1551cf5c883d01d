import { GatewayError, toGatewayError } from "../kernel/errors.ts";
import type { EmbeddingsAddress } from "./call-openai.ts";
import { createEmbeddingsCall } from "./call-openai.ts";
import type { CompiledEmbedder, EmbedderThresholds, EmbedderTools } from "./define-embedder.ts";
import { createFailureRest } from "./failure-rest.ts";
import { statusOf } from "./openai-client.ts";
import { readVectors } from "./read-vectors.ts";
import { headOf, splitBatches } from "./split-batches.ts";

/** How a provider is called; the members of every HTTP embedder's configuration. */
export interface CallLimits {
  readonly maxTries: number;
  readonly maxBatchTexts: number;
  readonly maxBatchTokens: number;
  /** What the model reads of one text; the rest is left out. */
  readonly maxTextTokens: number;
  readonly breaker: { readonly failures: number; readonly openMs: number };
}

export interface HttpEmbedderOptions {
  readonly modelId: string;
  readonly address: EmbeddingsAddress;
  readonly thresholds: EmbedderThresholds;
  readonly limits: CallLimits;
}

/**
 * An embedder behind an HTTP API of OpenAI's form. Texts go in batches, one after the other; a call that failed in a way
 * that may pass is repeated after a growing pause; after several failures in a row nothing is called for a while, and
 * whoever asks hears `upstream.unavailable` at once. A text without anything but white space is not sent.
 */
export function createHttpEmbedder(
  { modelId, address, thresholds, limits }: HttpEmbedderOptions,
  tools: EmbedderTools,
): CompiledEmbedder {
  const call = createEmbeddingsCall(address, tools);
  const rest = createFailureRest({ clock: tools.clock, ...limits.breaker });
  let dimensions = address.dimensions;

  const callOnce = async (
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (Float32Array | undefined)[]> => {
    const waitMs = rest.waitMs();
    if (waitMs > 0) {
      const detail = `${modelId}: several calls in a row have failed`;
      throw new GatewayError("upstream.unavailable", "The embedding provider has failed too often and is left alone.", {
        detail,
        retryAfterMs: Math.ceil(waitMs),
      });
    }
    try {
      const vectors = readVectors(await call(texts, signal), texts.length, { modelId, dimensions });
      dimensions ??= vectors.find((vector) => vector !== undefined)?.length;
      rest.note("good");
      return vectors;
    } catch (error) {
      rest.note(healthOf(error));
      throw error;
    }
  };

  const callBatch = async (
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (Float32Array | undefined)[]> => {
    for (let tried = 1; ; tried += 1) {
      try {
        return await callOnce(texts, signal);
      } catch (error) {
        const pauseMs = tried < limits.maxTries ? pauseBefore(error, tried) : undefined;
        if (pauseMs === undefined || rest.waitMs() > 0) throw error;
        await pause(tools, pauseMs, signal);
      }
    }
  };

  return {
    modelId,
    get dimensions() {
      return dimensions;
    },
    thresholds,
    async embed(texts, signal = neverAborted) {
      const heads = texts.map((text) => headOf(text.trim(), limits.maxTextTokens));
      const sent = heads.flatMap((text, position) => (text === "" ? [] : [position]));
      const found = texts.map((): Float32Array | undefined => undefined);
      const sentTexts = sent.map((position) => heads[position] ?? "");
      const size = { maxTexts: limits.maxBatchTexts, maxTokens: limits.maxBatchTokens };
      for (const batch of splitBatches(sentTexts, size)) {
        const vectors = await callBatch(
          batch.map((index) => sentTexts[index] ?? ""),
          signal,
        );
        for (const [index, vector] of vectors.entries()) found[sent[batch[index] ?? -1] ?? -1] = vector;
      }
      return found;
    },
  };
}

const neverAborted = new AbortController().signal;

/** Refusals of what we sent, and leaving callers, say nothing of the provider's health. */
function healthOf(error: unknown): "bad" | "unknown" {
  const fault = toGatewayError(error);
  if (!fault.code.startsWith("upstream.") || fault.code === "upstream.credentials") return "unknown";
  const status = fault.code === "upstream.invalid" ? statusOf(fault.cause) : undefined;
  return status === undefined ? "bad" : "unknown";
}

const passing = new Set(["upstream.unreachable", "upstream.reset", "upstream.timeout", "upstream.unavailable"]);
const firstPauseMs = 250;
const longestPauseMs = 10_000;

/** Milliseconds before the next try; undefined when there is to be none. */
function pauseBefore(error: unknown, tried: number): number | undefined {
  const { code, retryAfterMs } = toGatewayError(error);
  if (!passing.has(code)) return undefined;
  if (retryAfterMs !== undefined) return retryAfterMs <= longestPauseMs ? retryAfterMs : undefined;
  return Math.min(longestPauseMs, firstPauseMs * 2 ** (tried - 1));
}

async function pause({ clock }: EmbedderTools, delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(delayMs, resolve);
  const stop = (): void => resolve();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) resolve();
  await promise;
  cancel();
  signal.removeEventListener("abort", stop);
  if (signal.aborted) throw new GatewayError("client.closed", "The call was abandoned.");
}
