import { z } from "zod";
import { capturedOperationSchema } from "../analytics/capture-reader.ts";
import { readCaptures } from "../core/read-captures.ts";
import { rightsOf, teamsWith } from "../core/rights.ts";
import { GatewayError } from "../kernel/errors.ts";
import { analyticsTools } from "./analytics-sql-routes.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { schemaComponent } from "./schema-component.ts";

const answerSchema = z.strictObject({
  exchangeId: z.string(),
  api: z.strictObject({ id: z.string(), name: z.string() }),
  operations: z.array(capturedOperationSchema),
});

/** The texts of one request, where its API keeps them. Those of another team's API are not there. Each reading is audited. */
export function captureRoute(): ControlRoute {
  return defineRoute({
    method: "get",
    path: "/api/v1/analytics/exchanges/{id}/texts",
    access: { permission: "analytics:texts" },
    tag: "Analytics",
    operationId: "readCapturedTexts",
    summary: "The captured texts of one request, by its x-request-id; the reading is audited",
    answers: {
      200: { description: "The texts.", schema: schemaComponent("CapturedTexts", answerSchema, "output") },
    },
    async handle(call) {
      const teams = teamsWith(rightsOf(call.actor), "analytics:texts");
      const { captures } = await analyticsTools(call);
      const exchangeId = call.params["id"] ?? "";
      const found = await captures.find(exchangeId, teams === "all" ? undefined : teams);
      if (found === undefined)
        throw new GatewayError(
          "resource.not_found",
          "No texts of this request were kept: its API does not ask for it, it was not in the sample, or they have gone.",
        );
      const { api, operations } = found;
      await readCaptures(call.context, call.actor, { exchangeId, api });
      return jsonAnswer(
        200,
        { exchangeId, api: { id: api.id, name: api.name }, operations },
        { "cache-control": "no-store" },
      );
    },
  });
}
