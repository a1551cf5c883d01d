import type { UpstreamDialect } from "../dialect.ts";
import { isWireObject } from "../member-reader.ts";
import { bedrockDeltaReader } from "./bedrock-delta-reader.ts";
import { readBedrockAnswer, readBedrockUsage } from "./read-bedrock-answer.ts";
import { readBedrockError } from "./read-bedrock-error.ts";
import { writeBedrockRequest } from "./write-bedrock-request.ts";

/** Converse and ConverseStream of AWS Bedrock. */
export const bedrockConverse: UpstreamDialect = {
  id: "bedrock-converse",
  writeRequest: writeBedrockRequest,
  readAnswer: readBedrockAnswer,
  deltaReader: bedrockDeltaReader,
  usage: (message) => (isWireObject(message) ? readBedrockUsage(message["usage"], message["serviceTier"]) : undefined),
  readError: readBedrockError,
};
