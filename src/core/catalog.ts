import type { SealedValue } from "../kernel/crypto.ts";
import type { AccessTables } from "./access-tables.ts";
import type { AlertTables } from "./alert-tables.ts";
import type { ApprovalTables } from "./approval-tables.ts";
import type { AuditTable } from "./audit-log.ts";
import type { ComplianceTables } from "./compliance-tables.ts";
import type { IdentityTables } from "./identity-tables.ts";
import type { InlineSecretTable } from "./inline-secrets.ts";
import type { McpPinTables } from "./mcp-pin-tables.ts";
import type { Page, PageRequest } from "./page.ts";
import type { CredentialRecord } from "./plane-message.ts";
import type { Resource } from "./resource.ts";
import type { SealedTable } from "./sealed-values.ts";
import type { UpstreamTables } from "./upstream-tables.ts";
import type { WebhookTables } from "./webhook-tables.ts";

export type { AuditEntry, AuditRow } from "./audit-chain.ts";
export type { Page, PageRequest } from "./page.ts";

/** A published state of an API. */
export interface RevisionRow {
  readonly resourceId: string;
  readonly number: number;
  readonly spec: unknown;
  /** SHA-256 of the RFC 8785 form of `spec`, hex: publishing the same spec again makes no new revision. */
  readonly specHash: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
}

/** Which revision of an API is live, and where. One per API; the context is unique. */
export interface DeploymentRow {
  readonly resourceId: string;
  readonly kind: string;
  readonly name: string;
  readonly teamId: string;
  readonly context: string;
  readonly revision: number;
  readonly deployedAtMs: number;
}

/** An API key as stored: its hash and bounds, never the key. */
export interface ApiKeyRow extends CredentialRecord {
  readonly name: string;
  readonly displayName: string | null;
  readonly teamId: string;
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly revokedAtMs: number | null;
  readonly lastUsedAtMs: number | null;
}

