import type { ComplianceRow, ComplianceStatus } from "./compliance-tables.ts";
import { complianceStatuses } from "./compliance-tables.ts";
import type { CoreContext } from "./core-context.ts";
import { governancePolicy } from "./governance-policy.ts";

/** Rows read at a time. */
const pageRows = 200;

/** How many resources stand how. What waits to be looked at counts as PENDING. */
export type ComplianceSummary = Readonly<Record<ComplianceStatus, number>> & { readonly total: number };

/** How the resources stand to one policy. */
export interface PolicyAdherence {
  readonly policy: string;
  /** UNAPPLIED where it holds for nothing, or has not been evaluated. */
  readonly status: "FOLLOWED" | "VIOLATED" | "UNAPPLIED";
  readonly followed: number;
  readonly violated: number;
  readonly unapplied: number;
}

/** What a row says now: a resource that is to be looked at again is PENDING. */
export function shownStatus({ status, dueAtMs }: Pick<ComplianceRow, "status" | "dueAtMs">): ComplianceStatus {
  return dueAtMs === null ? status : "PENDING";
}

/** Counts the resources that the caller may see. */
export async function complianceSummary(context: CoreContext): Promise<ComplianceSummary> {
  const counts = Object.fromEntries(complianceStatuses.map((status) => [status, 0])) as Record<
    ComplianceStatus,
    number
  >; // each of them
  let total = 0;
  for await (const row of everyRow(context)) {
    counts[shownStatus(row)] += 1;
    total += 1;
  }
  return { ...counts, total };
}

/** Every policy, and how the resources that the caller may see stand to it. */
export async function policyAdherence(context: CoreContext): Promise<readonly PolicyAdherence[]> {
  const policies = await context.catalog.read.resources.all(governancePolicy.kind);
  const counts = new Map(policies.map(({ name }) => [name, noCounts()]));
  for await (const { policies: results } of everyRow(context)) {
    for (const { policy, status } of results) {
      const own = counts.get(policy);
      if (own !== undefined) own[status] += 1;
    }
  }
  return [...counts].map(([policy, own]) => adherence(policy, own));
}

/** How the resources that the caller may see stand to one policy, with the rows of those that it holds for. */
export async function adherenceOf(
  context: CoreContext,
  policy: string,
): Promise<PolicyAdherence & { readonly rows: readonly ComplianceRow[] }> {
  const counts = noCounts();
  const rows: ComplianceRow[] = [];
  for await (const row of everyRow(context)) {
    const result = row.policies.find((each) => each.policy === policy);
    if (result === undefined) continue;
    counts[result.status] += 1;
    rows.push(row);
  }
  return { ...adherence(policy, counts), rows };
}

type Counts = Record<PolicyAdherence["status"], number>;

function noCounts(): Counts {
  return { FOLLOWED: 0, VIOLATED: 0, UNAPPLIED: 0 };
}

function adherence(policy: string, counts: Counts): PolicyAdherence {
  const { FOLLOWED: followed, VIOLATED: violated, UNAPPLIED: unapplied } = counts;
  const status = violated > 0 ? "VIOLATED" : followed > 0 ? "FOLLOWED" : "UNAPPLIED";
  return { policy, status, followed, violated, unapplied };
}

async function* everyRow(context: CoreContext): AsyncGenerator<ComplianceRow> {
  let cursor: string | undefined;
  do {
    const page = await context.catalog.read.compliance.list({}, { limit: pageRows, cursor });
    yield* page.rows;
    cursor = page.next;
  } while (cursor !== undefined);
}
