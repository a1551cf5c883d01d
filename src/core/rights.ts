import { GatewayError } from "../kernel/errors.ts";
import type { Actor } from "./core-context.ts";
import type { TeamRoles } from "./identity-tables.ts";
import type { Permission, Role } from "./roles.ts";
import { allPermissions, permissions, roles } from "./roles.ts";

/** What somebody may do: in the whole installation, and beyond that for teams, by their ids. */
export interface Rights {
  readonly installation: ReadonlySet<Permission>;
  readonly teams: ReadonlyMap<string, ReadonlySet<Permission>>;
}

/** The right to do everything. */
export const everyRight: Rights = { installation: new Set(allPermissions), teams: new Map() };

/** The right to do nothing. */
export const noRight: Rights = { installation: new Set(), teams: new Map() };

/** What roles allow. A role for a team gives what may be held for a team, and nothing else. */
export function rightsOfRoles(holder: {
  readonly roles: readonly Role[];
  readonly teams: readonly TeamRoles[];
}): Rights {
  const teams = new Map<string, Set<Permission>>();
  for (const { teamId, roles: names } of holder.teams) {
    const held = teams.get(teamId) ?? new Set();
    for (const permission of permissionsOf(names)) if (permissions[permission].per === "team") held.add(permission);
    teams.set(teamId, held);
  }
  return { installation: permissionsOf(holder.roles), teams };
}

/** What a user may do: what the roles allow, and to look after the own account. */
export function rightsOfUser(user: Parameters<typeof rightsOfRoles>[0]): Rights {
  const { installation, teams } = rightsOfRoles(user);
  return { installation: new Set([...installation, "account:self"]), teams };
}

/** What an actor may do: everything for the product itself and the admin token, and nothing where it was not said. */
export function rightsOf({ type, rights }: Pick<Actor, "type" | "rights">): Rights {
  return type === "admin" || type === "system" ? everyRight : (rights ?? noRight);
}

/** Whether a permission is held for a team; without one, in the whole installation. */
export function holds({ installation, teams }: Rights, permission: Permission, teamId?: string): boolean {
  return installation.has(permission) || (teamId !== undefined && teams.get(teamId)?.has(permission) === true);
}

/** Whether a permission is held in the installation or for any team: what a route asks before it knows of which. */
export function holdsAnywhere(rights: Rights, permission: Permission): boolean {
  return rights.installation.has(permission) || [...rights.teams.values()].some((held) => held.has(permission));
}

/** The ids of the teams for which a permission is held; `all` where it is in the whole installation. */
export function teamsWith(rights: Rights, permission: Permission): readonly string[] | "all" {
  if (rights.installation.has(permission)) return "all";
  return [...rights.teams].flatMap(([teamId, held]) => (held.has(permission) ? [teamId] : []));
}

/** Whether `holder` may do everything that `wanted` may: nobody gives what they have not. */
export function covers(holder: Rights, wanted: Rights): boolean {
  if (![...wanted.installation].every((permission) => holder.installation.has(permission))) return false;
  return [...wanted.teams].every(([teamId, held]) =>
    [...held].every((permission) => holds(holder, permission, teamId)),
  );
}

/**
 * What is left of rights for a token: of the permissions only those, and only for those teams; null leaves all. With
 * teams, what is held in the whole installation becomes a right for those teams.
 */
export function narrow(
  rights: Rights,
  only: { readonly permissions: readonly Permission[] | null; readonly teamIds: readonly string[] | null },
): Rights {
  const wanted = new Set(only.permissions ?? allPermissions);
  const kept = (held: Iterable<Permission>): Set<Permission> => new Set([...held].filter((each) => wanted.has(each)));
  if (only.teamIds === null) {
    const teams = new Map([...rights.teams].map(([teamId, held]) => [teamId, kept(held)]));
    return { installation: kept(rights.installation), teams };
  }
  const perTeam = [...rights.installation].filter((permission) => permissions[permission].per === "team");
  const teams = only.teamIds.map(
    (teamId) => [teamId, kept([...perTeam, ...(rights.teams.get(teamId) ?? [])])] as const,
  );
  return { installation: new Set(), teams: new Map(teams) };
}

/** The `auth.forbidden` error of whoever lacks a permission, or lacks it for the team that is meant. */
export function lacks(permission: Permission): GatewayError {
  return new GatewayError("auth.forbidden", `This asks for the permission ${permission}, which you do not have here.`);
}

function permissionsOf(names: readonly Role[]): Set<Permission> {
  return new Set<Permission>(
    names.flatMap((name): readonly Permission[] => (Object.hasOwn(roles, name) ? roles[name].permissions : [])),
  );
}
