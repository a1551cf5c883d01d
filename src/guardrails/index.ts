import type { GuardrailPlugin } from "../pipeline/define-guardrail.ts";
import { contentLength } from "./content-length.ts";
import { jsonSchema } from "./json-schema/json-schema.ts";
import { pii } from "./pii/pii.ts";
import { regex } from "./regex.ts";
import { sentenceCount } from "./sentence-count.ts";
import { url } from "./url/url.ts";
import { wordCount } from "./word-count.ts";

/** All guardrails of this build. */
export const guardrails: readonly GuardrailPlugin[] = [
  contentLength,
  jsonSchema,
  pii,
  regex,
  sentenceCount,
  url,
  wordCount,
];
