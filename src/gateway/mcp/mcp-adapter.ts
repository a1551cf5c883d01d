import type { KeyObject } from "node:crypto";
import type { ErrorCode } from "../../kernel/error-codes.ts";
import { errorCodes } from "../../kernel/error-codes.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { createListCursors } from "../../mcp/federation/list-cursors.ts";
import { createRequestStates, heldCalls } from "../../mcp/request-state.ts";
import { createTaskOwners } from "../../mcp/task-owners.ts";
import type { ClientResponse, Encoded, ProtocolAdapter } from "../../pipeline/adapter.ts";
import type { Answer, Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Outcome } from "../../pipeline/outcome.ts";
import type { NestedRunner } from "../../pipeline/run-nested.ts";
import { dropUnreadBody } from "../drop-unread-body.ts";
import type { WriteOptions } from "../write-answer.ts";
import { writeAnswer, writeWhole } from "../write-answer.ts";
import { authorizeMcp } from "./authorize-mcp.ts";
import type { McpCallTools } from "./call-mcp.ts";
import { refusePinned } from "./check-pins.ts";
import type { ProbeTools } from "./compile-mcp.ts";
import { compileMcp } from "./compile-mcp.ts";
import { decodeMcp } from "./decode-mcp.ts";
import { notOffered } from "./decode-message.ts";
import { createFaceTools } from "./face/serve-face.ts";
import type { McpFaultParts } from "./fault-message.ts";
import { faultMessage, faultStatus } from "./fault-message.ts";
import { refuseTask } from "./guard-tasks.ts";
import { createHeldBackends } from "./held-backends.ts";
import { heldCall } from "./held-call.ts";
import { joinBatch } from "./join-batch.ts";
import { jsonRpcError } from "./json-rpc-error.ts";
import { mcpEventFields, mcpEventSubject } from "./mcp-event-fields.ts";
import { mcpRequest, requestId } from "./mcp-request.ts";
import { editFrame, editRequest, frameOperation, frameSpans, requestSpans, texts } from "./mcp-spans.ts";
import { calledTool, listedTools, narrowList } from "./narrow-list.ts";
import { compileOpenApi } from "./openapi/compile-openapi.ts";
import { createProbeTimes } from "./probe-times.ts";
import { createRunningCalls } from "./running-calls.ts";
import { createSearchLearner, searchLearner } from "./search/learn-searches.ts";
import { createSearchedServer } from "./search/searched-server.ts";
import { serveMcp } from "./serve-mcp.ts";
import { createStreamPlaces } from "./stream-places.ts";
import { createToolHints } from "./tool-hints.ts";
import { compileVirtual } from "./virtual/compile-virtual.ts";

export interface McpAdapterOptions extends Omit<McpCallTools, "running" | "tasks" | "served"> {
  /** Seals what clients carry for the gateway; the same for all gateways of an installation. */
  readonly sessionKey: KeyObject;
  /** A client that takes no byte of its stream for so long is let go. */
  readonly stalledMs: number;
  /** What was approved of servers' definitions. */
  readonly pins?: ProbeTools["pins"];
  /** Hears what probes of the upstreams find. */
  readonly watch: ProbeTools["watch"];
  /** What is shown to upstreams. */
  readonly credentials: ProbeTools["credentials"];
  /** Servers on their standard streams that this gateway may start; none when absent. */
  readonly stdio?: ProbeTools["stdio"];
  /** Runs calls of a server that is made of others through what holds for those. */
  readonly nested: NestedRunner;
}

/**
 * MCP over streamable HTTP at `{context}/mcp`. Where client and server speak the same era, a relay of raw JSON-RPC: bodies
 * go through byte for byte, and are parsed once, to be judged and recorded. Elsewhere the gateway is a server to the one
 * and a client to the other.
 */
export function createMcpAdapter(given: McpAdapterOptions): ProtocolAdapter {
  const tasks = createTaskOwners();
  const backends = createHeldBackends();
  const hints = createToolHints();
  const cursors = createListCursors(given.sessionKey);
  const { clock, nested: runner } = given;
  const members = { hints, served: new Map<string, number>(), clock, tasks, runner, cursors };
  const making = { ...given, backends, cursors, runner };
  const openapi: ProbeTools["openapi"] = (input, spec) => compileOpenApi(input, spec, making);
  const virtual: ProbeTools["virtual"] = (input, spec) => compileVirtual(input, spec, members);
  const options = {
    stdio: {},
    ...given,
    running: createRunningCalls(),
    tasks,
    times: createProbeTimes(),
    backends,
    virtual,
    openapi,
    search: createSearchedServer,
    learnSearches: createSearchLearner,
    hints,
  };
  const face = createFaceTools({ ...given, tokens: given.sessions, tasks });
  const door = { tokens: options.sessions, served: face.sessions };
  const tools = { ...options, face, served: face.sessions, places: createStreamPlaces(given.clock) };
  const held = { states: createRequestStates(given.sessionKey, heldCalls), hints };
  return {
    kind: "McpServer",
    routes: [
      { method: "POST", path: "/mcp" },
      { method: "GET", path: "/mcp" },
      { method: "DELETE", path: "/mcp" },
    ],
    cutsText: false,
    texts,
    compile: (input) => compileMcp(input, options),
    decode: (exchange, request) => decodeMcp(exchange, request, door),
    requestSpans,
    editRequest,
    frameSpans,
    frameOperation,
    editFrame,
    notOffered: (operation) => notOffered(mcpRequest(operation).target, operation.name),
    authorize: (exchange, operation) => refusePinned(exchange, operation) ?? authorizeMcp(exchange, operation),
    heldCall: (exchange, operation) => heldCall(exchange, operation, held),
    answerLocally: (exchange, operation) => refuseTask(exchange, operation, options.tasks),
    listedTools,
    calledTool,
    call(exchange, operation, target) {
      const serve = (each: Operation): Promise<Answer> => serveMcp(exchange, each, target, tools);
      return mcpRequest(operation).narrow === undefined ? serve(operation) : narrowList(exchange, operation, serve);
    },
    join: joinBatch,
    async encode(exchange, outcome, response) {
      try {
        const encoded = told(exchange, await encode(exchange, outcome, response, options));
        if (outcome.type === "answer" && encoded.error === undefined) searchLearner(exchange.api)?.answered(exchange);
        return encoded;
      } finally {
        for (const operation of exchange.operations) options.running.ended(exchange, operation);
      }
    },
    eventSubject: mcpEventSubject,
    eventFields: mcpEventFields,
    encodeDeny(refusal, id, response, headers) {
      const bytes = Buffer.from(JSON.stringify(jsonRpcError(refusal.requestId, refusal)));
      const all: Record<string, string | number> = {
        ...headers,
        "content-type": "application/json",
        "content-length": bytes.length,
        "x-request-id": id,
      };
      if (refusal.retryAfterMs !== undefined) all["retry-after"] = Math.ceil(refusal.retryAfterMs / 1_000);
      response.writeHead(errorCodes[refusal.code].status, all);
      response.end(bytes);
      dropUnreadBody(response, options.clock);
    },
  };
}