export interface SecretRow {
  readonly id: string;
  readonly name: string;
  readonly teamId: string;
  readonly sealed: SealedValue;
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** Something that refers to a resource: a resource, a deployed revision, a key or an OAuth client. */
export interface ReferenceRow {
  readonly holderType: "resource" | "deployment" | "apiKey" | "oauthClient";
  readonly holderId: string;
  readonly holderKind: string;
  readonly holderName: string;
  readonly toId: string;
  /** Where in the holder: `spec.upstream.production.targets[0].provider`. */
  readonly path: string;
}

/** Whose rows are meant: of one team, and of any of some. Members that are absent narrow nothing. */
export interface OwnerFilter {
  readonly teamId?: string;
  readonly teamIds?: readonly string[];
}

/** Which resources are meant; `ids` are their own. */
export interface ResourceFilter extends OwnerFilter {
  readonly kind: string;
  readonly ids?: readonly string[];
}

/**
 * Reads and writes of the catalog. Writes are only valid inside `Catalog.transaction`. A duplicate (kind and name,
 * key or secret name, context of a deployment) throws `resource.conflict`.
 */
export interface CatalogTransaction
  extends IdentityTables,
    AccessTables,
    UpstreamTables,
    McpPinTables,
    ApprovalTables,
    ComplianceTables,
    WebhookTables,
    AlertTables {
  readonly resources: {
    insert(resource: Resource): Promise<void>;
    /** Writes spec, labels, version and updatedAt where the stored version is `expectedVersion`; false when it is not. */
    update(resource: Resource, expectedVersion: number): Promise<boolean>;
    /** Deletes its references too. False when the version is another or it is not there. */
    delete(id: string, expectedVersion: number): Promise<boolean>;
    find(kind: string, name: string): Promise<Resource | undefined>;
    findById(id: string): Promise<Resource | undefined>;
    list(filter: ResourceFilter, page: PageRequest): Promise<Page<Resource>>;
    /** All of one kind, for compiling; in the order of name. */
    all(kind: string): Promise<readonly Resource[]>;
  };
  readonly references: {
    /** Replaces everything that this holder refers to. */
    replace(
      holder: Pick<ReferenceRow, "holderType" | "holderId" | "holderKind" | "holderName">,
      to: readonly Pick<ReferenceRow, "toId" | "path">[],
    ): Promise<void>;
    /** Who refers to a resource; at most `limit`. */
    to(id: string, limit: number): Promise<readonly ReferenceRow[]>;
  };
  readonly revisions: {
    insert(revision: RevisionRow): Promise<void>;
    find(resourceId: string, number: number): Promise<RevisionRow | undefined>;
    /** The hash of a revision's spec, without reading the spec: it may be megabytes. */
    hashOf(resourceId: string, number: number): Promise<string | undefined>;
    latest(resourceId: string): Promise<RevisionRow | undefined>;
    list(resourceId: string, page: PageRequest): Promise<Page<RevisionRow>>;
  };
  readonly deployments: {
    /** Inserts or replaces the API's deployment. */
    put(deployment: DeploymentRow): Promise<void>;
    delete(resourceId: string): Promise<boolean>;
    find(resourceId: string): Promise<DeploymentRow | undefined>;
    /** In the order of kind and name. */
    all(): Promise<readonly DeploymentRow[]>;
  };
  readonly apiKeys: {
    insert(key: ApiKeyRow): Promise<void>;
    /** As `resources.update`; every column but id, name and team may change. */
    update(key: ApiKeyRow, expectedVersion: number): Promise<boolean>;
    delete(id: string, expectedVersion: number): Promise<boolean>;
    find(name: string): Promise<ApiKeyRow | undefined>;
    findById(id: string): Promise<ApiKeyRow | undefined>;
    list(
      filter: OwnerFilter & { readonly apiId?: string; readonly applicationId?: string },
      page: PageRequest,
    ): Promise<Page<ApiKeyRow>>;
    /** Live ones that expire before `beforeMs`, soonest first, at most `limit`. */
    expiring(nowMs: number, beforeMs: number, limit: number): Promise<readonly ApiKeyRow[]>;
    /** Every key that is not revoked, in pages by id, for the gateways' index. */
    live(page: PageRequest): Promise<Page<ApiKeyRow>>;
    /** Sets `lastUsedAtMs` where it is later than what is stored. Leaves `version` alone. Unknown ids are skipped. */
    touch(used: readonly { readonly id: string; readonly atMs: number }[]): Promise<void>;
  };
  readonly secrets: {
    put(secret: SecretRow): Promise<void>;
    delete(name: string): Promise<boolean>;
    find(name: string): Promise<SecretRow | undefined>;
    list(page: PageRequest, filter?: Pick<OwnerFilter, "teamIds">): Promise<Page<SecretRow>>;
  };
  readonly inlineSecrets: InlineSecretTable;
  /** All that is sealed, here and in the identity tables. */
  readonly sealedValues: SealedTable;
  readonly audit: AuditTable;
  /** Small facts of the installation (the pepper's id, the quickstart's state). */
  readonly settings: {
    get(name: string): Promise<string | undefined>;
    set(name: string, value: string): Promise<void>;
  };
}

export interface TransactionOptions {
  /**
   * One of many that nobody waits for. It is acknowledged as late as any other, when it is on the disk; where the disk would
   * be waited for in the event loop, that is done beside it, so readers may see it a moment before it is acknowledged.
   */
  readonly isBackground?: boolean;
}

/** The catalog: everything that the control plane knows. One contract suite runs on every implementation. */
export interface Catalog extends AsyncDisposable {
  /** Reads outside of a transaction, each one consistent in itself. */
  readonly read: CatalogTransaction;
  /**
   * All writes of `work` or none. An acknowledged transaction survives kill -9 and power loss. Writers wait for each
   * other, so `work` must be short and must not wait for anything but the transaction.
   */
  transaction<Result>(
    work: (transaction: CatalogTransaction) => Promise<Result>,
    options?: TransactionOptions,
  ): Promise<Result>;
  /** A consistent copy while running. Refuses to overwrite a file. */
  backup(path: string): Promise<void>;
}
