import { explainExchange } from "../analytics/explain-exchange.ts";
import { explanationSchema } from "../analytics/explanation.ts";
import { rightsOf, teamsWith } from "../core/rights.ts";
import { GatewayError } from "../kernel/errors.ts";
import { analyticsTools } from "./analytics-sql-routes.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { schemaComponent } from "./schema-component.ts";

/** Why one request ended as it did. One of another team's API is not there. */
export function explainRoute(): ControlRoute {
  return defineRoute({
    method: "get",
    path: "/api/v1/analytics/exchanges/{id}/explain",
    access: { permission: "analytics:read" },
    tag: "Analytics",
    operationId: "explainExchange",
    summary: "Every step's verdict for one request, by its x-request-id",
    answers: {
      200: { description: "The verdicts.", schema: schemaComponent("Explanation", explanationSchema, "output") },
    },
    async handle(call) {
      const teams = teamsWith(rightsOf(call.actor), "analytics:read");
      const tools = await analyticsTools(call);
      const rows = await tools.exchanges.find(call.params["id"] ?? "", teams === "all" ? undefined : teams);
      const explanation = rows && explainExchange(rows);
      if (explanation !== undefined) return jsonAnswer(200, explanation);
      throw new GatewayError(
        "resource.not_found",
        "No row has this id. Rows arrive some seconds after the request has ended.",
      );
    },
  });
}
