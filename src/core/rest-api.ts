import { z } from "zod";
import {
  commonApiFields,
  httpUrlSchema,
  sameAsProductionSchema,
  securityReferences,
  timeoutsSchema,
} from "./api-spec.ts";
import { defineResource } from "./resource.ts";
import { upstreamAuthSchema } from "./upstream-auth.ts";

const upstreamSchema = z
  .strictObject({ url: httpUrlSchema, auth: upstreamAuthSchema.optional(), timeouts: timeoutsSchema })
  .refine(({ auth }) => auth?.type !== "authorization-code", {
    path: ["auth", "type"],
    message: "nobody could consent: a REST API has no page to show",
  });

const restApiSpec = z.strictObject({
  ...commonApiFields,
  definition: z
    .looseObject({
      openapi: z
        .string()
        .regex(/^3\.[01]\.\d+$/, "OpenAPI 3.0 or 3.1")
        .optional(),
      swagger: z.literal("2.0").optional(),
      info: z.looseObject({ title: z.string(), version: z.string() }),
      paths: z.record(z.string(), z.unknown()).optional(),
    })
    .refine(({ openapi, swagger }) => (openapi === undefined) !== (swagger === undefined), {
      path: ["openapi"],
      message: "say which OpenAPI it is: `openapi` for 3.0 and 3.1, `swagger` for 2.0",
    })
    .meta({
      title: "Definition",
      description: "The OpenAPI document, kept as it is. Tools are made of 3.0 and 3.1 only.",
    }),
  upstream: z.strictObject({ production: upstreamSchema, sandbox: z.union([sameAsProductionSchema, upstreamSchema]) }),
});

export type RestApiSpec = z.output<typeof restApiSpec>;

/** A REST API with its OpenAPI document; MCP servers make tools of it. Its own context is not served yet. */
export const restApi = defineResource({
  kind: "RestApi",
  idKind: "restApi",
  path: "rest-apis",
  title: "REST API",
  summary: "A REST API in the catalogue, with its OpenAPI document.",
  spec: restApiSpec,
  live: "revision",
  references: securityReferences,
  examples: [
    {
      context: "/orders",
      definition: { openapi: "3.1.0", info: { title: "Orders", version: "1.0" }, paths: {} },
      upstream: { production: { url: "https://orders.example.com" }, sandbox: { sameAs: "production" } },
    },
  ],
});
