import { z } from "zod";
import type { Selection } from "../analytics/analytics-reader.ts";
import { analyticsStatusSchema } from "../analytics/analytics-reader.ts";
import {
  errorCountSchema,
  exchangeRowSchema,
  latencySchema,
  modelUseSchema,
  toolUseSchema,
  trafficSchema,
} from "../analytics/answers.ts";
import { rightsOf, teamsWith } from "../core/rights.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { pageAnswer, pageQuery } from "./page-query.ts";
import type { SchemaComponent } from "./schema-component.ts";
import { pageComponent, schemaComponent, schemaReference } from "./schema-component.ts";

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
    listRoute("top-tools", "ToolUse", toolUseSchema, "The MCP tools that were called most", (call) =>
      reader(call).topTools(selectionOf(call), call.query.limit),
    ),
  ];
}

const base = "/api/v1/analytics";
const common = { access: { permission: "analytics:read" }, tag: "Analytics", method: "get" } as const;

const dayMs = 86_400_000;
const longestDays = 400;
const timeSchema = z.iso.datetime({ offset: true });

const rangeShape = {
  from: timeSchema
    .optional()
    .meta({ title: "From", description: "Begin of the range; a day before `to` when absent." }),
  to: timeSchema.optional().meta({ title: "To", description: "End of the range, not in it; now when absent." }),
  api: z.string().min(1).max(100).optional().meta({ title: "API", description: "Name or id of an API." }),
  environment: z.enum(["production", "sandbox"]).optional().meta({ title: "Environment", description: "Kind of key." }),
};

const limitSchema = z.coerce
  .number()
  .int()
  .min(1)
  .max(200)
  .default(20)
  .meta({ title: "Limit", description: "Items in the answer, 1 to 200." });

const listQuery = z.strictObject({ ...rangeShape, limit: limitSchema });
type ListCall = ControlCall<z.output<typeof listQuery>>;

const exchangesQuery = pageQuery.extend({
  ...rangeShape,
  outcome: z
    .enum(["ok", "denied", "failed", "upstream_error", "cancelled"])
    .optional()
    .meta({ title: "Outcome", description: "Only rows that ended so." }),
});

const trafficQuery = z.strictObject({
  ...rangeShape,
  stepSeconds: z.coerce.number().int().min(1).max(2_678_400).optional().meta({
    title: "Step",
    description: "Seconds that one item stands for; chosen for some 100 items when absent. At most 2,000 in a range.",
  }),
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
const exchange = schemaComponent("Exchange", exchangeRowSchema, "output");

function answerComponent(name: string, schema: z.ZodType, hasStep: boolean): SchemaComponent {
  const item = schemaComponent(name, schema, "output");
  const time = { type: "string", format: "date-time" };
  return {
    name: `${name}Answer`,
    uses: [item],
    json: {
      type: "object",
      required: ["from", "to", "items", ...(hasStep ? ["stepSeconds"] : [])],
      properties: {
        from: time,
        to: time,
        ...(hasStep && { stepSeconds: { type: "integer" } }),
        items: { type: "array", items: schemaReference(item) },
      },
    },
  };
}

function answer({ fromMs, toMs }: Selection, items: readonly object[], more: object = {}): Response {
  return jsonAnswer(200, { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), ...more, items });
}

function reader({ options }: Pick<ControlCall, "options">): NonNullable<ControlCall["options"]["analytics"]> {
  if (options.analytics !== undefined) return options.analytics;
  throw new GatewayError("analytics.not_available", "This control plane has no analytics.");
}

/** What the query asks for, of the APIs that the caller may ask about. */
function selectionOf({
  query,
  options,
  actor,
}: Pick<ListCall, "options" | "actor"> & { readonly query: RangeQuery }): Selection {
  const toMs = query.to === undefined ? options.clock.now() : Date.parse(query.to);
  const fromMs = query.from === undefined ? toMs - dayMs : Date.parse(query.from);
  if (fromMs >= toMs) throw invalid("from", "must be before `to`");
  if (toMs - fromMs > longestDays * dayMs) throw invalid("from", `a range may have ${longestDays} days`);
  const teams = teamsWith(rightsOf(actor), "analytics:read");
  return { fromMs, toMs, api: query.api, environment: query.environment, teamIds: teams === "all" ? undefined : teams };
}

interface RangeQuery {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly api?: string | undefined;
  readonly environment?: string | undefined;
}

const mostSteps = 2_000;

/** Steps that people count time in. */
const usualSteps = [1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 21_600, 86_400, 604_800];

function chooseStep(seconds: number): number {
  return usualSteps.find((step) => seconds / step <= 100) ?? 2_678_400;
}

function invalid(parameter: string, message: string): GatewayError {
  const path = `query.${parameter}`;
  return new GatewayError("request.invalid", `${path}: ${message}`, { issues: [{ path, message }] });
}
