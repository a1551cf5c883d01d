import { addClientLastUse } from "./add-client-last-use.ts";
import { addClientState } from "./add-client-state.ts";
import { addControlAccess } from "./add-control-access.ts";
import { addKeyBudgets } from "./add-key-budgets.ts";
import { addOauthAccounts } from "./add-oauth-accounts.ts";
import { addSuspension } from "./add-suspension.ts";
import { chainAudit } from "./chain-audit.ts";
import { createAlerts } from "./create-alerts.ts";
import { createApprovals } from "./create-approvals.ts";
import { createCatalogTables } from "./create-catalog-tables.ts";
import { createCompliance } from "./create-compliance.ts";
import { createIdentityTables } from "./create-identity-tables.ts";
import { createInlineSecrets } from "./create-inline-secrets.ts";
import { createMcpPins } from "./create-mcp-pins.ts";
import { createUpstreamCredentials } from "./create-upstream-credentials.ts";
import { createWebhookDeliveries } from "./create-webhook-deliveries.ts";
import type { Migration } from "./migration.ts";

/** Every step of the catalog's schema in order, for every database. */
export const catalogMigrations: readonly Migration[] = [
  createCatalogTables,
  createIdentityTables,
  createInlineSecrets,
  chainAudit,
  addKeyBudgets,
  addControlAccess,
  addClientLastUse,
  createUpstreamCredentials,
  createMcpPins,
  addOauthAccounts,
  createApprovals,
  addClientState,
  createCompliance,
  createWebhookDeliveries,
  createAlerts,
  addSuspension,
];
