import type { AnalyticsEvent, AttemptEvent, EventValue, ExchangeEvent } from "../../pipeline/event.ts";
import type { TargetPeer } from "../../pipeline/target-peer.ts";
import { attemptError, errorType, isFailedOperation, upstreamPrimitive } from "../otlp/event-spans.ts";
import { genAiProviderName } from "../otlp/provider-names.ts";
import { telemetryNames as names } from "../otlp/telemetry-names.ts";
import { boundedNames } from "./bounded-names.ts";
import type { MetricSet } from "./metric-set.ts";

/**
 * Counts what is recorded, by the metrics of the conventions for HTTP, generative AI and MCP and some of our own. Labels are
 * APIs, outcomes and the like: never a caller, a key or a path. Models, tools and prompts are labels only where an upstream
 * knew them, and of each only so many: a flood of made-up names ends as no name, or as `other`.
 * `operation` is that of an attempt, and the event itself where it is an operation.
 */
export function trafficMetrics(
  metrics: MetricSet,
): (event: AnalyticsEvent, operation: ExchangeEvent | undefined) => void {
  const ofExchange = exchangeMetrics(metrics);
  const ofAttempt = attemptMetrics(metrics);
  return (event, operation) => {
    if (event.type === "exchange") ofExchange(event);
    else if (operation !== undefined) ofAttempt(event, operation);
  };
}

function exchangeMetrics(metrics: MetricSet): (event: ExchangeEvent) => void {
  const http = metrics.histogram(
    {
      name: names.httpDuration,
      description: "Seconds from a request's headers to the end of its answer.",
      unit: "s",
      labels: [names.api, names.httpMethod, names.httpStatus, names.outcome, names.errorType],
    },
    httpBounds,
  );
  const mcp = mcpDuration(metrics, names.mcpServerDuration, "Seconds that a message of MCP took at the gateway.");
  const session = metrics.histogram(
    {
      name: names.mcpServerSession,
      description: "Seconds from the beginning of a session of MCP until its client ended it.",
      unit: "s",
      labels: [names.api, names.mcpVersion, names.transport],
    },
    mcpBounds,
  );
  const decisions = metrics.counter({
    name: names.decisions,
    description: "What policies and guardrails decided, or would have in monitor mode.",
    unit: "{decision}",
    labels: [names.api, names.policy, names.action, names.mode],
  });
  return (event) => {
    const seconds = event.duration_ms / 1_000;
    if (event.api_kind === "McpServer") {
      const { session_ms: sessionMs, primitive_name: primitive, mcp_protocol_version: version } = event.fields;
      mcp(event, seconds, primitive, "tcp");
      if (typeof sessionMs === "number") session(sessionMs / 1_000, [event.api_name, textOf(version), "tcp"]);
    }
    if (event.operation_id !== event.exchange_id) return; // once for the HTTP exchange, whatever it held
    const error = event.outcome === "ok" ? null : (event.error_code ?? String(event.http_status));
    http(seconds, [event.api_name, event.http_method, String(event.http_status), event.outcome, error]);
    for (const { policy, action, mode } of event.decisions) decisions(1, [event.api_name, policy, action, mode]);
  };
}

function attemptMetrics(metrics: MetricSet): (event: AttemptEvent, operation: ExchangeEvent) => void {
  const labels = [names.genAiOperation, names.genAiProvider, names.provider, names.genAiModel, names.api];
  const { duration, firstChunk, tokens, cost } = genAiMetrics(metrics, labels);
  const mcp = mcpDuration(metrics, names.mcpClientDuration, "Seconds that an MCP server took.");
  const models = boundedNames(mostNames);
  return (event, operation) => {
    const seconds = event.duration_ms === null ? undefined : event.duration_ms / 1_000;
    if (operation.api_kind === "McpServer" && seconds !== undefined)
      mcp(operation, seconds, upstreamPrimitive(operation.fields), event.peer?.transport);
    if (operation.api_kind !== "LlmApi") return;
    const error = attemptError(event);
    const { model: asked, provider, peer } = event;
    const model = asked === null || error !== null ? null : models.has(asked, true) ? asked : "other";
    const own = [operation.operation_kind, genAiProviderName(peer) ?? provider, provider, model, event.api_name];
    if (seconds !== undefined) duration(seconds, [...own, error]);
    if (operation.stream && event.first_byte_ms !== null) firstChunk(event.first_byte_ms / 1_000, own);
    if (event.input_tokens !== null) tokens(event.input_tokens, [...own, "input"]);
    if (event.output_tokens !== null) tokens(event.output_tokens, [...own, "output"]);
    if (event.cost !== null) cost(Number(event.cost), [...own.slice(1), event.cost_currency]);
  };
}

