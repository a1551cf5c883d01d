import type { FieldIssue } from "../kernel/errors.ts";
import type { ApiId, Id } from "../kernel/ids.ts";
import type { ApiKeyChange, ApiKeySpec } from "./api-key-spec.ts";
import { application } from "./application.ts";
import type { ApiKeyRow, CatalogTransaction } from "./catalog.ts";
import { invalid } from "./parse-document.ts";
import { findTeam, noTeam } from "./resource-changes.ts";

/** What a key is bound to, by id. */
export interface ApiKeyBinding {
  readonly teamId: string;
  readonly apiId: ApiId | null;
  readonly applicationId: Id<"application"> | null;
}

/**
 * The ids of a new key's team, API and application. Throws `resource.invalid`; what another team owns looks as if it
 * were not there.
 */
export async function resolveBinding(
  transaction: CatalogTransaction,
  teamName: string,
  spec: ApiKeySpec,
): Promise<ApiKeyBinding> {
  const team = await findTeam(transaction, teamName);
  if (team === undefined) throw invalid([noTeam(teamName)]);
  const api = spec.api && (await findOfTeam(transaction, spec.api.kind, spec.api.name, team.id));
  const issues: FieldIssue[] = [];
  if (spec.api !== undefined && api === undefined) {
    issues.push(absent("spec.api", spec.api.kind, spec.api.name, teamName));
  }
  let applicationId: Id<"application"> | null = null;
  if (spec.application !== undefined) {
    const found = await findOfTeam(transaction, application.kind, spec.application, team.id);
    if (found === undefined) issues.push(absent("spec.application", application.kind, spec.application, teamName));
    applicationId = (found?.id ?? null) as Id<"application"> | null; // found by kind
  }
  if (issues.length > 0) throw invalid(issues);
  return { teamId: team.id, apiId: (api?.id ?? null) as ApiId | null, applicationId }; // the schema allows kinds of API only
}

/** The id of an application of the key's own team. Throws `resource.invalid`. */
export async function resolveApplication(
  transaction: CatalogTransaction,
  row: ApiKeyRow,
  name: string,
): Promise<Id<"application">> {
  const found = await findOfTeam(transaction, application.kind, name, row.teamId);
  if (found !== undefined) return found.id as Id<"application">; // found by kind
  throw invalid([{ path: "spec.application", message: `there is no Application named ${name} in the key's team` }]);
}

/** Remembers what the key is bound to, so that none of it can be deleted under it. */
export async function bindApiKey(transaction: CatalogTransaction, row: ApiKeyRow): Promise<void> {
  const to = [
    ...(row.apiId === null ? [] : [{ toId: row.apiId, path: "spec.api" }]),
    ...(row.applicationId === null ? [] : [{ toId: row.applicationId, path: "spec.application" }]),
    { toId: row.teamId, path: "metadata.team" },
  ];
  await transaction.references.replace(holderOf(row), to);
}

/** Lets go of all that the key was bound to. */
export async function unbindApiKey(transaction: CatalogTransaction, row: ApiKeyRow): Promise<void> {
  await transaction.references.replace(holderOf(row), []);
}

/** Issues for a change that names another API, environment or application than the key is bound to. */
export async function fixedBindingIssues(
  transaction: CatalogTransaction,
  row: ApiKeyRow,
  change: ApiKeyChange,
): Promise<readonly FieldIssue[]> {
  const issues: FieldIssue[] = [];
  if (change.api !== undefined) {
    const api = await transaction.resources.find(change.api.kind, change.api.name);
    if (api?.id !== row.apiId) issues.push({ path: "spec.api", message: "fixed at creation: generate another key" });
  }
  if (change.environment !== undefined && change.environment !== row.environment) {
    issues.push({ path: "spec.environment", message: "fixed at creation: generate another key" });
  }
  if (change.application !== undefined) {
    const named =
      change.application === null ? null : await transaction.resources.find("Application", change.application);
    const id = named === null ? null : named?.id;
    if (id !== row.applicationId) {
      issues.push({ path: "spec.application", message: "changed by associating and dissociating the key" });
    }
  }
  return issues;
}

async function findOfTeam(transaction: CatalogTransaction, kind: string, name: string, teamId: string) {
  const resource = await transaction.resources.find(kind, name);
  return resource?.teamId === teamId ? resource : undefined;
}

function absent(path: string, kind: string, name: string, team: string): FieldIssue {
  return { path, message: `there is no ${kind} named ${name} in team ${team}` };
}

function holderOf(row: ApiKeyRow) {
  return { holderType: "apiKey", holderId: row.id, holderKind: "ApiKey", holderName: row.name } as const;
}
