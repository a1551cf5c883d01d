import { z } from "zod";
import type { ScopeConnector, ScopeSpec } from "../core/key-manager-connector.ts";
import { invalid } from "../core/parse-document.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { RemoteServer } from "./remote-server.ts";
import { textMember } from "./remote-server.ts";

export interface AsgardeoScopesParts {
  readonly resourcesUrl: string;
  readonly rolesUrl: string;
  /** The one API resource that holds all scopes. */
  readonly resourceName: string;
  readonly roleCreation: boolean;
  readonly server: RemoteServer;
  readonly authorization: () => Promise<Readonly<Record<string, string>>>;
}

/**
 * Puts scopes into one API resource, and gives them to SCIM2 roles. A role of the primary user store `manager` is called
 * `apim_primary_manager` there, `Internal/manager` is `manager`, and roles of applications are none of ours. An
 * administrator of the organization must still authorize the scopes for each application.
 */
export function createAsgardeoScopes(parts: AsgardeoScopesParts): ScopeConnector {
  return {
    async register(scopes) {
      refuseReserved(scopes);
      if (scopes.length === 0) return;
      await addScopes(parts, await resourceId(parts), scopes);
      if (parts.roleCreation) await mapRoles(parts, scopes);
    },
  };
}

/** The name that a role of ours has at the server; undefined for one that has no place there. */
export function asgardeoRoleName(role: string): string | undefined {
  const [, domain, name = ""] = /^(?:([^/]+)\/)?(.+)$/.exec(role) ?? [];
  switch (domain?.toLowerCase()) {
    case undefined:
    case "primary":
      return `apim_primary_${name}`;
    case "internal":
      return name;
    default:
      return undefined;
  }
}

function refuseReserved(scopes: readonly ScopeSpec[]): void {
  const reserved = scopes.filter(({ name }) => name.toLowerCase().startsWith("internal"));
  if (reserved.length === 0) return;
  throw invalid(
    reserved.map(({ name }) => ({
      path: `scopes.${name}`,
      message: "names of scopes must not begin with `internal` there",
    })),
  );
}

const resourceList = z.looseObject({
  apiResources: z.array(z.looseObject({ id: z.string(), name: z.string() })).nullish(),
});

async function resourceId({ resourcesUrl, resourceName, server, authorization }: AsgardeoScopesParts): Promise<string> {
  const headers = await authorization();
  const url = `${resourcesUrl}?limit=2&filter=${encodeURIComponent(`name eq ${resourceName}`)}`;
  const list = resourceList.safeParse((await server.send({ url, headers })).json());
  const found = list.success ? list.data.apiResources?.find(({ name }) => name === resourceName) : undefined;
  if (found !== undefined) return found.id;
  const json = { name: resourceName, identifier: resourceName.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-") };
  return textMember(await server.send({ method: "POST", url: resourcesUrl, headers, json, ok: [201] }), "id");
}

const scopeList = z.array(z.looseObject({ name: z.string() }));

async function addScopes(
  { resourcesUrl, server, authorization }: AsgardeoScopesParts,
  id: string,
  scopes: readonly ScopeSpec[],
): Promise<void> {
  const headers = await authorization();
  const url = `${resourcesUrl}/${encodeURIComponent(id)}`;
  const known = scopeList.safeParse((await server.send({ url: `${url}/scopes`, headers })).json());
  if (!known.success) throw unreadable(`${url}/scopes`);
  const names = new Set(known.data.map(({ name }) => name));
  const addedScopes = scopes
    .filter(({ name }) => !names.has(name))
    .map(({ name, displayName = name, description = "" }) => ({ name, displayName, description }));
  if (addedScopes.length === 0) return;
  await server.send({ method: "PATCH", url, headers, json: { addedScopes }, ok: [200, 204] });
}

const roleList = z.looseObject({
  Resources: z
    .array(
      z.looseObject({
        id: z.string(),
        displayName: z.string(),
        audience: z.looseObject({ type: z.string() }).optional(),
      }),
    )
    .optional(),
});

async function mapRoles(
  { rolesUrl, server, authorization }: AsgardeoScopesParts,
  scopes: readonly ScopeSpec[],
): Promise<void> {
  const headers = { ...(await authorization()), "content-type": "application/scim+json" };
  for (const [displayName, permissions] of scopesByRole(scopes)) {
    const search = { schemas: [searchSchema], filter: `displayName eq ${displayName}`, startIndex: 1, count: 10 };
    const answer = await server.send({ method: "POST", url: `${rolesUrl}/.search`, headers, json: search });
    const list = roleList.safeParse(answer.json());
    if (!list.success) throw unreadable(`${rolesUrl}/.search`);
    const found = list.data.Resources?.find(
      (role) => role.displayName === displayName && role.audience?.type.toLowerCase() !== "application",
    );
    if (found === undefined) {
      const json = { schemas: [roleSchema], displayName, permissions };
      await server.send({ method: "POST", url: rolesUrl, headers, json, ok: [201] });
    } else {
      const json = { schemas: [patchSchema], Operations: [{ op: "add", path: "permissions", value: permissions }] };
      const url = `${rolesUrl}/${encodeURIComponent(found.id)}`;
      await server.send({ method: "PATCH", url, headers, json, ok: [200, 204] });
    }
  }
}

const searchSchema = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
const patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const roleSchema = "urn:ietf:params:scim:schemas:extension:2.0:Role";

function scopesByRole(scopes: readonly ScopeSpec[]): ReadonlyMap<string, readonly { readonly value: string }[]> {
  const byRole = new Map<string, { readonly value: string }[]>();
  for (const { name, roles = [] } of scopes) {
    for (const role of roles) {
      const there = asgardeoRoleName(role);
      if (there === undefined) continue;
      byRole.set(there, [...(byRole.get(there) ?? []), { value: name }]);
    }
  }
  return byRole;
}

function unreadable(detail: string): GatewayError {
  return new GatewayError("upstream.invalid", "The key manager's answer cannot be read.", { detail });
}
