import type { DialectId } from "../../pipeline/define-provider.ts";
import { defineProvider } from "../../pipeline/define-provider.ts";
import { compileOpenAi } from "./compile-openai.ts";
import type { OpenAiDifferences } from "./openai-config.ts";
import { baseUrlWithDefault, openAiConfig } from "./openai-config.ts";
import { shortCallIds } from "./short-call-ids.ts";

interface Row extends OpenAiDifferences {
  readonly id: string;
  readonly title: string;
  readonly baseUrl: string;
  /** Runs without a key. */
  readonly local?: true;
  /** What it speaks beside chat completions. */
  readonly also?: readonly DialectId[];
  readonly newestWords?: true;
  readonly finish?: (body: Buffer) => Buffer;
}

/** The older name for the bound of an answer, of providers that would pass the newer one over in silence. */
const olderBound = { max_completion_tokens: "max_tokens" } as const;

/**
 * Well-known providers that speak OpenAI's dialect, each as its differences. Base URLs are those of the providers' own
 * documentation; an operator may give another.
 *
 * Only what leaves the answer as it is gets dropped by default: where a provider cannot do what a client asks, its own
 * error says so. Mistral refuses unknown members, has names of its own for two, takes ids of nine signs only, and
 * reports usage in streams without being asked. Groq and Cerebras refuse names of theirs that are unknown to them too.
 * @see https://docs.mistral.ai/api/
 * @see https://console.groq.com/docs/openai
 * @see https://docs.ollama.com/api/openai-compatibility
 */
const rows: readonly Row[] = [
  {
    id: "openai",
    title: "OpenAI",
    baseUrl: "https://api.openai.com/v1",
    also: ["openai-responses"],
    newestWords: true,
  },
  { id: "cerebras", title: "Cerebras", baseUrl: "https://api.cerebras.ai/v1", drop: ["store", "prompt_cache_key"] },
  { id: "cohere", title: "Cohere", baseUrl: "https://api.cohere.ai/compatibility/v1", rename: olderBound },
  {
    id: "dashscope",
    title: "Alibaba Cloud Model Studio",
    baseUrl: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    rename: olderBound,
  },
  { id: "deepinfra", title: "DeepInfra", baseUrl: "https://api.deepinfra.com/v1/openai", rename: olderBound },
  { id: "deepseek", title: "DeepSeek", baseUrl: "https://api.deepseek.com/v1", rename: olderBound },
  { id: "fireworks", title: "Fireworks AI", baseUrl: "https://api.fireworks.ai/inference/v1", rename: olderBound },
  { id: "github-models", title: "GitHub Models", baseUrl: "https://models.github.ai/inference" },
  { id: "groq", title: "Groq", baseUrl: "https://api.groq.com/openai/v1", drop: ["store", "prompt_cache_key"] },
  { id: "huggingface", title: "Hugging Face", baseUrl: "https://router.huggingface.co/v1", rename: olderBound },
  {
    id: "mistral",
    title: "Mistral",
    baseUrl: "https://api.mistral.ai/v1",
    streamUsage: false,
    drop: ["stream_options", "store", "user", "safety_identifier", "prompt_cache_key", "service_tier"],
    rename: { ...olderBound, seed: "random_seed" },
    finish: shortCallIds,
  },
  { id: "moonshot", title: "Moonshot AI", baseUrl: "https://api.moonshot.ai/v1", rename: olderBound },
  { id: "nvidia", title: "NVIDIA NIM", baseUrl: "https://integrate.api.nvidia.com/v1", rename: olderBound },
  { id: "openrouter", title: "OpenRouter", baseUrl: "https://openrouter.ai/api/v1" },
  {
    id: "perplexity",
    title: "Perplexity",
    baseUrl: "https://api.perplexity.ai",
    streamUsage: false,
    rename: olderBound,
  },
  { id: "sambanova", title: "SambaNova", baseUrl: "https://api.sambanova.ai/v1", rename: olderBound },
  { id: "together", title: "Together AI", baseUrl: "https://api.together.xyz/v1", rename: olderBound },
  { id: "xai", title: "xAI", baseUrl: "https://api.x.ai/v1" },
  { id: "zai", title: "Z.AI", baseUrl: "https://api.z.ai/api/paas/v4", rename: olderBound },
  { id: "llama-cpp", title: "llama.cpp", baseUrl: "http://127.0.0.1:8080/v1", rename: olderBound, local: true },
  { id: "lm-studio", title: "LM Studio", baseUrl: "http://127.0.0.1:1234/v1", rename: olderBound, local: true },
  { id: "ollama", title: "Ollama", baseUrl: "http://127.0.0.1:11434/v1", rename: olderBound, local: true },
  { id: "vllm", title: "vLLM", baseUrl: "http://127.0.0.1:8000/v1", local: true },
];

/** The providers of the table. */
export const openaiShaped = rows.map(({ id, title, baseUrl, local, also = [], newestWords, finish, ...differences }) =>
  defineProvider({
    id,
    title,
    summary: local ? `Models on a server of ${title}.` : `Models at ${title}.`,
    config: openAiConfig(baseUrlWithDefault(baseUrl), differences),
    examples: local ? [{}] : [{ apiKey: `\${secret:${id}-key}` }],
    compile: (config, tools) =>
      compileOpenAi(config, tools, {
        dialects: ["openai-chat", ...also],
        ...(newestWords && { newestWords }),
        ...(finish && { finish }),
      }),
  }),
);
