import type { Dialect } from "../dialect.ts";
import { isWireObject } from "../member-reader.ts";
import { anthropicDeltaReader } from "./anthropic-delta-reader.ts";
import { anthropicDeltaWriter } from "./anthropic-delta-writer.ts";
import { readAnthropicAnswer, readAnthropicUsage } from "./read-anthropic-answer.ts";
import { readAnthropicError } from "./read-anthropic-error.ts";
import { readAnthropicRequest } from "./read-anthropic-request.ts";
import { writeAnthropicAnswer } from "./write-anthropic-answer.ts";
import { writeAnthropicError } from "./write-anthropic-error.ts";
import { writeAnthropicRequest } from "./write-anthropic-request.ts";

/** Anthropic's Messages. */
export const anthropicMessages: Dialect = {
  id: "anthropic-messages",
  ownNames: {
    response_format: "output_config.format",
    parallel_tool_calls: "tool_choice.disable_parallel_tool_use",
  },
  readRequest: readAnthropicRequest,
  writeRequest: writeAnthropicRequest,
  readAnswer: readAnthropicAnswer,
  writeAnswer: writeAnthropicAnswer,
  deltaReader: anthropicDeltaReader,
  deltaWriter: anthropicDeltaWriter,
  usage: (message) => readAnthropicUsage(isWireObject(message) ? message["usage"] : undefined),
  readError: readAnthropicError,
  writeError: writeAnthropicError,
};
