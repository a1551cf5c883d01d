import { defineProvider } from "../../pipeline/define-provider.ts";
import { compileOpenAi } from "./compile-openai.ts";
import { baseUrlSchema, openAiConfig } from "./openai-config.ts";

/** Anything that speaks OpenAI's dialect at a base URL. */
export const openaiCompatible = defineProvider({
  id: "openai-compatible",
  title: "OpenAI-compatible",
  summary: "Any server that speaks OpenAI's chat completions and embeddings.",
  config: openAiConfig(baseUrlSchema),
  examples: [
    { baseUrl: "https://llm.example.com/v1", apiKey: "${secret:llm-key}" },
    { baseUrl: "http://127.0.0.1:8000/v1", header: "x-api-key", scheme: "", headers: { "x-tenant": "blue" } },
  ],
  compile: (config, tools) => compileOpenAi(config, tools),
});
