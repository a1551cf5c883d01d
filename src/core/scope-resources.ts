import { isDeepStrictEqual } from "node:util";
import type { CatalogTransaction, ResourceFilter } from "./catalog.ts";
import { emptyPage } from "./page.ts";
import type { Resource } from "./resource.ts";
import type { Rights } from "./rights.ts";
import { holds, holdsAnywhere, lacks, teamsWith } from "./rights.ts";
import type { Permission } from "./roles.ts";
import { kindPermissions } from "./roles.ts";

/** Whose eyes the catalog is seen with. */
export interface CatalogScope {
  readonly rights: Rights;
  /** The team whose APIs, plans and providers every team may read: `default`. */
  readonly sharedTeamId: string;
  /** Names of key managers with which people sign in: who changes one decides who they are, so it asks for more. */
  readonly signInKeyManagers: readonly string[];
}

type ResourceTables = Pick<CatalogTransaction, "resources" | "revisions" | "deployments">;

/** Resources, their revisions and deployments, as somebody with these rights has them. See `scopeCatalog`. */
export function scopeResources(tables: CatalogTransaction, scope: CatalogScope): ResourceTables {
  const { resources, revisions, deployments } = tables;
  const { rights } = scope;
  return {
    resources: scopeRows(resources, scope),
    revisions: {
      ...revisions,
      async insert(revision) {
        requireFor(rights, "apis:publish", (await resources.findById(revision.resourceId))?.teamId);
        await revisions.insert(revision);
      },
    },
    deployments: {
      ...deployments,
      async put(deployment) {
        requireFor(rights, "apis:publish", deployment.teamId);
        await deployments.put(deployment);
      },
      async delete(resourceId) {
        requireFor(rights, "apis:publish", (await deployments.find(resourceId))?.teamId);
        return deployments.delete(resourceId);
      },
    },
  };
}

function scopeRows(table: ResourceTables["resources"], scope: CatalogScope): ResourceTables["resources"] {
  const { rights } = scope;
  const requireWrite = (row: Resource | undefined): void => {
    if (row === undefined) return;
    requireFor(rights, kindPermissions(row.kind).write, ownerOf(row));
    // What all teams do is nothing for one team to watch.
    if (row.kind === "Alert" && watchesAll(row) && !holds(rights, "alerts:write")) throw lacks("alerts:write");
    if (row.kind === "KeyManager" && scope.signInKeyManagers.includes(row.name)) {
      requireFor(rights, "users:write", ownerOf(row));
    }
  };
  return {
    ...table,
    async find(kind, name) {
      const row = await table.find(kind, name);
      return row !== undefined && maySee(row, scope) ? row : undefined;
    },
    async list(filter, page) {
      const narrowed = narrowedTo(filter, scope);
      return narrowed === undefined ? emptyPage : table.list(narrowed, page);
    },
    async insert(row) {
      requireWrite(row);
      await table.insert(row);
    },
    async update(row, expectedVersion) {
      const before = await table.findById(row.id);
      requireWrite(before);
      if (row.kind === "Alert") requireWrite(row);
      // Who uses an application may not widen what somebody has bounded.
      if (before?.kind === "Application" && !isDeepStrictEqual(policiesOf(before), policiesOf(row))) {
        requireFor(rights, "limits:write", ownerOf(before));
      }
      return table.update(row, expectedVersion);
    },
    async delete(id, expectedVersion) {
      requireWrite(await table.findById(id));
      return table.delete(id, expectedVersion);
    },
  };
}

/** Whether a resource is there for somebody. */
function maySee(row: Resource, { rights, sharedTeamId }: CatalogScope): boolean {
  const { read, write, shared } = kindPermissions(row.kind);
  const owner = ownerOf(row);
  // Who may write without reading must find what to replace; no route shows it to them.
  return (
    holds(rights, read, owner) ||
    holds(rights, write, owner) ||
    (shared && owner === sharedTeamId && holdsAnywhere(rights, read))
  );
}

/** Undefined where nothing can be in the list. */
function narrowedTo(filter: ResourceFilter, { rights, sharedTeamId }: CatalogScope): ResourceFilter | undefined {
  const { read, shared } = kindPermissions(filter.kind);
  const teams = teamsWith(rights, read);
  if (teams === "all") return filter;
  const seen = teams.length > 0 && shared ? [...teams, sharedTeamId] : teams;
  if (seen.length === 0) return undefined;
  return filter.kind === "Team" ? { ...filter, ids: seen } : { ...filter, teamIds: seen };
}

// A team is its own owner here: all of them belong to `default`, and who has rights for one sees that one.
function ownerOf({ kind, id, teamId }: Resource): string {
  return kind === "Team" ? id : teamId;
}

function policiesOf({ spec }: Resource): unknown {
  return (spec as { readonly policies?: unknown }).policies ?? []; // an application's, as it was checked when written
}

function watchesAll({ spec }: Resource): boolean {
  return (spec as { readonly teams?: unknown }).teams === "all"; // an alert's, as it was checked when written
}

// A row that is not there is the table's to judge, whose write then finds nothing.
function requireFor(rights: Rights, permission: Permission, teamId: string | undefined): void {
  if (teamId !== undefined && !holds(rights, permission, teamId)) throw lacks(permission);
}
