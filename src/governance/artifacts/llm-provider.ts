import { llmProvider } from "../../core/llm-provider.ts";
import { defineForm } from "./artifact-form.ts";

/** An account at an LLM provider, without its secrets. */
export const llmProviderForm = defineForm(llmProvider);
