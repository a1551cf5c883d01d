import type { z } from "zod";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { SafeFetch } from "../kernel/safe-fetch.ts";

/** Scores from 0 to 1 at and above which a thing counts as a match. Calibrated per model: they mean nothing for another. */
export interface EmbedderThresholds {
  /** A request belongs to a route. */
  readonly route: number;
  /** A tool may serve a request. */
  readonly tool: number;
  /** A text says what a guard was given as an example. */
  readonly guard: number;
  /** Two requests ask the same, so that one may have the other's answer. */
  readonly cache: number;
}

/** Turns texts into vectors whose dot product is their nearness in meaning. */
export interface CompiledEmbedder {
  /** Names the weights, not the configuration. Vectors of two ids never meet. */
  readonly modelId: string;
  /** Undefined before the first answer of a remote model. */
  readonly dimensions: number | undefined;
  readonly thresholds: EmbedderThresholds;
  /** It sees neither the order of words nor signs, nor words of other scripts than Latin. */
  readonly isBagOfWords?: boolean;
  /** A vector is made faster than it is looked up, so none is to be kept. Absent for models that are worth a cache. */
  readonly cheap?: boolean;
  /**
   * Unit vectors, one per text, in order. A text that has no meaning to the model (empty, no known token) gives
   * undefined, which is never a match. Not a promise where the model is at hand.
   */
  embed(texts: readonly string[], signal?: AbortSignal): MaybePromise<readonly (Float32Array | undefined)[]>;
  dispose?(): MaybePromise<void>;
}

/** All that an embedder gets from outside. */
export interface EmbedderTools {
  readonly clock: Clock;
  readonly log: Log;
  /** The only way out. */
  readonly fetch: SafeFetch;
  readonly secrets: {
    /** The value behind `${secret:name}` now; rejects with `resource.not_found` when there is none. */
    read(name: string): MaybePromise<string>;
  };
}

/** A source of vectors. Declared like every other plug-in; stands here because this layer does not see the pipeline. */
export interface EmbedderPlugin<Config extends z.ZodType = z.ZodType> {
  readonly kind: "embedder";
  /** As the configuration names it: kebab-case, unique among embedders. */
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  /** A `z.strictObject`; each member has title, description, limits and default. */
  readonly config: Config;
  /** Configurations that work; the contract tests compile each. */
  readonly examples: readonly z.input<Config>[];
  /** Loads nothing and connects nowhere: both wait for the first text. */
  compile(config: z.output<Config>, tools: EmbedderTools): CompiledEmbedder;
}

/** Declares an embedder; pure. Put it in its own file and in the list of `embedding/index.ts`. */
export function defineEmbedder<Config extends z.ZodType>(
  plugin: Omit<EmbedderPlugin<Config>, "kind">,
): EmbedderPlugin<Config> {
  return { ...plugin, kind: "embedder" };
}
