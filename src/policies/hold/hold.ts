import { createHash, randomBytes } from "node:crypto";
import type { ApprovalAnswer, ApprovalHolder, ApprovalQuestion } from "../../core/approval-question.ts";
import { canonicalJson } from "../../kernel/canonical-json.ts";
import { globMatcher } from "../../kernel/glob.ts";
import type { CarefulCondition } from "../../pipeline/compile-condition.ts";
import { compileCarefulCondition } from "../../pipeline/compile-condition.ts";
import { definePolicy } from "../../pipeline/define-policy.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { HeldCall, ToolHints } from "../../pipeline/held-call.ts";
import type { Deny, StepResult } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import type { PluginTools } from "../../pipeline/plugin.ts";
import type { HoldConfig } from "./hold-config.ts";
import { holdConfig } from "./hold-config.ts";
import { shownArguments } from "./shown-arguments.ts";
import type { WebhookTeller } from "./tell-webhook.ts";
import { createWebhookTeller } from "./tell-webhook.ts";

/**
 * Holds calls of tools back until a person approves each. An approval lets one call through, of that caller, with those
 * arguments, under this configuration; no answer in time is a refusal. Of protocols other than MCP it holds nothing.
 */
export const hold = definePolicy({
  id: "hold",
  title: "Hold for a person",
  summary: "Lets calls of tools wait until somebody approves them.",
  config: holdConfig,
  examples: [
    { hints: { readOnlyHint: false, destructiveHint: true } },
    { tools: ["pay_*"], when: "double(arguments.amount) > 100.0", show: "values", mask: ["iban"] },
    {
      tools: ["delete_*"],
      webhook: { url: "https://chat.example.com/approvals", secret: "${secret:approvals-webhook}" },
    },
  ],
  onError: "deny",
  compile(config, tools, { place, mode }) {
    const isMeant = compileMeant(config);
    const policyVersion = createHash("sha256").update(canonicalJson(config)).digest("hex");
    const webhook = config.webhook && createWebhookTeller(config.webhook, tools);
    const keeper: Keeper = { config, place, policyVersion, tools, webhook };
    return {
      request(exchange, operation) {
        const call = exchange.api.adapter.heldCall?.(exchange, operation);
        if (call === undefined || !isMeant(exchange, operation, call)) return undefined;
        return mode === "monitor" ? required("") : judge(keeper, exchange, call);
      },
      dispose: () => webhook?.dispose(),
    };
  },
});

interface Keeper {
  readonly config: HoldConfig;
  readonly place: string;
  readonly policyVersion: string;
  readonly tools: PluginTools;
  readonly webhook: WebhookTeller | undefined;
}

type Meant = (exchange: Exchange, operation: Operation, call: HeldCall) => boolean;

function compileMeant({ tools, hints, when }: HoldConfig): Meant {
  const named = globMatcher(tools);
  const wanted = Object.entries(hints) as readonly [keyof ToolHints, boolean][]; // the schema's members are these
  const holds: CarefulCondition | undefined = when === undefined ? undefined : compileCarefulCondition(when);
  return (exchange, operation, call) =>
    named(call.tool) &&
    wanted.every(([name, value]) => (call.hints?.[name] ?? defaultHints[name]) === value) &&
    (holds === undefined || holds(exchange, operation, call.given));
}

/** What a tool is taken for that says nothing (MCP, schema, ToolAnnotations). */
const defaultHints = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true };

/** Somebody else's word may get lost on its way to this gateway: so it asks again now and then. */
const askAgainMs = 2_000;

async function judge(keeper: Keeper, exchange: Exchange, call: HeldCall): Promise<StepResult> {
  const { config, tools } = keeper;
  if (call.ticket.type === "invalid") return notGood();
  const asked = questionOf(keeper, exchange, call);
  const { question } = asked;
  const untilMs = tools.clock.monotonic() + config.waitMs;
  let standing = await tools.approvals.ask(question);
  if (standing.type === "pending" && standing.isNew) tellWebhook(keeper, exchange, asked, standing);
  while (standing.type === "pending") {
    const leftMs = untilMs - tools.clock.monotonic();
    if (leftMs <= 0) break;
    const { id } = standing;
    await tools.approvals.news(id, Math.min(leftMs, askAgainMs), exchange.cancellation);
    standing = await tools.approvals.ask({ ...question, approvalId: id });
  }
  return resultOf(standing, call);
}

