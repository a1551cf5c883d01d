import type { AnswerStore } from "../../pipeline/answer-keeping.ts";
import { definePolicy } from "../../pipeline/define-policy.ts";
import { cacheConfig } from "./cache-config.ts";
import { compileCache } from "./compile-cache.ts";

/**
 * Gives an answer from before to an equal request, and to one in which the user means the same. All else must be equal:
 * API, environment, caller, model, parameters, tools, system prompt, what others say in the conversation. What is found
 * goes through the response step like an answer of the upstream's; errors, unfinished answers and what a guardrail has
 * edited are never kept. Where the cache cannot be asked, the upstream is.
 */
export const semanticCache = definePolicy({
  id: "semantic-cache",
  title: "Semantic cache",
  summary: "Answers equal questions, and those that mean the same, from before.",
  config: cacheConfig,
  examples: [
    {},
    { scope: "application", threshold: 0.97, ttlSeconds: 600 },
    { scope: "shared", match: "exact", coalesce: {} },
  ],
  onError: "continue",
  needs: ["keeping"],
  compile(config, tools, place) {
    const store = tools.answers?.(place.place) ?? nowhere;
    const cache = compileCache(config, tools, store, place);
    return {
      recall: cache.recall,
      record: cache.keep,
      dispose: () => store.release(),
    };
  },
});

/** Where nothing is served, as where a publication is only tried. */
const nowhere: AnswerStore = {
  exact: () => ({ generation: 0, answer: undefined }),
  nearest: () => undefined,
  put: () => undefined,
  release: () => undefined,
};
