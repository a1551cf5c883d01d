import { createHash } from "node:crypto";
import { canonicalJson } from "../../kernel/canonical-json.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { locateJson, spliceBytes } from "../../kernel/json-scan.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { RequestStates } from "../../mcp/request-state.ts";
import { modernResult } from "../../mcp/wire/era-results.ts";
import type { JsonRpcRequest } from "../../mcp/wire/json-rpc.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { Answer, Exchange, Operation } from "../../pipeline/exchange.ts";
import type { HeldCall, ToolHints } from "../../pipeline/held-call.ts";
import { behindOf } from "./compile-mcp.ts";
import type { McpRequest } from "./mcp-request.ts";
import { mcpRequest } from "./mcp-request.ts";
import { noteMessage } from "./note-message.ts";
import { ownerOf } from "./open-session.ts";
import type { ToolHintMemory } from "./tool-hints.ts";

export interface HeldCallTools {
  /** Seals what a client comes back with. */
  readonly states: RequestStates;
  readonly hints: ToolHintMemory;
}

/** A `tools/call` as policies that wait for a person see it; undefined for every other message. */
export function heldCall(exchange: Exchange, operation: Operation, tools: HeldCallTools): HeldCall | undefined {
  const { message, era } = mcpRequest(operation);
  if (message?.type !== "request" || message.method !== "tools/call") return undefined;
  const { arguments: given, requestState } = message.params;
  const caller = ownerOf(exchange);
  const asked = { method: message.method, params: message.params };
  const environment = exchange.principal?.environment ?? "production";
  const isOurs = typeof requestState === "string" && tools.states.isOurs(requestState);
  const state = isOurs ? tools.states.open(requestState, caller, asked) : undefined;
  return {
    tool: operation.name,
    given: isObject(given) ? given : {},
    argumentsHash: argumentsHash(operation.body),
    caller,
    hints: tools.hints.of(exchange.api.id, environment, operation.name) ?? hintsOf(exchange, operation),
    ticket: !isOurs
      ? { type: "none" }
      : state === undefined
        ? { type: "invalid" }
        : { type: "valid", ticket: state.ticket },
    comeBack:
      era === "legacy"
        ? undefined
        : (ticket, expiresAtMs) =>
            askedBack(
              operation,
              message,
              ticket,
              expiresAtMs,
              tools.states.seal({ ticket, expiresAtMs }, caller, asked),
            ),
    release() {
      if (isOurs) takeOutState(operation, message);
    },
  };
}

/** What is known of a tool though no list has passed through, as after a restart. */
function hintsOf({ api, principal }: Exchange, { name }: Operation): ToolHints | undefined {
  const [target] = api.protocol.upstreams[principal?.environment ?? "production"].targets;
  return target && behindOf(target).backend.hintsOf?.(name);
}

function askedBack(
  operation: Operation,
  { id, method }: JsonRpcRequest,
  approval: string,
  expiresAtMs: number,
  requestState: string,
): Answer {
  const told = { approval, expiresAt: new Date(expiresAtMs).toISOString() };
  const result = { resultType: "input_required", requestState, _meta: { "gatehouse/approval": told } };
  const message = { jsonrpc: "2.0", id, result: modernResult(method, result, undefined) };
  noteMessage(operation, { type: "response", id, result: message.result, error: undefined });
  const frame = { bytes: Buffer.from(JSON.stringify(message)), message: () => message };
  return { status: 200, headers: { "content-type": "application/json" }, body: { type: "whole", frame } };
}

/** Over the arguments as they stand in the body: numbers that JavaScript would round are told apart by their digits. */
function argumentsHash(body: Buffer): string {
  const range = locateJson(body, ["params", "arguments"]);
  const text = range === undefined ? "null" : body.toString("utf8", ...range);
  return createHash("sha256")
    .update(canonicalJson(parseJson(text, exactNumber)))
    .digest("hex");
}

function exactNumber(digits: string): unknown {
  return String(Number(digits)) === digits ? Number(digits) : ["number", digits];
}

/** The server behind knows nothing of a state that the gateway has given. Everything else keeps its bytes. */
function takeOutState(operation: Operation, message: JsonRpcRequest): void {
  const { requestState: _, ...params } = message.params;
  operation.body = withoutMember(operation.body, ["params"], "requestState");
  (mcpRequest(operation) as { -readonly [Key in keyof McpRequest]: McpRequest[Key] }).message = { ...message, params };
}

function withoutMember(bytes: Buffer, owner: readonly string[], name: string): Buffer {
  const value = locateJson(bytes, [...owner, name]);
  const key = JSON.stringify(name);
  const start = value === undefined ? -1 : bytes.lastIndexOf(key, value[0]);
  if (value === undefined || !/^"\s*:\s*$/.test(bytes.toString("utf8", start + key.length - 1, value[0]))) {
    throw new GatewayError("request.invalid", `The member ${name} is written in a way that is not understood.`);
  }
  const comma = /^\s*,/.exec(bytes.toString("utf8", value[1]));
  if (comma !== null) return spliceBytes(bytes, [{ start, end: value[1] + comma[0].length, replacement: "" }]);
  const before = /,\s*$/.exec(bytes.toString("utf8", 0, start));
  return spliceBytes(bytes, [{ start: start - (before?.[0].length ?? 0), end: value[1], replacement: "" }]);
}
