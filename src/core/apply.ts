import { canonicalJson } from "../kernel/canonical-json.ts";
import { GatewayError } from "../kernel/errors.ts";
import { settleArtifacts } from "./artifact-set.ts";
import { checkDocument } from "./check-document.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { DeployOutcome } from "./deployment.ts";
import { publishDraft } from "./deployment.ts";
import type { FetchedDescriptions } from "./fetched-descriptions.ts";
import { fetchDescriptions } from "./fetched-descriptions.ts";
import { clearForDeployment } from "./governance-gate.ts";
import { isGoverning } from "./governed-kinds.ts";
import { settleInline } from "./inline-secrets.ts";
import { refusal } from "./parse-document.ts";
import type { Resource, ResourceKind } from "./resource.ts";
import { changeResource, insertResource } from "./resource-changes.ts";
import type { ResourceDocument } from "./resource-document.ts";
import type { ReadDocument, SourceDocument } from "./source-document.ts";
import { atDocument, locate, readDocuments } from "./source-document.ts";
import type { Write } from "./write.ts";
import { inWrite } from "./write.ts";

export type { SourceDocument } from "./source-document.ts";

/** What became of a document. */
export interface AppliedDocument {
  readonly kind: string;
  readonly name: string;
  readonly change: "created" | "changed" | "unchanged";
  /** The live revision of a kind that is published; absent for drafts. */
  readonly revision?: number;
  /** Whether this call made that revision live. */
  readonly published?: boolean;
}

export interface ApplyOptions {
  /** Says what would happen, and changes nothing. */
  readonly dryRun: boolean;
  /** Leaves APIs unpublished. */
  readonly draft: boolean;
}

/**
 * Makes the catalog hold what the documents say, in one transaction: all of them or none. Applying the same again
 * changes nothing. The answer is in the order of application, each kind before those that refer to it.
 *
 * Throws the first document's fault with `file:line field` in message and issues; a document that does not parse is
 * told together with all others that do not.
 */
export async function applyDocuments(
  context: CoreContext,
  actor: Actor,
  documents: readonly SourceDocument[],
  { dryRun, draft }: ApplyOptions,
): Promise<readonly AppliedDocument[]> {
  const read = readDocuments(context, documents);
  const published = draft ? [] : read.filter(({ kind }) => kind.live === "revision");
  const descriptions = await fetchDescriptions(
    context,
    published.map(({ document }) => document.spec),
  );
  const rules = read
    .filter(({ kind }) => isGoverning(kind.kind))
    .map(({ kind, document }) => ({ ...document, kind: kind.kind }));
  for (const { source, kind, document } of read) {
    await atDocument(source, () => checkDocument(context, kind, document, rules));
  }
  const clearance = await clearForDeployment(
    context,
    published.map(({ kind, document }) => ({ ...document, kind: kind.kind, spec: descriptions.settle(document.spec) })),
    ["deploy", "publish"],
    rules,
  );
  const applied: AppliedDocument[] = [];
  const rollBack = new GatewayError("internal", "A dry run ends here.");
  try {
    await inWrite(context, actor, async (write) => {
      applied.length = 0;
      await clearance.confirmRules(write.transaction);
      for (const each of read) {
        applied.push(await atDocument(each.source, () => applyOne(write, each, draft, descriptions)));
      }
      await settleDocuments(write, read);
      if (dryRun) throw rollBack;
    });
  } catch (error) {
    if (error !== rollBack) throw error;
  }
  return applied;
}

async function applyOne(
  write: Write,
  { kind, document }: ReadDocument,
  draft: boolean,
  descriptions: FetchedDescriptions,
): Promise<AppliedDocument> {
  const before = await write.transaction.resources.find(kind.kind, document.name);
  const { resource, change } = await store(write, kind, document, before);
  const applied = { kind: kind.kind, name: document.name, change };
  if (kind.live !== "revision" || draft) return applied;
  const outcome: DeployOutcome = await publishDraft(write, kind, resource, descriptions);
  return { ...applied, revision: outcome.revision, published: outcome.changed };
}

async function store(
  write: Write,
  kind: ResourceKind,
  document: ResourceDocument,
  before: Resource | undefined,
): Promise<{ readonly resource: Resource; readonly change: AppliedDocument["change"] }> {
  if (before === undefined) return { resource: await insertResource(write, kind, document), change: "created" };
  if (await isUnchanged(write, kind, document, before)) return { resource: before, change: "unchanged" };
  return { resource: await changeResource(write, kind, before, document), change: "changed" };
}

async function isUnchanged(
  write: Write,
  kind: ResourceKind,
  document: ResourceDocument,
  before: Resource,
): Promise<boolean> {
  if (document.team !== undefined) {
    const team = await write.transaction.resources.find("Team", document.team);
    if (team?.id !== before.teamId) return false; // changeResource says what is wrong with it
  }
  // Parsed again, so that a default which came with a newer version is no difference.
  const stored = kind.spec.safeParse(before.spec);
  if (!stored.success) return false;
  const { spec } = await settleInline(write, before.id, before, document);
  const now = canonicalJson({ spec, labels: document.labels });
  return canonicalJson({ spec: stored.data, labels: before.labels }) === now;
}

/** Checks all that was applied as one configuration; a fault is told at the document that it stands in. */
async function settleDocuments(write: Write, read: readonly ReadDocument[]): Promise<void> {
  try {
    await settleArtifacts(write, "publish.refused");
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "publish.refused") throw error;
    const issues = error.issues.map(({ path, message }) => {
      const owner = read.find(({ kind, document }) => path.startsWith(`${kind.kind}/${document.name}: `));
      if (owner === undefined) return { path, message };
      return { path: locate(owner.source, path.slice(path.indexOf(": ") + 2)), message };
    });
    throw refusal("publish.refused", "The gateway would refuse this", issues);
  }
}
