import type { ByteRange } from "../../kernel/json-scan.ts";
import { scanJson, spliceBytes } from "../../kernel/json-scan.ts";
import type { Operation } from "../../pipeline/exchange.ts";
import type { OfferedTools, ToolPlace } from "../../pipeline/offered-tools.ts";
import type { LlmRequest } from "./llm-request.ts";
import { llmRequest } from "./llm-request.ts";
import { readTools } from "./read-tools.ts";
import { answeredCalls, isToolOptional, neededTools, userTurns } from "./tool-talk.ts";

/** The tools of a chat, or of a chat whose tokens are counted; undefined where it offers none. */
export function offeredTools(operation: Operation): OfferedTools | undefined {
  const request = llmRequest(operation);
  const { kind, json, scan } = request;
  if (kind !== "chat" && kind !== "count-tokens") return undefined;
  const member = ["tools", "functions"].find((name) => isList(json[name]));
  const at = member === undefined ? undefined : scan.members.get(member);
  if (member === undefined || at === undefined) return undefined;
  const list = json[member] as readonly unknown[]; // `find` has just seen that it is one
  const listing = operation.body.subarray(at[0], at[1]);
  return {
    listing,
    read: () => readTools(list, listing),
    userTurns: () => userTurns(json),
    needed: () => neededTools(json),
    answeredCalls: () => answeredCalls(json),
    isOptional: isToolOptional(json),
    message: json,
    keep(entries) {
      if (entries.length === 0) for (const name of [member, ...ofTools]) removeMember(operation, request, name);
      else {
        const body = withEntries(operation.body, at, entries);
        take(operation, request, body, { [member]: entries.map(({ index }) => list[index]) });
      }
    },
  };
}

/** Members that providers refuse in a request that has no tools. */
const ofTools = ["tool_choice", "function_call", "parallel_tool_calls"];

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function withEntries(body: Buffer, [start, end]: ByteRange, entries: readonly ToolPlace[]): Buffer {
  const pieces = entries.flatMap(({ at: [from, to] }) => [comma, body.subarray(start + from, start + to)]);
  const replacement = Buffer.concat([openBracket, ...pieces.slice(1), closeBracket]);
  return spliceBytes(body, [{ start, end, replacement }]);
}

const comma = Buffer.from(",");
const openBracket = Buffer.from("[");
const closeBracket = Buffer.from("]");

/** Takes a member out of the top-level object with its name and one comma; nothing where there is none. */
function removeMember(operation: Operation, request: LlmRequest, name: string): void {
  const at = request.scan.members.get(name);
  if (at === undefined) return;
  const { body } = operation;
  let start = nameStart(body, at[0]);
  let end = skipSpace(body, at[1], 1);
  if (body[end] === 0x2c) end += 1;
  else {
    const before = skipSpace(body, start - 1, -1);
    if (body[before] === 0x2c) start = before;
  }
  take(operation, request, spliceBytes(body, [{ start, end, replacement: "" }]), { [name]: undefined });
}

/** Where the name of a member begins, whose value stands at `value`. */
function nameStart(body: Buffer, value: number): number {
  const colon = skipSpace(body, value - 1, -1);
  let at = skipSpace(body, colon - 1, -1) - 1; // behind it the closing quote
  while (body[at] !== 0x22 || isEscaped(body, at)) at -= 1;
  return at;
}

function isEscaped(body: Buffer, at: number): boolean {
  let slashes = 0;
  while (body[at - 1 - slashes] === 0x5c) slashes += 1;
  return slashes % 2 === 1;
}

function skipSpace(body: Buffer, from: number, step: 1 | -1): number {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) at += step;
  return at;
}

/** The changed bytes, and the parsed view after them: what did not change is not parsed again. */
function take(
  operation: Operation,
  request: LlmRequest,
  body: Buffer,
  changed: Readonly<Record<string, unknown>>,
): void {
  operation.body = body;
  const all = Object.entries({ ...request.json, ...changed }).filter(([, value]) => value !== undefined);
  request.json = Object.fromEntries(all);
  request.scan = scanJson(body, { maxDepth: Number.MAX_SAFE_INTEGER });
  request.chat = undefined;
}
