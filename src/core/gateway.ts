import { z } from "zod";
import { attachmentsSchema } from "./attachment.ts";
import { labelSourcesSchema } from "./limit-labels.ts";
import { defineResource } from "./resource.ts";

const gatewaySpec = z.strictObject({
  description: z.string().max(10_000).optional().meta({ title: "Description" }),
  policies: attachmentsSchema,
  labels: labelSourcesSchema,
});

export type GatewaySpec = z.output<typeof gatewaySpec>;

/** What holds for every API of the gateway. The one named `default` is there from the beginning. */
export const gateway = defineResource({
  kind: "Gateway",
  idKind: "gateway",
  path: "gateways",
  title: "Gateway",
  summary: "Policies that hold for every API, before the API's own.",
  spec: gatewaySpec,
  live: "at-once",
  references: () => [],
  examples: [
    { policies: [] },
    { labels: { fromClaims: { department: "dept" }, fromHeaders: { project: "x-project" } } },
  ],
});
