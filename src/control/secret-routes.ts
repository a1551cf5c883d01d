import { z } from "zod";
import { apiVersion, metadataSchema } from "../core/resource.ts";
import { deleteSecret, listSecrets, putSecret, secretInputSchema, secretView } from "../core/secrets.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer, jsonAnswer, nameOf } from "./control-route.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { parseInput } from "./parse-input.ts";
import { viewsWithTeams } from "./resource-view.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

/** Secrets go in and never come out: no answer holds a value. */
export function secretRoutes(): readonly ControlRoute[] {
  const common = { access: "admin", tag: "Secret" } as const;
  return [
    defineRoute({
      ...common,
      method: "get",
      path: "/api/v1/secrets",
      operationId: "listSecrets",
      summary: "List the secrets, without their values",
      query: pageQuery,
      answers: { 200: { description: "A page.", schema: pageComponent(secret), headers: ["Link"] } },
      async handle({ context, query, url }) {
        const { rows, next } = await listSecrets(context, pageRequest(query));
        return pageAnswer(url, await viewsWithTeams(context, rows.map(secretView)), next);
      },
    }),
    defineRoute({
      ...common,
      method: "put",
      path: "/api/v1/secrets/{name}",
      operationId: "putSecret",
      summary: "Set a secret; gateways use the new value at once",
      body: putBody,
      answers: {
        200: { description: "Replaced.", schema: secret },
        201: { description: "Created.", schema: secret },
      },
      async handle({ context, actor, params, body }) {
        const { value, team } = parseInput(putSchema, await body(), { code: "resource.invalid" });
        const row = await putSecret(context, actor, { name: nameOf({ params }), value, team });
        const [view] = await viewsWithTeams(context, [secretView(row)]);
        return jsonAnswer(row.version === 1 ? 201 : 200, view);
      },
    }),
    defineRoute({
      ...common,
      method: "delete",
      path: "/api/v1/secrets/{name}",
      operationId: "deleteSecret",
      summary: "Delete a secret",
      answers: { 204: { description: "Deleted." } },
      async handle({ context, actor, params }) {
        await deleteSecret(context, actor, nameOf({ params }));
        return emptyAnswer();
      },
    }),
  ];
}

const putSchema = secretInputSchema.omit({ name: true });
const putBody = schemaComponent("SecretValue", putSchema, "input");

/** A secret as every answer shows it. */
export const secretViewSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal("Secret"),
  metadata: metadataSchema.omit({ labels: true }),
});
const secret = schemaComponent("SecretView", secretViewSchema, "output");
