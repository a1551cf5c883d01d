import type { Dialect } from "../dialect.ts";
import { isWireObject } from "../member-reader.ts";
import { readOpenAiError } from "../openai-chat/read-openai-error.ts";
import { writeOpenAiError } from "../openai-chat/write-openai-error.ts";
import { readResponsesAnswer, readResponsesUsage } from "./read-responses-answer.ts";
import { readResponsesRequest } from "./read-responses-request.ts";
import { responsesDeltaReader } from "./responses-delta-reader.ts";
import { responsesDeltaWriter } from "./responses-delta-writer.ts";
import { writeResponsesAnswer } from "./write-responses-answer.ts";
import { writeResponsesRequest } from "./write-responses-request.ts";

/** OpenAI's Responses, without the state that its own server keeps. */
export const openAiResponses: Dialect = {
  id: "openai-responses",
  ownNames: { response_format: "text.format", logprobs: "top_logprobs", messages: "input" },
  readRequest: readResponsesRequest,
  writeRequest: writeResponsesRequest,
  readAnswer: readResponsesAnswer,
  writeAnswer: writeResponsesAnswer,
  deltaReader: responsesDeltaReader,
  deltaWriter: responsesDeltaWriter,
  usage: (message) => readResponsesUsage(usageMember(message)),
  readError: readOpenAiError,
  writeError: writeOpenAiError,
};

/** Of a whole response, or of the event that ends one. */
function usageMember(message: unknown): unknown {
  if (!isWireObject(message)) return undefined;
  const response = message["response"];
  return isWireObject(response) ? response["usage"] : message["usage"];
}
