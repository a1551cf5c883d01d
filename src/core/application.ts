import { z } from "zod";
import { limitAttachmentsSchema } from "./attachment.ts";
import { defineResource } from "./resource.ts";

/** A consumer of APIs: what keys are associated with and what subscribes. */
export const application = defineResource({
  kind: "Application",
  idKind: "application",
  path: "applications",
  title: "Application",
  summary: "A consumer of APIs: it holds subscriptions, and keys can be associated with it.",
  spec: z.strictObject({
    displayName: z.string().max(200).optional().meta({ title: "Display name" }),
    description: z.string().max(10_000).optional().meta({ title: "Description" }),
    policies: limitAttachmentsSchema,
  }),
  live: "at-once",
  references: () => [],
  examples: [
    { displayName: "Support bot" },
    { policies: [{ use: "token-limit", with: { tokens: 100_000, window: "day", per: "application" } }] },
  ],
});
