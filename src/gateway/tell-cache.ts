import type { CacheDecision } from "../pipeline/answer-keeping.ts";
import type { EventValue } from "../pipeline/event.ts";

/** The columns of what a cache of answers did. */
export function cacheFields(decision: CacheDecision): Readonly<Record<string, EventValue>> {
  const { outcome, reason, score, ageMs, savedTokens, isMonitor, tookMs } = decision;
  return {
    cache: outcome,
    cache_mode: isMonitor ? "monitor" : "enforce",
    ...(reason !== undefined && { cache_reason: reason }),
    ...(score !== undefined && { cache_score: Math.round(score * 1_000) / 1_000 }),
    ...(ageMs !== undefined && { cache_age_ms: ageMs }),
    ...(savedTokens !== undefined && { cache_saved_tokens: savedTokens }),
    cache_ms: Math.round(tookMs * 1_000) / 1_000,
  };
}
