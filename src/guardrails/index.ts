import type { GuardrailPlugin } from "../pipeline/define-guardrail.ts";
import { regex } from "./regex.ts";
import { wordCount } from "./word-count.ts";

/** All guardrails of this build. */
export const guardrails: readonly GuardrailPlugin[] = [regex, wordCount];
