import { z } from "zod";
import type { CoreContext } from "../core/core-context.ts";
import { mcpServer } from "../core/mcp-server.ts";
import { nameSchema } from "../core/resource.ts";
import { notFound } from "../core/resource-changes.ts";
import { holds, rightsOf, teamsWith } from "../core/rights.ts";
import type { UpstreamCredentialRow } from "../core/upstream-tables.ts";
import { revokeUpstreamCredential } from "../core/upstream-vault.ts";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer, jsonAnswer } from "./control-route.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";
import { userNames } from "./sign-in-list.ts";

/** What users and applications have at upstream servers: who consented to what, never a token. */
export function upstreamCredentialRoutes(): readonly ControlRoute[] {
  return [listRoute(), readRoute(), revokeRoute()];
}

const collection = "/api/v1/upstream-credentials";
const common = { tag: "UpstreamCredential", access: { permission: "account:self" } } as const;

/** A credential as it is shown. */
export const upstreamCredentialSchema = z.strictObject({
  id: z.string(),
  api: z.string().meta({ description: "The MCP server whose upstream it is for." }),
  environment: z.enum(["production", "sandbox"]),
  holder: z.strictObject({
    type: z.enum(["user", "application"]),
    name: z.string().meta({ description: "Of a user of another key manager: the subject." }),
  }),
  issuer: z.string().meta({ description: "The authorization server that gave the tokens." }),
  scopes: z.array(z.string()),
  clients: z
    .array(z.string())
    .meta({ description: "Clients of the gateway that may use it; the empty text is one without an id." }),
  state: z.enum(["active", "lapsed"]).meta({ description: "`lapsed`: the holder has to consent anew." }),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
const view = schemaComponent("UpstreamCredential", upstreamCredentialSchema, "output");

const listQuery = pageQuery.extend({
  api: nameSchema.optional().meta({ title: "API", description: "Only those for the upstream of this MCP server." }),
});

function listRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: collection,
    operationId: "listUpstreamCredentials",
    summary: "List what you, your applications, or all whom you may see have at upstream servers",
    query: listQuery,
    answers: { 200: { description: "A page.", schema: pageComponent(view), headers: ["Link"] } },
    async handle(call) {
      const { context, query, url } = call;
      const api =
        query.api === undefined ? undefined : await context.catalog.read.resources.find(mcpServer.kind, query.api);
      if (query.api !== undefined && api === undefined) throw notFound(mcpServer.kind, query.api);
      const filter = { ...(await visibleTo(call)), ...(api !== undefined && { apiId: api.id }) };
      const { rows, next } = await context.catalog.read.upstreamCredentials.list(filter, pageRequest(query));
      return pageAnswer(url, await viewsOf(context, rows), next);
    },
  });
}

function readRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path: `${collection}/{id}`,
    operationId: "getUpstreamCredential",
    summary: "See one",
    answers: { 200: { description: "It is there.", schema: view } },
    async handle(call) {
      const row = await findVisible(call);
      return jsonAnswer(200, (await viewsOf(call.context, [row]))[0]);
    },
  });
}

function revokeRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "delete",
    path: `${collection}/{id}`,
    operationId: "revokeUpstreamCredential",
    summary:
      "Take it out of the vault: your own, one of an application that you may change, or any where you may change users",
    answers: { 204: { description: "Gone, at all gateways." } },
    async handle(call) {
      const row = await findVisible(call);
      if (!(await mayRevoke(call, row))) {
        throw new GatewayError("auth.forbidden", "You may see this credential, and not take it away.");
      }
      await revokeUpstreamCredential(call.context, call.actor, row.id);
      return emptyAnswer();
    },
  });
}

/** What a list is narrowed to: nothing for who sees all users, else the own account and the teams' applications. */
async function visibleTo({ context, actor, caller }: ControlCall): Promise<{
  readonly userId?: string;
  readonly applicationIds?: readonly string[];
}> {
  const rights = rightsOf(actor);
  if (holds(rights, "users:read")) return {};
  const teams = teamsWith(rights, "applications:read");
  const applications = await context.catalog.read.resources.all("Application");
  const seen = applications.filter(({ teamId }) => teams === "all" || teams.includes(teamId));
  return { userId: caller?.user?.id ?? "", applicationIds: seen.map(({ id }) => id) };
}

async function findVisible(call: ControlCall): Promise<UpstreamCredentialRow> {
  const id = call.params["id"] ?? "";
  const row = await call.context.catalog.read.upstreamCredentials.findById(id);
  const { userId, applicationIds } = await visibleTo(call);
  const isAll = userId === undefined && applicationIds === undefined;
  const isOwn = row !== undefined && row.userId !== null && row.userId === userId;
  const owner = row?.applicationId ?? undefined;
  const isOurs = owner !== undefined && applicationIds?.includes(owner) === true;
  if (row !== undefined && (isAll || isOwn || isOurs)) return row;
  throw new GatewayError("resource.not_found", `There is no upstream credential ${id}.`);
}

async function mayRevoke({ context, actor, caller }: ControlCall, row: UpstreamCredentialRow): Promise<boolean> {
  const rights = rightsOf(actor);
  if (holds(rights, "users:write") || (row.userId !== null && row.userId === caller?.user?.id)) return true;
  if (row.applicationId === null) return false;
  const application = await context.catalog.read.resources.findById(row.applicationId);
  return holds(rights, "applications:write", application?.teamId);
}

async function viewsOf(
  context: CoreContext,
  rows: readonly UpstreamCredentialRow[],
): Promise<readonly z.output<typeof upstreamCredentialSchema>[]> {
  const users = await userNames(
    context,
    rows.flatMap(({ userId }) => userId ?? []),
  );
  const { resources } = context.catalog.read;
  return Promise.all(
    rows.map(async (row) => {
      const api = await resources.findById(row.apiId);
      const application = row.applicationId === null ? undefined : await resources.findById(row.applicationId);
      const user = users.get(row.userId ?? "") ?? subjectOf(row.holder);
      return {
        id: row.id,
        api: api?.name ?? row.apiId,
        environment: row.environment,
        holder:
          row.applicationId === null
            ? { type: "user" as const, name: user }
            : { type: "application" as const, name: application?.name ?? row.applicationId },
        issuer: row.issuer,
        scopes: [...row.scopes],
        clients: [...row.clients],
        state: row.state,
        createdAt: new Date(row.createdAtMs).toISOString(),
        updatedAt: new Date(row.updatedAtMs).toISOString(),
      };
    }),
  );
}

/** A holder's key is a JSON list that ends with the subject. */
function subjectOf(holder: string): string {
  const parts: unknown = parseJson(holder);
  return Array.isArray(parts) ? String(parts.at(-1)) : holder;
}
