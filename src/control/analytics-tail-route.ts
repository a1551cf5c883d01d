import { z } from "zod";
import type { LiveFilter, LiveReader } from "../analytics/live-reader.ts";
import { rightsOf, teamsWith } from "../core/rights.ts";
import { GatewayError } from "../kernel/errors.ts";
import { filterShape, rangeShape } from "./analytics-query.ts";
import { analyticsTools } from "./analytics-sql-routes.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { liveTailLimits, liveTailStream } from "./live-tail-stream.ts";

/** Tails that one control plane serves at the same time. */
const mostTails = 32;

const cursorSchema = z.string().min(1).max(1_000).optional();

const querySchema = z.strictObject({
  api: rangeShape.api,
  environment: rangeShape.environment,
  ...filterShape,
  outcome: z
    .enum(["ok", "denied", "failed", "upstream_error", "cancelled"])
    .optional()
    .meta({ title: "Outcome", description: "Only rows that ended so." }),
  format: z.enum(["events", "json"]).default("events").meta({
    title: "Format",
    description: "`events` stays open; `json` is what has come behind the cursor, for those who ask again and again.",
  }),
  cursor: cursorSchema.meta({
    title: "Cursor",
    description: "`next` of an answer, or the id of an event; now when absent. Last-Event-ID goes before it.",
  }),
});

/** Recorded operations as they come to the store, of all gateways, to those who may read analytics. */
export function analyticsTailRoute(): ControlRoute {
  let open = 0;
  return defineRoute({
    method: "get",
    path: "/api/v1/analytics/tail",
    access: { permission: "analytics:read" },
    tag: "Analytics",
    operationId: "tailExchanges",
    summary: "Recorded operations as they come, as server-sent events that can be resumed",
    query: querySchema,
    answers: {
      200: {
        description: "Events `exchange`, and `end` with a reason; or JSON, `items` and `next`.",
        mediaType: "text/event-stream",
      },
    },
    async handle(call) {
      const { live, filter, cursor } = await begun(call);
      if (call.query.format === "json") {
        const rows = await live.after(cursor, filter, liveTailLimits.rowsAtOnce);
        return jsonAnswer(200, { items: rows.map(({ row }) => row), next: rows.at(-1)?.cursor ?? cursor });
      }
      await live.after(cursor, filter, 1); // what is wrong with the cursor or the store is told by the status
      if (open >= mostTails) {
        throw new GatewayError("limit.concurrency", `A control plane serves ${mostTails} live tails at the same time.`);
      }
      open += 1;
      const onEnd = (): void => {
        open -= 1;
      };
      const { clock, log } = call.options;
      const stream = liveTailStream({ live, filter, cursor, clock, log, onEnd });
      return new Response(stream, { headers: { "content-type": "text/event-stream", "x-accel-buffering": "no" } });
    },
  });
}

interface Begun {
  readonly live: LiveReader;
  readonly filter: LiveFilter;
  readonly cursor: string;
}

async function begun({ options, actor, query, header }: ControlCall<z.output<typeof querySchema>>): Promise<Begun> {
  const { live } = await analyticsTools({ options });
  const teams = teamsWith(rightsOf(actor), "analytics:read");
  const { format: _, cursor, ...narrowed } = query;
  const given = header("last-event-id") ?? cursor;
  const filter = { ...narrowed, teamIds: teams === "all" ? undefined : teams };
  return { live, filter, cursor: given ?? (await live.now()) };
}
