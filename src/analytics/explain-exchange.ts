import { z } from "zod";
import { parseJson } from "../kernel/parse-json.ts";
import type { ExchangeRows, ExplainedAttempt, ExplainedRow } from "./explain-rows.ts";
import type {
  ExplainedDecision,
  ExplainedOperation,
  ExplainedStep,
  Explanation,
  Facts,
  StepVerdict,
} from "./explanation.ts";
import { explainedSteps } from "./explanation.ts";

/** Puts the rows of one exchange together to the story of it. Pure. */
export function explainExchange({ rows, attempts, document, captures = 0 }: ExchangeRows): Explanation | undefined {
  const [first] = rows;
  if (first === undefined) return undefined;
  const attached = document === undefined ? [] : attachedTo(first, document);
  return {
    exchangeId: first.exchange_id,
    at: first.ts,
    api: { id: first.api_id, name: first.api_name, kind: first.api_kind, revision: first.api_revision },
    node: first.node,
    traceId: first.trace_id,
    config: { hash: first.config_hash, isKept: document !== undefined, attached },
    operations: rows.map((row) => explainOperation(row, attempts, attached.length)),
    captures,
    notRecorded: [
      "policies and guardrails that let the request pass unchanged: only those that did something are noted",
      captures > 0
        ? "what was measured by guardrails; of texts, what was taken out of those that are kept"
        : "what was measured by guardrails, texts, and values of arguments",
      ...(document === undefined ? ["the configuration of then: the store has not kept it"] : []),
    ],
  };
}

function explainOperation(row: ExplainedRow, all: readonly ExplainedAttempt[], attached: number): ExplainedOperation {
  const attempts = all.filter(({ operation_id }) => operation_id === row.operation_id);
  const end = endOf(row, attempts.length);
  const steps = explainedSteps.map((step, place): StepVerdict => {
    const decisions = row.decisions.filter((decision) => stepOf(decision.step) === step).map(decisionOf);
    const verdict =
      end === undefined || place < end.place ? "passed" : place === end.place ? end.verdict : "not reached";
    const facts = verdict === "not reached" ? {} : factsOf(row, step);
    return {
      step,
      verdict,
      summary: summaryOf(row, step, verdict, decisions, attempts.length, attached),
      facts,
      decisions,
    };
  });
  return {
    operationId: row.operation_id,
    parentId: row.parent_id,
    kind: row.operation_kind,
    name: row.operation_name,
    outcome: row.outcome,
    status: row.http_status,
    errorCode: row.error_code,
    errorDetail: row.error_detail,
    durationMs: row.duration_ms,
    steps,
    attempts: attempts.map(attemptOf),
  };
}

interface End {
  readonly place: number;
  readonly verdict: "denied" | "failed" | "answered";
}

/** Where it ended before its end; undefined when it went all the way. */
function endOf(row: ExplainedRow, attempts: number): End | undefined {
  const enforced = row.decisions.filter(({ mode }) => mode === "enforce");
  if (row.outcome === "ok") {
    const answered = enforced.find(({ action, step }) => action === "respond" && stepOf(step) !== "response");
    return answered === undefined ? undefined : { place: placeOf(stepOf(answered.step)), verdict: "answered" };
  }
  const verdict = row.outcome === "denied" ? "denied" : "failed";
  const refusal = enforced.findLast(({ action }) => action === (verdict === "denied" ? "deny" : "error"));
  const place = refusal === undefined ? placeOf(stepOfCode(row, attempts)) : placeOf(stepOf(refusal.step));
  return { place, verdict };
}

function placeOf(step: ExplainedStep): number {
  return explainedSteps.indexOf(step);
}

/** The step under which one of the pipeline's is told. */
function stepOf(step: string): ExplainedStep {
  if (step === "recall" || step === "cache") return "request";
  return explainedSteps.find((each) => each === step) ?? "admit";
}

/** Without a decision, the code tells where it ended. */
function stepOfCode({ error_code: code }: ExplainedRow, attempts: number): ExplainedStep {
  const family = code?.split(".")[0] ?? "";
  if (attempts > 0) return "call";
  return codeSteps[family] ?? "decode";
}

const codeSteps: Readonly<Record<string, ExplainedStep>> = {
  auth: "identify",
  limit: "admit",
  approval: "admit",
  policy: "admit",
  guardrail: "request",
  upstream: "route",
  exchange: "call",
  client: "call",
};

function decisionOf({
  policy,
  place,
  action,
  mode,
  code,
  detail,
}: ExplainedRow["decisions"][number]): ExplainedDecision {
  return { policy, place, action, mode, code, detail };
}

function attemptOf(attempt: ExplainedAttempt): ExplainedOperation["attempts"][number] {
  const { target, provider, model, status } = attempt;
  return {
    attempt: attempt.attempt,
    target,
    provider,
    model,
    status,
    errorCode: attempt.error_code,
    firstByteMs: attempt.first_byte_ms,
    durationMs: attempt.duration_ms,
  };
}

