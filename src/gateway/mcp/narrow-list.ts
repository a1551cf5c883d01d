import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { Answer, Exchange, Frame, FrameStream, Operation } from "../../pipeline/exchange.ts";
import type { ListedTools, OfferedTool } from "../../pipeline/offered-tools.ts";
import { changeFrame } from "../sse-frame.ts";
import { strictMessage } from "../strict-message.ts";
import { mcpLimits } from "./compile-mcp.ts";
import type { McpRequest } from "./mcp-request.ts";
import { mcpRequest } from "./mcp-request.ts";
import { isMetaTool } from "./search/meta-tools.ts";

/** Where a client says in `_meta` of `tools/list` what it wants to do. */
export const taskMember = "io.gatehouse/task";

/** The same as a header of a client that cannot set `_meta`; the body counts first. */
const taskHeader = "x-gatehouse-task";

const mostCharacters = 4_000;

/** A list of tools that is asked for one task, by `_meta` or by a header; undefined of everything else. */
export function listedTools(exchange: Exchange, operation: Operation): ListedTools | undefined {
  const own = mcpRequest(operation);
  if (operation.kind !== "tools/list" || own.message?.type !== "request") return undefined;
  const meta = own.message.params["_meta"];
  const said = (isObject(meta) ? meta[taskMember] : undefined) ?? headerOf(exchange);
  if (typeof said !== "string" || said.trim() === "") return undefined;
  return {
    task: said.slice(0, mostCharacters),
    narrow(choose) {
      own.narrow = choose;
      withoutTask(operation, own);
    },
  };
}

/** The tool that was called; undefined of one that told of an error, or that has not come to its end. */
export function calledTool(operation: Operation): string | undefined {
  const { isSearch, seen } = mcpRequest(operation);
  const isDone = (seen.resultType ?? "complete") === "complete" && !seen.isError && seen.errorCode === undefined;
  return operation.kind === "tools/call" && isSearch !== true && isDone ? operation.name : undefined;
}

/** A header is for the server that it was sent to, and not for those that this one is made of. */
function headerOf({ inbound, api }: Exchange): unknown {
  return inbound.path.startsWith(`${api.context}/`) ? inbound.headers[taskHeader] : undefined;
}

/** What the caller wants is told to nobody else. */
function withoutTask(operation: Operation, own: McpRequest): void {
  const { message } = own;
  if (message?.type !== "request" || !isObject(message.params["_meta"])) return;
  const { [taskMember]: said, ...meta } = message.params["_meta"];
  if (said !== undefined) ask(operation, own, { ...message.params, _meta: meta });
}

/** Makes an operation ask with other parameters: its view and its bytes. */
function ask(operation: Operation, own: McpRequest, params: Readonly<Record<string, unknown>>): void {
  const { message } = own;
  if (message?.type !== "request") return;
  (own as { message: McpRequest["message"] }).message = { ...message, params }; // the view follows the bytes
  const { id, method } = message;
  operation.body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
}

type Serve = (operation: Operation) => Promise<Answer>;

/**
 * The answer to `tools/list`, with the tools that a policy has chosen of all that this caller may call: all pages are read,
 * as many as the server's limits let be, and what is chosen is one page. A page that does not come leaves a cursor to it.
 */
export async function narrowList(exchange: Exchange, operation: Operation, serve: Serve): Promise<Answer> {
  const answer = await serve(operation);
  const { body } = answer;
  const narrow = (frame: Frame): Promise<Frame> => narrowFrame(exchange, operation, frame, serve);
  if (body.type === "whole") return { ...answer, body: { type: "whole", frame: await narrow(body.frame) } };
  return { ...answer, body: { ...body, frames: each(body.frames, narrow) } };
}

async function* each(frames: FrameStream, change: (frame: Frame) => Promise<Frame>): AsyncGenerator<Frame> {
  for await (const frame of frames) yield await change(frame);
}

