import { z } from "zod";
import { pruneAnalytics } from "../core/prune-analytics.ts";
import { analyticsTools } from "./analytics-sql-routes.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { parseInput } from "./parse-input.ts";
import { schemaComponent } from "./schema-component.ts";

const bodySchema = z
  .strictObject({
    before: z.iso
      .datetime({ offset: true })
      .meta({ title: "Before", description: "Whole months (UTC) that end before this time are taken away." }),
    dryRun: z.boolean().default(false).meta({ title: "Dry run", description: "Only tell what would be taken away." }),
  })
  .meta({ examples: [{ before: "2026-06-01T00:00:00Z", dryRun: true }] });

const answerSchema = z.strictObject({
  dropped: z.boolean(),
  months: z.array(z.strictObject({ table: z.string(), month: z.string(), rows: z.int() })),
});

/** Takes recorded rows away before their time. */
export function analyticsPruneRoute(): ControlRoute {
  return defineRoute({
    method: "post",
    path: "/api/v1/analytics/prune",
    access: { permission: "analytics:prune" },
    tag: "Analytics",
    operationId: "pruneAnalytics",
    summary: "Take recorded rows away, by whole months, for good",
    body: schemaComponent("AnalyticsPruning", bodySchema, "input"),
    answers: {
      200: {
        description: "What went, or would go.",
        schema: schemaComponent("AnalyticsPruned", answerSchema, "output"),
      },
    },
    async handle(call) {
      const { before, dryRun } = parseInput(bodySchema, await call.body(), { code: "request.invalid" });
      const { pruner } = await analyticsTools(call);
      const months = await pruner.before(Date.parse(before));
      if (!dryRun && months.length > 0) {
        await pruneAnalytics(call.context, call.actor, { before, months });
        await pruner.drop(months);
      }
      return jsonAnswer(200, { dropped: !dryRun && months.length > 0, months });
    },
  });
}