function resultOf(standing: ApprovalAnswer, call: HeldCall): StepResult {
  switch (standing.type) {
    case "granted":
      call.release();
      return undefined;
    case "pending": {
      const { id, expiresAtMs } = standing;
      const expiresAt = new Date(expiresAtMs).toISOString();
      if (call.comeBack !== undefined) return { type: "respond", answer: call.comeBack(id, expiresAtMs) };
      const waits = required(` It waits as ${id} until ${expiresAt}; then make the same call again.`);
      return { ...waits, data: { approval: id, expiresAt } };
    }
    case "denied": {
      const why = standing.reason === null ? "" : `: ${standing.reason}`;
      return deny("approval.denied", `This call was not approved${why}.`, { data: { approval: standing.id } });
    }
    case "gone":
      if (call.ticket.type === "valid") return notGood();
      return deny("approval.denied", "Nobody has approved this call in time, or an equal call has used the approval.");
    case "full":
      return deny("limit.concurrency", "Too many calls wait for approval; try again when some are decided.");
  }
}

function required(how: string): Deny {
  return deny("approval.required", `A person has to approve this call first.${how}`);
}

function notGood(): Deny {
  return deny("mcp.invalid_params", "`requestState` is not valid for this call, was used already, or has expired.");
}

function questionOf({ config, place, policyVersion, webhook }: Keeper, exchange: Exchange, call: HeldCall): Asked {
  const token = webhook === undefined ? null : randomBytes(32).toString("base64url");
  const { ticket } = call;
  const question: ApprovalQuestion = {
    apiId: exchange.api.id,
    environment: exchange.principal?.environment ?? "production",
    place,
    policyVersion,
    caller: call.caller,
    holder: holderOf(exchange),
    tool: call.tool,
    argumentsHash: call.argumentsHash,
    shown: shownArguments(call.given, config),
    answerHash: token === null ? null : createHash("sha256").update(token).digest("hex"),
    expiresAfterMs: config.expiresAfterMs,
    grantMs: config.grantMs,
    ...(ticket.type === "valid" && { approvalId: ticket.ticket }),
    exchangeId: exchange.id,
  };
  return { question, token };
}

interface Asked {
  readonly question: ApprovalQuestion;
  /** By which the webhook's receiver may answer; null where there is no webhook. */
  readonly token: string | null;
}

function holderOf({ principal }: Exchange): ApprovalHolder {
  return {
    type: principal?.type ?? "anonymous",
    ...(principal?.applicationId !== undefined && { applicationId: principal.applicationId }),
    ...(principal?.keyId !== undefined && { keyId: principal.keyId }),
    ...(principal?.clientId !== undefined && { clientId: principal.clientId }),
    ...(principal?.subject !== undefined && { subject: principal.subject }),
  };
}

function tellWebhook(
  { webhook, tools }: Keeper,
  { api }: Exchange,
  { question, token }: Asked,
  { id, expiresAtMs }: Extract<ApprovalAnswer, { type: "pending" }>,
): void {
  if (webhook === undefined || token === null) return;
  const { environment, tool, holder, shown, argumentsHash } = question;
  const data = {
    id,
    server: api.name,
    environment,
    tool,
    caller: holder,
    arguments: shown,
    argumentsHash,
    expiresAt: new Date(expiresAtMs).toISOString(),
    answer: { path: `/api/v1/approvals/${id}/answer`, token },
  };
  webhook.tell(id, data, (decision) => {
    tools.approvals.answer(id, token, decision).catch((error: unknown) => {
      tools.log.warn({ err: error, approval: id }, "what a webhook answered came too late, or could not be noted");
    });
  });
}
