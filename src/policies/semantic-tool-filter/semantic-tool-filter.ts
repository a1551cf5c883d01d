import { definePolicy } from "../../pipeline/define-policy.ts";
import { compileFilter } from "./compile-filter.ts";
import { filterConfig } from "./filter-config.ts";
import { compileLearner } from "./learn-calls.ts";
import { compileTaskLearner } from "./learn-tasks.ts";
import { filterList } from "./list-door.ts";
import { findOffer } from "./offer-doors.ts";
import { compileQuery } from "./query-text.ts";

/**
 * Takes tools out of what a model is offered that do not fit what the user asks for, and out of what a server lists for a
 * task. It refuses nothing and reorders
 * nothing: where it cannot decide, all tools go on, unless `onError` says `deny`.
 */
export const semanticToolFilter = definePolicy({
  id: "semantic-tool-filter",
  title: "Semantic tool filter",
  summary: "Leaves of many tools those that fit what is asked for.",
  config: filterConfig,
  examples: [
    {},
    { selection: "rank+threshold", limit: 8, alwaysKeep: ["search_*"], query: { lastTurns: 3 } },
    { selection: "threshold", threshold: 0.35, minKeep: 0, withoutText: "drop", query: { jsonPath: "$.task" } },
    { format: { query: "tags", tools: "tags" } },
  ],
  onError: "continue",
  compile(config, tools, attached) {
    const filter = compileFilter(config, tools, attached);
    const queryOf = compileQuery(config.query);
    const learn = compileLearner(config, queryOf, tools, attached.place);
    const tasks = compileTaskLearner(config, tools, attached.place);
    return {
      request(exchange, operation) {
        learn?.(exchange, operation);
        const listed = exchange.api.adapter.listedTools?.(exchange, operation);
        if (listed !== undefined) tasks?.listed(exchange, listed.task);
        if (listed !== undefined) filterList(listed, exchange, filter, attached.onError ?? "continue");
        const door = findOffer(exchange.api.adapter, operation, config, queryOf);
        if (door === undefined) return undefined;
        const done = filter(door, exchange);
        return done instanceof Promise ? done.then(() => undefined) : undefined;
      },
      ...(tasks !== undefined && { record: tasks.called }),
    };
  },
});
