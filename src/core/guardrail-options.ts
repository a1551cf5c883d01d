import { z } from "zod";

const jsonPath = z.string().min(1).max(1_000).startsWith("$").optional();
const places = z.array(z.string().min(1).max(256)).min(1).max(50).optional();

const placesOf = places.meta({
  title: "Places",
  description: "Globs of the places that texts stand at, such as `messages*` or `params.arguments.*`.",
});
const jsonPathOf = jsonPath.meta({
  title: "JSONPath",
  description:
    "RFC 9535, over the message as JSON: texts at and below what it finds, such as `$.messages[-1].content`.",
});

const ofRequest = z.strictObject({
  authors: z
    .array(z.enum(["system", "user", "assistant", "tool", "unknown"]))
    .min(1)
    .max(5)
    .optional()
    .meta({ title: "Authors", description: "Whose texts are judged." }),
  turns: z
    .union([z.literal("last"), z.int().min(1).max(50)])
    .optional()
    .meta({ title: "Turns", description: "Only the user's last turns: `last`, or how many." }),
  places: placesOf,
  jsonPath: jsonPathOf,
});

const ofAnswer = z.strictObject({ places: placesOf, jsonPath: jsonPathOf });

/** Which texts of a message an attached guardrail sees. What is absent leaves out nothing. */
export const spanSelectionSchema = z
  .strictObject({
    request: ofRequest.optional().meta({ title: "Of requests", description: "All that is given must hold." }),
    response: ofAnswer.optional().meta({
      title: "Of answers",
      description: "For answers that come whole. Of one that is streamed in pieces every text is judged.",
    }),
  })
  .meta({
    title: "Texts",
    description: "For guardrails: the texts that are judged; all when absent. What is left out is let pass unseen.",
  });

/** How an attached guardrail's refusal is told to the caller. */
export const blockSchema = z
  .strictObject({
    status: z
      .union([z.literal(422), z.literal(446)])
      .default(422)
      .meta({ title: "Status", description: "446 for clients that come from WSO2." }),
    showAssessment: z.boolean().default(false).meta({
      title: "Show the assessment",
      description: "Tells the caller which guardrail has intervened and what it measured; never a piece of the text.",
    }),
    toolResult: z.boolean().default(false).meta({
      title: "As a tool's result",
      description: "Of a tool call over MCP: a result with `isError`, which models read, in place of a JSON-RPC error.",
    }),
  })
  .meta({ title: "Refusal", description: "For guardrails: how a refusal is told." });

export type SpanSelectionSpec = z.output<typeof spanSelectionSchema>;
export type BlockSpec = z.output<typeof blockSchema>;
