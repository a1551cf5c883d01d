import type { Dialect } from "../dialect.ts";
import { isWireObject } from "../member-reader.ts";
import { openAiDeltaReader } from "./openai-delta-reader.ts";
import { openAiDeltaWriter } from "./openai-delta-writer.ts";
import { readOpenAiAnswer } from "./read-openai-answer.ts";
import { readOpenAiChatRequest } from "./read-openai-chat-request.ts";
import { readOpenAiError } from "./read-openai-error.ts";
import { readOpenAiUsage } from "./read-openai-usage.ts";
import { writeOpenAiAnswer } from "./write-openai-answer.ts";
import { writeOpenAiChatRequest } from "./write-openai-chat-request.ts";
import { writeOpenAiError } from "./write-openai-error.ts";

/** OpenAI's chat completions, which many servers speak. */
export const openAiChat: Dialect = {
  id: "openai-chat",
  ownNames: {},
  readRequest: readOpenAiChatRequest,
  writeRequest: writeOpenAiChatRequest,
  readAnswer: readOpenAiAnswer,
  writeAnswer: writeOpenAiAnswer,
  deltaReader: openAiDeltaReader,
  deltaWriter: openAiDeltaWriter,
  usage: (message) => readOpenAiUsage(isWireObject(message) ? message["usage"] : undefined),
  readError: readOpenAiError,
  writeError: writeOpenAiError,
};
