// long: one table, a row for each feature

import type { InboundDialectId } from "../../src/routing/dialects/index.ts";

/** What one client asks, in each dialect that has words for it, and what the provider then answers. */
export interface LlmFeature {
  readonly title: string;
  /** The fixture that answers; `text` when absent. */
  readonly answer?: string;
  readonly "openai-chat"?: object;
  readonly "openai-responses"?: object;
  readonly "anthropic-messages"?: object;
}

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const pdf = "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSPj4KZW5kb2JqCg==";
const wav = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQAAAAA=";
const url = "https://example.com/wheel.png";

const chat = (content: unknown, more: object = {}) => ({ messages: [{ role: "user", content }], ...more });
const responses = (content: unknown, more: object = {}) => ({ input: [{ role: "user", content }], ...more });
const message = (content: unknown, more: object = {}) => ({ max_tokens: 512, ...chat(content, more) });
const everywhere = (text: string, members: Partial<Record<InboundDialectId, object>>) => ({
  ...(members["openai-chat"] && { "openai-chat": chat(text, members["openai-chat"]) }),
  ...(members["openai-responses"] && { "openai-responses": responses(text, members["openai-responses"]) }),
  ...(members["anthropic-messages"] && { "anthropic-messages": message(text, members["anthropic-messages"]) }),
});
const all = (text: string) => everywhere(text, { "openai-chat": {}, "openai-responses": {}, "anthropic-messages": {} });

const schema = {
  type: "object",
  properties: { city: { type: "string" }, unit: { type: "string" } },
  required: ["city"],
};
const noSchema = { type: "object", properties: {} };
const described = [
  { name: "get_weather", description: "The weather of a city.", schema },
  { name: "get_time", description: "The time in a zone.", schema: noSchema },
];
const chatTools = described.map(({ name, description, schema: parameters }) => ({
  type: "function",
  function: { name, description, parameters },
}));
const responsesTools = described.map(({ name, description, schema: parameters }) => ({
  type: "function",
  name,
  description,
  parameters,
  strict: false,
}));
const messageTools = described.map(({ name, description, schema: input }) => ({
  name,
  description,
  input_schema: input,
}));
const ask = "Weather and time in Wien?";
const toolsOf = { "openai-chat": chatTools, "openai-responses": responsesTools, "anthropic-messages": messageTools };
const withTools = (more: Partial<Record<InboundDialectId, object>>) =>
  everywhere(ask, {
    ...(more["openai-chat"] && { "openai-chat": { tools: toolsOf["openai-chat"], ...more["openai-chat"] } }),
    ...(more["openai-responses"] && {
      "openai-responses": { tools: toolsOf["openai-responses"], ...more["openai-responses"] },
    }),
    ...(more["anthropic-messages"] && {
      "anthropic-messages": { tools: toolsOf["anthropic-messages"], ...more["anthropic-messages"] },
    }),
  });

const [weather, time] = ["call_W1", "call_T2"];
const answerSchema = {
  type: "object",
  properties: { celsius: { type: "number" } },
  required: ["celsius"],
  additionalProperties: false,
};