/** Columns that tell of a step; those that the row has are shown. */
const columnsOf: Readonly<Record<ExplainedStep, readonly string[]>> = {
  identify: [
    "auth_method",
    "key_id",
    "client_id",
    "application_id",
    "plan_id",
    "environment",
    "client_ip",
    "client_name",
  ],
  decode: ["protocol", "http_method", "mcp_protocol_version", "method", "primitive_name", "request_bytes"],
  admit: ["client_retry_count"],
  request: [
    "tools_total",
    "tools_after_filter",
    "filter_mode",
    "filter_reason",
    "tools_after_authz",
    "members_missing",
  ],
  route: [
    "route_strategy",
    "route_name",
    "route_reason",
    "route_score",
    "route_target",
    "route_gates",
    "route_candidates",
  ],
  call: ["member", "upstream_ms", "first_byte_ms", "server_name", "server_version"],
  response: [
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "cost",
    "cost_currency",
    "cost_source",
    "response_bytes",
    "list_total",
    "result_type",
    "tool_error",
    "jsonrpc_error_code",
    "cache_status",
  ],
};

function factsOf(row: ExplainedRow, step: ExplainedStep): Facts {
  const facts: Facts = {};
  for (const column of columnsOf[step]) {
    const value = factSchema.safeParse(row[column]).data;
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) facts[column] = value;
  }
  return facts;
}

const factSchema = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);

function summaryOf(
  row: ExplainedRow,
  step: ExplainedStep,
  verdict: StepVerdict["verdict"],
  decisions: readonly ExplainedDecision[],
  attempts: number,
  attached: number,
): string {
  if (verdict === "not reached") return "It did not come so far.";
  if (verdict === "denied" || verdict === "failed") {
    const by = row.denied_by === null ? "" : ` by ${row.denied_by}`;
    const detail = row.error_detail === null ? "" : `: ${row.error_detail}`;
    return `${verdict === "denied" ? "Refused" : "Failed"}${by} with ${row.error_code ?? row.http_status}${detail}.`;
  }
  if (verdict === "answered") return "Answered here; no upstream was asked.";
  const changed = decisions.filter(({ action, mode }) => action === "rewrite" && mode === "enforce").length;
  const would = decisions.filter(({ action, mode }) => action === "deny" && mode === "monitor").length;
  const told = [
    ...(changed > 0 ? [`changed by ${changed}`] : []),
    ...(would > 0 ? [`${would} in monitor mode would have refused it`] : []),
  ].join(", ");
  if (told !== "") return `Let through, ${told}.`;
  return passed(row, step, attempts, attached);
}

function passed(row: ExplainedRow, step: ExplainedStep, attempts: number, attached: number): string {
  switch (step) {
    case "identify":
      return row.application_id === null ? "Let in." : `Known as an application's.`;
    case "decode":
      return [row.operation_kind ?? "understood", row.operation_name ?? ""].join(" ").trim();
    case "admit":
      return attached === 0 ? "Nothing was noted." : `Nothing was noted; ${attached} policies were attached.`;
    case "request":
      return "No guardrail or filter has changed it.";
    case "route":
      return attempts === 0 ? "No target was needed." : "A target was chosen.";
    case "call":
      return attempts === 1 ? "One try." : `${attempts} tries.`;
    case "response":
      return `Answered with ${row.http_status}.`;
  }
}

const ownerSchema = z.looseObject({
  kind: z.string(),
  id: z.string(),
  name: z.string(),
  spec: z.looseObject({
    policies: z.array(z.looseObject({ use: z.string(), mode: z.string().default("enforce") })).default([]),
  }),
});
const documentSchema = z.looseObject({ apis: z.array(ownerSchema), supporting: z.array(ownerSchema) });

/** What was attached for the request of that row, in the order gateway, API, team, application, plan. */
function attachedTo(row: ExplainedRow, document: string): Explanation["config"]["attached"] {
  const found = documentSchema.safeParse(parseJson(document));
  if (!found.success) return []; // of an older form
  const { apis, supporting } = found.data;
  const byId = (id: string | null) => supporting.filter((each) => id !== null && each.id === id);
  const owners = [
    ...supporting.filter(({ kind, name }) => kind === "Gateway" && name === "default"),
    ...apis.filter(({ id }) => id === row.api_id),
    ...byId(row.team_id),
    ...byId(row.application_id),
    ...byId(row.plan_id),
  ];
  return owners.flatMap(({ kind, id, name, spec }) =>
    spec.policies.map(({ use, mode }, place) => ({
      place: `${id}/policies[${place}]`,
      policy: use,
      mode,
      owner: `${kind} ${name}`,
    })),
  );
}
