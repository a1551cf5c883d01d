import type { DialectId } from "../../pipeline/define-provider.ts";
import { anthropicMessages } from "./anthropic/anthropic-messages.ts";
import { bedrockConverse } from "./bedrock/bedrock-converse.ts";
import type { InboundDialect, UpstreamDialect } from "./dialect.ts";
import { geminiGenerate } from "./gemini/gemini-generate.ts";
import { openAiChat } from "./openai-chat/openai-chat.ts";
import { openAiResponses } from "./openai-responses/openai-responses.ts";

/** The dialects that clients may speak. */
export type InboundDialectId = "openai-chat" | "openai-responses" | "anthropic-messages";

/** By id, what clients may speak. */
export const inboundDialects: Readonly<Record<InboundDialectId, InboundDialect>> = {
  "openai-chat": openAiChat,
  "openai-responses": openAiResponses,
  "anthropic-messages": anthropicMessages,
};

/** By id, what providers may speak. */
export const upstreamDialects: Readonly<Record<DialectId, UpstreamDialect>> = {
  "openai-chat": openAiChat,
  "openai-responses": openAiResponses,
  "anthropic-messages": anthropicMessages,
  gemini: geminiGenerate,
  "bedrock-converse": bedrockConverse,
};
