import { z } from "zod";
import { apiKeySchema } from "../core/api-key-spec.ts";
import { apiVersion, metadataSchema } from "../core/resource.ts";

/** An API key as every answer but the first shows it: masked. */
export const apiKeyViewSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal("ApiKey"),
  metadata: metadataSchema,
  spec: z.strictObject(apiKeySchema.shape).omit({ validitySeconds: true }),
  status: z.strictObject({
    masked: z.string().meta({ description: "The key's beginning, to tell keys apart." }),
    state: z.enum(["active", "revoked"]),
    revokedAt: z.iso.datetime().nullable(),
    lastUsedAt: z.iso
      .datetime()
      .nullable()
      .meta({ description: "The last use that gateways reported; null is never." }),
    previous: z
      .strictObject({ masked: z.string(), expiresAt: z.iso.datetime() })
      .optional()
      .meta({ description: "The value before the last regeneration, and until when it goes on beside the new one." }),
  }),
});

/** The answer that makes a key. */
export const generatedApiKeySchema = apiKeyViewSchema.extend({
  key: z.string().meta({ description: "The key itself: keep it now, it is never shown again." }),
});
