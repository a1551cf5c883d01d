import type { Kysely } from "kysely";
import type { CatalogTransaction } from "../../core/catalog.ts";
import { accessTokenTable } from "./access-token-table.ts";
import { alertTable } from "./alert-table.ts";
import { apiKeyTable } from "./api-key-table.ts";
import { approvalTable } from "./approval-table.ts";
import { auditTable } from "./audit-table.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { complianceTable } from "./compliance-table.ts";
import { deploymentTable } from "./deployment-table.ts";
import { inlineSecretTable } from "./inline-secret-table.ts";
import { mcpPinTable } from "./mcp-pin-table.ts";
import { oauthClientTable } from "./oauth-client-table.ts";
import { oauthStateTable } from "./oauth-state-table.ts";
import { referenceTable } from "./reference-table.ts";
import { resourceTable } from "./resource-table.ts";
import { revisionTable } from "./revision-table.ts";
import { revocationTable } from "./revocation-table.ts";
import { sealedValueTable } from "./sealed-value-table.ts";
import { secretTable } from "./secret-table.ts";
import { sessionTable } from "./session-table.ts";
import { settingTable } from "./setting-table.ts";
import { signingKeyTable } from "./signing-key-table.ts";
import { upstreamClientTable } from "./upstream-client-table.ts";
import { upstreamCredentialTable } from "./upstream-credential-table.ts";
import { userTable } from "./user-table.ts";
import { webhookDeliveryTable } from "./webhook-delivery-table.ts";

/**
 * The catalog's reads and writes over one connection or transaction of any database. The connection has to turn the
 * database's violations of uniqueness into `resource.conflict` and its failures into `store.unavailable`.
 */
export function catalogOver(db: Kysely<CatalogTables>): CatalogTransaction {
  return {
    resources: resourceTable(db),
    references: referenceTable(db),
    revisions: revisionTable(db),
    deployments: deploymentTable(db),
    apiKeys: apiKeyTable(db),
    secrets: secretTable(db),
    inlineSecrets: inlineSecretTable(db),
    sealedValues: sealedValueTable(db),
    oauthClients: oauthClientTable(db),
    users: userTable(db),
    sessions: sessionTable(db),
    accessTokens: accessTokenTable(db),
    oauthState: oauthStateTable(db),
    revocations: revocationTable(db),
    signingKeys: signingKeyTable(db),
    upstreamCredentials: upstreamCredentialTable(db),
    upstreamClients: upstreamClientTable(db),
    mcpPins: mcpPinTable(db),
    approvals: approvalTable(db),
    compliance: complianceTable(db),
    alerts: alertTable(db),
    webhookDeliveries: webhookDeliveryTable(db),
    audit: auditTable(db),
    settings: settingTable(db),
  };
}
