import type { ProviderPlugin } from "../../pipeline/define-provider.ts";
import { openaiCompatible } from "./openai-compatible.ts";
import { openaiShaped } from "./openai-shaped.ts";

/** All LLM providers of this build. */
export const providers: readonly ProviderPlugin[] = [openaiCompatible, ...openaiShaped];
