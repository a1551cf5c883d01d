import { z } from "zod";
import type { CoreContext } from "../core/core-context.ts";
import { apiVersion, metadataSchema } from "../core/resource.ts";
import { deleteSecret, listSecrets, putSecret, secretInputSchema, secretView } from "../core/secrets.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer, jsonAnswer, nameOf } from "./control-route.ts";
import { entityTag, heededVersion } from "./entity-tag.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { parseInput } from "./parse-input.ts";
import { viewsWithTeams } from "./resource-view.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

/** Secrets go in and never come out: no answer holds a value. */
export function secretRoutes(): readonly ControlRoute[] {
  const common = { tag: "Secret" } as const;
  return [
    defineRoute({
      ...common,
      method: "get",
      path: "/api/v1/secrets",
      operationId: "listSecrets",
      access: { permission: "secrets:read" },
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
      access: { permission: "secrets:write" },
      summary: "Set a secret; gateways use the new value at once",
      body: putBody,
      ifMatch: "optional",
      answers: {
        200: { description: "Replaced.", schema: secret, headers: ["ETag"] },
        201: { description: "Created.", schema: secret, headers: ["ETag"] },
      },
      async handle({ context, actor, params, body, ifMatch }) {
        const { value, team } = parseInput(putSchema, await body(), { code: "resource.invalid" });
        const name = nameOf({ params });
        const seen = await heededVersion(ifMatch, storedVersion(context, name));
        const row = await putSecret(context, actor, { name, value, team }, seen);
        const [view] = await viewsWithTeams(context, [secretView(row)]);
        return jsonAnswer(row.version === 1 ? 201 : 200, view, { etag: entityTag(row.version) });
      },
    }),
    defineRoute({
      ...common,
      method: "delete",
      path: "/api/v1/secrets/{name}",
      operationId: "deleteSecret",
      access: { permission: "secrets:write" },
      summary: "Delete a secret",
      ifMatch: "optional",
      answers: { 204: { description: "Deleted." } },
      async handle({ context, actor, params, ifMatch }) {
        const name = nameOf({ params });
        await deleteSecret(context, actor, name, await heededVersion(ifMatch, storedVersion(context, name)));
        return emptyAnswer();
      },
    }),
  ];
}

// 0 is no version of a secret: `*` asks for one that is there (RFC 9110, 13.1.1), and 412 says that there is none.
function storedVersion({ catalog }: CoreContext, name: string): () => Promise<number> {
  return async () => (await catalog.read.secrets.find(name))?.version ?? 0;
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
