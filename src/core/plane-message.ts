import type { ApiId, Id } from "../kernel/ids.ts";
import type { BudgetHolder } from "./budget-board.ts";
import type { McpEntry, Suspension } from "./compliance-tables.ts";
import type { Environment } from "./environment.ts";
import type { KeyBudget } from "./key-budget.ts";
import type { McpDefinition, PinKind } from "./mcp-definition.ts";
import type { SubscriptionState } from "./subscription.ts";
import type { UpstreamHealth } from "./upstream-health.ts";

/** What a gateway must know of an API key: its hash and its bounds, never the key. Plain JSON. */
export interface CredentialRecord {
  readonly id: Id<"apiKey">;
  readonly publicId: string;
  /** HMAC-SHA-256 of the whole key under the pepper `pepperId`, hex. */
  readonly hash: string;
  readonly pepperId: string;
  /** Null for a key of an application, which opens every API that the application is subscribed to. */
  readonly apiId: ApiId | null;
  readonly applicationId: Id<"application"> | null;
  readonly environment: Environment;
  /** Milliseconds since the epoch; null is never. */
  readonly expiresAtMs: number | null;
  readonly permittedIps: readonly string[];
  readonly permittedReferrers: readonly string[];
  /** Globs of operations; null is all of the API. */
  readonly allow: readonly string[] | null;
  /** The team that the key belongs to. */
  readonly teamId: string;
  /** What the key may use up, each by itself; empty is no limit of its own. */
  readonly budgets: readonly KeyBudget[];
  /** Names under which its use is counted and shown. */
  readonly labels: Readonly<Record<string, string>>;
  /** The value before the last regeneration, while it still works beside the present one. */
  readonly previous?: PreviousCredential;
}

