import { z } from "zod";
import { oauthClientChangeSchema } from "../core/oauth-client-spec.ts";
import { apiVersion, metadataSchema, nameSchema } from "../core/resource.ts";
import { schemaComponent } from "./schema-component.ts";

const time = z.iso.datetime();

/** A secret of a client as every answer but the first shows it: masked. */
export const clientSecretViewSchema = z.strictObject({
  secretId: z.string().meta({ description: "Tokens that were got with it carry this id." }),
  masked: z.string().meta({ description: "The secret's beginning, to tell secrets apart." }),
  description: z.string().nullable(),
  state: z.enum(["active", "expired", "revoked"]),
  createdAt: time,
  expiresAt: time.nullable().meta({ description: "Null is never." }),
  revokedAt: time.nullable(),
  lastUsedAt: time.nullable().meta({ description: "The last token that was got with it; null is never." }),
});

/** The answer that makes a secret. Of one that a key manager elsewhere keeps, only the value is known. */
export const generatedClientSecretSchema = clientSecretViewSchema.partial().extend({
  secretId: z.string().nullable().meta({ description: "Null where a key manager elsewhere keeps the secrets." }),
  secretValue: z.string().meta({ description: "The secret itself: keep it now, it is never shown again." }),
});

/** All secrets of a client. */
export const clientSecretListSchema = z.strictObject({ items: z.array(clientSecretViewSchema) });

/** A client as every answer shows it. */
export const oauthClientViewSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal("OauthClient"),
  metadata: metadataSchema.omit({ labels: true }).extend({ application: nameSchema.nullable() }),
  spec: z.strictObject(oauthClientChangeSchema.shape),
  status: z.strictObject({
    source: z.enum(["admin", "dynamic", "metadata-document"]).meta({ description: "Who made it." }),
    disabled: z.boolean().meta({ description: "It gets no tokens, and those that it has are refused." }),
  }),
});

/** As the documentation shows it. */
export const oauthClientComponent = schemaComponent("OauthClientView", oauthClientViewSchema, "output");

/** The answer that makes a client. */
export const createdOauthClientSchema = oauthClientViewSchema.extend({
  secret: generatedClientSecretSchema.nullable().meta({ description: "Its first secret; null of a public client." }),
});
