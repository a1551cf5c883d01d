import { z } from "zod";
import type { UserRow } from "./identity-tables.ts";
import { apiVersion, nameSchema } from "./resource.ts";
import { readOnlyMetadata } from "./resource-document.ts";

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

const head = { apiVersion: z.literal(apiVersion).optional(), kind: z.literal("User").optional() };

/** The body of a request for a user. */
export const userDocumentSchema = z
  .strictObject({
    ...head,
    metadata: z.strictObject({ name: nameSchema, ...readOnlyMetadata }),
    spec: userSpec.prefault({}),
    password: passwordSchema.optional(),
  })
  .meta({ examples: [{ metadata: { name: "alice" }, spec: { displayName: "Alice", email: "alice@example.com" } }] });

/** The body of a change to a user; what a reader was shown beside it may stay in it. */
export const userChangeDocumentSchema = z.strictObject({
  ...head,
  metadata: z.strictObject({ name: nameSchema.optional(), ...readOnlyMetadata }).optional(),
  spec: userSpec,
  status: z.unknown().optional(),
});

/** The body of a change of password. */
export const passwordInputSchema = z.strictObject({ password: passwordSchema });

/** A user as it may be shown: without anything of the password. */
export function userView(row: UserRow) {
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
    },
    status: { hasPassword: row.passwordHash !== null },
  };
}
