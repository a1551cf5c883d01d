import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { PluginTools } from "../../pipeline/plugin.ts";
import type { FilterConfig } from "./filter-config.ts";
import type { QueryReader } from "./query-text.ts";

/** Looks at a request for calls of tools that have worked. */
export type CallLearner = (exchange: Exchange, operation: Operation) => void;

/** Tools of one turn that are learnt from; more are no answer to one question. */
const mostCalls = 8;

/**
 * Learns from conversations that come back: what the user has asked led to the tools that were called since and gave a
 * result. So nothing of an answer is read, streamed or not, and a call that nobody made teaches nothing. Undefined where
 * nothing is to be learnt. Only calls of applications count.
 */
export function compileLearner(
  { learn, embedder }: Pick<FilterConfig, "learn" | "embedder">,
  queryOf: QueryReader,
  { learnt, embed, log }: Pick<PluginTools, "learnt" | "embed" | "log">,
  place: string,
): CallLearner | undefined {
  const memory = learn ? learnt?.(place, embed(embedder)) : undefined;
  if (memory === undefined) return undefined;
  return ({ api, principal }, operation) => {
    const application = principal?.applicationId;
    const offered = application === undefined ? undefined : api.adapter.offeredTools?.(operation);
    const calls = offered?.answeredCalls() ?? [];
    if (application === undefined || offered === undefined || calls.length === 0) return;
    const text = queryOf(offered);
    if (text.trim() === "") return;
    const failed = (error: unknown): void => log.warn({ err: error, policy: place }, "a call could not be learnt from");
    for (const entry of calls.slice(0, mostCalls)) {
      try {
        const absorbed = memory.absorb({ entry, application, text });
        if (absorbed instanceof Promise) absorbed.catch(failed);
      } catch (error) {
        failed(error);
      }
    }
  };
}