/** A call that its client has cancelled, and that has no answer: nothing broke, and nothing came of it. */
function told({ operations }: Exchange, encoded: Encoded): Encoded {
  const [operation] = operations;
  if (operation === undefined || operations.length > 1 || encoded.error !== undefined) return encoded;
  const { isCancelled, resultType } = mcpRequest(operation).seen;
  if (!isCancelled || resultType !== undefined) return encoded;
  return { ...encoded, error: new GatewayError("client.closed", "The client has cancelled the request.") };
}

async function encode(
  exchange: Exchange,
  outcome: Outcome,
  response: ClientResponse,
  { clock, stalledMs }: McpAdapterOptions,
): Promise<Encoded> {
  const write: WriteOptions = { clock, stalledMs, errorFrame: (error) => errorEvents(exchange, error) };
  if (outcome.type !== "answer") return encodeFault(exchange, outcome, response, write);
  try {
    return await writeAnswer(exchange, outcome.answer, response, write);
  } catch (error) {
    if (!(error instanceof GatewayError) || response.headersSent) throw error;
    return { ...encodeFault(exchange, { type: "failed", error }, response, write), error };
  }
}

/** The end of a broken stream for each request that waits. On the standalone stream none does: there it just ends. */
function errorEvents({ operations }: Exchange, error: GatewayError): Buffer {
  const events = operations.map((operation) => {
    const id = requestId(operation);
    if (id === undefined || mcpRequest(operation).seen.isAnswered) return "";
    return `\n\nevent: message\ndata: ${JSON.stringify(faultMessage(operation, id, error))}\n\n`;
  });
  return Buffer.from(events.join(""));
}

function encodeFault(
  exchange: Exchange,
  outcome: Exclude<Outcome, { type: "answer" }>,
  response: ClientResponse,
  write: WriteOptions,
): Encoded {
  const parts: FaultParts = outcome.type === "denied" ? outcome.deny : outcome.error;
  const [operation] = exchange.operations;
  // As a server says that it has no such tool (2026-07-28, server/tools, "Error handling"). A 404 would end the session.
  const isHidden = parts.code === "request.not_offered" || isLegacyNoMethod(exchange, parts.code);
  const status = isHidden ? 200 : faultStatus(operation, parts);
  const headers: Record<string, string | number> = {
    ...exchange.responseHeaders,
    "content-type": "application/json",
    "x-request-id": exchange.id,
  };
  if (status === 401) headers["www-authenticate"] ??= 'Bearer realm="gatehouse"';
  if (status === 405) headers["allow"] = exchange.inbound.method === "HEAD" ? "POST, GET, DELETE" : "POST";
  if (parts.code === "guardrail.denied") headers["x-should-retry"] = "false";
  const retryAfterMs = parts.retryAfterMs ?? (status === 429 || status === 503 ? 1_000 : undefined);
  if (retryAfterMs !== undefined) headers["retry-after"] = Math.ceil(retryAfterMs / 1_000);
  const id = onlyRequestId(exchange) ?? parts.requestId;
  const bytes = Buffer.from(JSON.stringify(faultMessage(operation, id, parts)));
  const encoded = writeWhole(exchange, status, headers, bytes, response, write);
  dropUnreadBody(response, write.clock);
  return encoded;
}

/** Of a batch no request stands for the others. */
function onlyRequestId({ operations }: Exchange): ReturnType<typeof requestId> {
  return operations.length > 1 ? undefined : requestId(operations[0]);
}

/** The stateless era has a status for a method that is not there (2026-07-28, basic/transports). */
function isLegacyNoMethod({ operations: [operation] }: Exchange, code: ErrorCode): boolean {
  return code === "mcp.method_not_found" && operation !== undefined && mcpRequest(operation).era === "legacy";
}

interface FaultParts extends McpFaultParts {
  readonly requestId?: string | number | undefined;
}
