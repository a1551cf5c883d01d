import type { ApiId, Id } from "../kernel/ids.ts";
import type { Environment } from "./environment.ts";
import type { UpstreamHealth } from "./upstream-health.ts";

/** What a gateway must know of an API key: its hash and its bounds, never the key. Plain JSON. */
export interface CredentialRecord {
  readonly id: Id<"apiKey">;
  readonly publicId: string;
  /** HMAC-SHA-256 of the whole key under the pepper `pepperId`, hex. */
  readonly hash: string;
  readonly pepperId: string;
  readonly apiId: ApiId;
  readonly applicationId: Id<"application"> | null;
  readonly environment: Environment;
  /** Milliseconds since the epoch; null is never. */
  readonly expiresAtMs: number | null;
  readonly permittedIps: readonly string[];
  readonly permittedReferrers: readonly string[];
  /** Globs of operations; null is all of the API. */
  readonly allow: readonly string[] | null;
}

/** A live subscription, as a gateway needs it. */
export interface SubscriptionRecord {
  readonly id: Id<"subscription">;
  readonly applicationId: Id<"application">;
  readonly apiId: ApiId;
  readonly planId: Id<"plan">;
}

/** One deployed revision of an API. `spec` was checked against its kind's schema at publish. */
export interface ApiArtifact {
  readonly kind: string;
  readonly id: ApiId;
  readonly name: string;
  readonly teamId: Id<"team">;
  readonly revision: number;
  readonly spec: unknown;
}

/** A resource that deployed revisions refer to by name, at its present state. */
export interface SupportingArtifact {
  readonly kind: "LlmProvider" | "Plan" | "Gateway";
  readonly id: string;
  readonly name: string;
  readonly spec: unknown;
}

/** Everything that a snapshot is compiled from. `hash` is SHA-256 of the RFC 8785 form of the rest, in hex. */
export interface ArtifactSet {
  readonly hash: string;
  readonly apis: readonly ApiArtifact[];
  readonly supporting: readonly SupportingArtifact[];
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
  | { readonly type: "secret.changed"; readonly name: string };

/** What a gateway reports back. Plain JSON too; saying the same again does no harm. */
export type GatewayReport =
  | {
      readonly type: "credentials.used";
      readonly used: readonly { readonly keyId: string; readonly atMs: number }[];
    }
  /** Every upstream that the gateway `node` knows of, in place of what it has said before. */
  | { readonly type: "upstreams"; readonly node: string; readonly upstreams: readonly UpstreamHealth[] };
