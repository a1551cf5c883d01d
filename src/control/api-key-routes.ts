import { z } from "zod";
import { apiKeyChangeDocumentSchema, apiKeyDocumentSchema, apiKeyView } from "../core/api-key-spec.ts";
import {
  associateApiKey,
  deleteApiKey,
  dissociateApiKey,
  generateApiKey,
  getApiKey,
  listApiKeys,
  revokeApiKey,
  updateApiKey,
} from "../core/api-keys.ts";
import { regenerateApiKey } from "../core/regenerate-api-key.ts";
import { nameSchema } from "../core/resource.ts";
import { apiKeyViewSchema, generatedApiKeySchema } from "./api-key-view-schema.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer, jsonAnswer, nameOf } from "./control-route.ts";
import { entityTag, expectedVersion, heededVersion } from "./entity-tag.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { parseInput } from "./parse-input.ts";
import { teamFilter } from "./resource-view.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

/** API-bound keys: a key's text is in the answer that makes it, and in no other. */
export function apiKeyRoutes(): readonly ControlRoute[] {
  return [
    listRoute(),
    generateRoute(),
    readRoute(),
    updateRoute(),
    deleteRoute(),
    regenerateRoute(),
    revokeRoute(),
    associateRoute(),
    dissociateRoute(),
  ];
}

const collection = "/api/v1/api-keys";
const one = `${collection}/{name}`;
const common = { tag: "ApiKey" } as const;

const view = schemaComponent("ApiKeyView", apiKeyViewSchema, "output");
const generated = schemaComponent("GeneratedApiKey", generatedApiKeySchema, "output");
const generateBody = schemaComponent("ApiKey", apiKeyDocumentSchema, "input");
const updateBody = schemaComponent("ApiKeyChange", apiKeyChangeDocumentSchema, "input");

const listQuery = pageQuery.extend({
  team: nameSchema.optional().meta({ title: "Team", description: "Only what this team owns." }),
  api: z
    .string()
    .max(100)
    .regex(/^(LlmApi|McpServer|RestApi)\/[a-z0-9-]+$/, "write LlmApi/name, McpServer/name or RestApi/name")
    .optional()
    .meta({ title: "API", description: "Only keys of this API: `LlmApi/chat`." }),
  application: nameSchema.optional().meta({ title: "Application", description: "Only keys associated with it." }),
});

const regenerateQuery = z.strictObject({
  overlapSeconds: z.coerce.number().int().min(0).max(2_592_000).optional().meta({
    title: "Overlap",
    description: "Seconds for which the old text goes on beside the new one; at most 30 days.",
  }),
});

const associateSchema = z.strictObject({ application: nameSchema.meta({ title: "Application" }) });
const associateBody = schemaComponent("Associate", associateSchema, "input");

function listRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: collection,
    operationId: "listApiKeys",
    access: { permission: "keys:read" },
    summary: "List the keys, masked, with their last use",
    query: listQuery,
    answers: { 200: { description: "A page.", schema: pageComponent(view), headers: ["Link"] } },
    async handle({ context, query, url }) {
      const [kind, name] = query.api?.split("/") ?? [];
      const filter = {
        ...(await teamFilter(context, query.team)),
        api: kind === undefined || name === undefined ? undefined : { kind, name },
        application: query.application,
      };
      const { rows, next } = await listApiKeys(context, filter, pageRequest(query));
      return pageAnswer(url, rows.map(apiKeyView), next);
    },
  });
}

function generateRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path: collection,
    operationId: "generateApiKey",
    access: { permission: "keys:write" },
    summary: "Generate a key; its text is shown this once",
    body: generateBody,
    answers: { 201: { description: "Generated.", schema: generated, headers: ["Location", "ETag"] } },
    async handle({ context, actor, body }) {
      const { row, key } = await generateApiKey(context, actor, await body());
      const headers = { location: `${collection}/${row.name}`, etag: entityTag(row.version) };
      return jsonAnswer(201, { ...apiKeyView(row), key }, headers);
    },
  });
}

function readRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: one,
    operationId: "getApiKey",
    access: { permission: "keys:read" },
    summary: "Read a key, masked, with its last use",
    answers: viewAnswers("The key."),
    handle: async (call) => viewAnswer(await getApiKey(call.context, nameOf(call))),
  });
}

function updateRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "put",
    path: one,
    operationId: "updateApiKey",
    access: { permission: "keys:write" },
    summary: "Change a key's bounds; what is left out stays",
    body: updateBody,
    ifMatch: "required",
    answers: viewAnswers("Changed."),
    async handle(call) {
      const seen = await expectedVersion(call.ifMatch, currentVersion(call));
      return viewAnswer(await updateApiKey(call.context, call.actor, nameOf(call), await call.body(), seen));
    },
  });
}

function deleteRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "delete",
    path: one,
    operationId: "deleteApiKey",
    access: { permission: "keys:write" },
    summary: "Delete a key; it stops working at once",
    ifMatch: "required",
    answers: { 204: { description: "Deleted." } },
    async handle(call) {
      const seen = await expectedVersion(call.ifMatch, currentVersion(call));
      await deleteApiKey(call.context, call.actor, nameOf(call), seen);
      return emptyAnswer();
    },
  });
}

function regenerateRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path: `${one}/regenerate`,
    operationId: "regenerateApiKey",
    access: { permission: "keys:write" },
    summary: "Give a key another text, shown this once; the old one stops working at once, or after an overlap",
    query: regenerateQuery,
    ifMatch: "optional",
    answers: { 200: { description: "Regenerated.", schema: generated, headers: ["ETag"] } },
    async handle(call) {
      const expectedVersion = await heededVersion(call.ifMatch, currentVersion(call));
      const { overlapSeconds } = call.query;
      const options = { expectedVersion, overlapSeconds };
      const { row, key } = await regenerateApiKey(call.context, call.actor, nameOf(call), options);
      return jsonAnswer(200, { ...apiKeyView(row), key }, { etag: entityTag(row.version) });
    },
  });
}

function revokeRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path: `${one}/revoke`,
    operationId: "revokeApiKey",
    access: { permission: "keys:write" },
    summary: "End a key for ever; it stays in the list",
    ifMatch: "optional",
    answers: viewAnswers("Revoked."),
    async handle(call) {
      const seen = await heededVersion(call.ifMatch, currentVersion(call));
      return viewAnswer(await revokeApiKey(call.context, call.actor, nameOf(call), seen));
    },
  });
}

function associateRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path: `${one}/associate`,
    operationId: "associateApiKey",
    access: { permission: "keys:write" },
    summary: "Make a key count for an application",
    body: associateBody,
    ifMatch: "optional",
    answers: viewAnswers("Associated."),
    async handle(call) {
      const { application } = parseInput(associateSchema, await call.body(), { code: "resource.invalid" });
      const seen = await heededVersion(call.ifMatch, currentVersion(call));
      return viewAnswer(await associateApiKey(call.context, call.actor, nameOf(call), application, seen));
    },
  });
}

function dissociateRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path: `${one}/dissociate`,
    operationId: "dissociateApiKey",
    access: { permission: "keys:write" },
    summary: "End a key's association with its application",
    ifMatch: "optional",
    answers: viewAnswers("Dissociated."),
    async handle(call) {
      const seen = await heededVersion(call.ifMatch, currentVersion(call));
      return viewAnswer(await dissociateApiKey(call.context, call.actor, nameOf(call), seen));
    },
  });
}

function viewAnswers(description: string): ControlRoute["answers"] {
  return { 200: { description, schema: view, headers: ["ETag"] } };
}

function viewAnswer(row: Parameters<typeof apiKeyView>[0]): Response {
  return jsonAnswer(200, apiKeyView(row), { etag: entityTag(row.version) });
}

function currentVersion(call: ControlCall): () => Promise<number> {
  return async () => (await getApiKey(call.context, nameOf(call))).version;
}
