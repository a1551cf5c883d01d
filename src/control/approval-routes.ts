import { z } from "zod";
import type { ApprovalQuestion } from "../core/approval-question.ts";
import type { ApprovalRow } from "../core/approval-tables.ts";
import { answerApproval, askApproval, decideApproval } from "../core/approvals.ts";
import { mcpServer } from "../core/mcp-server.ts";
import { nameSchema } from "../core/resource.ts";
import { notFound } from "../core/resource-changes.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { requireGateway } from "./gateway-feed-routes.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { parseInput } from "./parse-input.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

/** Calls that wait for a person, and what people say to them; and the question of a gateway process. */
export function approvalRoutes(): readonly ControlRoute[] {
  return [listRoute(), readRoute(), decideRoute(), answerRoute(), questionRoute()];
}

const collection = "/api/v1/approvals";
const tag = "Approval";

/** An approval as it is shown. */
export const approvalSchema = z.strictObject({
  id: z.string(),
  server: z.string().meta({ description: "The MCP server that is called." }),
  environment: z.enum(["production", "sandbox"]),
  tool: z.string(),
  policy: z.string().meta({ description: "Which policy asks." }),
  state: z.enum(["pending", "approved", "denied", "used", "expired"]),
  caller: z.strictObject({
    type: z.string(),
    applicationId: z.string().optional(),
    keyId: z.string().optional(),
    clientId: z.string().optional(),
    subject: z.string().optional(),
  }),
  arguments: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description: "As far as the policy shows them; null where it does not." }),
  argumentsHash: z
    .string()
    .meta({ description: "SHA-256 of the arguments: what is approved is this call and no other." }),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  decidedAt: z.iso.datetime().nullable(),
  decidedBy: z.string().nullable(),
  reason: z.string().nullable(),
});
const view = schemaComponent("Approval", approvalSchema, "output");

const listQuery = pageQuery.extend({
  server: nameSchema.optional().meta({ title: "Server", description: "Only calls of this MCP server." }),
  state: z
    .enum(["open", "all"])
    .default("open")
    .meta({ title: "State", description: "`open` are those that wait now; `all` those of the last week." }),
});

function listRoute(): ControlRoute {
  return defineRoute({
    tag,
    method: "get",
    path: collection,
    operationId: "listApprovals",
    access: { permission: "approvals:read" },
    summary: "List the calls that wait for somebody's approval, the newest first",
    query: listQuery,
    answers: { 200: { description: "A page.", schema: pageComponent(view), headers: ["Link"] } },
    async handle({ context, query, url }) {
      const { server, state } = query;
      const api = server === undefined ? undefined : await context.catalog.read.resources.find(mcpServer.kind, server);
      if (server !== undefined && api === undefined) throw notFound(mcpServer.kind, server);
      const nowMs = context.clock.now();
      const filter = { ...(api && { apiId: api.id }), ...(state === "open" && { openAtMs: nowMs }) };
      const { rows, next } = await context.catalog.read.approvals.list(filter, pageRequest(query));
      return pageAnswer(
        url,
        rows.map((row) => viewOf(row, nowMs)),
        next,
      );
    },
  });
}

function readRoute(): ControlRoute {
  return defineRoute({
    tag,
    method: "get",
    path: `${collection}/{id}`,
    operationId: "getApproval",
    access: { permission: "approvals:read" },
    summary: "See one",
    answers: { 200: { description: "It is there.", schema: view } },
    async handle(call) {
      const { context } = call;
      const row = await context.catalog.read.approvals.find(idOf(call));
      if (row === undefined) throw new GatewayError("resource.not_found", `There is no approval ${idOf(call)}.`);
      return jsonAnswer(200, viewOf(row, context.clock.now()));
    },
  });
}

const decision = {
  decision: z.enum(["approve", "deny"]).meta({ title: "Decision", description: "What becomes of the call." }),
  reason: z
    .string()
    .max(500)
    .optional()
    .meta({ title: "Reason", description: "Shown to the caller where it is refused." }),
};
const decisionSchema = z.strictObject(decision);
const answerSchema = z.strictObject({
  token: z.string().min(1).max(200).meta({ title: "Token", description: "`data.answer.token` of the webhook." }),
  ...decision,
});