/** The rows of the matrix. */
export const llmFeatures: readonly LlmFeature[] = [
  {
    title: "text, with instructions",
    "openai-chat": { messages: [{ role: "system", content: "Be brief." }, ...chat("Grüß Gott 🎡").messages] },
    "openai-responses": { instructions: "Be brief.", input: "Grüß Gott 🎡" },
    "anthropic-messages": { ...message("Grüß Gott 🎡"), system: "Be brief." },
  },
  {
    title: "instructions in the middle",
    "openai-chat": chat("Hi", {
      messages: [
        { role: "user", content: "Hi" },
        { role: "developer", content: "Answer in German." },
        { role: "user", content: "And now?" },
      ],
    }),
    "openai-responses": {
      input: [
        { role: "user", content: "Hi" },
        { role: "developer", content: "Answer in German." },
        { role: "user", content: "And now?" },
      ],
    },
  },
  {
    title: "a picture's bytes",
    "openai-chat": chat([
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: `data:image/png;base64,${png}`, detail: "low" } },
    ]),
    "openai-responses": responses([
      { type: "input_text", text: "What is this?" },
      { type: "input_image", image_url: `data:image/png;base64,${png}`, detail: "low" },
    ]),
    "anthropic-messages": message([
      { type: "image", source: { type: "base64", media_type: "image/png", data: png } },
      { type: "text", text: "What is this?" },
    ]),
  },
  {
    title: "a picture's address",
    "openai-chat": chat([{ type: "image_url", image_url: { url } }]),
    "openai-responses": responses([{ type: "input_image", image_url: url }]),
    "anthropic-messages": message([{ type: "image", source: { type: "url", url } }]),
  },
  {
    title: "a PDF",
    "openai-chat": chat([
      { type: "file", file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${pdf}` } },
    ]),
    "openai-responses": responses([
      { type: "input_file", filename: "a.pdf", file_data: `data:application/pdf;base64,${pdf}` },
    ]),
    "anthropic-messages": message([
      { type: "document", title: "a.pdf", source: { type: "base64", media_type: "application/pdf", data: pdf } },
    ]),
  },
  {
    title: "speech",
    "openai-chat": chat([{ type: "input_audio", input_audio: { data: wav, format: "wav" } }], { model: "hears" }),
  },
  {
    title: "a file at the provider",
    "openai-chat": chat([{ type: "file", file: { file_id: "file-abc" } }]),
    "openai-responses": responses([{ type: "input_file", file_id: "file-abc" }]),
    "anthropic-messages": message([{ type: "document", source: { type: "file", file_id: "file_abc" } }]),
  },
  {
    title: "tools; parallel calls",
    answer: "tools",
    ...withTools({ "openai-chat": {}, "openai-responses": {}, "anthropic-messages": {} }),
  },
  {
    title: "a tool by name",
    answer: "tools",
    ...withTools({
      "openai-chat": { tool_choice: { type: "function", function: { name: "get_time" } } },
      "openai-responses": { tool_choice: { type: "function", name: "get_time" } },
      "anthropic-messages": { tool_choice: { type: "tool", name: "get_time" } },
    }),
  },
  {
    title: "some tool",
    answer: "tools",
    ...withTools({
      "openai-chat": { tool_choice: "required" },
      "openai-responses": { tool_choice: "required" },
      "anthropic-messages": { tool_choice: { type: "any" } },
    }),
  },
  {
    title: "no tool",
    ...withTools({
      "openai-chat": { tool_choice: "none" },
      "openai-responses": { tool_choice: "none" },
      "anthropic-messages": { tool_choice: { type: "none" } },
    }),
  },
  {
    title: "one call at a time",
    ...withTools({
      "openai-chat": { parallel_tool_calls: false },
      "openai-responses": { parallel_tool_calls: false },
      "anthropic-messages": { tool_choice: { type: "auto", disable_parallel_tool_use: true } },
    }),
  },
  {
    title: "results of tools",
    "openai-chat": {
      tools: chatTools,
      messages: [
        { role: "user", content: ask },
        {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: weather, type: "function", function: { name: "get_weather", arguments: '{"city":"Wien"}' } },
            { id: time, type: "function", function: { name: "get_time", arguments: "" } },
          ],
        },
        { role: "tool", tool_call_id: time, content: "12:00" },
        { role: "tool", tool_call_id: weather, content: '{"celsius":18}' },
      ],
    },
    "openai-responses": {
      tools: responsesTools,
      input: [
        { role: "user", content: ask },
        { type: "function_call", call_id: weather, name: "get_weather", arguments: '{"city":"Wien"}' },
        { type: "function_call", call_id: time, name: "get_time", arguments: "{}" },
        { type: "function_call_output", call_id: weather, output: '{"celsius":18}' },
        { type: "function_call_output", call_id: time, output: "12:00" },
      ],
    },
    "anthropic-messages": {
      max_tokens: 512,
      tools: messageTools,
      messages: [
        { role: "user", content: ask },
        {
          role: "assistant",
          content: [
            { type: "tool_use", id: weather, name: "get_weather", input: { city: "Wien" } },
            { type: "tool_use", id: time, name: "get_time", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: weather, content: "no station", is_error: true },
            { type: "tool_result", tool_use_id: time, content: [{ type: "text", text: "12:00" }] },
            { type: "text", text: "Go on." },
          ],
        },
      ],
    },
  },
  {
    title: "an answer after a schema",
    ...everywhere("How warm?", {
      "openai-chat": {
        response_format: { type: "json_schema", json_schema: { name: "heat", schema: answerSchema, strict: true } },
      },
      "openai-responses": {
        text: { format: { type: "json_schema", name: "heat", schema: answerSchema, strict: true } },
      },
      "anthropic-messages": { output_config: { format: { type: "json_schema", schema: answerSchema } } },
    }),
  },
  {
    title: "an answer in JSON",
    ...everywhere("How warm? In JSON.", {
      "openai-chat": { response_format: { type: "json_object" } },
      "openai-responses": { text: { format: { type: "json_object" } } },
    }),
  },
  {
    title: "thinking first",
    answer: "reasoning",
    ...everywhere("17 × 23?", {
      "openai-chat": { reasoning_effort: "medium" },
      "openai-responses": {
        reasoning: { effort: "medium", summary: "auto" },
        include: ["reasoning.encrypted_content"],
      },
      "anthropic-messages": { max_tokens: 4_096, thinking: { type: "enabled", budget_tokens: 2_048 } },
    }),
  },
  {
    title: "no thinking",
    ...everywhere("17 × 23?", {
      "openai-chat": { reasoning_effort: "none" },
      "openai-responses": { reasoning: { effort: "none" } },
      "anthropic-messages": { thinking: { type: "disabled" } },
    }),
  },
  {
    title: "a bound of the answer; cut off",
    answer: "length",
    ...everywhere("A tale.", {
      "openai-chat": { max_completion_tokens: 16 },
      "openai-responses": { max_output_tokens: 16 },
      "anthropic-messages": { max_tokens: 16 },
    }),
  },
  {
    title: "texts that end the answer",
    answer: "stop",
    ...everywhere("Count.", {
      "openai-chat": { stop: ["three"] },
      "anthropic-messages": { stop_sequences: ["three"] },
    }),
  },
  { title: "a refusal", answer: "refusal", ...all("How do I …?") },
  {
    title: "usage of a cache",
    answer: "cache",
    "openai-chat": chat([{ type: "text", text: "A long text.", cache_control: { type: "ephemeral" } }]),
    "openai-responses": responses("A long text.", { prompt_cache_key: "k1" }),
    "anthropic-messages": {
      ...message([{ type: "text", text: "Hi" }]),
      system: [{ type: "text", text: "A long text.", cache_control: { type: "ephemeral", ttl: "1h" } }],
    },
  },
  {
    title: "temperature and top_p",
    ...everywhere("Hi", {
      "openai-chat": { temperature: 0.2, top_p: 0.9 },
      "openai-responses": { temperature: 0.2, top_p: 0.9 },
      "anthropic-messages": { temperature: 0.2, top_p: 0.9 },
    }),
  },
  {
    title: "temperature above 1",
    ...everywhere("Hi", { "openai-chat": { temperature: 1.4 }, "openai-responses": { temperature: 1.4 } }),
  },
  { title: "top_k", ...everywhere("Hi", { "anthropic-messages": { top_k: 40 } }) },
  { title: "seed", ...everywhere("Hi", { "openai-chat": { seed: 7 } }) },
  { title: "penalties", ...everywhere("Hi", { "openai-chat": { presence_penalty: 0.5, frequency_penalty: 0.5 } }) },
  { title: "several answers", ...everywhere("Hi", { "openai-chat": { n: 2 } }) },
  {
    title: "probabilities of tokens",
    ...everywhere("Hi", {
      "openai-chat": { logprobs: true, top_logprobs: 2 },
      "openai-responses": { include: ["message.output_text.logprobs"], top_logprobs: 2 },
    }),
  },
  { title: "biases of tokens", ...everywhere("Hi", { "openai-chat": { logit_bias: { "50256": -100 } } }) },
  {
    title: "who asks, and labels",
    ...everywhere("Hi", {
      "openai-chat": { safety_identifier: "u1", metadata: { ticket: "7" } },
      "openai-responses": { safety_identifier: "u1", metadata: { ticket: "7" } },
      "anthropic-messages": { metadata: { user_id: "u1" } },
    }),
  },
  {
    title: "the provider's own tools",
    "openai-chat": chat("News?", { web_search_options: {} }),
    "openai-responses": responses("News?", { tools: [{ type: "web_search" }] }),
    "anthropic-messages": message("News?", { tools: [{ type: "web_search_20250305", name: "web_search" }] }),
  },
  { title: "an earlier response", ...everywhere("And?", { "openai-responses": { previous_response_id: "resp_1" } }) },
  {
    title: "a member that nobody knows yet",
    ...everywhere("Hi", {
      "openai-chat": { tomorrow: 1 },
      "openai-responses": { tomorrow: 1 },
      "anthropic-messages": { tomorrow: 1 },
    }),
  },
];
