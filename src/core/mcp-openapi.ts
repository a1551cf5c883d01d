import { z } from "zod";
import { breakerSchema, httpUrlSchema, sameAsProductionSchema, timeoutsSchema } from "./api-spec.ts";
import { openApiToolsSchema } from "./openapi-tools.ts";
import { nameSchema } from "./resource.ts";
import { upstreamAuthSchema } from "./upstream-auth.ts";

const blockSchema = z
  .strictObject({
    url: httpUrlSchema.optional().meta({
      title: "Base URL",
      description: "Where the service is. May be absent where the description stands here and names its server.",
    }),
    auth: upstreamAuthSchema.optional(),
    timeouts: timeoutsSchema,
    breaker: breakerSchema,
  })
  .refine(({ url, auth }) => auth === undefined || url !== undefined, {
    path: ["url"],
    message: "needed where there are credentials: the description does not choose who gets them",
  });

const documentSchema = z.looseObject({ openapi: z.unknown() });

/** `spec.openapi`: a service described by OpenAPI, whose operations are tools. */
export const mcpOpenApiSchema = z
  .strictObject({
    document: documentSchema
      .optional()
      .meta({ title: "Document", description: "The OpenAPI description itself, 3.0 or later." }),
    url: httpUrlSchema.optional().meta({
      title: "Description's URL",
      description: "In place of `document`: it is fetched at each publication, and kept as it was then.",
    }),
    api: nameSchema.optional().meta({
      title: "REST API",
      description:
        "In place of `document`: a RestApi that is deployed here. Calls go through it, with its subscription, scopes, limits and policies.",
    }),
    follow: z.boolean().default(false).meta({
      title: "Follow",
      description: "Fetch other documents that the one at `url` refers to; from public addresses, or its own origin.",
    }),
    source: z
      .strictObject({
        url: z.string().max(2_000),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        others: z.record(z.string().max(2_000), z.looseObject({})).default({}),
      })
      .optional()
      .meta({
        title: "Source",
        description: "In revisions: where `document` was fetched, its hash, and the documents that it refers to.",
      }),
    ...openApiToolsSchema.shape,
    pageSize: z
      .int()
      .min(1)
      .max(10_000)
      .default(250)
      .meta({ title: "Page", description: "Tools in one answer to `tools/list`." }),
    production: blockSchema.optional(),
    sandbox: z.union([sameAsProductionSchema, blockSchema]).optional(),
  })
  .refine(({ document, url, api }) => [document, url, api].filter((each) => each !== undefined).length === 1, {
    path: ["document"],
    message: "say where the description is, by one of `document`, `url`, `api`",
  })
  .refine((spec) => (spec.api === undefined) === (spec.production !== undefined && spec.sandbox !== undefined), {
    path: ["production"],
    message: "`production` and `sandbox` say where the service is; with `api` the REST API itself says it",
  })
  .refine(({ api, production, sandbox }) => api === undefined || (production ?? sandbox) === undefined, {
    path: ["production"],
    message: "with `api` the REST API itself says where the service is",
  })
  .refine(({ url, production }) => url === undefined || production?.url !== undefined, {
    path: ["production", "url"],
    message: "needed where the description is fetched: it does not choose which hosts are called",
  })
  .refine(
    ({ url, sandbox }) =>
      url === undefined || sandbox === undefined || "sameAs" in sandbox || sandbox.url !== undefined,
    {
      path: ["sandbox", "url"],
      message: "needed where the description is fetched: it does not choose which hosts are called",
    },
  );

export type McpOpenApiSpec = z.output<typeof mcpOpenApiSchema>;

/** A description as it was fetched, with the documents that it refers to by their addresses. */
export interface FetchedDescription {
  readonly document: Readonly<Record<string, unknown>>;
  readonly others: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Of its text, hex. */
  readonly sha256: string;
}

/** Fetches a description. Throws `upstream.…`, and `resource.invalid` for what cannot be read. */
export type DescriptionFetcher = (url: string, follow: boolean) => Promise<FetchedDescription>;
