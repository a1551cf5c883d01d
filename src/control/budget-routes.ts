import { z } from "zod";
import { credentialRecord } from "../core/api-key-record.ts";
import { getApiKey, listApiKeys } from "../core/api-keys.ts";
import type { BudgetHolder, BudgetStanding } from "../core/budget-board.ts";
import type { CoreContext } from "../core/core-context.ts";
import { findKind } from "../core/kinds.ts";
import { formatNanos } from "../core/money.ts";
import type { PageRequest } from "../core/page.ts";
import { nameSchema } from "../core/resource.ts";
import { notFound } from "../core/resource-changes.ts";
import { getResource, listResources } from "../core/resources.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute } from "./control-route.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

/** Where budgets stand. */
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
        const { rows, next } = await holdersOf(context, query, pageRequest(query));
        const items: object[] = [];
        for (const { name, holder } of rows) {
          const standings = (await context.budgets?.look(holder)) ?? [];
          items.push(...standings.map((standing) => viewOf(holder.kind, name, standing)));
        }
        return pageAnswer(url, items, next);
      },
    }),
  ];
}

const budgetQuery = pageQuery.extend({
  kind: z
    .enum(["ApiKey", "Application", "Team"])
    .default("ApiKey")
    .meta({ title: "Kind", description: "Whose limits: those of keys, applications or teams." }),
  name: nameSchema.optional().meta({ title: "Name", description: "Of one holder; of all when absent." }),
});

interface NamedHolder {
  readonly name: string;
  readonly holder: BudgetHolder;
}

async function holdersOf(
  context: CoreContext,
  { kind, name }: z.output<typeof budgetQuery>,
  page: PageRequest,
): Promise<{ readonly rows: readonly NamedHolder[]; readonly next: string | undefined }> {
  if (kind === "ApiKey") {
    const { rows, next } =
      name === undefined ? await listApiKeys(context, {}, page) : only(await getApiKey(context, name));
    return { rows: rows.map((row) => ({ name: row.name, holder: { kind, record: credentialRecord(row) } })), next };
  }
  const known = findKind(kind);
  if (known === undefined) throw notFound(kind, name ?? "");
  const { rows, next } =
    name === undefined ? await listResources(context, known, {}, page) : only(await getResource(context, known, name));
  return { rows: rows.map((row) => ({ name: row.name, holder: { kind, id: row.id } })), next };
}

function only<Row>(row: Row): { readonly rows: readonly Row[]; readonly next: undefined } {
  return { rows: [row], next: undefined };
}

const amount = z.union([z.int(), z.string()]).meta({ description: "Units; money as a decimal text." });

const view = schemaComponent(
  "Budget",
  z.strictObject({
    holder: z.strictObject({ kind: z.enum(["ApiKey", "Application", "Team"]), name: z.string() }),
    title: z.string().meta({ description: "The limit in words." }),
    measure: z.enum(["requests", "promptTokens", "completionTokens", "totalTokens", "cost"]),
    limit: amount,
    used: amount,
    reserved: amount,
    remaining: amount,
    resetsAt: z.iso.datetime().meta({ description: "When the present window ends." }),
  }),
  "output",
);

function viewOf(kind: BudgetHolder["kind"], name: string, standing: BudgetStanding): object {
  const { title, measure, limit, used, reserved, remaining, resetsAtMs } = standing;
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
  };
}
