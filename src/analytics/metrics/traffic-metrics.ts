import type { AnalyticsEvent, AttemptEvent, ExchangeEvent } from "../../pipeline/event.ts";
import { attemptError, errorType } from "../otlp/event-spans.ts";
import { telemetryNames as names } from "../otlp/telemetry-names.ts";
import type { Histogram, MetricSet } from "./metric-set.ts";

/**
 * Counts what is recorded, by the metrics of the conventions for HTTP, generative AI and MCP and some of our own. Labels are
 * APIs, outcomes and the like: never a caller, a key or a path. Models and tools are labels only where an upstream knew them.
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
  const decisions = metrics.counter({
    name: names.decisions,
    description: "What policies and guardrails decided, or would have in monitor mode.",
    unit: "{decision}",
    labels: [names.api, names.policy, names.action, names.mode],
  });
  return (event) => {
    const seconds = event.duration_ms / 1_000;
    if (event.api_kind === "McpServer") mcp(event, seconds);
    if (event.operation_id !== event.exchange_id) return; // once for the HTTP exchange, whatever it held
    const error = event.outcome === "ok" ? null : (event.error_code ?? String(event.http_status));
    http(seconds, [event.api_name, event.http_method, String(event.http_status), event.outcome, error]);
    for (const { policy, action, mode } of event.decisions) decisions(1, [event.api_name, policy, action, mode]);
  };
}

function attemptMetrics(metrics: MetricSet): (event: AttemptEvent, operation: ExchangeEvent) => void {
  const labels = [names.genAiOperation, names.genAiProvider, names.genAiModel, names.api];
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
    labels: [names.genAiProvider, names.genAiModel, names.api, names.currency],
  });
  const mcp = mcpDuration(metrics, names.mcpClientDuration, "Seconds that an MCP server took.");
  return (event, operation) => {
    const seconds = event.duration_ms === null ? undefined : event.duration_ms / 1_000;
    if (operation.api_kind === "McpServer" && seconds !== undefined) mcp(operation, seconds);
    if (operation.api_kind !== "LlmApi") return;
    const error = attemptError(event);
    const model = error === null ? event.model : null;
    const own = [operation.operation_kind, event.provider, model, event.api_name];
    if (seconds !== undefined) duration(seconds, [...own, error]);
    if (operation.stream && event.first_byte_ms !== null) firstChunk(event.first_byte_ms / 1_000, own);
    if (event.input_tokens !== null) tokens(event.input_tokens, [...own, "input"]);
    if (event.output_tokens !== null) tokens(event.output_tokens, [...own, "output"]);
    if (event.cost !== null) cost(Number(event.cost), [event.provider, model, event.api_name, event.cost_currency]);
  };
}

function mcpDuration(metrics: MetricSet, name: string, description: string): (event: ExchangeEvent, s: number) => void {
  const labels = [names.mcpMethod, names.genAiTool, names.api, names.errorType];
  const measured: Histogram = metrics.histogram({ name, description, unit: "s", labels }, mcpBounds);
  return (event, seconds) => {
    const { fields, outcome, api_name, operation_kind } = event;
    const isFailed = outcome !== "ok" || fields["is_error"] === true;
    // A tool that failed is one; what was refused, by us or as an error of the protocol, may be any word.
    const isKnown = fields["primitive_type"] === "tool" && (!isFailed || fields["tool_error"] === true);
    const tool = isKnown && typeof fields["primitive_name"] === "string" ? fields["primitive_name"] : null;
    measured(seconds, [operation_kind, tool, api_name, isFailed ? errorType(event) : null]);
  };
}

const httpBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const genAiBounds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const tokenBounds = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216];
const mcpBounds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];
