import { isDeepStrictEqual } from "node:util";
import type { ApiKeyRow, Catalog, CatalogTransaction, OwnerFilter, SecretRow } from "./catalog.ts";
import type { OauthClientRow } from "./identity-tables.ts";
import { emptyPage } from "./page.ts";
import type { Rights } from "./rights.ts";
import { holds, lacks, teamsWith } from "./rights.ts";
import type { Permission } from "./roles.ts";
import { allPermissions } from "./roles.ts";
import { hideHolders } from "./scope-references.ts";
import type { CatalogScope } from "./scope-resources.ts";
import { scopeResources } from "./scope-resources.ts";

/**
 * The catalog as somebody with these rights has it: what they may not read is not there, and what they may not write
 * throws `auth.forbidden`. Whatever is built on it keeps to their teams without a check of its own. Left as they are:
 * what compiling reads (`all`, by id), and tables that belong to no team, which routes guard.
 */
export function scopeCatalog(catalog: Catalog, scope: CatalogScope): Catalog {
  if (allPermissions.every((permission) => scope.rights.installation.has(permission))) return catalog;
  return {
    read: scopeTables(catalog.read, scope),
    transaction: (work, options) =>
      catalog.transaction((transaction) => work(scopeTables(transaction, scope)), options),
    backup: (path) => catalog.backup(path),
    [Symbol.asyncDispose]: () => catalog[Symbol.asyncDispose](),
  };
}

function scopeTables(tables: CatalogTransaction, scope: CatalogScope): CatalogTransaction {
  return {
    ...tables,
    ...scopeResources(tables, scope),
    references: hideHolders(tables, scope.rights),
    apiKeys: scopeApiKeys(tables.apiKeys, scope.rights),
    secrets: scopeSecrets(tables.secrets, scope.rights),
    oauthClients: scopeClients(tables.oauthClients, scope.rights),
    approvals: scopeApprovals(tables.approvals, scope.rights),
    alerts: scopeAlerts(tables.alerts, scope.rights),
    webhookDeliveries: scopeDeliveries(tables.webhookDeliveries, scope.rights),
    compliance: scopeCompliance(tables.compliance, scope.rights),
    mcpPins: {
      ...tables.mcpPins,
      async put(row) {
        requireFor(scope.rights, "apis:publish", (await tables.deployments.find(row.apiId))?.teamId);
        await tables.mcpPins.put(row);
      },
    },
  };
}

function scopeApprovals(table: CatalogTransaction["approvals"], rights: Rights): CatalogTransaction["approvals"] {
  return {
    ...table,
    find: async (id) => visibleRow(rights, "approvals", await table.find(id)),
    async list(filter, page) {
      const owners = ownersOf(rights, "approvals:read");
      return owners === undefined ? emptyPage : table.list({ ...filter, ...owners }, page);
    },
    async update(row, expected) {
      requireFor(rights, "approvals:write", row.teamId);
      return table.update(row, expected);
    },
  };
}

// States stand under ids, which only who sees the alert knows.
function scopeAlerts(table: CatalogTransaction["alerts"], rights: Rights): CatalogTransaction["alerts"] {
  return {
    ...table,
    async events(filter, page) {
      const owners = ownersOf(rights, "alerts:read");
      return owners === undefined ? emptyPage : table.events({ ...filter, ...owners }, page);
    },
  };
}

function scopeDeliveries(
  table: CatalogTransaction["webhookDeliveries"],
  rights: Rights,
): CatalogTransaction["webhookDeliveries"] {
  return {
    ...table,
    async find(id) {
      const row = await table.find(id);
      return row !== undefined && holds(rights, "alerts:read", row.teamId) ? row : undefined;
    },
    async list(filter, page) {
      const owners = ownersOf(rights, "alerts:read");
      return owners === undefined ? emptyPage : table.list({ ...filter, ...owners }, page);
    },
  };
}

function scopeCompliance(table: CatalogTransaction["compliance"], rights: Rights): CatalogTransaction["compliance"] {
  return {
    ...table,
    async find(artifactId) {
      const row = await table.find(artifactId);
      return row !== undefined && holds(rights, "governance:read", row.teamId) ? row : undefined;
    },
    async list(filter, page) {
      const owners = ownersOf(rights, "governance:read");
      return owners === undefined ? emptyPage : table.list({ ...filter, ...owners }, page);
    },
  };
}

