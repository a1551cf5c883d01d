import { z } from "zod";
import { commonApiFields, securityReferences } from "./api-spec.ts";
import { asyncChannelFaults } from "./async-channels.ts";
import { defineResource } from "./resource.ts";

const definitionSchema = z
  .looseObject({
    asyncapi: z
      .string()
      .regex(/^(2\.[0-6]|3\.[01])\.\d+$/, "AsyncAPI 2.x, 3.0 or 3.1")
      .default("3.0.0"),
    info: z.looseObject({ title: z.string(), version: z.string() }),
    channels: z.record(z.string(), z.unknown()).optional(),
    operations: z.record(z.string(), z.unknown()).optional(),
  })
  .superRefine((document, context) => {
    for (const { path, message } of asyncChannelFaults(document))
      context.addIssue({ code: "custom", path: [...path], message });
  });

const asyncApiSpec = z.strictObject({
  ...commonApiFields,
  definition: definitionSchema.meta({
    title: "Definition",
    description:
      "The AsyncAPI document, 2.x or 3.x, kept as it is; one that does not say which is of 3.0. Each operation of 3.x leads to a channel of the document.",
  }),
});

export type AsyncApiSpec = z.output<typeof asyncApiSpec>;

/** An API of messages with its AsyncAPI document. It is an entry of the catalogue: no gateway serves it. */
export const asyncApi = defineResource({
  kind: "AsyncApi",
  idKind: "asyncApi",
  path: "async-apis",
  title: "API of messages",
  summary: "An API of messages in the catalogue, with its AsyncAPI document.",
  spec: asyncApiSpec,
  live: "revision",
  references: securityReferences,
  examples: [
    {
      context: "/orders-events",
      definition: {
        asyncapi: "3.0.0",
        info: { title: "Order events", version: "1.0" },
        channels: { placed: { address: "orders/placed" } },
        operations: { tellPlaced: { action: "send", channel: { $ref: "#/channels/placed" } } },
      },
    },
  ],
});
