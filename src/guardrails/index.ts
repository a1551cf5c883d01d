import type { GuardrailPlugin } from "../pipeline/define-guardrail.ts";
import { azureContentSafety } from "./azure-content-safety.ts";
import { bedrockGuardrail } from "./bedrock-guardrail.ts";
import { contentLength } from "./content-length.ts";
import { jsonSchema } from "./json-schema/json-schema.ts";
import { openaiModeration } from "./openai-moderation.ts";
import { pii } from "./pii/pii.ts";
import { promptGuard } from "./prompt-guard.ts";
import { promptInjection } from "./prompt-injection.ts";
import { promptTemplate } from "./prompt-template.ts";
import { regex } from "./regex.ts";
import { secrets } from "./secrets/secrets.ts";
import { sentenceCount } from "./sentence-count.ts";
import { toolPoisoning } from "./tool-poisoning.ts";
import { topic } from "./topic.ts";
import { url } from "./url/url.ts";
import { webhookGuardrail } from "./webhook-guardrail.ts";
import { wordCount } from "./word-count.ts";

/** All guardrails of this build. */
export const guardrails: readonly GuardrailPlugin[] = [
  azureContentSafety,
  bedrockGuardrail,
  contentLength,
  jsonSchema,
  openaiModeration,
  pii,
  promptGuard,
  promptInjection,
  promptTemplate,
  regex,
  secrets,
  sentenceCount,
  toolPoisoning,
  topic,
  url,
  webhookGuardrail,
  wordCount,
];
