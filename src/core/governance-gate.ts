import { GatewayError } from "../kernel/errors.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { ComplianceRow, Suspension } from "./compliance-tables.ts";
import { contentHash } from "./content-hash.ts";
import type { CoreContext } from "./core-context.ts";
import type { GovernedState } from "./governed-kinds.ts";
import { governingKinds } from "./governed-kinds.ts";
import { maskInline } from "./inline-secrets.ts";
import type { HeldEntry } from "./mcp-quarantine.ts";

/** A resource as it is about to be live. */
export interface GovernedSubject {
  readonly kind: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: unknown;
}

/** A governed resource by its id. */
export interface GovernedArtifact {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly teamId: string;
}

/** A ruleset, policy or exemption that the same write brings. */
export type PendingRule = Pick<GovernedSubject, "kind" | "name" | "spec">;

/** What holds resources against rulesets: in the request where somebody waits, and beside it. */
export interface GovernanceGate {
  /**
   * Throws `governance.blocked` with the findings where a policy blocks one of them in one of these states, and
   * `governance.unavailable` where that cannot be found out. Call it outside of a transaction: it takes its time.
   */
  review(
    subjects: readonly GovernedSubject[],
    states: readonly GovernedState[],
    pending: readonly PendingRule[],
  ): Promise<void>;
  /**
   * Throws `resource.invalid` with its faults for a ruleset, one of the pending, that is none. Call it outside of a
   * transaction.
   */
  checkRuleset(name: string, pending: readonly PendingRule[]): Promise<void>;
  /**
   * What would be found, and done at run time, were the pending rules in the catalog; nothing is kept. A subject with an id
   * is that resource of the catalog, with what is deployed of it.
   */
  tryOut(
    subjects: readonly (GovernedSubject & { readonly id?: string })[],
    pending: readonly PendingRule[],
  ): Promise<readonly TrialVerdict[]>;
  /** Has what waits in the catalog looked at, soon. */
  wake(): void;
  /** Hears of governed resources that are gone, after the commit. */
  forget(gone: readonly GovernedArtifact[]): void;
}

/** How a resource stands to all policies that hold for it. */
export interface Verdict extends Pick<ComplianceRow, "kind" | "name" | "status" | "score" | "policies"> {
  /** Of the findings those that would block this state. */
  readonly blocked: Readonly<Record<"deploy" | "publish", number>>;
}

/** A verdict that is not kept, and what would follow of it while the resource is deployed. */
export interface TrialVerdict extends Verdict {
  /** Why calls of what is deployed would be refused; null where they would not. */
  readonly suspended: Suspension | null;
  /** What of an MCP server would be hidden. */
  readonly quarantined: readonly HeldEntry[];
}

/** What was reviewed before a transaction, and is held to inside of it. Both throw `resource.changed`. */
export interface Clearance {
  /** The rules must be those of the review. Call it before the transaction changes any. */
  confirmRules(transaction: CatalogTransaction): Promise<void>;
  /** What is deployed must be what was reviewed. */
  confirm(subject: GovernedSubject): void;
}

/** Reviews what is about to be deployed, but for what is live already as it is. Throws as `GovernanceGate.review` does. */
export async function clearForDeployment(
  context: CoreContext,
  subjects: readonly GovernedSubject[],
  states: readonly GovernedState[],
  pending: readonly PendingRule[] = [],
): Promise<Clearance> {
  const { read } = context.catalog;
  const gate = context.governance;
  if (gate === undefined) return { confirmRules: async () => {}, confirm: () => {} };
  const rules = await rulesHash(read);
  const reviewed = new Set<string>();
  const fresh: GovernedSubject[] = [];
  for (const subject of subjects) {
    reviewed.add(subjectHash(subject));
    if (!(await isLive(read, subject))) fresh.push(subject);
  }
  if (fresh.length > 0) await gate.review(fresh, states, pending);
  return {
    async confirmRules(transaction) {
      if ((await rulesHash(transaction)) !== rules) throw changedSinceReview("The rules were");
    },
    confirm(subject) {
      if (!reviewed.has(subjectHash(subject))) throw changedSinceReview(`${subject.kind}/${subject.name} was`);
    },
  };
}

function changedSinceReview(what: string): GatewayError {
  return new GatewayError("resource.changed", `${what} changed while this was held against the rules; try again.`);
}

async function rulesHash(read: CatalogTransaction): Promise<string> {
  const rows = await Promise.all(governingKinds.map((kind) => read.resources.all(kind)));
  return contentHash(rows.flat().map(({ id, version }) => [id, version]));
}

async function isLive(read: CatalogTransaction, subject: GovernedSubject): Promise<boolean> {
  const resource = await read.resources.find(subject.kind, subject.name);
  const deployment = resource && (await read.deployments.find(resource.id));
  const revision = deployment && (await read.revisions.find(deployment.resourceId, deployment.revision));
  if (resource === undefined || revision === undefined) return false;
  return subjectHash({ ...resource, spec: revision.spec }) === subjectHash(subject);
}

// Inline values are no matter of rules, and have other ids each time that they are read.
function subjectHash({ kind, name, labels, spec }: GovernedSubject): string {
  return contentHash({ kind, name, labels, spec: maskInline(spec) });
}
