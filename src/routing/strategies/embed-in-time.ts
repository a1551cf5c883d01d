import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { PluginTools, TextEmbedder } from "../../pipeline/plugin.ts";

/** A text's vector, or why there is none: the text means nothing, it took too long, or the embedder failed. */
export type SaidVector = Float32Array | "no-text" | "deadline" | "failed";

/** The vector of what is said, or in a word why there is none. Not a promise where the embedder is at hand. Never rejects. */
export function embedInTime(
  embedder: TextEmbedder,
  said: string,
  deadlineMs: number,
  { clock, log }: Pick<PluginTools, "clock" | "log">,
  signal?: AbortSignal,
): MaybePromise<SaidVector> {
  if (said === "") return "no-text";
  const failed = (error: unknown): "failed" => {
    log.warn({ err: error }, "a text to be routed could not be embedded");
    return "failed";
  };
  try {
    const vectors = embedder.embed([said], signal);
    if (!(vectors instanceof Promise)) return vectors[0] ?? "no-text";
    return new Promise((resolve) => {
      const cancel = clock.after(deadlineMs, () => resolve("deadline"));
      vectors
        .then(
          ([vector]) => resolve(vector ?? "no-text"),
          (error: unknown) => resolve(failed(error)),
        )
        .finally(cancel);
    });
  } catch (error) {
    return failed(error);
  }
}
