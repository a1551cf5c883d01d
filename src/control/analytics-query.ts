import { z } from "zod";
import type { Selection } from "../analytics/analytics-reader.ts";
import { rightsOf, teamsWith } from "../core/rights.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlCall } from "./control-route.ts";
import { jsonAnswer } from "./control-route.ts";
import type { SchemaComponent } from "./schema-component.ts";
import { schemaComponent, schemaReference } from "./schema-component.ts";

const dayMs = 86_400_000;
const longestDays = 400;
const timeSchema = z.iso.datetime({ offset: true });
const idSchema = z.string().min(1).max(256).optional();

/** The query parameters of every question: a range of time and what is asked about. */
export const rangeShape = {
  from: timeSchema
    .optional()
    .meta({ title: "From", description: "Begin of the range; a day before `to` when absent." }),
  to: timeSchema.optional().meta({ title: "To", description: "End of the range, not in it; now when absent." }),
  api: z.string().min(1).max(100).optional().meta({ title: "API", description: "Name or id of an API." }),
  environment: z.enum(["production", "sandbox"]).optional().meta({ title: "Environment", description: "Kind of key." }),
};

/** What questions about single operations can be narrowed to beside. */
export const filterShape = {
  application: idSchema.meta({ title: "Application", description: "The id of an application." }),
  key: idSchema.meta({ title: "Key", description: "The id of an API key." }),
  model: idSchema.meta({ title: "Model", description: "As clients ask for it." }),
  tool: idSchema.meta({ title: "Tool", description: "The name of an MCP tool." }),
  client: idSchema.meta({ title: "Client", description: "The name of a client program, as it says it." }),
  session: idSchema.meta({ title: "Session", description: "The hash of an MCP session's id." }),
};

/** Those that hold for tries at upstreams too. */
export const attemptFilterShape = {
  application: filterShape.application,
  key: filterShape.key,
  model: filterShape.model,
};

/** The analytics of this control plane. Throws `analytics.not_available` where there are none. */
export function reader({ options }: Pick<ControlCall, "options">): NonNullable<ControlCall["options"]["analytics"]> {
  if (options.analytics !== undefined) return options.analytics;
  throw new GatewayError("analytics.not_available", "This control plane has no analytics.");
}

/** What the query asks for, of the APIs that the caller may ask about. */
export function selectionOf({
  query,
  options,
  actor,
}: Pick<ControlCall, "options" | "actor"> & { readonly query: RangeQuery }): Selection {
  const toMs = query.to === undefined ? options.clock.now() : Date.parse(query.to);
  const fromMs = query.from === undefined ? toMs - dayMs : Date.parse(query.from);
  if (fromMs >= toMs) throw invalid("from", "must be before `to`");
  if (toMs - fromMs > longestDays * dayMs) throw invalid("from", `a range may have ${longestDays} days`);
  const teams = teamsWith(rightsOf(actor), "analytics:read");
  const { api, environment, application, key, model, tool, client, session } = query;
  const filters = { application, key, model, tool, client, session };
  return { fromMs, toMs, api, environment, teamIds: teams === "all" ? undefined : teams, ...filters };
}

interface RangeQuery {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly api?: string | undefined;
  readonly environment?: string | undefined;
  readonly application?: string | undefined;
  readonly key?: string | undefined;
  readonly model?: string | undefined;
  readonly tool?: string | undefined;
  readonly client?: string | undefined;
  readonly session?: string | undefined;
}

/** The component of an answer with items of that schema. */
export function answerComponent(name: string, schema: z.ZodType, hasStep: boolean): SchemaComponent {
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

/** A whole list with the range that it is about. */
export function answer({ fromMs, toMs }: Selection, items: readonly object[], more: object = {}): Response {
  return jsonAnswer(200, { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), ...more, items });
}

/** A refusal of one parameter of the query. */
export function invalid(parameter: string, message: string): GatewayError {
  const path = `query.${parameter}`;
  return new GatewayError("request.invalid", `${path}: ${message}`, { issues: [{ path, message }] });
}
