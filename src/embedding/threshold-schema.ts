import { z } from "zod";
import type { EmbedderThresholds } from "./define-embedder.ts";

const score = z.number().min(0).max(1);

/** Thresholds in an embedder's configuration: each that is given takes the place of the model's own. */
export const thresholdsSchema = z
  .strictObject({
    route: score.optional().meta({ title: "Route", description: "From here on a request belongs to a route." }),
    tool: score.optional().meta({ title: "Tool", description: "From here on a tool may serve a request." }),
    guard: score
      .optional()
      .meta({ title: "Guard", description: "From here on a text says what a guard's example says." }),
    cache: score.optional().meta({ title: "Cache", description: "From here on two requests ask the same." }),
  })
  .prefault({})
  .meta({ title: "Thresholds", description: "Scores from 0 to 1; those of the model where absent." });

/** The model's own thresholds with those of the configuration in their places. */
export function withThresholds(own: EmbedderThresholds, given: z.output<typeof thresholdsSchema>): EmbedderThresholds {
  return {
    route: given.route ?? own.route,
    tool: given.tool ?? own.tool,
    guard: given.guard ?? own.guard,
    cache: given.cache ?? own.cache,
  };
}
