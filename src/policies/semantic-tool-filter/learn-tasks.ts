import { LRUCache } from "lru-cache";
import { entryLimit } from "../../kernel/entry-limit.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import { limitSubject } from "../../pipeline/limit-subject.ts";
import type { Outcome } from "../../pipeline/outcome.ts";
import type { PluginTools } from "../../pipeline/plugin.ts";
import type { FilterConfig } from "./filter-config.ts";

/** Learns where tools are listed for a task by one request, and called by others. */
export interface TaskLearner {
  /** Tools are listed for that task. */
  listed(exchange: Exchange, task: string): void;
  /** An operation has ended. */
  called(exchange: Exchange, operation: Operation, outcome: Outcome): void;
}

/** For so long a call is taken for one of the task that tools were listed for. */
const taskMs = 600_000;

const mostCallers = 10_000;

/**
 * Learns from calls that worked, for the task that the same caller has last had tools listed for. Undefined where nothing is
 * to be learnt. Only calls of applications count.
 */
export function compileTaskLearner(
  { learn, embedder }: Pick<FilterConfig, "learn" | "embedder">,
  { learnt, embed, clock, log }: Pick<PluginTools, "learnt" | "embed" | "clock" | "log">,
  place: string,
): TaskLearner | undefined {
  const memory = learn ? learnt?.(place, embed(embedder)) : undefined;
  if (memory === undefined) return undefined;
  const tasks = new LRUCache<string, { readonly text: string; readonly untilMs: number }>(entryLimit(mostCallers));
  const failed = (error: unknown): void => log.warn({ err: error, policy: place }, "a call could not be learnt from");
  const callerOf = (exchange: Exchange): string => `${exchange.api.id} ${limitSubject(exchange, "key")}`;
  return {
    listed(exchange, text) {
      if (exchange.principal?.applicationId === undefined) return;
      tasks.set(callerOf(exchange), { text, untilMs: clock.monotonic() + taskMs });
    },
    called(exchange, operation, outcome) {
      const application = exchange.principal?.applicationId;
      if (application === undefined || outcome.type !== "answer") return;
      const entry = exchange.api.adapter.calledTool?.(operation);
      const task = entry === undefined ? undefined : tasks.get(callerOf(exchange));
      if (entry === undefined || task === undefined || task.untilMs <= clock.monotonic()) return;
      try {
        const absorbed = memory.absorb({ entry, application, text: task.text });
        if (absorbed instanceof Promise) absorbed.catch(failed);
      } catch (error) {
        failed(error);
      }
    },
  };
}
