import { z } from "zod";

/** What of an API's texts is kept, where somebody has asked for it. */
export const captureSchema = z
  .strictObject({
    parts: z
      .array(z.enum(["request", "response"]))
      .min(1)
      .max(2)
      .default(["request", "response"])
      .meta({
        title: "Parts",
        description: "`request`: prompts, or arguments of tools. `response`: answers, or results of tools.",
      }),
    sample: z.number().min(0).max(1).default(1).meta({
      title: "Sample",
      description: "Share of the requests whose texts are kept.",
    }),
    textBytes: z.int().min(64).max(65_536).default(8_192).meta({
      title: "Text bytes",
      description: "Bytes of text that are kept of a request, its last texts first, and of an answer, from its begin.",
    }),
    days: z.int().min(1).max(400).default(7).meta({
      title: "Days",
      description: "How long the texts are kept.",
    }),
  })
  .meta({
    title: "Capture",
    description:
      "Keeps texts of requests and answers, without the personal data and secrets that are known by their form. Nothing is kept when absent.",
  });

export type CaptureSpec = z.output<typeof captureSchema>;
