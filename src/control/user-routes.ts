import { z } from "zod";
import type { CoreContext } from "../core/core-context.ts";
import type { UserRow } from "../core/identity-tables.ts";
import { apiVersion, metadataSchema } from "../core/resource.ts";
import { passwordInputSchema, userChangeDocumentSchema, userDocumentSchema, userView } from "../core/user-spec.ts";
import { createUser, deleteUser, getUser, listUsers, replaceUser, setPassword } from "../core/users.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer, jsonAnswer, nameOf } from "./control-route.ts";
import { entityTag, expectedVersion, heededVersion } from "./entity-tag.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { teamNames } from "./resource-view.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

/** Users: passwords go in and never come out. */
export function userRoutes(): readonly ControlRoute[] {
  return [listRoute(), createRoute(), readRoute(), updateRoute(), deleteRoute(), passwordRoute()];
}

const collection = "/api/v1/users";
const one = `${collection}/{name}`;
const common = { tag: "User" } as const;

/** A user as every answer shows it. */
export const userViewSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal("User"),
  metadata: metadataSchema.omit({ labels: true, team: true }),
  spec: z.strictObject(userChangeDocumentSchema.shape.spec.shape),
  status: z.strictObject({
    hasPassword: z.boolean().meta({ description: "Without one, nobody logs in as this user." }),
  }),
});

const view = schemaComponent("UserView", userViewSchema, "output");
const createBody = schemaComponent("User", userDocumentSchema, "input");
const updateBody = schemaComponent("UserChange", userChangeDocumentSchema, "input");
const passwordBody = schemaComponent("Password", passwordInputSchema, "input");

function listRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: collection,
    operationId: "listUsers",
    access: { permission: "users:read" },
    summary: "List the users",
    query: pageQuery,
    answers: { 200: { description: "A page.", schema: pageComponent(view), headers: ["Link"] } },
    async handle({ context, query, url }) {
      const { rows, next } = await listUsers(context, pageRequest(query));
      return pageAnswer(url, await userViews(context, rows), next);
    },
  });
}

function createRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path: collection,
    operationId: "createUser",
    access: { permission: "users:write" },
    summary: "Make a user",
    body: createBody,
    answers: { 201: { description: "Made.", schema: view, headers: ["Location", "ETag"] } },
    async handle({ context, actor, body }) {
      const row = await createUser(context, actor, await body());
      const headers = { location: `${collection}/${row.name}`, etag: entityTag(row.version) };
      const [made] = await userViews(context, [row]);
      return jsonAnswer(201, made, headers);
    },
  });
}

function readRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: one,
    operationId: "getUser",
    access: { permission: "users:read" },
    summary: "Read a user",
    answers: viewAnswers("The user."),
    handle: async (call) => viewAnswer(call, await getUser(call.context, nameOf(call))),
  });
}

function updateRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "put",
    path: one,
    operationId: "updateUser",
    access: { permission: "users:write" },
    summary: "Replace what is known of a user; `disabled` ends their tokens too",
    body: updateBody,
    ifMatch: "required",
    answers: viewAnswers("Changed."),
    async handle(call) {
      const seen = await expectedVersion(call.ifMatch, currentVersion(call));
      return viewAnswer(call, await replaceUser(call.context, call.actor, nameOf(call), await call.body(), seen));
    },
  });
}

function deleteRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "delete",
    path: one,
    operationId: "deleteUser",
    access: { permission: "users:write" },
    summary: "Delete a user and end their tokens",
    ifMatch: "required",
    answers: { 204: { description: "Deleted." } },
    async handle(call) {
      const seen = await expectedVersion(call.ifMatch, currentVersion(call));
      await deleteUser(call.context, call.actor, nameOf(call), seen);
      return emptyAnswer();
    },
  });
}

function passwordRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path: `${one}/password`,
    operationId: "setPassword",
    access: { permission: "users:write" },
    summary: "Give a user a password, in place of any before",
    body: passwordBody,
    ifMatch: "optional",
    answers: { 204: { description: "Set." } },
    async handle(call) {
      const seen = await heededVersion(call.ifMatch, currentVersion(call));
      await setPassword(call.context, call.actor, nameOf(call), await call.body(), seen);
      return emptyAnswer();
    },
  });
}

function viewAnswers(description: string): ControlRoute["answers"] {
  return { 200: { description, schema: view, headers: ["ETag"] } };
}

async function viewAnswer({ context }: ControlCall, row: UserRow): Promise<Response> {
  const [view] = await userViews(context, [row]);
  return jsonAnswer(200, view, { etag: entityTag(row.version) });
}

/** Users as every answer shows them. */
export async function userViews(context: CoreContext, rows: readonly UserRow[]): Promise<readonly object[]> {
  const names = await teamNames(
    context,
    rows.flatMap((row) => row.teams.map(({ teamId }) => teamId)),
  );
  return rows.map((row) => userView(row, names));
}

function currentVersion(call: ControlCall): () => Promise<number> {
  return async () => (await getUser(call.context, nameOf(call))).version;
}
