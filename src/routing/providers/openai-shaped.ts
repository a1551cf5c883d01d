import type { DialectId } from "../../pipeline/define-provider.ts";
import { defineProvider } from "../../pipeline/define-provider.ts";
import { compileOpenAi } from "./openai-compatible.ts";
import type { OpenAiDifferences } from "./openai-config.ts";
import { baseUrlWithDefault, openAiConfig } from "./openai-config.ts";

interface Row extends OpenAiDifferences {
  readonly id: string;
  readonly title: string;
  readonly baseUrl: string;
  /** Runs without a key. */
  readonly local?: true;
  /** What it speaks beside chat completions. */
  readonly also?: readonly DialectId[];
}

/**
 * Well-known providers that speak OpenAI's dialect, each as its differences. Base URLs are those of the providers' own
 * documentation; an operator may give another.
 *
 * Only what leaves the answer as it is gets dropped by default: where a provider cannot do what a client asks, its own
 * error says so. Mistral refuses unknown members, and reports usage in streams without being asked.
 * @see https://docs.mistral.ai/api/
 */
const rows: readonly Row[] = [
  { id: "openai", title: "OpenAI", baseUrl: "https://api.openai.com/v1", also: ["openai-responses"] },
  { id: "cerebras", title: "Cerebras", baseUrl: "https://api.cerebras.ai/v1" },
  { id: "deepinfra", title: "DeepInfra", baseUrl: "https://api.deepinfra.com/v1/openai" },
  { id: "deepseek", title: "DeepSeek", baseUrl: "https://api.deepseek.com/v1" },
  { id: "fireworks", title: "Fireworks AI", baseUrl: "https://api.fireworks.ai/inference/v1" },
  { id: "groq", title: "Groq", baseUrl: "https://api.groq.com/openai/v1" },
  {
    id: "mistral",
    title: "Mistral",
    baseUrl: "https://api.mistral.ai/v1",
    streamUsage: false,
    drop: ["stream_options", "store", "user"],
  },
  { id: "nvidia", title: "NVIDIA NIM", baseUrl: "https://integrate.api.nvidia.com/v1" },
  { id: "openrouter", title: "OpenRouter", baseUrl: "https://openrouter.ai/api/v1" },
  { id: "together", title: "Together AI", baseUrl: "https://api.together.xyz/v1" },
  { id: "xai", title: "xAI", baseUrl: "https://api.x.ai/v1" },
  { id: "lm-studio", title: "LM Studio", baseUrl: "http://127.0.0.1:1234/v1", local: true },
  { id: "ollama", title: "Ollama", baseUrl: "http://127.0.0.1:11434/v1", local: true },
  { id: "vllm", title: "vLLM", baseUrl: "http://127.0.0.1:8000/v1", local: true },
];

/** The providers of the table. */
export const openaiShaped = rows.map(({ id, title, baseUrl, local, also = [], ...differences }) =>
  defineProvider({
    id,
    title,
    summary: local ? `Models on a server of ${title}.` : `Models at ${title}.`,
    config: openAiConfig(baseUrlWithDefault(baseUrl), differences),
    examples: local ? [{}] : [{ apiKey: `\${secret:${id}-key}` }],
    compile: (config, tools) => compileOpenAi(config, tools, ["openai-chat", ...also]),
  }),
);
