import type { Generated } from "kysely";
import type { AccessTokenRow, SessionRow } from "../../core/access-tables.ts";
import type { AlertEventRow, AlertStateRow } from "../../core/alert-tables.ts";
import type { ApprovalRow } from "../../core/approval-tables.ts";
import type { ApiKeyRow, AuditRow, DeploymentRow, ReferenceRow, RevisionRow, SecretRow } from "../../core/catalog.ts";
import type { ComplianceRow } from "../../core/compliance-tables.ts";
import type {
  OauthClientRow,
  OauthClientSecretRow,
  OauthStateRow,
  SigningKeyRow,
  UserRow,
} from "../../core/identity-tables.ts";
import type { InlineSecretRow } from "../../core/inline-secrets.ts";
import type { McpPinRow } from "../../core/mcp-pin-tables.ts";
import type { RevocationRecord } from "../../core/plane-message.ts";
import type { Resource } from "../../core/resource.ts";
import type { UpstreamClientRow, UpstreamCredentialRow } from "../../core/upstream-tables.ts";
import type { WebhookDeliveryRow } from "../../core/webhook-tables.ts";

/** Tables and columns of the catalog as the queries name them; the database has them in snake_case. */
export interface CatalogTables {
  readonly resources: Stored<Sequenced<Resource>, "labels" | "spec">;
  readonly references: ReferenceRow;
  readonly revisions: Stored<RevisionRow, "spec">;
  readonly deployments: DeploymentRow;
  readonly apiKeys: Stored<
    Sequenced<ApiKeyRow>,
    "permittedIps" | "permittedReferrers" | "budgets" | "labels",
    "allow" | "previous"
  >;
  readonly oauthClients: Omit<Stored<Sequenced<OauthClientRow>, "metadata">, "disabled"> & {
    readonly disabled: number;
    /** In no row of the domain: only the upkeep asks for it. */
    readonly lastUsedAtMs: Generated<number | null>;
  };
  readonly oauthClientSecrets: Sequenced<OauthClientSecretRow>;
  readonly users: Omit<Stored<Sequenced<UserRow>, "roles" | "teams">, "disabled"> & { readonly disabled: number };
  readonly sessions: Sequenced<SessionRow>;
  readonly accessTokens: Stored<Sequenced<AccessTokenRow>, never, "permissions" | "teamIds">;
  readonly oauthState: Stored<OauthStateRow, "payload">;
  readonly revocations: Sequenced<RevocationRecord>;
  readonly signingKeys: Stored<Sequenced<SigningKeyRow>, "sealed" | "publicJwk">;
  readonly secrets: Stored<Sequenced<SecretRow>, "sealed">;
  readonly inlineSecrets: Stored<InlineSecretRow, "sealed">;
  readonly upstreamCredentials: Stored<UpstreamCredentialRow, "asked" | "scopes" | "clients" | "sealed">;
  readonly upstreamClients: Stored<UpstreamClientRow, "sealed">;
  readonly mcpPins: Stored<McpPinRow, "seen", "approved">;
  readonly approvals: Stored<Sequenced<ApprovalRow>, "holder", "shown">;
  readonly compliance: Stored<ComplianceRow, "policies", "suspension">;
  readonly alertStates: AlertStateRow;
  readonly alertEvents: Sequenced<AlertEventRow>;
  readonly webhookDeliveries: Sequenced<WebhookDeliveryRow>;
  readonly audit: Stored<AuditRow, "detail">;
  readonly settings: { readonly name: string; readonly value: string };
}

/** A row as stored: `Json` columns are text, `NullableJson` columns are text or null. */
type Stored<Row, Json extends keyof Row, NullableJson extends keyof Row = never> = Omit<Row, Json | NullableJson> & {
  [Column in Json]: string;
} & { [Column in NullableJson]: string | null };

/** `seq` is counted by the database; it says the order of creation and is in no row of the domain. */
type Sequenced<Row> = Row & { readonly seq: Generated<number> };
