import type { UpstreamDialect } from "../dialect.ts";
import { isWireObject } from "../member-reader.ts";
import { geminiDeltaReader } from "./gemini-delta-reader.ts";
import { readGeminiAnswer, readGeminiUsage } from "./read-gemini-answer.ts";
import { readGeminiError } from "./read-gemini-error.ts";
import { writeGeminiRequest } from "./write-gemini-request.ts";

/** Google's generateContent, of Gemini and of Vertex AI. */
export const geminiGenerate: UpstreamDialect = {
  id: "gemini",
  writeRequest: writeGeminiRequest,
  readAnswer: readGeminiAnswer,
  deltaReader: geminiDeltaReader,
  usage: (message) => readGeminiUsage(isWireObject(message) ? message["usageMetadata"] : undefined),
  readError: readGeminiError,
};
