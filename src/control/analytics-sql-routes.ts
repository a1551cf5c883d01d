import { z } from "zod";
import type { AdHocFormat } from "../analytics/ad-hoc-reader.ts";
import { adHocFormats, adHocLimits } from "../analytics/ad-hoc-reader.ts";
import type { AnalyticsTools } from "../analytics/analytics-tools.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { parseInput } from "./parse-input.ts";
import { schemaComponent } from "./schema-component.ts";

/** Statements of analysts over the rows of all teams, and the tables that they may name. */
export function analyticsSqlRoutes(): readonly ControlRoute[] {
  return [queryRoute(), tablesRoute()];
}

/** The tools of this control plane. Throws `analytics.not_available` where there are none. */
export async function analyticsTools({ options }: Pick<ControlCall, "options">): Promise<AnalyticsTools> {
  if (options.analyticsTools !== undefined) return options.analyticsTools();
  throw new GatewayError("analytics.not_available", "This control plane has no analytics.");
}

const common = { access: { permission: "analytics:sql" }, tag: "Analytics" } as const;

const bodySchema = z
  .strictObject({
    query: z.string().trim().min(1).max(adHocLimits.statementCharacters).meta({
      title: "Statement",
      description: "One SELECT of ClickHouse's SQL over the analytics tables, without SETTINGS and FORMAT.",
    }),
    format: z.enum(adHocFormats).default("json").meta({ title: "Format", description: "Of the answer." }),
  })
  .meta({
    examples: [
      { query: "SELECT api_name, count() AS calls FROM exchanges WHERE ts > now() - INTERVAL 1 DAY GROUP BY api_name" },
    ],
  });

const answerSchema = z.strictObject({
  meta: z.array(z.strictObject({ name: z.string(), type: z.string() })).meta({ description: "The columns." }),
  data: z.array(z.array(z.unknown())).meta({ description: "The rows: values in the order of the columns." }),
  rows: z.int(),
  rows_before_limit_at_least: z.int().optional(),
  totals: z.array(z.unknown()).optional(),
  statistics: z.strictObject({ elapsed: z.number(), rows_read: z.int(), bytes_read: z.int() }),
});

function queryRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path: "/api/v1/analytics/sql",
    operationId: "queryAnalytics",
    summary: "Run one SELECT of your own over the analytics tables",
    body: schemaComponent("AnalyticsStatement", bodySchema, "input"),
    answers: {
      200: {
        description: "The rows: JSON as shown, or CSV, NDJSON or Parquet when the body asks for it.",
        schema: schemaComponent("AnalyticsResult", answerSchema, "output"),
      },
    },
    async handle(call) {
      const { query, format } = parseInput(bodySchema, await call.body(), { code: "request.invalid" });
      const { bytes } = await (await analyticsTools(call)).adHoc.query(query, format);
      return new Response(new Uint8Array(bytes), { headers: { "content-type": mediaTypes[format] } });
    },
  });
}

const mediaTypes: Readonly<Record<AdHocFormat, string>> = {
  json: "application/json",
  csv: "text/csv; charset=utf-8",
  ndjson: "application/x-ndjson",
  parquet: "application/vnd.apache.parquet",
};

const tablesSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      name: z.string(),
      summary: z.string(),
      columns: z.array(
        z.strictObject({
          name: z.string(),
          type: z.string().meta({ description: "As ClickHouse writes it." }),
          meaning: z.string().nullable(),
        }),
      ),
    }),
  ),
});

function tablesRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: "/api/v1/analytics/tables",
    operationId: "listAnalyticsTables",
    summary: "The tables that statements may name, and what their columns mean",
    answers: {
      200: { description: "The tables.", schema: schemaComponent("AnalyticsTables", tablesSchema, "output") },
    },
    handle: async (call) => jsonAnswer(200, { items: await (await analyticsTools(call)).adHoc.tables() }),
  });
}