async function narrowFrame(exchange: Exchange, operation: Operation, frame: Frame, serve: Serve): Promise<Frame> {
  const message = listOf(frame.message()) === undefined ? undefined : strictMessage(frame);
  const first = listOf(message);
  const { narrow, seen } = mcpRequest(operation);
  if (first === undefined || !isObject(message) || narrow === undefined) return frame;
  const { tools, cursor } = await readRest(exchange, operation, first, serve);
  const own = tools.filter((tool) => isMetaTool(exchange.api, nameOf(tool)));
  const rest = tools.filter((tool) => !own.includes(tool));
  const { listing, offered } = offerOf(rest);
  const stays = await narrow(offered, listing);
  if (stays.every(Boolean)) return frame;
  const kept = [...own, ...rest.filter((_, at) => stays[at] !== false)];
  seen.toolsAfterAuthz = tools.length;
  const { nextCursor: _next, cacheScope, ...others } = first.result;
  const result = {
    ...others,
    tools: kept,
    ...(cursor !== undefined && { nextCursor: cursor }),
    ...(cacheScope !== undefined && { cacheScope: "private" }), // it is the answer to one task
  };
  return changeFrame(frame, () => Buffer.from(JSON.stringify({ ...message, result })));
}

interface ToolPage {
  readonly result: Readonly<Record<string, unknown>>;
  readonly tools: readonly unknown[];
  readonly cursor: string | undefined;
}

function listOf(message: unknown): ToolPage | undefined {
  const result = isObject(message) ? message["result"] : undefined;
  if (!isObject(result) || !Array.isArray(result["tools"])) return undefined;
  const { tools, nextCursor } = result;
  return { result, tools, cursor: typeof nextCursor === "string" ? nextCursor : undefined };
}

async function readRest(
  exchange: Exchange,
  operation: Operation,
  first: ToolPage,
  serve: Serve,
): Promise<Pick<ToolPage, "tools" | "cursor">> {
  const { listPages, listEntries } = mcpLimits(exchange.api);
  const tools = [...first.tools];
  const { seen } = mcpRequest(operation);
  let { cursor } = first;
  let total = seen.listTotal ?? 0;
  for (let page = 1; cursor !== undefined && page < listPages && tools.length < listEntries; page += 1) {
    const next = await readPage(operation, cursor, serve).catch((error: unknown) => {
      if (exchange.cancellation.isCancelled) throw error;
      return undefined;
    });
    if (next === undefined) break;
    tools.push(...next.tools);
    total += seen.listTotal ?? 0; // of that page
    cursor = next.cursor;
  }
  seen.listTotal = total;
  return { tools, cursor };
}

async function readPage(operation: Operation, cursor: string, serve: Serve): Promise<ToolPage | undefined> {
  const own = { ...mcpRequest(operation) };
  const further: Operation = { ...operation, message: own };
  if (own.message?.type === "request") ask(further, own, { ...own.message.params, cursor });
  const { body } = await serve(further);
  if (body.type === "whole") return listOf(strictMessage(body.frame));
  for await (const frame of body.frames) {
    const page = listOf(frame.message());
    if (page !== undefined) return listOf(strictMessage(frame));
  }
  return undefined;
}

/** Tools of a server as a filter sees them: their bytes are those that the client would get. */
export function offerOf(tools: readonly unknown[]): {
  readonly listing: Uint8Array;
  readonly offered: readonly OfferedTool[];
} {
  const pieces = tools.map((tool) => Buffer.from(JSON.stringify(tool)));
  let from = 1;
  const offered = tools.map((tool, index): OfferedTool => {
    const at = [from, from + (pieces[index]?.byteLength ?? 0)] as const;
    from = at[1] + 1;
    const name = nameOf(tool);
    const { title, description, inputSchema } = isObject(tool) ? tool : {};
    const facts = { name, title: textOf(title), description: textOf(description), parameters: inputSchema };
    return { name, type: undefined, facts, index, at };
  });
  const commas = pieces.flatMap((piece) => [comma, piece]).slice(1);
  return { listing: Buffer.concat([Buffer.from("["), ...commas, Buffer.from("]")]), offered };
}

const comma = Buffer.from(",");

/** Entries without a name are out already. */
function nameOf(tool: unknown): string {
  return (isObject(tool) ? textOf(tool["name"]) : undefined) ?? "";
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
