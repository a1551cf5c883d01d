import { z } from "zod";
import { thresholdsSchema } from "./threshold-schema.ts";

/** A reference to a secret of the vault. */
const secretReference = z
  .string()
  .max(300)
  .regex(/^\$\{secret:[a-z0-9]([a-z0-9-]*[a-z0-9])?\}$/, "a reference such as ${secret:openai-key}");

/** The name in a `${secret:name}` reference. */
export function secretOf(reference: string): string {
  return reference.slice("${secret:".length, -1);
}

const plainUrl = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .refine((url) => !URL.canParse(url) || (new URL(url).username === "" && new URL(url).password === ""), {
    message: "put credentials into a secret, not into the URL",
  })
  .refine((url) => !URL.canParse(url) || (new URL(url).hash === "" && new URL(url).search === ""), {
    message: "leave out the query and the fragment",
  });

const aboutBaseUrl = {
  title: "Base URL",
  description:
    "What stands before `/embeddings`; of Azure OpenAI, the resource's endpoint. The key goes to this host only.",
};

/** A base URL, with the provider's own as its default where it has one. */
export function baseUrlSchema(own: string | undefined) {
  return own === undefined ? plainUrl.meta(aboutBaseUrl) : plainUrl.default(own).meta(aboutBaseUrl);
}

const modelName = z.string().regex(/^[\x21-\x7e]{1,256}$/, "printable ASCII without blanks, at most 256 characters");

/** A model's name, with a default where the provider has a usual one. */
export function modelSchema(own: string | undefined) {
  const about = {
    title: "Model",
    description: "As the provider names it; of Azure OpenAI, the deployment. Vectors are kept under this name.",
  };
  return own === undefined ? modelName.meta(about) : modelName.default(own).meta(about);
}

/** What all HTTP embedders have in common. */
export const callMembers = {
  dimensions: z.int().min(8).max(16_384).optional().meta({
    title: "Dimensions",
    description: "Asked of models that can shorten their vectors; the model's own length when absent.",
  }),
  timeoutMs: z.int().min(100).max(120_000).default(10_000).meta({
    title: "Timeout",
    description: "Milliseconds for one try.",
  }),
  maxTries: z.int().min(1).max(10).default(3).meta({
    title: "Tries",
    description: "Of one call, with growing pauses between them.",
  }),
  maxBatchTexts: z.int().min(1).max(2_048).default(128).meta({
    title: "Texts in a call",
    description: "At most this many at once.",
  }),
  maxBatchTokens: z.int().min(100).max(1_000_000).default(60_000).meta({
    title: "Tokens in a call",
    description: "An estimate, by characters.",
  }),
  maxTextTokens: z.int().min(16).max(1_000_000).default(8_000).meta({
    title: "Tokens of a text",
    description: "What is sent of one text at most, by the same estimate: the head of a longer one.",
  }),
  failures: z.int().min(0).max(1_000).default(5).meta({
    title: "Failures",
    description: "In a row, after which nothing is called for a while; 0 for never.",
  }),
  restMs: z.int().min(100).max(3_600_000).default(10_000).meta({
    title: "Rest",
    description: "Milliseconds of that while.",
  }),
  thresholds: thresholdsSchema,
};

/** The key's member, which a server of one's own may do without. */
export const apiKeyMember = secretReference.meta({
  title: "API key",
  description: "A reference to a secret in the vault, such as `${secret:openai-key}`; never the value itself.",
});
