import { z } from "zod";
import { analyticsStatusSchema } from "../analytics/analytics-reader.ts";
import {
  errorCountSchema,
  exchangeRowSchema,
  latencySchema,
  modelUseSchema,
  toolUseSchema,
  trafficSchema,
} from "../analytics/answers.ts";
import type { CostRequest } from "../analytics/cost-answers.ts";
import { costGroups, costRowSchema, costSteps, shadowComparisonSchema } from "../analytics/cost-answers.ts";
import { answer, answerComponent, filterShape, invalid, rangeShape, reader, selectionOf } from "./analytics-query.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { pageAnswer, pageQuery } from "./page-query.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

/** Questions about recorded traffic, over a range of time. */
export function analyticsRoutes(): readonly ControlRoute[] {
  return [
    statusRoute(),
    exchangesRoute(),
    trafficRoute(),
    listRoute("errors", "ErrorCount", errorCountSchema, "What went wrong, the most frequent first", (call) =>
      reader(call).errors(selectionOf(call), call.query.limit),
    ),
    listRoute("latency", "Latency", latencySchema, "Percentiles of the time that each API took", (call) =>
      reader(call).latency(selectionOf(call), call.query.limit),
    ),
    listRoute("top-models", "ModelUse", modelUseSchema, "The models that were used most", (call) =>
      reader(call).topModels(selectionOf(call), call.query.limit),
    ),
    costsRoute(),
    listRoute(
      "routing-shadow",
      "ShadowComparison",
      shadowComparisonSchema,
      "How routers in the shadow compare with those that decide",
      (call) => reader(call).routingShadow(selectionOf(call), call.query.limit),
    ),
    listRoute("top-tools", "ToolUse", toolUseSchema, "The MCP tools that were called most", (call) =>
      reader(call).topTools(selectionOf(call), call.query.limit),
    ),
  ];
}

const base = "/api/v1/analytics";
const common = { access: { permission: "analytics:read" }, tag: "Analytics", method: "get" } as const;

const limitSchema = z.coerce
  .number()
  .int()
  .min(1)
  .max(200)
  .default(20)
  .meta({ title: "Limit", description: "Items in the answer, 1 to 200." });

const listQuery = z.strictObject({ ...rangeShape, ...filterShape, limit: limitSchema });
type ListCall = ControlCall<z.output<typeof listQuery>>;

const exchangesQuery = pageQuery.extend({
  ...rangeShape,
  ...filterShape,
  outcome: z
    .enum(["ok", "denied", "failed", "upstream_error", "cancelled"])
    .optional()
    .meta({ title: "Outcome", description: "Only rows that ended so." }),
});

const trafficQuery = z.strictObject({
  ...rangeShape,
  ...filterShape,
  stepSeconds: z.coerce.number().int().min(1).max(2_678_400).optional().meta({
    title: "Step",
    description: "Seconds that one item stands for; chosen for some 100 items when absent. At most 2,000 in a range.",
  }),
});

const costsQuery = pageQuery.extend({
  ...rangeShape,
  groupBy: z
    .string()
    .refine((text) => costGroups.some((group) => group === text) || /^label:.{1,63}$/.test(text), {
      error: `one of ${costGroups.join(", ")}, or label:NAME`,
    })
    .default("model")
    .meta({ title: "Group by", description: `One of ${costGroups.join(", ")}, or label:NAME.` }),
  granularity: z
    .enum(costSteps)
    .default("total")
    .meta({ title: "Granularity", description: "Steps of time by the calendar of UTC; `total` is the whole range." }),
  provider: z.string().min(1).max(100).optional().meta({ title: "Provider", description: "The name of a provider." }),
});

function statusRoute(): ControlRoute {
  return defineRoute({
    ...common,
    access: { permission: "operations:read" },
    path: `${base}/status`,
    operationId: "getAnalyticsStatus",
    summary: "Where recorded events go, and whether they arrive",
    answers: { 200: { description: "The way of the events.", schema: statusComponent } },
    handle: async (call) => jsonAnswer(200, reader(call).status()),
  });
}

function exchangesRoute(): ControlRoute {
  return defineRoute({
    ...common,
    path: `${base}/exchanges`,
    operationId: "listExchanges",
    summary: "List the recorded operations, newest first",
    query: exchangesQuery,
    answers: { 200: { description: "A page.", schema: pageComponent(exchange), headers: ["Link"] } },
    async handle(call) {
      const { limit, cursor, outcome } = call.query;
      const { rows, next } = await reader(call).exchanges(selectionOf(call), { limit, cursor, outcome });
      return pageAnswer(call.url, rows, next);
    },
  });
}

function trafficRoute(): ControlRoute {
  return defineRoute({
    ...common,
    path: `${base}/traffic`,
    operationId: "getTraffic",
    summary: "Requests, failures, tokens and bytes over time",
    query: trafficQuery,
    answers: {
      200: { description: "Steps that had traffic.", schema: answerComponent("Traffic", trafficSchema, true) },
    },
    async handle(call) {
      const selection = selectionOf(call);
      const seconds = (selection.toMs - selection.fromMs) / 1_000;
      const stepSeconds = call.query.stepSeconds ?? chooseStep(seconds);
      if (seconds / stepSeconds > mostSteps) throw invalid("stepSeconds", `the range has more than ${mostSteps} steps`);
      return answer(selection, await reader(call).traffic(selection, stepSeconds), { stepSeconds });
    },
  });
}

function costsRoute(): ControlRoute {
  return defineRoute({
    ...common,
    path: `${base}/costs`,
    operationId: "listCosts",
    summary: "What was paid, by whom and for what: by time, in each step the dearest first",
    query: costsQuery,
    answers: { 200: { description: "A page.", schema: pageComponent(costRow), headers: ["Link"] } },
    async handle(call) {
      const { groupBy, granularity, provider, limit, cursor } = call.query;
      const request = { groupBy: costGroupOf(groupBy), granularity, provider, limit, cursor };
      const { rows, next } = await reader(call).costs(selectionOf(call), request);
      return pageAnswer(call.url, rows, next);
    },
  });
}

/** `label:NAME`, or one of the columns that costs can be added up by. */
function costGroupOf(text: string): CostRequest["groupBy"] {
  return costGroups.find((group) => group === text) ?? { label: text.slice("label:".length) };
}

function listRoute(
  name: string,
  component: string,
  schema: z.ZodType,
  summary: string,
  ask: (call: ListCall) => Promise<readonly object[]>,
): ControlRoute {
  const words = name.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return defineRoute({
    ...common,
    path: `${base}/${name}`,
    operationId: `get${words.join("")}`,
    summary,
    query: listQuery,
    answers: { 200: { description: "The list.", schema: answerComponent(component, schema, false) } },
    handle: async (call) => answer(selectionOf(call), await ask(call)),
  });
}

const statusComponent = schemaComponent("AnalyticsStatus", analyticsStatusSchema, "output");
const costRow = schemaComponent("Cost", costRowSchema, "output");
const exchange = schemaComponent("Exchange", exchangeRowSchema, "output");

const mostSteps = 2_000;

/** Steps that people count time in. */
const usualSteps = [1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 21_600, 86_400, 604_800];

function chooseStep(seconds: number): number {
  return usualSteps.find((step) => seconds / step <= 100) ?? 2_678_400;
}
