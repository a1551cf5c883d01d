import { z } from "zod";
import { defineResource, nameSchema } from "./resource.ts";

export const apiReferenceSchema = z
  .strictObject({
    kind: z.enum(["LlmApi", "McpServer", "RestApi"]).meta({ title: "Kind" }),
    name: nameSchema,
  })
  .meta({ title: "API" });

const subscriptionSpec = z.strictObject({
  application: nameSchema.meta({ title: "Application", description: "Who subscribes." }),
  api: apiReferenceSchema,
  plan: nameSchema.meta({ title: "Plan", description: "How much is granted." }),
  state: z.enum(["active", "blocked", "on-hold", "suspended"]).default("active").meta({
    title: "State",
    description:
      "Only an active one grants anything; under `blocked` and `on-hold` the API is closed to the application. `suspended` is an older word for `on-hold`.",
  }),
});

export type SubscriptionSpec = z.output<typeof subscriptionSpec>;

/** How a subscription stands, in the words of today. */
export type SubscriptionState = Exclude<SubscriptionSpec["state"], "suspended">;

/** An application's right to call an API under a plan; one per application and API. */
export const subscription = defineResource({
  kind: "Subscription",
  idKind: "subscription",
  path: "subscriptions",
  title: "Subscription",
  summary: "An application's right to call an API under a plan.",
  spec: subscriptionSpec,
  live: "at-once",
  references: (spec) => [
    { kind: "Application", name: spec.application, path: "spec.application" },
    { kind: spec.api.kind, name: spec.api.name, path: "spec.api" },
    { kind: "Plan", name: spec.plan, path: "spec.plan" },
  ],
  examples: [{ application: "support-bot", api: { kind: "LlmApi", name: "chat" }, plan: "gold" }],
});
