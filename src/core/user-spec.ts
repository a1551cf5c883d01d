import { z } from "zod";
import type { UserRow } from "./identity-tables.ts";
import { apiVersion, nameSchema } from "./resource.ts";
import { readOnlyMetadata } from "./resource-document.ts";
import { roleNames } from "./roles.ts";

/** A password as it may be chosen: length is what counts, and no rule about kinds of characters. */
export const passwordSchema = z
  .string()
  .min(12, "at least 12 characters")
  .max(512)
  .meta({ title: "Password", description: "12 to 512 characters of any kind. Never shown, never stored as it is." });

const userSpec = z.strictObject({
  displayName: z.string().min(1).max(200).optional().meta({ title: "Display name" }),
  email: z.email().max(254).optional().meta({ title: "E-mail" }),
  disabled: z.boolean().default(false).meta({
    title: "Disabled",
    description: "Refuses log-in, and every token that the user has.",
  }),
});

const rolesSchema = z
  .array(z.enum(roleNames))
  .max(20)
  .meta({ title: "Roles", description: "What the user may do in the whole installation." });

const teamsSchema = z
  .array(
    z.strictObject({
      team: nameSchema.meta({ title: "Team" }),
      roles: z.array(z.enum(roleNames)).min(1).max(20).meta({ title: "Roles" }),
    }),
  )
  .max(200)
  .meta({ title: "Teams", description: "What the user may do for teams." });

const ssoSchema = z
  .strictObject({
    issuer: z.url().max(2_048).meta({ title: "Issuer" }),
    subject: z.string().min(1).max(255).meta({ title: "Subject", description: "Who the user is there: `sub`." }),
  })
  .meta({ title: "Sign-in elsewhere", description: "Where the user signs in with a key manager." });

const head = { apiVersion: z.literal(apiVersion).optional(), kind: z.literal("User").optional() };

/** The body of a request for a user. */
export const userDocumentSchema = z
  .strictObject({
    ...head,
    metadata: z.strictObject({ name: nameSchema, ...readOnlyMetadata }),
    spec: userSpec
      .extend({ roles: rolesSchema.default([]), teams: teamsSchema.optional(), sso: ssoSchema.optional() })
      .prefault({}),
    password: passwordSchema.optional(),
  })
  .meta({ examples: [{ metadata: { name: "alice" }, spec: { displayName: "Alice", roles: ["api-publisher"] } }] });

/** The body of a change to a user; what a reader was shown beside it may stay in it. */
export const userChangeDocumentSchema = z.strictObject({
  ...head,
  metadata: z.strictObject({ name: nameSchema.optional(), ...readOnlyMetadata }).optional(),
  spec: userSpec.extend({
    roles: rolesSchema.optional(),
    teams: teamsSchema.optional(),
    sso: ssoSchema.optional(),
  }),
  status: z.unknown().optional(),
});

/** The body of a change of password. */
export const passwordInputSchema = z.strictObject({ password: passwordSchema });

/** The body of a change of the own password. */
export const ownPasswordInputSchema = z.strictObject({
  current: z.string().max(513).meta({ title: "Current password" }),
  password: passwordSchema,
});

/**
 * A user as it may be shown: without anything of the password.
 * @param teamNames the names of teams by id; a team that is not in it is gone, and left out
 */
export function userView(row: UserRow, teamNames: ReadonlyMap<string, string>) {
  return {
    apiVersion,
    kind: "User" as const,
    metadata: {
      name: row.name,
      id: row.id as string,
      version: row.version,
      createdAt: new Date(row.createdAtMs).toISOString(),
      updatedAt: new Date(row.updatedAtMs).toISOString(),
    },
    spec: {
      ...(row.displayName === null ? {} : { displayName: row.displayName }),
      ...(row.email === null ? {} : { email: row.email }),
      disabled: row.disabled,
      roles: [...row.roles],
      teams: row.teams.flatMap(({ teamId, roles }) => {
        const team = teamNames.get(teamId);
        return team === undefined ? [] : [{ team, roles: [...roles] }];
      }),
      ...(row.ssoIssuer === null || row.ssoSubject === null
        ? {}
        : { sso: { issuer: row.ssoIssuer, subject: row.ssoSubject } }),
    },
    status: { hasPassword: row.passwordHash !== null },
  };
}
