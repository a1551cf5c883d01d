import type { ApiKeyRow, AuditRow, DeploymentRow, RevisionRow, SecretRow } from "../../src/core/catalog.ts";
import type { Resource } from "../../src/core/resource.ts";
import type { ApiId } from "../../src/kernel/ids.ts";
import { newId } from "../../src/kernel/ids.ts";

/** Midday of the first of March 2026, milliseconds since the epoch. */
export const sampleTimeMs = Date.UTC(2026, 2, 1, 12);

/** A resource with everything that a store has to keep, with `changes`. */
export function sampleResource(changes: Partial<Resource> = {}): Resource {
  const id = changes.id ?? newId("llmApi");
  return {
    id,
    kind: "LlmApi",
    name: id.replace("_", "-"),
    teamId: "team_default",
    labels: { stage: "beta", "naïve ☃": 'it\'s "quoted"' },
    version: 1,
    spec: { context: "/chat", list: [1, 2.5, null, { deep: true }], text: "line\nline\u0000end" },
    createdAtMs: sampleTimeMs,
    updatedAtMs: sampleTimeMs,
    ...changes,
  };
}

/** A live key bound to some API, with `changes`. */
export function sampleKey(changes: Partial<ApiKeyRow> = {}): ApiKeyRow {
  const id = changes.id ?? newId("apiKey");
  return {
    id,
    name: id.replace("_", "-"),
    displayName: null,
    teamId: "team_default",
    publicId: `pub-${id}`,
    hash: "ab".repeat(32),
    pepperId: "pepper-1",
    apiId: "llm_1" as ApiId, // a made-up id is as good as any here
    applicationId: null,
    environment: "production",
    expiresAtMs: null,
    permittedIps: ["10.0.0.0/8", "2001:db8::/32"],
    permittedReferrers: [],
    allow: null,
    version: 1,
    createdAtMs: sampleTimeMs,
    updatedAtMs: sampleTimeMs,
    revokedAtMs: null,
    lastUsedAtMs: null,
    ...changes,
  };
}

/** A sealed value under a name, with `changes`. */
export function sampleSecret(changes: Partial<SecretRow> = {}): SecretRow {
  const id = changes.id ?? newId("secret");
  return {
    id,
    name: id.replace("_", "-"),
    teamId: "team_default",
    sealed: { v: 1, kid: "k1", nonce: "bm9uY2U=", data: "ZGF0YQ==" },
    version: 1,
    createdAtMs: sampleTimeMs,
    updatedAtMs: sampleTimeMs,
    ...changes,
  };
}

/** The first revision of a resource, with `changes`. */
export function sampleRevision(resourceId: string, changes: Partial<RevisionRow> = {}): RevisionRow {
  return {
    resourceId,
    number: 1,
    spec: { context: "/chat" },
    specHash: "cd".repeat(32),
    createdAtMs: sampleTimeMs,
    createdBy: "admin",
    ...changes,
  };
}

/** The deployment of a resource's first revision, with `changes`. */
export function sampleDeployment(resource: Resource, changes: Partial<DeploymentRow> = {}): DeploymentRow {
  return {
    resourceId: resource.id,
    kind: resource.kind,
    name: resource.name,
    teamId: resource.teamId,
    context: `/${resource.name}`,
    revision: 1,
    deployedAtMs: sampleTimeMs,
    ...changes,
  };
}

/** An audit row about a resource, with `changes`. */
export function sampleAudit(resource: Resource, changes: Partial<AuditRow> = {}): AuditRow {
  return {
    id: newId("audit"),
    atMs: sampleTimeMs,
    actor: "admin",
    action: "resource.created",
    kind: resource.kind,
    resourceId: resource.id,
    resourceName: resource.name,
    teamId: resource.teamId,
    detail: { version: 1 },
    ...changes,
  };
}
