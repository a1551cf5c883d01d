import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { parseJson } from "../../kernel/parse-json.ts";

/** Tells how probable it is that a text with this vector is an injection. */
export interface InjectionHead {
  /** The model whose vectors it was fitted to; those of others mean nothing to it. */
  readonly modelId: string;
  /** From 0 to 1, over a balanced set: a rank more than a frequency. */
  probability(vector: Float32Array): number;
}

const file = z.strictObject({ modelId: z.string(), bias: z.number(), weights: z.array(z.number()) });

/** The head that ships with this build; its README says how it was fitted. */
export function readInjectionHead(): InjectionHead {
  const path = join(import.meta.dirname, "../../../assets/injection/head.json");
  const { modelId, bias, weights } = file.parse(parseJson(readFileSync(path, "utf8")));
  return {
    modelId,
    probability(vector) {
      let sum = bias;
      for (const [at, value] of vector.entries()) sum += (weights[at] ?? 0) * value;
      return 1 / (1 + Math.exp(-sum));
    },
  };
}
