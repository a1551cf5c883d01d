import { z } from "zod";
import { GatewayError } from "../../kernel/errors.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { PluginTools, TextEmbedder } from "../../pipeline/plugin.ts";

export const exampleText = z.string().trim().min(1).max(2_000);

export const embedderMember = z
  .strictObject({
    use: z.string().min(1).max(64).meta({ title: "Embedder", description: "Its id." }),
    with: z.record(z.string(), z.unknown()).default({}).meta({ title: "Configuration", description: "Its own." }),
  })
  .optional()
  .meta({ title: "Embedder", description: "Another one than the deployment's." });

export const deadlineMember = z.int().min(1).max(60_000).default(2_000).meta({
  title: "Deadline",
  description: "Milliseconds that an embedder may take; later is a failure. The built-in one takes none.",
});

type Vectors = readonly (Float32Array | undefined)[];

/** The vectors of examples that a configuration names, and of texts to be held against them. */
export interface ExampleVectors {
  /**
   * Both, in order; undefined for what means nothing to the model. Examples are embedded with the first texts, all in one
   * go; where that fails, again with the next ones. Not a promise where the model is at hand.
   */
  beside(
    texts: readonly string[],
    signal: AbortSignal,
  ): MaybePromise<{ readonly examples: Vectors; readonly texts: Vectors }>;
}

/** An example without a meaning to the model matches nothing; that is logged once. */
export function createExampleVectors(
  examples: readonly string[],
  embedder: TextEmbedder,
  log: PluginTools["log"],
): ExampleVectors {
  let known: Vectors | undefined;
  let asking: Promise<Vectors> | undefined;
  const keep = (vectors: Vectors): Vectors => {
    known = vectors;
    const empty = vectors.flatMap((vector, at) => (vector === undefined ? [at] : []));
    if (empty.length > 0)
      log.warn({ examples: empty, model: embedder.modelId }, "examples that mean nothing to the model");
    return vectors;
  };
  const all = (): MaybePromise<Vectors> => {
    if (known !== undefined) return known;
    if (asking !== undefined) return asking;
    const made = embedder.embed(examples); // shared by all who wait, so that none of them may call it off
    if (!(made instanceof Promise)) return keep(made);
    asking = made.then(keep).finally(() => {
      asking = undefined;
    });
    return asking;
  };
  return {
    beside(texts, signal) {
      const ours = all();
      const theirs = embedder.embed(texts, signal);
      if (!(ours instanceof Promise) && !(theirs instanceof Promise)) return { examples: ours, texts: theirs };
      return Promise.all([ours, theirs]).then(([made, vectors]) => ({ examples: made, texts: vectors }));
    },
  };
}

/**
 * How near a text is to the nearest of some examples: the product of their vectors, -1 where there is nothing to compare.
 * Throws `upstream.invalid` for vectors of different lengths: what cannot be compared must not pass for unlike.
 */
export function nearest(
  vector: Float32Array | undefined,
  examples: Vectors,
): { readonly at: number; readonly likeness: number } {
  let best = { at: -1, likeness: -1 };
  if (vector === undefined) return best;
  for (const [at, example] of examples.entries()) {
    if (example === undefined) continue;
    if (example.length !== vector.length) throw unlikeLengths(example.length, vector.length);
    let likeness = 0;
    for (let index = 0; index < vector.length; index += 1) likeness += (vector[index] ?? 0) * (example[index] ?? 0);
    if (likeness > best.likeness) best = { at, likeness };
  }
  return best;
}

function unlikeLengths(examples: number, texts: number): GatewayError {
  const detail = `examples of ${examples} numbers, a text of ${texts}`;
  return new GatewayError("upstream.invalid", "Texts cannot be compared by their meaning.", { detail });
}
