import type { ApiId, Id } from "../kernel/ids.ts";
import type { CatalogTransaction, DeploymentRow } from "./catalog.ts";
import { contentHash } from "./content-hash.ts";
import { refusal } from "./parse-document.ts";
import type { ApiArtifact, ArtifactSet, SupportingArtifact } from "./plane-message.ts";
import type { Resource } from "./resource.ts";
import type { Write } from "./write.ts";

const supportingKinds = ["Gateway", "LlmProvider", "Plan", "Team", "Application"] as const;

/**
 * Whether a snapshot is made of this resource at its present state, so that a write to it is live at once. Of teams and
 * applications only those with limits: there may be very many without.
 */
export function isSupporting(resource: Pick<Resource, "kind" | "spec"> | undefined): boolean {
  if (resource === undefined) return false;
  if (resource.kind === "Team" || resource.kind === "Application") return hasLimits(resource.spec);
  return supportingKinds.some((supporting) => supporting === resource.kind);
}

function hasLimits(spec: unknown): boolean {
  const policies: unknown = typeof spec === "object" && spec !== null ? Reflect.get(spec, "policies") : undefined;
  return Array.isArray(policies) && policies.length > 0; // specs from before they had limits have no such member
}

/**
 * All that a gateway compiles its snapshot from: deployed revisions, providers, plans and gateways, without keys or
 * secrets. Sorted by kind and name, so that equal content has an equal hash; specs are shared with the set before.
 */
export async function buildArtifactSet(transaction: CatalogTransaction): Promise<ArtifactSet> {
  const apis: ApiArtifact[] = [];
  const suspended = await transaction.compliance.suspended();
  for (const deployment of await transaction.deployments.all()) {
    const revision = await deployedSpec(transaction, deployment);
    if (revision === undefined) continue;
    const suspension = suspended.get(deployment.resourceId);
    apis.push({
      kind: deployment.kind,
      id: deployment.resourceId as ApiId, // only kinds that are published have a deployment
      name: deployment.name,
      teamId: deployment.teamId as Id<"team">, // written from the resource, whose team was found by name
      revision: deployment.revision,
      ...revision,
      ...(suspension !== undefined && { suspension }),
    });
  }
  const deployed = new Set(apis.map(({ specHash }) => specHash));
  for (const hash of specs.keys()) if (!deployed.has(hash)) specs.delete(hash);
  const supporting: SupportingArtifact[] = [];
  for (const kind of supportingKinds) {
    const resources = await transaction.resources.all(kind);
    supporting.push(...resources.filter(isSupporting).map(({ id, name, spec }) => ({ kind, id, name, spec })));
  }
  const content = { apis: apis.toSorted(byKindAndName), supporting: supporting.toSorted(byKindAndName) };
  const hashed = { ...content, apis: content.apis.map(({ spec: _, ...api }) => api) };
  return { hash: contentHash(hashed), ...content };
}

/**
 * Specs of what was deployed when a set was built last, by their hashes, so that a description of megabytes is neither
 * read nor walked through again because something else was published. Nobody changes them.
 */
const specs = new Map<string, WeakRef<object>>();

async function deployedSpec(
  { revisions }: CatalogTransaction,
  { resourceId, revision }: DeploymentRow,
): Promise<Pick<ApiArtifact, "spec" | "specHash"> | undefined> {
  const specHash = await revisions.hashOf(resourceId, revision);
  if (specHash === undefined) return undefined;
  const known = specs.get(specHash)?.deref();
  if (known !== undefined) return { spec: known, specHash };
  const spec = (await revisions.find(resourceId, revision))?.spec;
  if (typeof spec === "object" && spec !== null) specs.set(specHash, new WeakRef(spec));
  return { spec, specHash };
}

/**
 * Ends a write that may have changed what gateways compile: builds the new set inside the transaction, compiles it as
 * a gateway would, and sends it after the commit. Throws `code` with the faults when it does not compile.
 *
 * @param subject whose own faults are told without its name before the path
 */
export async function settleArtifacts(
  write: Write,
  code: "resource.invalid" | "publish.refused",
  subject?: { readonly kind: string; readonly name: string },
): Promise<ArtifactSet> {
  const set = await buildArtifactSet(write.transaction);
  if (!write.artifactsChanged) return set;
  const issues = await write.context.check(set);
  if (issues.length > 0) {
    const own = subject === undefined ? "" : `${subject.kind}/${subject.name}: `;
    const told = issues.map(({ path, message }) => ({
      path: path.startsWith(own) ? path.slice(own.length) : path,
      message,
    }));
    throw refusal(code, "The gateway would refuse this", told);
  }
  send(write, set);
  return set;
}

/**
 * Ends a write that has taken APIs away and done nothing else, whatever may be wrong with those that stay: a part of
 * what compiles compiles too, and where the whole does not, taking the faulty ones away is the way out.
 */
export async function sendArtifacts(write: Write): Promise<void> {
  send(write, await buildArtifactSet(write.transaction));
}

function send(write: Write, set: ArtifactSet): void {
  // Before the rest: a subscription may name a plan that only this set brings.
  write.messages.unshift({ type: "artifacts", set });
}

interface KindAndName {
  readonly kind: string;
  readonly name: string;
}

// By code units, not by a locale: the hash must not depend on the machine.
function byKindAndName(left: KindAndName, right: KindAndName): number {
  if (left.kind !== right.kind) return left.kind < right.kind ? -1 : 1;
  return left.name < right.name ? -1 : 1;
}
