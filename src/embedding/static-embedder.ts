import { join } from "node:path";
import { z } from "zod";
import type { EmbedderThresholds } from "./define-embedder.ts";
import { defineEmbedder } from "./define-embedder.ts";
import type { StaticModel } from "./static-model.ts";
import { loadStaticModel } from "./static-model.ts";

/** The folder of the model that ships with this build. */
export const builtInModelFolder = join(import.meta.dirname, "../../assets/embedding/toolvec-en-256");

/** Fitted to the built-in model on development data; `npm run eval:tools` prints what they give. */
const thresholds: EmbedderThresholds = { route: 0.45, tool: 0.3, guard: 0.75, cache: 0.95 };

/**
 * The model that needs no network and no native code: a table of word vectors. English; the order of words is not
 * seen. Loaded at the first text, or when its id is asked for.
 */
export const staticEmbedder = defineEmbedder({
  id: "built-in",
  title: "Built-in",
  summary: "A small English model that ships with the gateway: microseconds, no network, no native code.",
  config: z.strictObject({
    folder: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .meta({ title: "Folder", description: "Other weights of the same format (SEM1) instead of those that ship." }),
  }),
  examples: [{}],
  compile({ folder = builtInModelFolder }) {
    let loaded: StaticModel | undefined;
    const model = (): StaticModel => {
      loaded ??= loadStaticModel(folder);
      return loaded;
    };
    return {
      get modelId() {
        return model().id;
      },
      get dimensions() {
        return model().dimensions;
      },
      thresholds,
      cheap: true,
      isBagOfWords: true,
      embed: (texts) => texts.map((text) => model().embed(text)),
    };
  },
});
