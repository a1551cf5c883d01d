import { z } from "zod";
import type { ApiId } from "../kernel/ids.ts";

const labels = z.record(z.string().max(256), z.string().max(8_192));

/** A request that is routed and not sent. */
export const routeTestInputSchema = z.strictObject({
  endpoint: z.enum(["chat/completions", "responses", "messages", "embeddings"]).default("chat/completions").meta({
    title: "Endpoint",
    description: "Where a client would send it, below `/v1/`.",
  }),
  request: z.looseObject({}).meta({ title: "Request", description: "Its body, as a client would send it." }),
  environment: z.enum(["production", "sandbox"]).default("production").meta({
    title: "Environment",
    description: "Whose targets: that of the key.",
  }),
  headers: labels.default({}).meta({ title: "Headers", description: "Of the client, by name." }),
  query: z.string().max(8_192).default("").meta({ title: "Query", description: "Without the question mark." }),
  claims: z.record(z.string().max(256), z.unknown()).default({}).meta({
    title: "Claims",
    description: "Of the caller's token.",
  }),
});

export type RouteTestInput = z.output<typeof routeTestInputSchema>;

/** Where a request would go, and why. */
export const routeTestSchema = z.strictObject({
  targets: z.array(z.string()).meta({ description: "Ids, in the order in which they would be tried." }),
  refusal: z
    .strictObject({ code: z.string(), message: z.string() })
    .nullable()
    .meta({ description: "Why nothing would be tried." }),
  strategy: z.string().nullable().meta({ description: "That has decided; null where there was one target only." }),
  route: z.string().nullable().meta({ description: "The named route; null for the default." }),
  reason: z.string().nullable(),
  scores: z.array(z.strictObject({ route: z.string(), score: z.number() })),
  gates: z.array(z.strictObject({ target: z.string(), gate: z.string() })).meta({
    description: "Targets that were left out before, and why.",
  }),
  tookMs: z.number().nullable(),
  configHash: z.string().meta({ description: "Of what was deployed." }),
});

export type RouteTest = z.output<typeof routeTestSchema>;

/**
 * Routes a request by what is deployed, and sends it nowhere; a strategy that asks an embedder or a model does. Policies do
 * not run, and nothing is counted. Throws `resource.conflict` for an API that is not deployed, `request.invalid` for a
 * request that its endpoint would refuse.
 */
export type RouteTester = (api: ApiId, input: RouteTestInput) => Promise<RouteTest>;
