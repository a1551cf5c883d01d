import { GatewayError } from "../kernel/errors.ts";
import { credentialRecord } from "./api-key-record.ts";
import { getApiKey, listApiKeys } from "./api-keys.ts";
import type { BudgetHolder, BudgetStanding } from "./budget-board.ts";
import type { ApiKeyRow } from "./catalog.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import { findKind } from "./kinds.ts";
import type { Page, PageRequest } from "./page.ts";
import type { Resource } from "./resource.ts";
import { notFound } from "./resource-changes.ts";
import { getResource, listResources } from "./resources.ts";
import { holds, lacks, rightsOf } from "./rights.ts";
import { audit, inWrite } from "./write.ts";

/** The kinds of thing that have limits of their own. */
export const budgetHolderKinds = ["ApiKey", "Application", "Team"] as const;
export type BudgetHolderKind = (typeof budgetHolderKinds)[number];

/** Somebody with limits, by the name that people use. */
export interface NamedHolder {
  readonly name: string;
  readonly id: string;
  readonly teamId: string;
  readonly holder: BudgetHolder;
}

/** A page of those that the caller may see. */
export async function listBudgetHolders(
  context: CoreContext,
  kind: BudgetHolderKind,
  page: PageRequest,
): Promise<Page<NamedHolder>> {
  if (kind === "ApiKey") {
    const { rows, next } = await listApiKeys(context, {}, page);
    return { rows: rows.map(keyHolder), next };
  }
  const { rows, next } = await listResources(context, kindNamed(kind), {}, page);
  return { rows: rows.map((row) => resourceHolder(kind, row)), next };
}

/** The one of that name. Throws `resource.not_found` where there is none that the caller may see. */
export async function findBudgetHolder(
  context: CoreContext,
  kind: BudgetHolderKind,
  name: string,
): Promise<NamedHolder> {
  if (kind === "ApiKey") return keyHolder(await getApiKey(context, name));
  return resourceHolder(kind, await getResource(context, kindNamed(kind), name));
}

/**
 * Forgets what a holder has used of its own limits, which hold afresh from here on; what runs now is charged when it ends.
 * Who may change the limits of a key or an application may do so, and who may change teams those of teams. Gives how they
 * stood before. The audit has a row of it even where the store fails after that, for it may have forgotten. Gateways without
 * a shared store forget when they hear of it; one that is away goes on counting.
 */
export async function resetBudgets(
  context: CoreContext,
  actor: Actor,
  { kind, name }: { readonly kind: BudgetHolderKind; readonly name: string },
): Promise<readonly BudgetStanding[]> {
  const { budgets } = context;
  if (budgets === undefined) throw new GatewayError("route.not_served", "No gateway is here that counts.");
  const found = await findBudgetHolder(context, kind, name);
  const permission = kind === "Team" ? "teams:write" : "limits:write";
  if (!holds(rightsOf(actor), permission, found.teamId)) throw lacks(permission);
  const before = await budgets.look(found.holder);
  const used = before.map(({ title, measure, used: units }) => ({ limit: title, measure, used: units }));
  await inWrite(context, actor, (write) => audit(write, "limit.reset", { ...found, kind }, { used }));
  await budgets.clear(found.holder);
  context.publish({ type: "limits.cleared", holder: found.holder });
  return before;
}

function keyHolder(row: ApiKeyRow): NamedHolder {
  const { id, name, teamId } = row;
  return { id, name, teamId, holder: { kind: "ApiKey", record: credentialRecord(row) } };
}

function resourceHolder(kind: Exclude<BudgetHolderKind, "ApiKey">, { id, name, teamId }: Resource): NamedHolder {
  return { id, name, teamId, holder: { kind, id } };
}

function kindNamed(kind: BudgetHolderKind) {
  const known = findKind(kind);
  if (known === undefined) throw notFound(kind, "");
  return known;
}
