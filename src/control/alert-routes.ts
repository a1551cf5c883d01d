import { z } from "zod";
import type { AlertSpec } from "../core/alert.ts";
import { alert } from "../core/alert.ts";
import type { AlertEventRow, AlertStateRow } from "../core/alert-tables.ts";
import type { Resource } from "../core/resource.ts";
import { nameSchema } from "../core/resource.ts";
import { getResource } from "../core/resources.ts";
import { retryDelivery } from "../core/retry-delivery.ts";
import type { WebhookDeliveryRow } from "../core/webhook-tables.ts";
import { webhookDeliveryStates } from "../core/webhook-tables.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer, nameOf } from "./control-route.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

/** How alerts stand, their history, and what webhooks were told. Alerts themselves have the routes of their kind. */
export function alertRoutes(): readonly ControlRoute[] {
  return [stateRoute(), eventsRoute(), deliveriesRoute(), retryRoute()];
}

const tag = "Alert";
const access = { permission: "alerts:read" } as const;
const time = z.iso.datetime();

/** How an alert stands, as it is shown. */
export const alertStateSchema = z.strictObject({
  name: z.string(),
  state: z
    .enum(["ok", "pending", "firing"])
    .meta({ description: "`pending`: its condition holds, not for long enough." }),
  since: time.nullable().meta({ description: "Null before it was looked at." }),
  value: z.number().nullable().meta({ description: "What was seen last; null where there was too little traffic." }),
  evaluatedAt: time.nullable(),
  error: z.string().nullable().meta({ description: "Why the last look failed." }),
});
const stateView = schemaComponent("AlertState", alertStateSchema, "output");

/** A line of the history, as it is shown. */
export const alertEventSchema = z.strictObject({
  id: z.string(),
  alert: z.string(),
  type: z.enum(["fired", "resolved"]),
  at: time,
  value: z.number().nullable(),
  against: z.number().nullable().meta({ description: "The threshold, or the median of the windows before." }),
  delivery: z.string().nullable().meta({ description: "What its webhook was sent; null where nobody was told." }),
});
const eventView = schemaComponent("AlertEvent", alertEventSchema, "output");

/** A delivery to a webhook, as it is shown: without its body and its secret. */
export const webhookDeliverySchema = z.strictObject({
  id: z.string().meta({ description: "Also the `webhook-id` that the receiver sees." }),
  source: z.string().meta({ description: "What it is about: `Alert/tool-errors`." }),
  host: z.string().meta({ description: "Of the webhook; its path may be a secret." }),
  state: z.enum(webhookDeliveryStates).meta({ description: "`dead`: nobody has taken it, and it is tried no more." }),
  attempts: z.int(),
  lastStatus: z.int().nullable(),
  lastError: z.string().nullable(),
  createdAt: time,
  nextAt: time.nullable().meta({ description: "When it is tried next." }),
  endedAt: time.nullable(),
});
const deliveryView = schemaComponent("WebhookDelivery", webhookDeliverySchema, "output");

function stateRoute(): ControlRoute {
  return defineRoute({
    tag,
    access,
    method: "get",
    path: "/api/v1/alerts/{name}/state",
    operationId: "getAlertState",
    summary: "How an alert stands",
    answers: { 200: { description: "It is there.", schema: stateView } },
    async handle(call) {
      const resource = (await getResource(call.context, alert, nameOf(call))) as Resource<AlertSpec>; // of that kind
      return jsonAnswer(200, viewOfState(resource.name, await call.context.catalog.read.alerts.state(resource.id)));
    },
  });
}

const eventsQuery = pageQuery.extend({
  alert: nameSchema.optional().meta({ title: "Alert", description: "Only of this one, by its name." }),
});

function eventsRoute(): ControlRoute {
  return defineRoute({
    tag,
    access,
    method: "get",
    path: "/api/v1/alert-events",
    operationId: "listAlertEvents",
    summary: "The history of alerts, the newest first",
    query: eventsQuery,
    answers: { 200: { description: "A page.", schema: pageComponent(eventView), headers: ["Link"] } },
    async handle({ context, query, url }) {
      const filter = query.alert === undefined ? {} : { alertName: query.alert };
      const { rows, next } = await context.catalog.read.alerts.events(filter, pageRequest(query));
      return pageAnswer(url, rows.map(viewOfEvent), next);
    },
  });
}

const deliveriesQuery = pageQuery.extend({
  state: z.enum(webhookDeliveryStates).optional().meta({ title: "State", description: "Only those; all when absent." }),
  source: z.string().min(1).max(200).optional().meta({ title: "Source", description: "Such as `Alert/tool-errors`." }),
});

function deliveriesRoute(): ControlRoute {
  return defineRoute({
    tag,
    access,
    method: "get",
    path: "/api/v1/webhook-deliveries",
    operationId: "listWebhookDeliveries",
    summary: "What webhooks are told, or were, the newest first",
    query: deliveriesQuery,
    answers: { 200: { description: "A page.", schema: pageComponent(deliveryView), headers: ["Link"] } },
    async handle({ context, query, url }) {
      const { state, source } = query;
      const filter = { ...(state && { state }), ...(source !== undefined && { source }) };
      const { rows, next } = await context.catalog.read.webhookDeliveries.list(filter, pageRequest(query));
      return pageAnswer(url, rows.map(viewOfDelivery), next);
    },
  });
}

function retryRoute(): ControlRoute {
  return defineRoute({
    tag,
    access: { permission: "alerts:write" },
    method: "post",
    path: "/api/v1/webhook-deliveries/{id}/retry",
    operationId: "retryWebhookDelivery",
    summary: "Tell a webhook again what it has not taken",
    answers: {
      200: { description: "It is tried at once, and then as often as the first time.", schema: deliveryView },
    },
    async handle({ context, actor, params }) {
      return jsonAnswer(200, viewOfDelivery(await retryDelivery(context, actor, params["id"] ?? "")));
    },
  });
}

function viewOfState(name: string, row: AlertStateRow | undefined): z.input<typeof alertStateSchema> {
  if (row === undefined) return { name, state: "ok", since: null, value: null, evaluatedAt: null, error: null };
  const { state, sinceMs, value, evaluatedAtMs, error } = row;
  return { name, state, since: iso(sinceMs), value, evaluatedAt: optionalIso(evaluatedAtMs), error };
}

function viewOfEvent(row: AlertEventRow): z.input<typeof alertEventSchema> {
  const { id, alertName, type, atMs, value, against, deliveryId } = row;
  return { id, alert: alertName, type, at: iso(atMs), value, against, delivery: deliveryId };
}

function viewOfDelivery(row: WebhookDeliveryRow): z.input<typeof webhookDeliverySchema> {
  const { id, source, url, state, attempts, lastStatus, lastError, createdAtMs, nextAtMs, endedAtMs } = row;
  const nextAt = state === "pending" ? iso(nextAtMs) : null;
  const host = URL.parse(url)?.host ?? "";
  const common = { id, source, host, state, attempts, lastStatus, lastError };
  return { ...common, createdAt: iso(createdAtMs), nextAt, endedAt: optionalIso(endedAtMs) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function optionalIso(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
