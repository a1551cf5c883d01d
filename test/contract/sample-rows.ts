import type { ApiKeyRow, AuditEntry, DeploymentRow, RevisionRow, SecretRow } from "../../src/core/catalog.ts";
import type {
  OauthClientRow,
  OauthClientSecretRow,
  OauthStateRow,
  SigningKeyRow,
  UserRow,
} from "../../src/core/identity-tables.ts";
import type { RevocationRecord } from "../../src/core/plane-message.ts";
import type { Resource } from "../../src/core/resource.ts";
import type { UpstreamClientRow, UpstreamCredentialRow } from "../../src/core/upstream-tables.ts";
import type { ApiId, Id } from "../../src/kernel/ids.ts";
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
    budgets: [],
    labels: {},
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

/** An audit entry about a resource, with `changes`. */
export function sampleAudit(resource: Resource, changes: Partial<AuditEntry> = {}): AuditEntry {
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
    actorType: "admin",
    clientAddress: "192.0.2.7",
    requestId: null,
    ...changes,
  };
}

/** A client of the application `app_1` at the key manager `km_1`, with `changes`. */
export function sampleClient(changes: Partial<OauthClientRow> = {}): OauthClientRow {
  const id = changes.id ?? newId("oauthClient");
  return {
    id,
    clientId: `client-${id}`,
    name: id.replace("_", "-"),
    keyManagerId: "km_1" as Id<"keyManager">, // a made-up id is as good as any here
    applicationId: "app_1" as Id<"application">, // as above
    teamId: "team_default",
    environment: "production",
    metadata: {
      grantTypes: ["client_credentials"],
      redirectUris: [],
      tokenEndpointAuthMethod: "client_secret_basic",
      tokenLifetimes: { accessTokenSeconds: 600 },
      applicationType: "web",
    },
    source: "admin",
    disabled: false,
    version: 1,
    createdAtMs: sampleTimeMs,
    updatedAtMs: sampleTimeMs,
    ...changes,
  };
}

/** A live secret of a client, with `changes`. */
export function sampleClientSecret(
  client: OauthClientRow,
  changes: Partial<OauthClientSecretRow> = {},
): OauthClientSecretRow {
  const id = changes.id ?? newId("oauthClientSecret");
  return {
    id,
    clientRowId: client.id,
    publicId: `pub-${id}`,
    description: null,
    hash: "ef".repeat(32),
    pepperId: "pepper-1",
    createdAtMs: sampleTimeMs,
    expiresAtMs: null,
    revokedAtMs: null,
    lastUsedAtMs: null,
    ...changes,
  };
}

/** A user without a password, with `changes`. */
export function sampleUser(changes: Partial<UserRow> = {}): UserRow {
  const id = changes.id ?? newId("user");
  return {
    id,
    name: id.replace("_", "-"),
    displayName: null,
    email: null,
    passwordHash: null,
    disabled: false,
    roles: [],
    teams: [],
    ssoIssuer: null,
    ssoSubject: null,
    version: 1,
    createdAtMs: sampleTimeMs,
    updatedAtMs: sampleTimeMs,
    ...changes,
  };
}

/** A piece of an authorization server's state, with `changes`. */
export function sampleState(changes: Partial<OauthStateRow> = {}): OauthStateRow {
  return {
    model: "RefreshToken",
    idHash: newId("audit").repeat(2),
    uid: null,
    grantId: null,
    userCode: null,
    clientId: null,
    accountId: null,
    familyId: null,
    payload: { v: 1, kid: "k1", nonce: "bm9uY2U=", data: "ZGF0YQ==" },
    expiresAtMs: null,
    consumedAtMs: null,
    ...changes,
  };
}

/** The revocation of a token, with `changes`. */
export function sampleRevocation(changes: Partial<RevocationRecord> = {}): RevocationRecord {
  return {
    type: "token",
    id: newId("audit"),
    keyManagerId: "km_1" as Id<"keyManager">, // as above
    beforeMs: sampleTimeMs,
    expiresAtMs: sampleTimeMs + 60_000,
    ...changes,
  };
}

/** A key that signs, with `changes`. */
export function sampleSigningKey(changes: Partial<SigningKeyRow> = {}): SigningKeyRow {
  const kid = changes.kid ?? newId("audit");
  return {
    kid,
    alg: "ES256",
    sealed: { v: 1, kid: "k1", nonce: "bm9uY2U=", data: "ZGF0YQ==" },
    publicJwk: { kty: "EC", kid, crv: "P-256" },
    createdAtMs: sampleTimeMs,
    activeFromMs: sampleTimeMs,
    retiredAtMs: null,
    ...changes,
  };
}

/** What somebody has at the upstream of the API, made anew with each call. */
export function sampleUpstreamCredential(apiId: string): UpstreamCredentialRow {
  const id = newId("upstreamCredential");
  return {
    id,
    apiId,
    environment: "production",
    holder: `["user","km_1","${id}"]`,
    userId: null,
    applicationId: null,
    issuer: "https://as.example.com",
    clientId: "client",
    resource: "https://mcp.example.com/mcp",
    asked: ["notes:read"],
    scopes: [],
    clients: [""],
    sealed: { v: 1, kid: "key-1", nonce: "bm9uY2U=", data: "ZGF0YQ==" },
    version: 1,
    state: "active",
    createdAtMs: sampleTimeMs,
    updatedAtMs: sampleTimeMs,
  };
}

/** A registration of the gateway somewhere. */
export function sampleUpstreamClient(): UpstreamClientRow {
  return {
    id: newId("upstreamClient"),
    issuer: "https://as.example.com",
    redirectUri: "https://gateway.example.com/auth/connect/callback",
    clientId: "registered",
    method: "client_secret_basic",
    sealed: { v: 1, kid: "key-1", nonce: "bm9uY2U=", data: "ZGF0YQ==" },
    expiresAtMs: null,
    createdAtMs: sampleTimeMs,
  };
}
