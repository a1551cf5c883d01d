import { Readable } from "node:stream";
import { z } from "zod";
import type { ExportFormat } from "../analytics/analytics-reader.ts";
import { exportFormats } from "../analytics/analytics-reader.ts";
import { attemptFilterShape, invalid, rangeShape, selectionOf } from "./analytics-query.ts";
import { analyticsTools } from "./analytics-sql-routes.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute } from "./control-route.ts";

const longestMs = 86_400_000;

const querySchema = z.strictObject({
  ...rangeShape,
  ...attemptFilterShape,
  table: z.enum(["exchanges", "attempts"]).default("exchanges").meta({
    title: "Table",
    description: "`exchanges` has operations of clients, `attempts` has tries at upstreams.",
  }),
  format: z.enum(exportFormats).default("ndjson").meta({ title: "Format", description: "Of the file." }),
});

/** All columns of the rows of a day at most, as a file that is passed on while it is read. */
export function analyticsExportRoute(): ControlRoute {
  return defineRoute({
    method: "get",
    path: "/api/v1/analytics/export",
    access: { permission: "analytics:read" },
    tag: "Analytics",
    operationId: "exportRows",
    summary: "The recorded rows of up to a day, as CSV, NDJSON or Parquet",
    query: querySchema,
    answers: { 200: { description: "The rows.", mediaType: "application/x-ndjson" } },
    async handle(call) {
      const { table, format } = call.query;
      const selection = selectionOf(call);
      if (selection.toMs - selection.fromMs > longestMs) throw invalid("from", "an export may have one day");
      const { exporter } = await analyticsTools(call);
      const rows = await exporter.rows(table, selection, format);
      // Node's own type of web streams is the same one, told apart by the compiler.
      const body = Readable.toWeb(rows) as unknown as ReadableStream<Uint8Array>;
      const name = `attachment; filename="${table}.${format}"`;
      return new Response(body, { headers: { "content-type": mediaTypes[format], "content-disposition": name } });
    },
  });
}

const mediaTypes: Readonly<Record<ExportFormat, string>> = {
  csv: "text/csv; charset=utf-8",
  ndjson: "application/x-ndjson",
  parquet: "application/vnd.apache.parquet",
};
