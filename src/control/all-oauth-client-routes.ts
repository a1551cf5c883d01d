import { z } from "zod";
import type { ClientChange } from "../core/manage-oauth-clients.ts";
import {
  associateOauthClient,
  dissociateOauthClient,
  listAllOauthClients,
  setOauthClientDisabled,
} from "../core/manage-oauth-clients.ts";
import type { NamedOauthClient } from "../core/oauth-client-names.ts";
import { oauthClientView } from "../core/oauth-client-spec.ts";
import { deleteOauthClient, getOauthClient } from "../core/oauth-clients.ts";
import { nameSchema } from "../core/resource.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer, jsonAnswer } from "./control-route.ts";
import { entityTag, expectedVersion, heededVersion } from "./entity-tag.ts";
import { oauthClientComponent } from "./oauth-client-view-schema.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { parseInput } from "./parse-input.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

/** Every OAuth client that the caller may see, also those that registered themselves and belong to no application. */
export function allOauthClientRoutes(): readonly ControlRoute[] {
  return [
    listRoute(),
    readRoute(),
    deleteRoute(),
    disabledRoute("disable", "Disable a client; it gets no tokens, and those that it has are dead"),
    disabledRoute("enable", "Enable a disabled client; it has to get new tokens"),
    associateRoute(),
    dissociateRoute(),
  ];
}

const collection = "/api/v1/oauth-clients";
const one = `${collection}/{id}`;
const common = { tag: "OauthClient" } as const;

const listQuery = pageQuery.extend({
  source: z.enum(["admin", "dynamic", "metadata-document"]).optional().meta({
    title: "Source",
    description: "Only clients that were made so: by administrators, by registration, by a metadata document.",
  }),
  disabled: z
    .enum(["true", "false"])
    .transform((text) => text === "true")
    .optional()
    .meta({ title: "Disabled", description: "Only disabled ones, or only the others." }),
  clientId: z.string().min(1).max(2_048).optional().meta({
    title: "Client id",
    description: "Only clients of this `client_id`; each key manager may have one.",
  }),
});

const associateSchema = z
  .strictObject({ application: nameSchema.meta({ title: "Application" }) })
  .meta({ examples: [{ application: "agents" }] });
const associateBody = schemaComponent("AssociateOauthClient", associateSchema, "input");

function listRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: collection,
    operationId: "listAllOauthClients",
    access: { permission: "oauth-clients:read" },
    summary: "List OAuth clients, those that registered themselves included",
    query: listQuery,
    answers: { 200: { description: "A page.", schema: pageComponent(oauthClientComponent), headers: ["Link"] } },
    async handle({ context, query, url }) {
      const { rows, next } = await listAllOauthClients(context, query, pageRequest(query));
      return pageAnswer(url, rows.map(oauthClientView), next);
    },
  });
}

function readRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: one,
    operationId: "getOauthClientById",
    access: { permission: "oauth-clients:read" },
    summary: "Read an OAuth client by its own id",
    answers: viewAnswers("The client."),
    handle: async (call) => viewAnswer(await getOauthClient(call.context, addressOf(call))),
  });
}

function deleteRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "delete",
    path: one,
    operationId: "deleteOauthClientById",
    access: { permission: "oauth-clients:write" },
    summary: "Delete an OAuth client; one that is known by its document may come back, unless it is disabled instead",
    ifMatch: "required",
    answers: { 204: { description: "Deleted." } },
    async handle(call) {
      const seen = await expectedVersion(call.ifMatch, currentVersion(call));
      await deleteOauthClient(call.context, call.actor, addressOf(call), seen);
      return emptyAnswer();
    },
  });
}

function disabledRoute(verb: "disable" | "enable", summary: string): ControlRoute {
  return changeRoute(verb, summary, async (call, change) =>
    setOauthClientDisabled(call.context, call.actor, change, verb === "disable"),
  );
}

function associateRoute(): ControlRoute {
  const summary = "Give a client that registered itself to an application, whose subscriptions then count for it";
  const route = changeRoute("associate", summary, async (call, change) => {
    const { application } = parseInput(associateSchema, await call.body(), { code: "resource.invalid" });
    return associateOauthClient(call.context, call.actor, change, application);
  });
  return { ...route, body: associateBody };
}

function dissociateRoute(): ControlRoute {
  return changeRoute("dissociate", "Take a client that registered itself from its application", async (call, change) =>
    dissociateOauthClient(call.context, call.actor, change),
  );
}

function changeRoute(
  verb: "disable" | "enable" | "associate" | "dissociate",
  summary: string,
  change: (call: ControlCall, change: ClientChange) => Promise<NamedOauthClient>,
): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path: `${one}/${verb}`,
    operationId: `${verb}OauthClient`,
    access: { permission: "oauth-clients:write" },
    summary,
    ifMatch: "optional",
    answers: viewAnswers("Done."),
    async handle(call) {
      const seen = await heededVersion(call.ifMatch, currentVersion(call));
      return viewAnswer(await change(call, { address: addressOf(call), expectedVersion: seen }));
    },
  });
}

function addressOf(call: Pick<ControlCall, "params">): { readonly id: string } {
  return { id: call.params["id"] ?? "" };
}

function viewAnswers(description: string): ControlRoute["answers"] {
  return { 200: { description, schema: oauthClientComponent, headers: ["ETag"] } };
}

function viewAnswer(row: NamedOauthClient): Response {
  return jsonAnswer(200, oauthClientView(row), { etag: entityTag(row.version) });
}

function currentVersion(call: ControlCall): () => Promise<number> {
  return async () => (await getOauthClient(call.context, addressOf(call))).version;
}