function scopeApiKeys(table: CatalogTransaction["apiKeys"], rights: Rights): CatalogTransaction["apiKeys"] {
  const visible = (row: ApiKeyRow | undefined) => visibleRow(rights, "keys", row);
  return {
    ...table,
    find: async (name) => visible(await table.find(name)),
    async list(filter, page) {
      const owners = ownersOf(rights, "keys:read");
      return owners === undefined ? emptyPage : table.list({ ...filter, ...owners }, page);
    },
    async insert(row) {
      requireFor(rights, "keys:write", row.teamId);
      await table.insert(row);
    },
    async update(row, expectedVersion) {
      const before = await table.findById(row.id);
      requireFor(rights, "keys:write", before?.teamId);
      // Who uses a key may not widen what somebody has bounded.
      if (before !== undefined && !isDeepStrictEqual(before.budgets, row.budgets)) {
        requireFor(rights, "limits:write", before.teamId);
      }
      return table.update(row, expectedVersion);
    },
    async delete(id, expectedVersion) {
      requireFor(rights, "keys:write", (await table.findById(id))?.teamId);
      return table.delete(id, expectedVersion);
    },
  };
}

function scopeSecrets(table: CatalogTransaction["secrets"], rights: Rights): CatalogTransaction["secrets"] {
  return {
    ...table,
    find: async (name) => visibleRow<SecretRow>(rights, "secrets", await table.find(name)),
    async list(page, filter = {}) {
      const owners = ownersOf(rights, "secrets:read");
      return owners === undefined ? emptyPage : table.list(page, { ...filter, ...owners });
    },
    async put(row) {
      requireFor(rights, "secrets:write", row.teamId);
      await table.put(row);
    },
    async delete(name) {
      requireFor(rights, "secrets:write", (await table.find(name))?.teamId);
      return table.delete(name);
    },
  };
}

function scopeClients(table: CatalogTransaction["oauthClients"], rights: Rights): CatalogTransaction["oauthClients"] {
  const visible = (row: OauthClientRow | undefined) => visibleRow(rights, "oauth-clients", row);
  const requireClient = async (id: string): Promise<void> =>
    requireFor(rights, "oauth-clients:write", (await table.findById(id))?.teamId);
  const requireSecret = async (id: string): Promise<void> =>
    requireClient((await table.secrets.findById(id))?.clientRowId ?? "");
  return {
    ...table,
    find: async (keyManagerId, clientId) => visible(await table.find(keyManagerId, clientId)),
    findOf: async (applicationId, clientId) => visible(await table.findOf(applicationId, clientId)),
    async list(filter, page) {
      const owners = ownersOf(rights, "oauth-clients:read");
      return owners === undefined ? emptyPage : table.list({ ...filter, ...owners }, page);
    },
    async insert(row) {
      requireFor(rights, "oauth-clients:write", row.teamId);
      await table.insert(row);
    },
    async update(row, expectedVersion) {
      await requireClient(row.id);
      requireFor(rights, "oauth-clients:write", row.teamId); // it may have been given to another team
      return table.update(row, expectedVersion);
    },
    async delete(id, expectedVersion) {
      await requireClient(id);
      return table.delete(id, expectedVersion);
    },
    secrets: {
      ...table.secrets,
      async insert(secret) {
        await requireClient(secret.clientRowId);
        await table.secrets.insert(secret);
      },
      async update(secret) {
        await requireSecret(secret.id);
        return table.secrets.update(secret);
      },
      async delete(id) {
        await requireSecret(id);
        return table.secrets.delete(id);
      },
    },
  };
}

function visibleRow<Row extends { readonly teamId: string }>(
  rights: Rights,
  area: "keys" | "secrets" | "oauth-clients" | "approvals",
  row: Row | undefined,
): Row | undefined {
  if (row === undefined) return undefined;
  // Who may write without reading must find what to replace; no route shows it to them.
  const isSeen = holds(rights, `${area}:read`, row.teamId) || holds(rights, `${area}:write`, row.teamId);
  return isSeen ? row : undefined;
}

/** What a list is narrowed to; undefined where nothing can be in it. */
function ownersOf(rights: Rights, permission: Permission): Pick<OwnerFilter, "teamIds"> | undefined {
  const teams = teamsWith(rights, permission);
  if (teams === "all") return {};
  return teams.length === 0 ? undefined : { teamIds: teams };
}

// A row that is not there is the table's to judge, whose write then finds nothing.
function requireFor(rights: Rights, permission: Permission, teamId: string | undefined): void {
  if (teamId !== undefined && !holds(rights, permission, teamId)) throw lacks(permission);
}
