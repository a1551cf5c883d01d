import { z } from "zod";
import { isCidr } from "../kernel/cidr-set.ts";
import { maskApiKey } from "./api-key-format.ts";
import type { NamedApiKey } from "./api-key-names.ts";
import { environmentSchema } from "./environment.ts";
import { keyBudgetsSchema } from "./key-budget.ts";
import { keyLabelsSchema } from "./limit-labels.ts";
import { apiVersion, nameSchema } from "./resource.ts";
import { readOnlyMetadata } from "./resource-document.ts";
import { apiReferenceSchema } from "./subscription.ts";

const displayName = z.string().max(200).meta({ title: "Display name" });

const validitySeconds = z
  .int()
  .min(-1)
  .max(3_153_600_000)
  .refine((seconds) => seconds !== 0, "give seconds, or -1 for never")
  .meta({ title: "Validity", description: "Seconds from now; -1 is for ever. At most 100 years." });

const expiresAt = z.iso
  .datetime({ offset: true })
  .nullable()
  .meta({ title: "Expires at", description: "A moment in the future, RFC 3339; null is never." });

const permittedIps = z
  .array(z.string().max(64).refine(isCidr, "write an IPv4 or IPv6 address, or a network such as 10.0.0.0/8"))
  .max(100)
  .meta({ title: "Permitted addresses", description: "IPv4, IPv6 or CIDR; all when empty." });

// Host labels, a port, and path characters of RFC 3986; `*` only for all subdomains in front and all paths behind.
const referrerForm = /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?(\/[\w.~%!$&'()+,;=:@-]+)*(\/\*|\/)?$/i;

const permittedReferrers = z
  .array(
    z
      .string()
      .max(512)
      .regex(referrerForm, "write www.example.com/page, sub.example.com/* or *.example.com/*, without a scheme"),
  )
  .max(100)
  .meta({ title: "Permitted referrers", description: "Host and path, `*` for all below; all when empty." });

const allow = z
  .array(z.string().min(1).max(256))
  .min(1)
  .max(1_000)
  .meta({ title: "Operations", description: "Globs of models or tools that the key may call; all when absent." });

const oneExpiry = {
  test: (spec: { validitySeconds?: number | undefined; expiresAt?: string | null | undefined }): boolean =>
    spec.validitySeconds === undefined || spec.expiresAt === undefined,
  fault: { path: ["expiresAt"], message: "give validitySeconds or expiresAt, not both" },
};

/** The `spec` of a request for an API key. */
export const apiKeySchema = z
  .strictObject({
    displayName: displayName.optional(),
    api: apiReferenceSchema.optional().meta({
      title: "API",
      description: "The API that the key opens. Absent only where `legacyApplicationKeys` allows keys of applications.",
    }),
    environment: environmentSchema.meta({
      title: "Environment",
      description: "Which upstream the key leads to; it never reaches the other.",
    }),
    application: nameSchema
      .optional()
      .meta({ title: "Application", description: "Whose plan and analytics it counts for." }),
    validitySeconds: validitySeconds.optional(),
    expiresAt: expiresAt.optional(),
    permittedIps: permittedIps.default([]),
    permittedReferrers: permittedReferrers.default([]),
    allow: allow.nullable().optional(),
    budgets: keyBudgetsSchema.default([]),
  })
  .refine(oneExpiry.test, oneExpiry.fault);

export type ApiKeySpec = z.output<typeof apiKeySchema>;

/**
 * The `spec` of a change to a key: what is absent stays, so that leaving out a bound never lifts it. What the key is
 * bound to may be repeated, not changed.
 */
export const apiKeyChangeSchema = z
  .strictObject({
    displayName: displayName.nullable().optional(),
    api: apiReferenceSchema.optional(),
    environment: environmentSchema.optional(),
    application: nameSchema.nullable().optional(),
    validitySeconds: validitySeconds.optional(),
    expiresAt: expiresAt.optional(),
    permittedIps: permittedIps.optional(),
    permittedReferrers: permittedReferrers.optional(),
    allow: allow.nullable().optional(),
    budgets: keyBudgetsSchema.optional(),
  })
  .refine(oneExpiry.test, oneExpiry.fault);

export type ApiKeyChange = z.output<typeof apiKeyChangeSchema>;

const metadata = z.strictObject({
  name: nameSchema.optional().meta({ title: "Name", description: "Made up when absent." }),
  team: nameSchema.default("default").meta({ title: "Team", description: "The team of the API and the application." }),
  labels: keyLabelsSchema.optional(),
  ...readOnlyMetadata,
});

/** The body of a request for an API key. */
export const apiKeyDocumentSchema = z.strictObject({
  apiVersion: z.literal(apiVersion).optional(),
  kind: z.literal("ApiKey").optional(),
  metadata: metadata.prefault({}),
  spec: apiKeySchema,
});

/** The body of a change to an API key; what a reader was shown beside it may stay in it. */
export const apiKeyChangeDocumentSchema = z.strictObject({
  apiVersion: z.literal(apiVersion).optional(),
  kind: z.literal("ApiKey").optional(),
  metadata: metadata.extend({ team: nameSchema.optional() }).optional(),
  spec: apiKeyChangeSchema,
  status: z.unknown().optional(),
});

/** An API key as it may be shown: masked, without its hash. The file form, and what the control plane knows in `status`. */
export function apiKeyView(row: NamedApiKey) {
  return {
    apiVersion,
    kind: "ApiKey" as const,
    metadata: {
      name: row.name,
      team: row.team,
      ...(Object.keys(row.labels).length === 0 ? {} : { labels: row.labels }),
      id: row.id as string,
      version: row.version,
      createdAt: isoTime(row.createdAtMs),
      updatedAt: isoTime(row.updatedAtMs),
    },
    spec: {
      ...(row.displayName === null ? {} : { displayName: row.displayName }),
      ...(row.api === null ? {} : { api: row.api }),
      environment: row.environment,
      ...(row.application === null ? {} : { application: row.application }),
      expiresAt: row.expiresAtMs === null ? null : isoTime(row.expiresAtMs),
      permittedIps: row.permittedIps,
      permittedReferrers: row.permittedReferrers,
      allow: row.allow,
      budgets: row.budgets,
    },
    status: {
      masked: maskApiKey(row.publicId),
      state: row.revokedAtMs === null ? ("active" as const) : ("revoked" as const),
      revokedAt: row.revokedAtMs === null ? null : isoTime(row.revokedAtMs),
      lastUsedAt: row.lastUsedAtMs === null ? null : isoTime(row.lastUsedAtMs),
      ...(row.previous === undefined
        ? {}
        : {
            previous: { masked: maskApiKey(row.previous.publicId), expiresAt: isoTime(row.previous.expiresAtMs) },
          }),
    },
  };
}

/** What `apiKeyView` gives: plain JSON. */
export type ApiKeyView = ReturnType<typeof apiKeyView>;

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
