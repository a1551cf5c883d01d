import { z } from "zod";
import type { AccessTokenRow } from "../core/access-tables.ts";
import { maskAccessToken } from "../core/access-token-format.ts";
import { accessTokenInputSchema, createAccessToken, revokeAccessToken } from "../core/access-tokens.ts";
import type { CoreContext } from "../core/core-context.ts";
import { allPermissions } from "../core/roles.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer, jsonAnswer } from "./control-route.ts";
import { pageAnswer, pageRequest } from "./page-query.ts";
import { teamNames } from "./resource-view.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";
import { listedUser, signInQuery, userNames } from "./sign-in-list.ts";

/** Access tokens for this API: a token's text is in the answer that makes it, and in no other. */
export function accessTokenRoutes(): readonly ControlRoute[] {
  return [listRoute(), createRoute(), revokeRoute()];
}

const collection = "/api/v1/access-tokens";
const common = { tag: "AccessToken" } as const;

/** A token as a list shows it. */
export const accessTokenViewSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  user: z.string(),
  masked: z.string(),
  permissions: z
    .array(z.enum(allPermissions))
    .nullable()
    .meta({ description: "What it may do of what its user may; null for all of it." }),
  teams: z.array(z.string()).nullable().meta({ description: "The teams that it is for; null for all." }),
  state: z.enum(["active", "expired", "revoked"]),
  createdBy: z.string().meta({ description: "The id of whoever made it." }),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime().nullable(),
});

const view = schemaComponent("AccessToken", accessTokenViewSchema, "output");
const made = schemaComponent("MadeAccessToken", accessTokenViewSchema.extend({ token: z.string() }), "output");
const createBody = schemaComponent("AccessTokenInput", accessTokenInputSchema, "input");

function listRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: collection,
    operationId: "listAccessTokens",
    access: { permission: "account:self" },
    summary: "List your access tokens, or those of a user whom you may see",
    query: signInQuery,
    answers: { 200: { description: "A page.", schema: pageComponent(view), headers: ["Link"] } },
    async handle(call) {
      const owner = await listedUser(call, call.query.user);
      const { rows, next } = await call.context.catalog.read.accessTokens.list(owner, pageRequest(call.query));
      return pageAnswer(call.url, await viewsOf(call.context, rows), next);
    },
  });
}

function createRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path: collection,
    operationId: "createAccessToken",
    access: { permission: "account:self" },
    summary: "Make an access token; its text is shown this once",
    body: createBody,
    answers: { 201: { description: "Made.", schema: made } },
    async handle({ context, actor, caller, body }) {
      const maker = { user: caller?.user, token: caller?.token };
      const { row, token } = await createAccessToken(context, actor, maker, await body());
      const [shown] = await viewsOf(context, [row]);
      return jsonAnswer(201, { ...shown, token });
    },
  });
}

function revokeRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "delete",
    path: `${collection}/{id}`,
    operationId: "revokeAccessToken",
    access: { permission: "account:self" },
    summary: "End an access token of yours, or of a user whom you may change; a second time changes nothing",
    answers: { 204: { description: "Ended." } },
    async handle({ context, actor, caller, params }) {
      await revokeAccessToken(context, actor, params["id"] ?? "", caller?.user?.id);
      return emptyAnswer();
    },
  });
}

async function viewsOf(
  context: CoreContext,
  rows: readonly AccessTokenRow[],
): Promise<readonly z.output<typeof accessTokenViewSchema>[]> {
  const users = await userNames(
    context,
    rows.map(({ userId }) => userId),
  );
  const teams = await teamNames(
    context,
    rows.flatMap(({ teamIds }) => teamIds ?? []),
  );
  const nowMs = context.clock.now();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    user: users.get(row.userId) ?? row.userId,
    masked: maskAccessToken(row.publicId),
    permissions: row.permissions && [...row.permissions],
    teams: row.teamIds && row.teamIds.flatMap((id) => teams.get(id) ?? []),
    state: row.revokedAtMs !== null ? "revoked" : nowMs >= row.expiresAtMs ? "expired" : "active",
    createdBy: row.createdBy,
    createdAt: new Date(row.createdAtMs).toISOString(),
    expiresAt: new Date(row.expiresAtMs).toISOString(),
    lastUsedAt: row.lastUsedAtMs === null ? null : new Date(row.lastUsedAtMs).toISOString(),
  }));
}
