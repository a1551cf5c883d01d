import { attachedPolicies } from "./attached-policies.ts";
import type { ExchangeRows, ExplainedAttempt, ExplainedRow } from "./explain-rows.ts";
import { explainedFacts } from "./explained-facts.ts";
import type { ExplainedDecision, ExplainedOperation, ExplainedStep, Explanation, StepVerdict } from "./explanation.ts";
import { explainedSteps } from "./explanation.ts";

/** Puts the rows of one exchange together to the story of it. Pure. */
export function explainExchange({ rows, attempts, document, captures = 0 }: ExchangeRows): Explanation | undefined {
  const [first] = rows;
  if (first === undefined) return undefined;
  const attached = document === undefined ? [] : attachedPolicies(first, document);
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
    const verdict = verdictAt(place, end);
    const facts = verdict === "not reached" ? {} : explainedFacts(row, step);
    return {
      step,
      verdict,
      summary: summaryOf(row, step, verdict, decisions, attempts, attached),
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
  /** An upstream's own error, which went on to the client: the answer came, and was looked at as any other. */
  readonly isRelayed: boolean;
}

function verdictAt(place: number, end: End | undefined): StepVerdict["verdict"] {
  if (end === undefined || place < end.place) return "passed";
  if (place === end.place) return end.verdict;
  return end.isRelayed ? "passed" : "not reached";
}

/** Where it ended before its end; undefined when it went all the way. */
function endOf(row: ExplainedRow, attempts: number): End | undefined {
  const enforced = row.decisions.filter(({ mode }) => mode === "enforce");
  if (row.outcome === "ok") {
    const answered = enforced.find(({ action, step }) => action === "respond" && stepOf(step) !== "response");
    if (answered === undefined) return undefined;
    return { place: placeOf(stepOf(answered.step)), verdict: "answered", isRelayed: false };
  }
  const verdict = row.outcome === "denied" ? "denied" : "failed";
  const refusal = enforced.findLast(({ action }) => action === (verdict === "denied" ? "deny" : "error"));
  const step = refusal === undefined ? (stepOfStage(row) ?? stepOfCode(row, attempts)) : stepOf(refusal.step);
  return { place: placeOf(step), verdict, isRelayed: step === "call" && isUpstreamsOwn(row) };
}

function isUpstreamsOwn({ outcome, error_code: code }: ExplainedRow): boolean {
  return outcome === "upstream_error" && code === null;
}

function placeOf(step: ExplainedStep): number {
  return explainedSteps.indexOf(step);
}

/** The step under which one of the pipeline's is told. */
function stepOf(step: string): ExplainedStep {
  if (step === "recall" || step === "cache") return "request";
  return explainedSteps.find((each) => each === step) ?? "admit";
}

/** Who has refused it where no policy has: parts of the gateway itself, then how far the row of a message says that it came. */
function stepOfStage({ denied_by: by, stage }: ExplainedRow): ExplainedStep | undefined {
  return (by === null ? undefined : ownSteps[by]) ?? (typeof stage === "string" ? stages[stage] : undefined);
}

const ownSteps: Readonly<Record<string, ExplainedStep>> = {
  accept: "identify",
  identify: "identify",
  subscription: "identify",
  decode: "decode",
  authorize: "admit",
  route: "route",
};

const stages: Readonly<Record<string, ExplainedStep>> = {
  accept: "identify",
  auth: "identify",
  decode: "decode",
  authz: "admit",
  admit: "admit",
  request: "request",
  upstream: "call",
  response: "response",
};

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

function summaryOf(
  row: ExplainedRow,
  step: ExplainedStep,
  verdict: StepVerdict["verdict"],
  decisions: readonly ExplainedDecision[],
  attempts: readonly ExplainedAttempt[],
  attached: number,
): string {
  if (verdict === "not reached") return "It did not come so far.";
  if (verdict === "failed" && step === "call" && isUpstreamsOwn(row))
    return `The upstream answered with ${errorOf(row)}.`;
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

/** The error that the upstream itself has told. */
function errorOf({ jsonrpc_error_code: code, http_status: status }: ExplainedRow): string {
  return typeof code === "number" ? `the JSON-RPC error ${code}` : `status ${status}`;
}

function passed(
  row: ExplainedRow,
  step: ExplainedStep,
  attempts: readonly ExplainedAttempt[],
  attached: number,
): string {
  switch (step) {
    case "identify":
      return row.application_id === null ? "Let in." : `Known as an application's.`;
    case "decode":
      return [row.operation_kind ?? "understood", row.operation_name ?? ""].join(" ").trim();
    case "admit":
      return attached === 0 ? "Nothing was noted." : `Nothing was noted; ${attached} policies were attached.`;
    case "request":
      return `No guardrail or filter has changed it.${hiddenTools(row)}`;
    case "route":
      return attempts.length === 0 ? "No target was needed." : "A target was chosen.";
    case "call":
      return triesOf(attempts);
    case "response":
      return `Answered with ${row.http_status}${row["tool_error"] === true ? "; the tool itself says that it failed" : ""}.`;
  }
}

function triesOf({ length }: readonly ExplainedAttempt[]): string {
  if (length === 0) return "No upstream was asked.";
  return length === 1 ? "One try." : `${length} tries: the last one was answered.`;
}

function hiddenTools({ list_total: all, tools_after_authz: left }: ExplainedRow): string {
  const isNarrowed = typeof all === "number" && typeof left === "number" && left < all;
  return isNarrowed ? ` Of ${all} tools the caller may see ${left}.` : "";
}
