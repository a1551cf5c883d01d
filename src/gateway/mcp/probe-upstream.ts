import { Cancellation } from "../../kernel/cancellation.ts";
import type { Clock } from "../../kernel/clock.ts";
import { GatewayError, toGatewayError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import { createSseSplitter } from "../../kernel/sse.ts";
import type { JsonRpcResponse } from "../../mcp/wire/json-rpc.ts";
import { readJsonRpc } from "../../mcp/wire/json-rpc.ts";
import { legacyVersions } from "../../mcp/wire/legacy.ts";
import { isModernVersion, metaKeys, modernVersions } from "../../mcp/wire/modern.ts";
import type { UpstreamTimeouts } from "../../pipeline/adapter.ts";
import { SseFrame } from "../sse-frame.ts";
import type { UpstreamClient, UpstreamResponse } from "../upstream.ts";
import type { McpEndpoint } from "./compile-mcp.ts";
import { sendAuthorized } from "./credentials/send-authorized.ts";
import { noCredential } from "./credentials/upstream-credential.ts";
import type { ProbeTime } from "./probe-times.ts";

export interface ProbeParts {
  readonly endpoint: McpEndpoint;
  readonly everyMs: number;
  readonly timeouts: UpstreamTimeouts;
  readonly upstream: UpstreamClient;
  readonly clock: Clock;
  /** When the server was last probed, also by a probe before this one. */
  readonly time: ProbeTime;
  /** Hears how each probe ended: undefined when the server answered, else an error code or a status. */
  found(failure: string | undefined): void;
}

const longestMs = 10_000;
const answerBytes = 1_048_576;

/**
 * Asks an MCP server every `everyMs` whether it is there, the first time when that span is over, in the words of its era:
 * `server/discover`, or `ping` in a session of the gateway's own. A server that answers anything in JSON-RPC is there;
 * one that refuses the gateway's credential, answers 5xx, or does not answer within ten seconds is not. The result
 * stops it and ends the session.
 */
export function startProbe(parts: ProbeParts): () => void {
  const { clock, everyMs, found, time } = parts;
  const state: ProbeState = { era: "unknown", session: undefined, isOpen: false, nextId: 1 };
  const stopped = new Cancellation();
  const startedMs = clock.monotonic();
  const sinceMs = time.get() ?? startedMs;
  time.set(sinceMs);
  let cancel = clock.after(Math.max(0, sinceMs + everyMs - startedMs), run);
  function run(): void {
    void probeOnce(parts, state, stopped).then((failure) => {
      if (stopped.isCancelled) return;
      time.set(clock.monotonic());
      found(failure);
      cancel = clock.after(everyMs, run);
    });
  }
  return () => {
    cancel();
    time.release();
    stopped.cancel(new GatewayError("client.closed", "The probe was stopped."));
    if (state.session !== undefined) void endSession(parts, state.session);
  };
}

interface ProbeState {
  era: "unknown" | "modern" | "legacy";
  /** The server's session id, where it gives one. */
  session: string | undefined;
  /** `initialize` has been answered. */
  isOpen: boolean;
  nextId: number;
}

async function probeOnce(parts: ProbeParts, state: ProbeState, stopped: Cancellation): Promise<string | undefined> {
  const cancellation = new Cancellation();
  const stopper = { onCancel: (reason: unknown) => cancellation.cancel(reason) };
  stopped.listen(stopper);
  const cancelLate = parts.clock.after(longestMs, () =>
    cancellation.cancel(new GatewayError("upstream.timeout", "The MCP server did not answer a probe in time.")),
  );
  try {
    const failure = await ask(parts, state, cancellation);
    return failure === "upstream.credentials" && isPersonal(parts.endpoint) ? undefined : failure;
  } catch (error) {
    return toGatewayError(cancellation.isCancelled ? cancellation.reason : error).code;
  } finally {
    cancelLate();
    stopped.ignore(stopper);
  }
}

async function ask(parts: ProbeParts, state: ProbeState, cancellation: Cancellation): Promise<string | undefined> {
  if (state.era !== "legacy") {
    const found = await post(parts, state, "server/discover", { _meta: modernMeta }, cancellation);
    if (found.failure !== undefined) return found.failure;
    state.era = speaksModern(found.message) ? "modern" : "legacy";
    if (state.era === "modern") return undefined;
  }
  if (state.isOpen) {
    const pinged = await post(parts, state, "ping", {}, cancellation);
    if (pinged.failure !== undefined || pinged.message?.result !== undefined) return pinged.failure;
    Object.assign(state, { session: undefined, isOpen: false }); // it has ended: a new one begins
  }
  const begun = await post(parts, state, "initialize", handshake, cancellation);
  if (begun.failure !== undefined) return begun.failure;
  if (begun.message?.result === undefined) {
    state.era = "unknown"; // it may have learnt another era
    return begun.message === undefined ? "upstream.invalid" : undefined;
  }
  Object.assign(state, { session: begun.session, isOpen: true });
  await notifyInitialized(parts, state, cancellation);
  return undefined;
}

const clientInfo = { name: "gatehouse-probe", version: "1" };
const handshake = { protocolVersion: legacyVersions[0], capabilities: {}, clientInfo };
const modernMeta = {
  [metaKeys.protocolVersion]: modernVersions[0],
  [metaKeys.clientInfo]: clientInfo,
  "io.modelcontextprotocol/clientCapabilities": {},
};

interface ProbeAnswer {
  readonly failure: string | undefined;
  /** Undefined for an answer that is no JSON-RPC response to the question. */
  readonly message: JsonRpcResponse | undefined;
  readonly session: string | undefined;
}

async function post(
  parts: ProbeParts,
  state: ProbeState,
  method: string,
  params: object,
  cancellation: Cancellation,
): Promise<ProbeAnswer> {
  const id = state.nextId++;
  const isModern = method === "server/discover";
  const versions = isModern
    ? { "mcp-protocol-version": modernVersions[0], "mcp-method": method }
    : { ...(state.isOpen && { "mcp-protocol-version": legacyVersions[0] }) };
  const response = await send(parts, "POST", { jsonrpc: "2.0", id, method, params }, cancellation, {
    ...versions,
    ...(state.session !== undefined && !isModern && { "mcp-session-id": state.session }),
  });
  const { status } = response;
  const session = response.headers["mcp-session-id"];
  const failure = failureOf(status);
  if (failure !== undefined) response.body.discard();
  const message = failure === undefined ? await readAnswer(response, id) : undefined;
  return { failure, message, session: typeof session === "string" ? session : undefined };
}

function failureOf(status: number): string | undefined {
  if (status === 401 || status === 403 || status === 407) return "upstream.credentials";
  return status >= 500 || (status >= 300 && status < 400) ? `status ${status}` : undefined;
}

async function notifyInitialized(parts: ProbeParts, state: ProbeState, cancellation: Cancellation): Promise<void> {
  const message = { jsonrpc: "2.0", method: "notifications/initialized" };
  const session = state.session === undefined ? {} : { "mcp-session-id": state.session };
  const headers = { "mcp-protocol-version": legacyVersions[0], ...session };
  const response = await send(parts, "POST", message, cancellation, headers);
  response.body.discard();
}

async function endSession(parts: ProbeParts, session: string): Promise<void> {
  const late = new Cancellation();
  const cancel = parts.clock.after(longestMs, () => late.cancel(new GatewayError("upstream.timeout", "Too late.")));
  const headers = { "mcp-session-id": session, "mcp-protocol-version": legacyVersions[0] };
  try {
    (await send(parts, "DELETE", undefined, late, headers)).body.discard();
  } catch {
    // The session ends by itself when the server has had enough of it.
  } finally {
    cancel();
  }
}

async function send(
  { endpoint, timeouts, upstream }: ProbeParts,
  method: "POST" | "DELETE",
  message: object | undefined,
  cancellation: Cancellation,
  own: Readonly<Record<string, string>>,
): Promise<UpstreamResponse> {
  const { origin, path, credential } = endpoint;
  const headers: Record<string, string> = { accept: "application/json, text/event-stream", ...own };
  if (message !== undefined) headers["content-type"] = "application/json";
  const body = message === undefined ? undefined : Buffer.from(JSON.stringify(message));
  const shown = isPersonal(endpoint) ? noCredential : credential;
  return sendAuthorized(shown, undefined, (more) =>
    upstream.send({ origin, method, path, headers: { ...headers, ...more }, body, timeouts, cancellation }),
  );
}

/** A probe has nobody's account: a server that asks for one is there. */
function isPersonal({ credential }: McpEndpoint): boolean {
  return credential.isGranted !== undefined;
}

/** The response with that id, in a JSON body or the first that a stream brings. */
async function readAnswer({ headers, body }: UpstreamResponse, id: number): Promise<JsonRpcResponse | undefined> {
  const contentType = String(headers["content-type"] ?? "").toLowerCase();
  if (!contentType.startsWith("text/event-stream")) return responseTo(id, parse(await body.whole(answerBytes)));
  const splitter = createSseSplitter({ maxEventBytes: answerBytes });
  try {
    for await (const chunk of body.chunks()) {
      const messages = splitter.push(chunk).map((event) => responseTo(id, new SseFrame(event).message()));
      const found = messages.find((message) => message !== undefined);
      if (found !== undefined) return found;
    }
    return undefined;
  } finally {
    body.discard();
  }
}

function responseTo(id: number, value: unknown): JsonRpcResponse | undefined {
  const message = readJsonRpc(value);
  return message.type === "response" && (message.id === id || message.id === undefined) ? message : undefined;
}

function parse(bytes: Buffer): unknown {
  try {
    return parseJson(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** A clean answer alone proves nothing: the versions must be said (2026-07-28, server/discover). */
function speaksModern(message: JsonRpcResponse | undefined): boolean {
  const versions = message?.result?.["supportedVersions"];
  return Array.isArray(versions) && versions.some((version) => typeof version === "string" && isModernVersion(version));
}
