import { z } from "zod";
import type { BudgetStanding } from "../core/budget-board.ts";
import type { BudgetHolderKind } from "../core/budget-holders.ts";
import { budgetHolderKinds, findBudgetHolder, listBudgetHolders, resetBudgets } from "../core/budget-holders.ts";
import { formatNanos } from "../core/money.ts";
import { nameSchema } from "../core/resource.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { parseInput } from "./parse-input.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

/** Where budgets stand, and how they begin anew. */
export function budgetRoutes(): readonly ControlRoute[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/v1/budgets",
      tag: "Plans and limits",
      operationId: "listBudgets",
      access: { permission: "keys:read" },
      summary: "How much of their limits keys, applications or teams have used",
      query: budgetQuery,
      answers: {
        200: { description: "The limits of a page of holders.", schema: pageComponent(view), headers: ["Link"] },
      },
      async handle({ context, query, url }) {
        const { kind, name } = query;
        const { rows, next } =
          name === undefined
            ? await listBudgetHolders(context, kind, pageRequest(query))
            : { rows: [await findBudgetHolder(context, kind, name)], next: undefined };
        const items: object[] = [];
        for (const row of rows) {
          const standings = (await context.budgets?.look(row.holder)) ?? [];
          items.push(...standings.map((standing) => viewOf(kind, row.name, standing)));
        }
        return pageAnswer(url, items, next);
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/v1/budgets:reset",
      tag: "Plans and limits",
      operationId: "resetBudgets",
      access: { permission: "limits:write" },
      summary: "Forget what a key, an application or a team has used of its limits; for a team asks for teams:write",
      body: schemaComponent("BudgetReset", resetSchema, "input"),
      answers: {
        200: {
          description: "How the limits stood before.",
          schema: schemaComponent("BudgetsReset", resetView, "output"),
        },
      },
      async handle({ context, actor, body }) {
        const input = parseInput(resetSchema, await body(), { code: "request.invalid" });
        const before = await resetBudgets(context, actor, input);
        return jsonAnswer(200, { items: before.map((standing) => viewOf(input.kind, input.name, standing)) });
      },
    }),
  ];
}

const budgetQuery = pageQuery.extend({
  kind: z
    .enum(budgetHolderKinds)
    .default("ApiKey")
    .meta({ title: "Kind", description: "Whose limits: those of keys, applications or teams." }),
  name: nameSchema.optional().meta({ title: "Name", description: "Of one holder; of all when absent." }),
});

const amount = z.union([z.int(), z.string()]).meta({ description: "Units; money as a decimal text." });

/** One limit of a holder, as it is answered. */
export const budgetSchema = z.strictObject({
  holder: z.strictObject({ kind: z.enum(budgetHolderKinds), name: z.string() }),
  title: z.string().meta({ description: "The limit in words." }),
  measure: z.enum(["requests", "promptTokens", "completionTokens", "totalTokens", "cost"]),
  limit: amount,
  used: amount,
  reserved: amount,
  remaining: amount,
  resetsAt: z.iso.datetime().meta({ description: "When the present window ends." }),
  projected: amount.optional().meta({
    description: "What will have been used when the window ends, if it goes on as it did since it began.",
  }),
});

const view = schemaComponent("Budget", budgetSchema, "output");

const resetSchema = z.strictObject({
  kind: z.enum(budgetHolderKinds).default("ApiKey").meta({ title: "Kind", description: "Whose limits." }),
  name: nameSchema.meta({ title: "Name", description: "Of the key, application or team." }),
});

const resetView = z.strictObject({ items: z.array(budgetSchema) });

function viewOf(kind: BudgetHolderKind, name: string, standing: BudgetStanding): object {
  const { title, measure, limit, used, reserved, remaining, resetsAtMs, projected } = standing;
  const shown = (units: number): number | string => (measure === "cost" ? formatNanos(units) : units);
  return {
    holder: { kind, name },
    title,
    measure,
    limit: shown(limit),
    used: shown(used),
    reserved: shown(reserved),
    remaining: shown(remaining),
    resetsAt: new Date(resetsAtMs).toISOString(),
    ...(projected !== undefined && { projected: shown(projected) }),
  };
}
