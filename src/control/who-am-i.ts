import { z } from "zod";
import type { SessionRow } from "../core/access-tables.ts";
import type { CoreContext } from "../core/core-context.ts";
import type { UserRow } from "../core/identity-tables.ts";
import type { Rights } from "../core/rights.ts";
import { rightsOfUser } from "../core/rights.ts";
import type { Permission } from "../core/roles.ts";
import { allPermissions, roleNames } from "../core/roles.ts";
import { csrfToken } from "../core/sessions.ts";
import { teamNames } from "./resource-view.ts";

const permissionsSchema = z.array(z.enum(allPermissions));

/** What callers are told of themselves. */
export const whoAmISchema = z.strictObject({
  user: z
    .strictObject({ id: z.string(), name: z.string(), displayName: z.string().optional() })
    .nullable()
    .meta({ description: "Null for the admin token, which is nobody's." }),
  roles: z.array(z.enum(roleNames)),
  permissions: z.strictObject({
    installation: permissionsSchema,
    teams: z.record(z.string(), permissionsSchema).meta({ description: "Beyond that, by the name of the team." }),
  }),
  session: z
    .strictObject({
      id: z.string(),
      expiresAt: z.iso.datetime(),
      csrfToken: z.string().meta({
        description: "Goes as the header `x-csrf-token` with every request that changes something by the cookie.",
      }),
    })
    .nullable(),
});

interface Known {
  readonly user?: UserRow | undefined;
  readonly session?: SessionRow | undefined;
  /** The user's where absent. */
  readonly rights?: Rights | undefined;
}

/** Who somebody is, and what they may do. */
export async function whoAmI(
  context: CoreContext,
  { user, session, rights = rightsOfUser(user ?? { roles: [], teams: [] }) }: Known,
): Promise<z.output<typeof whoAmISchema>> {
  const names = await teamNames(context, [...rights.teams.keys()]);
  const teams = [...rights.teams].flatMap(([id, held]) => {
    const name = names.get(id);
    return name === undefined ? [] : [[name, inOrder(held)] as const];
  });
  return {
    user: user === undefined ? null : viewOf(user),
    roles: [...(user?.roles ?? [])],
    permissions: { installation: inOrder(rights.installation), teams: Object.fromEntries(teams) },
    session:
      session === undefined
        ? null
        : {
            id: session.id,
            expiresAt: new Date(session.expiresAtMs).toISOString(),
            csrfToken: csrfToken(context, session),
          },
  };
}

function viewOf({ id, name, displayName }: UserRow) {
  return { id, name, ...(displayName === null ? {} : { displayName }) };
}

function inOrder(held: ReadonlySet<Permission>): Permission[] {
  return allPermissions.filter((permission) => held.has(permission));
}