function decideRoute(): ControlRoute {
  return defineRoute({
    tag,
    method: "post",
    path: `${collection}/{id}/decision`,
    operationId: "decideApproval",
    access: { permission: "approvals:write" },
    summary: "Approve or refuse a call that waits; an approval lets it through once",
    body: schemaComponent("ApprovalDecision", decisionSchema, "input"),
    answers: { 200: { description: "Decided.", schema: view } },
    async handle(call) {
      const { context, actor } = call;
      const said = parseInput(decisionSchema, await call.body(), { code: "request.invalid" });
      return jsonAnswer(200, viewOf(await decideApproval(context, actor, idOf(call), said), context.clock.now()));
    },
  });
}

function answerRoute(): ControlRoute {
  return defineRoute({
    tag,
    method: "post",
    path: `${collection}/{id}/answer`,
    operationId: "answerApproval",
    access: "public",
    summary: "Decide by the token that came with a policy's webhook",
    body: schemaComponent("ApprovalAnswer", answerSchema, "input"),
    answers: { 200: { description: "Decided.", schema: view } },
    async handle(call) {
      const { context } = call;
      const { token, ...said } = parseInput(answerSchema, await call.body(), { code: "request.invalid" });
      return jsonAnswer(200, viewOf(await answerApproval(context, idOf(call), token, said), context.clock.now()));
    },
  });
}

const text = (most: number) => z.string().max(most);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.int().min(0).max(2_592_000_000);

const questionSchema = z.strictObject({
  apiId: text(100),
  environment: z.enum(["production", "sandbox"]),
  place: text(500),
  policyVersion: text(100),
  caller: text(4_096),
  holder: approvalSchema.shape.caller,
  tool: text(1_024),
  argumentsHash: sha256,
  shown: z.record(z.string(), z.unknown()).nullable(),
  answerHash: sha256.nullable(),
  expiresAfterMs: time,
  grantMs: time,
  approvalId: text(100).optional(),
  exchangeId: text(100),
});

function questionRoute(): ControlRoute {
  return defineRoute({
    tag: "Gateway process",
    method: "post",
    path: "/api/v1/gateway-approvals",
    operationId: "askApproval",
    access: "gateway",
    summary: "How a call stands that needs a person's approval; the first question makes the approval",
    body: schemaComponent("ApprovalQuestion", questionSchema, "input"),
    answers: { 200: { description: "How it stands.", schema: standing } },
    async handle(call) {
      await requireGateway(call);
      const asked = parseInput(questionSchema, await call.body(), { code: "request.invalid" });
      // The schema is looser in one point only: it may hold `undefined` where the type wants no member.
      return jsonAnswer(200, await askApproval(call.context, asked as ApprovalQuestion));
    },
  });
}

const standing = schemaComponent(
  "ApprovalStanding",
  z.looseObject({ type: z.enum(["pending", "granted", "denied", "gone", "full"]) }),
  "output",
);

function idOf({ params }: ControlCall): string {
  return params["id"] ?? "";
}

function viewOf(row: ApprovalRow, nowMs: number): z.output<typeof approvalSchema> {
  const { id, apiName, environment, tool, place, state, holder, shown, argumentsHash, decidedBy, reason } = row;
  const isOver = row.expiresAtMs <= nowMs && state !== "used" && state !== "denied";
  return {
    id,
    server: apiName,
    environment,
    tool,
    policy: place,
    state: isOver ? "expired" : state,
    caller: holder,
    arguments: shown,
    argumentsHash,
    decidedBy,
    reason,
    createdAt: new Date(row.createdAtMs).toISOString(),
    expiresAt: new Date(row.expiresAtMs).toISOString(),
    decidedAt: row.decidedAtMs === null ? null : new Date(row.decidedAtMs).toISOString(),
  };
}