function genAiMetrics(metrics: MetricSet, labels: readonly string[]) {
  const duration = metrics.histogram(
    {
      name: names.genAiDuration,
      description: "Seconds that a try at a provider took.",
      unit: "s",
      labels: [...labels, names.errorType],
    },
    genAiBounds,
  );
  const firstChunk = metrics.histogram(
    { name: names.genAiFirstChunk, description: "Seconds to the first byte of a stream.", unit: "s", labels },
    genAiBounds,
  );
  const tokens = metrics.histogram(
    {
      name: names.genAiTokens,
      description: "Tokens of a try, by whether they went in or came out.",
      unit: "{token}",
      labels: [...labels, names.genAiTokenType],
    },
    tokenBounds,
  );
  const cost = metrics.counter({
    name: names.cost,
    description: "What tries cost, in units of the currency.",
    unit: "{currency}",
    labels: [...labels.slice(1), names.currency],
  });
  return { duration, firstChunk, tokens, cost };
}

type McpMeasure = (
  event: ExchangeEvent,
  seconds: number,
  primitive: EventValue | undefined,
  transport: TargetPeer["transport"] | undefined,
) => void;

/** `primitive` is what the tool or prompt is called on that side. */
function mcpDuration(metrics: MetricSet, name: string, description: string): McpMeasure {
  const labels = [
    names.mcpMethod,
    names.genAiOperation,
    names.genAiTool,
    names.genAiPrompt,
    names.mcpVersion,
    names.transport,
    names.api,
    names.errorType,
  ];
  const measured = metrics.histogram({ name, description, unit: "s", labels }, mcpBounds);
  const served = boundedNames(mostNames);
  const failing = boundedNames(mostFailingNames);
  const errors = boundedNames(mostErrors);
  return (event, seconds, primitive, transport) => {
    const { fields, api_name: api, operation_kind: kind } = event;
    const isFailed = isFailedOperation(event);
    const { primitive_type: type, mcp_protocol_version: version, tool_error: isToolError } = fields;
    // What failed by the server's own word was known to it or not: servers say both alike. So those that never did
    // anything else are few, and what was refused, by us or as an error of the protocol, is told by no name of its own.
    const isNamed = typeof primitive === "string" && (type === "tool" || type === "prompt");
    const key = isNamed ? `${api}/${type}/${primitive}` : "";
    const isKnown = isNamed && (served.has(key, !isFailed) || (isToolError === true && failing.has(key, true)));
    const told = isKnown ? primitive : isNamed && !isFailed ? "other" : null;
    const error = isFailed ? errorType(event) : null;
    measured(seconds, [
      kind,
      kind === "tools/call" ? "execute_tool" : null,
      type === "tool" ? told : null,
      type === "prompt" ? told : null,
      isFailed ? null : textOf(version),
      transport ?? null,
      api,
      error === null || !/^-?\d+$/.test(error) || errors.has(error, true) ? error : "_OTHER",
    ]);
  };
}

function textOf(value: EventValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

/** Names of one kind that each metric tells; those that only ever failed; and codes of errors. */
const mostNames = 500;
const mostFailingNames = 100;
const mostErrors = 100;

const httpBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const genAiBounds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const tokenBounds = Array.from({ length: 14 }, (_, power) => 4 ** power);
const mcpBounds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];