/** An older value of an API key in its window of overlap. Everything else is as the key's. */
export interface PreviousCredential {
  readonly publicId: string;
  readonly hash: string;
  readonly pepperId: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/** A subscription, as a gateway needs it. */
export interface SubscriptionRecord {
  readonly id: Id<"subscription">;
  readonly applicationId: Id<"application">;
  readonly apiId: ApiId;
  readonly planId: Id<"plan">;
  /** Under any other than `active` the application may not call the API at all. */
  readonly state: SubscriptionState;
}

/** A public JSON Web Key (RFC 7517). Never holds a private member. */
export interface PublicJwk {
  readonly kty: string;
  readonly kid?: string;
  readonly alg?: string;
  readonly use?: string;
  readonly [member: string]: unknown;
}

/** A key manager, as a gateway needs it to check tokens. `with` was checked against its plug-in's schema. */
export interface KeyManagerRecord {
  readonly id: Id<"keyManager">;
  readonly name: string;
  readonly use: string;
  readonly with: unknown;
  readonly enabled: boolean;
  /** Of the resident key manager only: its issuer and every published key, so that no gateway has to fetch them. */
  readonly residentKeys?: { readonly issuer: string; readonly jwks: { readonly keys: readonly PublicJwk[] } };
}

/** An OAuth client, as a gateway needs it: whom a token counts for and which upstream it leads to. */
export interface ClientRecord {
  /** `client_id`; unique within its key manager. */
  readonly clientId: string;
  readonly keyManagerId: Id<"keyManager">;
  /** Null for a client that registered itself and was given no application. */
  readonly applicationId: Id<"application"> | null;
  readonly teamId: string;
  readonly environment: Environment;
  readonly name: string;
  /** Its tokens are refused, whenever they were issued and by whom. */
  readonly disabled: boolean;
}

/**
 * Tokens of a key manager that are dead before they expire. `id` is a token's `jti`, the id of a client's secret, a
 * `client_id` or a subject, by `type`. Each one is binding by itself; a later one of the same type and id replaces it.
 */
export interface RevocationRecord {
  readonly type: "token" | "secret" | "client" | "subject";
  readonly id: string;
  readonly keyManagerId: Id<"keyManager">;
  /** Tokens issued before this moment are dead; for type `token`, that one is dead whenever it was issued. */
  readonly beforeMs: number;
  /** When no token that it is about can be alive any more, so that it may be forgotten. */
  readonly expiresAtMs: number;
}

/** One deployed revision of an API. `spec` was checked against its kind's schema at publish. */
export interface ApiArtifact {
  readonly kind: string;
  readonly id: ApiId;
  readonly name: string;
  readonly teamId: Id<"team">;
  readonly revision: number;
  readonly spec: unknown;
  /** SHA-256 of the RFC 8785 form of `spec`, hex. */
  readonly specHash: string;
  /** Governance keeps it from answering; absent where it does not. */
  readonly suspension?: Suspension;
}

/** A resource that deployed revisions refer to by name, or whose limits hold for callers, at its present state. */
export interface SupportingArtifact {
  readonly kind: "LlmProvider" | "Plan" | "Gateway" | "Team" | "Application";
  readonly id: string;
  readonly name: string;
  readonly spec: unknown;
}

/** What of an MCP server rules keep in quarantine, in all environments: neither shown nor usable. */
export interface McpHeldRecord {
  readonly apiId: string;
  readonly entries: readonly McpEntry[];
}

/** Everything that a snapshot is compiled from. `hash` is SHA-256 of the RFC 8785 form of the rest, where the hash of an API's spec stands for the spec; in hex. */
export interface ArtifactSet {
  readonly hash: string;
  readonly apis: readonly ApiArtifact[];
  readonly supporting: readonly SupportingArtifact[];
}

/** What was approved of one thing that an MCP server offers, and what was seen last. */
export interface McpPinRecord {
  readonly apiId: string;
  readonly environment: Environment;
  readonly kind: PinKind;
  readonly name: string;
  /** Null for what nobody has approved yet. */
  readonly approvedHash: string | null;
  readonly seenHash: string;
}

/** One thing that an MCP server offers, as it describes it now. */
export interface McpSighting {
  readonly kind: PinKind;
  readonly name: string;
  readonly definition: McpDefinition;
}

/**
 * What is to be forgotten of what gateways have learnt from use: all that fits what is not null. Numbers ascend; each is
 * carried out once.
 */
export interface ForgottenUse {
  readonly number: number;
  readonly apiId: string | null;
  readonly applicationId: string | null;
  readonly entry: string | null;
}

/** That everything is to be dropped that was kept of an API's answers before. Numbers ascend; the last one of an API counts. */
export interface AnswerPurge {
  readonly apiId: string;
  readonly number: number;
}

/**
 * All that a control plane says to a gateway; the only way it reaches the data plane. Plain JSON, so that a wire can
 * carry it. Messages of one sender arrive in order.
 */
export type PlaneMessage =
  | { readonly type: "artifacts"; readonly set: ArtifactSet }
  | {
      readonly type: "credentials";
      readonly records: readonly CredentialRecord[];
      readonly subscriptions: readonly SubscriptionRecord[];
    }
  | { readonly type: "credential.put"; readonly record: CredentialRecord }
  | { readonly type: "credential.removed"; readonly publicId: string }
  | { readonly type: "subscription.put"; readonly record: SubscriptionRecord }
  | { readonly type: "subscription.removed"; readonly id: string }
  /** Everything about OAuth, in place of what was sent before. */
  | {
      readonly type: "identity";
      readonly keyManagers: readonly KeyManagerRecord[];
      readonly clients: readonly ClientRecord[];
      readonly revocations: readonly RevocationRecord[];
    }
  | { readonly type: "key-manager.put"; readonly record: KeyManagerRecord }
  | { readonly type: "key-manager.removed"; readonly id: string }
  | { readonly type: "client.put"; readonly record: ClientRecord }
  | { readonly type: "client.removed"; readonly keyManagerId: string; readonly clientId: string }
  | { readonly type: "revocation.put"; readonly record: RevocationRecord }
  /** All pins of MCP servers, in place of what was sent before. */
  | { readonly type: "mcp-pins"; readonly pins: readonly McpPinRecord[] }
  | { readonly type: "mcp-pins.put"; readonly pins: readonly McpPinRecord[] }
  /** A gateway has just looked at all that the server offers: the others need not. */
  | { readonly type: "mcp-pins.checked"; readonly apiId: string; readonly environment: Environment }
  /** All that rules keep in quarantine, in place of what was sent before. */
  | { readonly type: "mcp-held"; readonly held: readonly McpHeldRecord[] }
  /** All of one server; nothing of it where there are no entries. */
  | { readonly type: "mcp-held.put"; readonly held: McpHeldRecord }
  /** A call that waits for a person has its answer: whoever waits for it may ask again. */
  | { readonly type: "approval.decided"; readonly id: string }
  | { readonly type: "uses.forgotten"; readonly forgotten: readonly ForgottenUse[] }
  | { readonly type: "answers.purged"; readonly purges: readonly AnswerPurge[] }
  /** What a holder has used of its limits is forgotten; by gateways that count for themselves, and are there to hear it. */
  | { readonly type: "limits.cleared"; readonly holder: BudgetHolder }
  | { readonly type: "secret.changed"; readonly name: string }
  /** What a holder has at an upstream was given, renewed elsewhere or taken away: what a gateway keeps of it is stale. */
  | {
      readonly type: "upstream-credential.changed";
      readonly apiId: string;
      readonly environment: Environment;
      /** `holderKey` of the holder. */
      readonly holder: string;
    };

/** What a gateway reports back. Plain JSON too; saying the same again does no harm. */
export type GatewayReport =
  | {
      readonly type: "credentials.used";
      readonly used: readonly { readonly keyId: string; readonly atMs: number }[];
    }
  /** What an MCP server says of what it offers, where it is not what was said before. */
  | {
      readonly type: "mcp.seen";
      readonly apiId: string;
      readonly environment: Environment;
      readonly seen: readonly McpSighting[];
      /** All of the server's lists have just been read for the pins' own sake. */
      readonly isRefresh?: true;
    }
  /** Every upstream that the gateway `node` knows of, in place of what it has said before. */
  | { readonly type: "upstreams"; readonly node: string; readonly upstreams: readonly UpstreamHealth[] };
