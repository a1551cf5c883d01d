import { createHash } from "node:crypto";
import { equalInConstantTime } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import type { ApprovalAnswer, ApprovalDecision, ApprovalQuestion } from "./approval-question.ts";
import type { ApprovalRow } from "./approval-tables.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { Write } from "./write.ts";
import { audit, inWrite } from "./write.ts";

const system: Actor = { type: "system", id: "gateway" };
const webhook: Actor = { type: "system", id: "webhook" };

/** Calls that wait at one time: of one API, and of one caller of it. */
const mostOpen = { api: 1_000, caller: 100 };

/**
 * How a call stands that needs a person's approval. The first question about it makes the approval; a given one is used up
 * by the answer `granted`, so that of several equal calls, at whichever gateways, one goes up.
 */
export async function askApproval(context: CoreContext, question: ApprovalQuestion): Promise<ApprovalAnswer> {
  const fingerprint = fingerprintOf(question);
  const nowMs = context.clock.now();
  const seen = await standing(context.catalog.read.approvals, question, fingerprint, nowMs);
  if (seen !== undefined && seen.state !== "approved") return answerOf(seen);
  if (seen === undefined && question.approvalId !== undefined) return { type: "gone" };
  return inWrite(context, system, async (write) => {
    const row = await standing(write.transaction.approvals, question, fingerprint, nowMs);
    if (row === undefined) return question.approvalId === undefined ? ask(write, question, fingerprint) : gone;
    if (row.state !== "approved") return answerOf(row);
    if (!(await write.transaction.approvals.update({ ...row, state: "used" }, "approved"))) return gone;
    await audit(write, "approval.used", subjectOf(row), { approval: row.id, exchange: question.exchangeId });
    return { type: "granted", id: row.id };
  });
}

/** Approves or refuses a call that waits. Throws `resource.not_found`, and `resource.conflict` when it waits no more. */
export function decideApproval(
  context: CoreContext,
  actor: Actor,
  id: string,
  { decision, reason }: ApprovalDecision,
): Promise<ApprovalRow> {
  return inWrite(context, actor, async (write) => {
    const { transaction, nowMs } = write;
    const row = await transaction.approvals.find(id);
    if (row === undefined) throw notThere(id);
    if (row.state !== "pending" || row.expiresAtMs <= nowMs) {
      const why = row.state === "pending" ? "nobody answered in time" : `it is ${row.state}`;
      throw new GatewayError("resource.conflict", `Approval ${id} waits no more: ${why}.`);
    }
    const decided: ApprovalRow = {
      ...row,
      state: decision === "approve" ? "approved" : "denied",
      reason: reason ?? null,
      decidedBy: actor.id,
      decidedAtMs: nowMs,
      expiresAtMs: decision === "approve" ? nowMs + row.grantMs : row.expiresAtMs,
    };
    if (!(await transaction.approvals.update(decided, "pending"))) throw notThere(id);
    const action = decision === "approve" ? "approval.approved" : "approval.denied";
    const { tool, argumentsHash } = row;
    await audit(write, action, subjectOf(row), { approval: id, tool, argumentsHash, reason: decided.reason });
    write.messages.push({ type: "approval.decided", id });
    return decided;
  });
}

/**
 * What the receiver of a webhook says, by the token that the webhook carried. Throws `auth.invalid_credentials` for a wrong
 * token as for an approval that is not there, and what `decideApproval` throws.
 */
export async function answerApproval(
  context: CoreContext,
  id: string,
  token: string,
  decision: ApprovalDecision,
): Promise<ApprovalRow> {
  const row = await context.catalog.read.approvals.find(id);
  const wanted = Buffer.from(row?.answerHash ?? "", "hex");
  if (!equalInConstantTime(wanted, Buffer.from(sha256(token), "hex"))) {
    throw new GatewayError("auth.invalid_credentials", "The token answers for no approval that waits.");
  }
  return decideApproval(context, webhook, id, decision);
}

const keptMs = 7 * 86_400_000;

/** Deletes approvals that were over a week ago, in small transactions. */
export async function sweepApprovals(context: CoreContext, slice: number): Promise<void> {
  const beforeMs = context.clock.now() - keptMs;
  let deleted: number;
  do {
    deleted = await context.catalog.transaction((transaction) => transaction.approvals.deleteExpired(beforeMs, slice));
  } while (deleted >= slice);
}

const gone = { type: "gone" } as const;

async function standing(
  table: Pick<CoreContext["catalog"]["read"]["approvals"], "find" | "findLive">,
  { approvalId }: ApprovalQuestion,
  fingerprint: string,
  nowMs: number,
): Promise<ApprovalRow | undefined> {
  if (approvalId === undefined) return table.findLive(fingerprint, nowMs);
  const row = await table.find(approvalId);
  const isLive = row !== undefined && row.fingerprint === fingerprint && row.expiresAtMs > nowMs;
  return isLive && row.state !== "used" ? row : undefined;
}

async function ask(write: Write, question: ApprovalQuestion, fingerprint: string): Promise<ApprovalAnswer> {
  const { transaction, nowMs } = write;
  const { apiId, environment, place, tool, argumentsHash, holder, shown, answerHash, grantMs } = question;
  const api = await transaction.deployments.find(apiId);
  if (api === undefined) throw new GatewayError("resource.not_found", `There is no deployed API ${apiId}.`);
  const callerHash = sha256(question.caller);
  const isFull =
    (await transaction.approvals.countOpen(apiId, nowMs)) >= mostOpen.api ||
    (await transaction.approvals.countOpen(apiId, nowMs, callerHash)) >= mostOpen.caller;
  if (isFull) return { type: "full" };
  const row: ApprovalRow = {
    id: newId("approval"),
    apiId,
    apiName: api.name,
    teamId: api.teamId,
    environment,
    place,
    tool,
    argumentsHash,
    fingerprint,
    callerHash,
    holder,
    shown,
    answerHash,
    grantMs,
    state: "pending",
    reason: null,
    decidedBy: null,
    createdAtMs: nowMs,
    decidedAtMs: null,
    expiresAtMs: nowMs + question.expiresAfterMs,
  };
  await transaction.approvals.insert(row);
  const detail = { approval: row.id, environment, tool, argumentsHash, holder, place };
  await audit(write, "approval.asked", subjectOf(row), detail);
  return { type: "pending", id: row.id, isNew: true, expiresAtMs: row.expiresAtMs };
}

function answerOf({ id, state, reason, expiresAtMs }: ApprovalRow): ApprovalAnswer {
  if (state === "pending") return { type: "pending", id, isNew: false, expiresAtMs };
  return state === "denied" ? { type: "denied", id, reason } : gone;
}

function subjectOf({ apiId, apiName, teamId }: ApprovalRow) {
  return { kind: "McpServer", id: apiId, name: apiName, teamId };
}

function fingerprintOf(question: ApprovalQuestion): string {
  const { apiId, environment, place, policyVersion, caller, tool, argumentsHash } = question;
  return sha256(JSON.stringify([apiId, environment, place, policyVersion, caller, tool, argumentsHash]));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function notThere(id: string): GatewayError {
  return new GatewayError("resource.not_found", `There is no approval ${id}.`);
}
