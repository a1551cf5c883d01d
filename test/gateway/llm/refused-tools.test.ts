import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InboundDialectId } from "../../../src/routing/dialects/index.ts";
import type { LlmPairs } from "../../kit/llm-pairs.ts";
import { models, startLlmPairs } from "../../kit/llm-pairs.ts";
import type { UpstreamId } from "../../kit/llm-replay.ts";
import { upstreams } from "../../kit/llm-replay.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let pairs: LlmPairs;

beforeAll(async () => {
  pairs = await startLlmPairs();
});

afterAll(() => pairs[Symbol.asyncDispose]());

/** What some providers take and others refuse: definitions, a union, a closed object, an empty one. */
const schema = {
  type: "object",
  $defs: { place: { type: "object", properties: {}, additionalProperties: false } },
  properties: { at: { anyOf: [{ $ref: "#/$defs/place" }, { type: "null" }] }, size: { type: "integer", minimum: 1 } },
  required: ["at"],
};
const messages = [{ role: "user", content: "Hi" }];
const tool = { name: "find", description: "Finds." };
const asked = {
  "openai-chat": {
    path: "chat/completions",
    body: { messages, tools: [{ type: "function", function: { ...tool, parameters: schema } }] },
  },
  "openai-responses": {
    path: "responses",
    body: { input: "Hi", tools: [{ type: "function", ...tool, parameters: schema }] },
  },
  "anthropic-messages": {
    path: "messages",
    body: { max_tokens: 64, messages, tools: [{ ...tool, input_schema: schema }] },
  },
} as const;
const inbounds = Object.keys(asked) as readonly InboundDialectId[]; // of the object above
const table = inbounds.flatMap((inbound) => upstreams.map((upstream) => ({ inbound, upstream })));

const openAi = [
  400,
  {
    error: {
      message: "Invalid schema for function 'find': In context=('properties', 'at'), the schema is not supported.",
      type: "invalid_request_error",
      param: "tools[0].function.parameters",
      code: "invalid_function_parameters",
    },
  },
] as const;
const anthropic = [
  400,
  {
    type: "error",
    error: {
      type: "invalid_request_error",
      message: "tools.0.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12.",
    },
  },
] as const;
const google = [
  400,
  {
    error: {
      code: 400,
      message: "tools[0].function_declarations[0].parameters: the schema is not supported.",
      status: "INVALID_ARGUMENT",
    },
  },
] as const;
/** How each says that it will have no such schema. */
const refusals: Readonly<Record<UpstreamId, readonly [status: number, body: object]>> = {
  openai: openAi,
  "azure-openai": openAi,
  anthropic,
  gemini: google,
  vertex: google,
  "vertex-claude": anthropic,
  bedrock: [400, { message: "The value at toolConfig.tools.0.toolSpec.inputSchema.json is no valid schema." }],
  mistral: [
    422,
    { detail: [{ type: "value_error", loc: ["body", "tools", 0, "function", "parameters"], msg: "Invalid schema" }] },
  ],
  ollama: [400, { error: { message: "invalid schema of tool find", type: "invalid_request_error" } }],
};

describe.each(table)("a tool whose schema $upstream refuses, asked in $inbound", ({ inbound, upstream }) => {
  test.each([{ stream: false }, { stream: true }])(
    "was sent as it is, and the reason comes back: $stream",
    async ({ stream }) => {
      const [status, body] = refusals[upstream];
      pairs.replay.answerWith(status, "application/json", JSON.stringify(body));
      const { url, key } = pairs.apis[upstream];
      const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
      const { path, body: wanted } = asked[inbound];
      const request = JSON.stringify({ model: models[upstream], ...wanted, stream });
      const answer = await rawHttp(`${url}/${path}`, { headers, body: request });

      expect(schemasIn(JSON.parse(pairs.replay.upstream.seen.at(-1)?.body.toString() ?? ""))).toContainEqual(schema);
      const isPassed = inbound === "openai-chat" && upstream === "mistral";
      expect(answer.status).toBe(isPassed ? status : 400); // what is translated has the client's own status
      expect(answer.headers["content-type"]).toMatch(/^application\/json/);
      const told = answer.json() as { readonly type?: string; readonly error: { readonly message: string } }; // asserted below
      if (inbound === "anthropic-messages") expect(told.type).toBe("error");
      expect(told.error.message).toMatch(/schema/i);
      if (isPassed) expect(told.error.message).toBe("body.tools.0.function.parameters: Invalid schema");
    },
  );
});

/** All objects within a value, at any depth. */
function schemasIn(value: unknown): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return [value, ...Object.values(value).flatMap(schemasIn)];
}
