import { z } from "zod";
import { buildArtifactSet } from "../core/artifact-set.ts";
import { errorCodes } from "../kernel/error-codes.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { schemaComponent } from "./schema-component.ts";

/** What runs here, and the list of errors. */
export function statusRoutes(): readonly ControlRoute[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/v1/status",
      access: "admin",
      tag: "Installation",
      operationId: "getStatus",
      summary: "Version, addresses and the hash of the live configuration",
      answers: { 200: { description: "The installation.", schema: status } },
      async handle({ context, options: { version, gatewayUrl, controlUrl, servedKinds, ready } }) {
        const { hash } = await buildArtifactSet(context.catalog.read);
        return jsonAnswer(200, { version, configHash: hash, ready: ready(), gatewayUrl, controlUrl, servedKinds });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/v1/problems",
      access: "public",
      tag: "Installation",
      operationId: "listProblems",
      summary: "Every error code; a problem's `type` leads here",
      answers: { 200: { description: "Status, title and whether trying again may help, by code.", schema: problems } },
      handle: async () => jsonAnswer(200, errorCodes),
    }),
  ];
}

/** What the status answers. */
export const statusSchema = z.strictObject({
  version: z.string(),
  configHash: z.string().meta({ description: "Names the whole live configuration; analytics rows carry it." }),
  ready: z.boolean(),
  gatewayUrl: z.url(),
  controlUrl: z.url(),
  servedKinds: z.array(z.string()).meta({ description: "Kinds of API that the gateway serves." }),
});
const status = schemaComponent("Status", statusSchema, "output");

const problemsSchema = z.record(z.string(), z.strictObject({ status: z.int(), title: z.string(), retry: z.boolean() }));
const problems = schemaComponent("Problems", problemsSchema, "output");
