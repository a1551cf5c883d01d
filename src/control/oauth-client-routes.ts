import { z } from "zod";
import type { GeneratedClientSecret } from "../core/client-secrets.ts";
import {
  clientSecretView,
  generateClientSecret,
  listClientSecrets,
  revokeClientSecret,
} from "../core/client-secrets.ts";
import type { ClientAddress } from "../core/oauth-client-address.ts";
import type { NamedOauthClient } from "../core/oauth-client-names.ts";
import {
  clientSecretSchema,
  oauthClientChangeDocumentSchema,
  oauthClientDocumentSchema,
  oauthClientView,
} from "../core/oauth-client-spec.ts";
import {
  createOauthClient,
  deleteOauthClient,
  getOauthClient,
  listOauthClients,
  replaceOauthClient,
} from "../core/oauth-clients.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer, jsonAnswer, nameOf } from "./control-route.ts";
import { entityTag, expectedVersion } from "./entity-tag.ts";
import {
  clientSecretListSchema,
  createdOauthClientSchema,
  generatedClientSecretSchema,
  oauthClientComponent,
} from "./oauth-client-view-schema.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

/** OAuth clients of applications: a secret's text is in the answer that makes it, and in no other. */
export function oauthClientRoutes(): readonly ControlRoute[] {
  return [
    listRoute(),
    createRoute(),
    readRoute(),
    updateRoute(),
    deleteRoute(),
    listSecretsRoute(),
    generateSecretRoute(),
    deleteSecretRoute(),
  ];
}

const collection = "/api/v1/applications/{name}/oauth-clients";
const one = `${collection}/{clientId}`;
const common = { tag: "OauthClient" } as const;

const view = oauthClientComponent;
const created = schemaComponent("CreatedOauthClient", createdOauthClientSchema, "output");
const createBody = schemaComponent("OauthClient", oauthClientDocumentSchema, "input");
const updateBody = schemaComponent("OauthClientChange", oauthClientChangeDocumentSchema, "input");
const secretBody = schemaComponent("ClientSecret", clientSecretSchema, "input");
const secretList = schemaComponent("ClientSecretList", clientSecretListSchema, "output");
const generatedSecret = schemaComponent("GeneratedClientSecret", generatedClientSecretSchema, "output");

const flag = (title: string, description: string) =>
  z
    .enum(["true", "false"])
    .default("false")
    .transform((text) => text === "true")
    .meta({ title, description });

function listRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: collection,
    operationId: "listOauthClients",
    access: { permission: "oauth-clients:read" },
    summary: "List the OAuth clients of an application",
    query: pageQuery,
    answers: { 200: { description: "A page.", schema: pageComponent(view), headers: ["Link"] } },
    async handle(call) {
      const { rows, next } = await listOauthClients(call.context, nameOf(call), pageRequest(call.query));
      return pageAnswer(call.url, rows.map(oauthClientView), next);
    },
  });
}

function createRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path: collection,
    operationId: "createOauthClient",
    access: { permission: "oauth-clients:write" },
    summary: "Make an OAuth client; its first secret is shown this once",
    body: createBody,
    answers: { 201: { description: "Made.", schema: created, headers: ["Location", "ETag"] } },
    async handle(call) {
      const { context, actor, body } = call;
      const { row, secret } = await createOauthClient(context, actor, nameOf(call), await body());
      const path = `/api/v1/applications/${nameOf(call)}/oauth-clients/${encodeURIComponent(row.clientId)}`;
      const answer = { ...oauthClientView(row), secret: secret === undefined ? null : secretAnswer(call, secret) };
      return jsonAnswer(201, answer, { location: path, etag: entityTag(row.version) });
    },
  });
}

function readRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: one,
    operationId: "getOauthClient",
    access: { permission: "oauth-clients:read" },
    summary: "Read an OAuth client",
    answers: viewAnswers("The client."),
    handle: async (call) => viewAnswer(await getOauthClient(call.context, addressOf(call))),
  });
}

function updateRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "put",
    path: one,
    operationId: "updateOauthClient",
    access: { permission: "oauth-clients:write" },
    summary: "Replace what may be changed of an OAuth client",
    body: updateBody,
    ifMatch: "required",
    answers: viewAnswers("Changed."),
    async handle(call) {
      const seen = await expectedVersion(call.ifMatch, currentVersion(call));
      return viewAnswer(await replaceOauthClient(call.context, call.actor, addressOf(call), await call.body(), seen));
    },
  });
}

function deleteRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "delete",
    path: one,
    operationId: "deleteOauthClient",
    access: { permission: "oauth-clients:write" },
    summary: "Delete an OAuth client; its tokens are refused from then on",
    ifMatch: "required",
    answers: { 204: { description: "Deleted." } },
    async handle(call) {
      const seen = await expectedVersion(call.ifMatch, currentVersion(call));
      await deleteOauthClient(call.context, call.actor, addressOf(call), seen);
      return emptyAnswer();
    },
  });
}

function listSecretsRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: `${one}/secrets`,
    operationId: "listClientSecrets",
    access: { permission: "oauth-clients:read" },
    summary: "List a client's secrets, masked, with their last use",
    answers: { 200: { description: "All of them, oldest first.", schema: secretList } },
    async handle(call) {
      const nowMs = call.context.clock.now();
      const rows = await listClientSecrets(call.context, addressOf(call));
      return jsonAnswer(200, { items: rows.map((row) => clientSecretView(row, nowMs)) });
    },
  });
}

function generateSecretRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path: `${one}/secrets`,
    operationId: "generateClientSecret",
    access: { permission: "oauth-clients:write" },
    summary: "Give a client another secret, shown this once; `overlapSeconds` ends the ones before",
    body: secretBody,
    answers: { 201: { description: "Generated.", schema: generatedSecret } },
    async handle(call) {
      const { context, actor, body } = call;
      const generated = await generateClientSecret(context, actor, addressOf(call), await body());
      return jsonAnswer(201, secretAnswer(call, generated));
    },
  });
}

function deleteSecretRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "delete",
    path: `${one}/secrets/{secretId}`,
    operationId: "revokeClientSecret",
    access: { permission: "oauth-clients:write" },
    summary: "End a secret at once; it stays in the list for a while",
    query: z.strictObject({
      revokeTokens: flag("Tokens too", "Ends the tokens that were got with it as well."),
      force: flag("Force", "Ends the newest secret that works too."),
    }),
    answers: { 204: { description: "Ended." } },
    async handle(call) {
      const secretId = call.params["secretId"] ?? "";
      await revokeClientSecret(call.context, call.actor, addressOf(call), secretId, call.query);
      return emptyAnswer();
    },
  });
}

function addressOf(call: Pick<ControlCall, "params">): ClientAddress {
  return { application: nameOf(call), clientId: call.params["clientId"] ?? "" };
}

function secretAnswer({ context }: Pick<ControlCall, "context">, { row, secretValue }: GeneratedClientSecret): object {
  return { ...(row === undefined ? { secretId: null } : clientSecretView(row, context.clock.now())), secretValue };
}

function viewAnswers(description: string): ControlRoute["answers"] {
  return { 200: { description, schema: view, headers: ["ETag"] } };
}

function viewAnswer(row: NamedOauthClient): Response {
  return jsonAnswer(200, oauthClientView(row), { etag: entityTag(row.version) });
}

function currentVersion(call: ControlCall): () => Promise<number> {
  return async () => (await getOauthClient(call.context, addressOf(call))).version;
}
