import { z } from "zod";
import { nameSchema } from "./core/resource.ts";
import { roleNames } from "./core/roles.ts";
import { defaultSignIn } from "./core/sign-in-settings.ts";

const rolesSchema = z.array(z.enum(roleNames)).max(20);
const claimValueSchema = z.string().min(1).max(500);

const ssoSchema = z.strictObject({
  clientId: z
    .string()
    .min(1)
    .max(500)
    .meta({ title: "Client id", description: "Of the client that is registered there for the control plane." }),
  clientSecret: z
    .string()
    .min(1)
    .max(4_096)
    .optional()
    .meta({ title: "Client secret", description: "Absent for a public client, which PKCE protects." }),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/))
    .max(50)
    .default(["openid", "profile", "email"])
    .meta({ title: "Scopes" }),
  rolesClaim: z.string().min(1).max(200).default("groups").meta({
    title: "Roles claim",
    description: "A claim of the identity token, or a path with dots, whose values `roles` and `teams` name.",
  }),
  roles: z.record(claimValueSchema, rolesSchema).default({}).meta({
    title: "Roles",
    description: "Roles in the whole installation by the claim's values.",
  }),
  teams: z
    .record(claimValueSchema, z.array(z.strictObject({ team: nameSchema, roles: rolesSchema.min(1) })).max(200))
    .default({})
    .meta({ title: "Teams", description: "Roles for teams by the claim's values." }),
  createUsers: z
    .boolean()
    .default(false)
    .meta({ title: "Make users", description: "Makes a user at the first sign-in of somebody who gets any role." }),
});

/** Settings of signing in to the control plane. */
export const signInConfig = z
  .strictObject({
    idleMinutes: z
      .int()
      .min(1)
      .max(10_080)
      .default(defaultSignIn.idleMinutes)
      .meta({ title: "Idle time", description: "Minutes without a request after which a session ends." }),
    sessionHours: z
      .int()
      .min(1)
      .max(720)
      .default(defaultSignIn.sessionHours)
      .meta({ title: "Session", description: "Hours after which a session ends in any case." }),
    maxTokenDays: z
      .int()
      .min(1)
      .max(3_650)
      .default(defaultSignIn.maxTokenDays)
      .meta({ title: "Access tokens", description: "Days that an access token may last at most." }),
    sso: z.record(nameSchema, ssoSchema).default({}).meta({
      title: "Sign-in with key managers",
      description: "By the name of the key manager: the client to sign in with, and what claims give which roles.",
      secret: true,
    }),
  })
  .prefault({})
  .meta({ title: "Sign-in" });
