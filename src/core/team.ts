import { z } from "zod";
import { limitAttachmentsSchema } from "./attachment.ts";
import { defineResource } from "./resource.ts";

/** The unit of ownership. `default` is there from the beginning and cannot be deleted. */
export const team = defineResource({
  kind: "Team",
  idKind: "team",
  path: "teams",
  title: "Team",
  summary: "Owns resources; another team's private ones look as if they were not there.",
  spec: z.strictObject({
    displayName: z.string().max(200).optional().meta({ title: "Display name" }),
    description: z.string().max(10_000).optional().meta({ title: "Description" }),
    policies: limitAttachmentsSchema,
  }),
  live: "at-once",
  references: () => [],
  examples: [
    { displayName: "Payments" },
    { policies: [{ use: "cost-budget", with: { amount: "500.00", window: "month", per: "team" } }] },
  ],
});
