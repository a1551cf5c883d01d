import type { ProviderPlugin } from "../../pipeline/define-provider.ts";
import { anthropic } from "./anthropic.ts";
import { azureOpenai } from "./azure-openai.ts";
import { bedrock } from "./bedrock.ts";
import { custom } from "./custom.ts";
import { gemini } from "./gemini.ts";
import { openaiCompatible } from "./openai-compatible.ts";
import { openaiShaped } from "./openai-shaped.ts";
import { vertex } from "./vertex.ts";

/** All LLM providers of this build. */
export const providers: readonly ProviderPlugin[] = [
  openaiCompatible,
  ...openaiShaped,
  anthropic,
  azureOpenai,
  bedrock,
  custom,
  gemini,
  vertex,
];
