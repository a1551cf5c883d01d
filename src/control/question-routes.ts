import { z } from "zod";
import type { ExportFormat } from "../analytics/analytics-reader.ts";
import { exportFormats } from "../analytics/analytics-reader.ts";
import type { Question } from "../analytics/questions/define-question.ts";
import { granularities } from "../analytics/questions/define-question.ts";
import { governanceTrend } from "../analytics/questions/governance-trend.ts";
import { questions } from "../analytics/questions/index.ts";
import { attemptFilterShape, filterShape, rangeShape, reader, selectionOf } from "./analytics-query.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import type { SchemaComponent } from "./schema-component.ts";
import { schemaComponent, schemaReference } from "./schema-component.ts";

/** A route for each question that is defined in a file of its own, and the list of them. */
export function questionRoutes(): readonly ControlRoute[] {
  return [listRoute(), ...questions.map((question) => questionRoute(question)), trendRoute()];
}

const common = { access: { permission: "analytics:read" }, tag: "Analytics", method: "get" } as const;

const questionsSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      id: z.string(),
      title: z.string(),
      description: z.string(),
      path: z.string(),
      columns: z.array(z.string()),
    }),
  ),
});

function listRoute(): ControlRoute {
  return defineRoute({
    ...common,
    path: "/api/v1/analytics/questions",
    operationId: "listQuestions",
    summary: "The questions that have an answer here, with the columns of their rows",
    answers: {
      200: { description: "The list.", schema: schemaComponent("Questions", questionsSchema, "output") },
    },
    async handle() {
      const items = questions.map(({ id, title, description, row }) => ({
        id,
        title,
        description,
        path: pathOf(id),
        columns: Object.keys(row.shape),
      }));
      return jsonAnswer(200, { items });
    },
  });
}

function pathOf(id: string): string {
  return `/api/v1/analytics/${id}`;
}

const pageShape = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .meta({ title: "Limit", description: "Rows in the answer, 1 to 10,000." }),
  cursor: z
    .string()
    .min(1)
    .max(1_000)
    .optional()
    .meta({ title: "Cursor", description: "`next` of the page before; the first page when absent." }),
  format: z
    .enum(["json", ...exportFormats])
    .default("json")
    .meta({
      title: "Format",
      description: "Of the answer. Only `json` has the range and the next page beside the rows.",
    }),
};

const stepShape = {
  granularity: z
    .enum(granularities)
    .default("total")
    .meta({ title: "Granularity", description: "Steps of time by the calendar of UTC; `total` is the whole range." }),
};

/** The trend again where governance is read, for those who may read analytics. */
function trendRoute(): ControlRoute {
  const path = "/api/v1/governance/trend";
  return questionRoute(governanceTrend, { path, operationId: "getComplianceTrend", tag: "Governance" });
}

/** What a question may be narrowed to, by its table. */
const filterShapes = {
  exchanges: { ...rangeShape, ...filterShape },
  attempts: { ...rangeShape, ...attemptFilterShape },
  governance_events: {
    from: rangeShape.from,
    to: rangeShape.to,
    api: rangeShape.api.meta({ title: "API", description: "Name or id of an API, or of another resource." }),
  },
} as const;

function questionRoute(
  question: Question,
  place: Partial<Record<"path" | "operationId" | "tag", string>> = {},
): ControlRoute {
  const { id, title, component, table, hasSteps, params, row } = question;
  const words = id.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  const own = params.shape;
  const query = z.strictObject({ ...filterShapes[table], ...pageShape, ...(hasSteps ? stepShape : {}), ...own });
  return defineRoute({
    ...common,
    path: pathOf(id),
    operationId: `ask${words.join("")}`,
    ...place,
    summary: title,
    query,
    answers: {
      200: {
        description: question.description,
        schema: pageOf(schemaComponent(component, row, "output")),
        headers: ["Link"],
      },
    },
    async handle(call) {
      const given = call.query as Given & Readonly<Record<string, unknown>>; // the schema above is made of these
      const { limit, cursor, format, granularity = "total" } = given;
      const asked = Object.fromEntries(Object.keys(own).map((name) => [name, given[name]]));
      const request = { params: asked, granularity, limit, cursor };
      const selection = selectionOf({ ...call, query: narrowed(given, own) });
      if (format !== "json") {
        const bytes = await reader(call).askAs(format, question, selection, request);
        const name = `attachment; filename="${id}.${format}"`;
        return new Response(bytes, { headers: { "content-type": mediaTypes[format], "content-disposition": name } });
      }
      const { rows, next, fromMs, toMs } = await reader(call).ask(question, selection, request);
      const range = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
      return jsonAnswer(200, { ...range, items: rows, ...(next !== undefined && { next }) }, linkTo(call.url, next));
    },
  });
}

/** A parameter of the question's own is no filter, also where it is called like one. */
function narrowed(given: Given, own: object): Given {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !(name in own))) as Given; // fewer members of it
}

type Given = Parameters<typeof selectionOf>[0]["query"] & {
  readonly limit: number;
  readonly cursor?: string;
  readonly format: "json" | ExportFormat;
  readonly granularity?: (typeof granularities)[number];
};

const mediaTypes: Readonly<Record<ExportFormat, string>> = {
  csv: "text/csv; charset=utf-8",
  ndjson: "application/x-ndjson",
  parquet: "application/vnd.apache.parquet",
};

function linkTo(url: URL, next: string | undefined): Readonly<Record<string, string>> {
  if (next === undefined) return {};
  const continuing = new URL(url);
  continuing.searchParams.set("cursor", next);
  return { link: `<${continuing.pathname}${continuing.search}>; rel="next"` };
}

function pageOf(item: SchemaComponent): SchemaComponent {
  const time = { type: "string", format: "date-time" };
  return {
    name: `${item.name}Answer`,
    uses: [item],
    json: {
      type: "object",
      required: ["from", "to", "items"],
      properties: {
        from: time,
        to: time,
        items: { type: "array", items: schemaReference(item) },
        next: { type: "string", description: "The cursor of the next page; absent at the end." },
      },
    },
  };
}
