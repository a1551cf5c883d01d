import type { Answer, Exchange, Operation } from "../../../pipeline/exchange.ts";
import type { Deny } from "../../../pipeline/outcome.ts";
import { deny } from "../../../pipeline/outcome.ts";
import type { CompiledTarget } from "../../../pipeline/target.ts";
import type { LlmCallTools } from "../call-llm.ts";
import { endpointOf } from "../compile-llm.ts";
import { errorAnswer } from "../error-answer.ts";
import type { PassThroughRequest } from "../llm-request.ts";
import { parseAnswer, refuseEncoded } from "../parse-answer.ts";
import { jsonFrame } from "../parsed-frame.ts";
import { sendPassThrough } from "./call-pass-through.ts";
import { findKept, noteKept } from "./kept-objects.ts";

/** Pages that one list looks through, and rows that each of them has: a provider account may keep thousands of others'. */
const mostPages = 20;
const pageRows = 100;

/**
 * A list of the caller's own files or batches, the provider accounts one after another. Others' are left out, so pages are
 * looked through until there are as many as asked for; what stands behind the 2,000 newest rows is not found.
 */
export async function listKept(
  exchange: Exchange,
  operation: Operation,
  asked: PassThroughRequest,
  tools: LlmCallTools,
): Promise<Answer | Deny> {
  const query = new URLSearchParams(exchange.inbound.query);
  const limit = Number(query.get("limit") ?? 20);
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > 10_000)
    return deny("request.invalid", "`limit` must be a whole number from 1 on.", { param: "limit" });
  const accounts = accountsOf(exchange);
  let after = query.get("after") ?? undefined;
  let at = 0;
  if (after !== undefined) {
    const owner = await findKept(exchange, after, tools.affinity, "after");
    if ("type" in owner) return owner;
    at = Math.max(
      0,
      accounts.findIndex(({ providerName }) => providerName === owner.provider),
    );
  }
  const own: Row[] = [];
  for (let page = 0; page < mostPages && own.length <= limit; page += 1) {
    const account = accounts[at];
    if (account === undefined) break;
    const rows = await pageOf(exchange, operation, account, pathOf(asked, query, after), tools);
    if ("status" in rows) return rows;
    for (const row of rows.data)
      if (await isOwn(exchange, row, tools)) own.push(noted(exchange, operation, account, row, tools));
    after = rows.data.at(-1)?.id;
    if (rows.hasMore && after !== undefined) continue;
    at += 1;
    after = undefined;
  }
  const data = own.slice(0, limit);
  const ends = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
  return whole({ object: "list", data, ...ends, has_more: own.length > limit });
}

interface Row extends Readonly<Record<string, unknown>> {
  readonly id: string;
}

interface Page {
  readonly data: readonly Row[];
  readonly hasMore: boolean;
}

/** One target of each provider account that has such endpoints. */
function accountsOf({ api, principal }: Exchange): readonly CompiledTarget[] {
  const { targets } = api.protocol.upstreams[principal?.environment ?? "production"];
  const able = targets.filter((target) => endpointOf(target).provider.passThrough !== undefined);
  return [...new Map(able.map((target) => [target.providerName, target])).values()];
}

/** What of a query goes along; whatever else stands in one, a key perhaps, is nobody's business. */
function pathOf({ path }: PassThroughRequest, query: URLSearchParams, after: string | undefined): string {
  const kept = new URLSearchParams([...query].filter(([name]) => name === "order" || name === "purpose"));
  kept.set("limit", String(pageRows));
  if (after !== undefined) kept.set("after", after);
  return `${path}?${kept.toString()}`;
}

async function pageOf(
  exchange: Exchange,
  operation: Operation,
  account: CompiledTarget,
  path: string,
  tools: LlmCallTools,
): Promise<Page | Answer> {
  const response = await sendPassThrough(exchange, operation, account, { method: "GET", path }, tools);
  refuseEncoded(response);
  if (response.status >= 300) return errorAnswer(operation, "openai-chat", response, {}, tools.clock.now());
  const bytes = await response.body.whole(exchange.api.limits.responseBytes);
  return toPage(parseAnswer(bytes));
}

function toPage(message: unknown): Page {
  if (!isObject(message) || !Array.isArray(message["data"])) return { data: [], hasMore: false };
  return { data: message["data"].filter(isRow), hasMore: message["has_more"] === true };
}

async function isOwn(exchange: Exchange, { id }: Row, { affinity }: LlmCallTools): Promise<boolean> {
  return !("type" in (await findKept(exchange, id, affinity)));
}

// A batch that has ended names files that it has written: from now on they are known too.
function noted(exchange: Exchange, operation: Operation, account: CompiledTarget, row: Row, tools: LlmCallTools): Row {
  if (tools.affinity !== undefined) noteKept(exchange, operation, account, row, tools.affinity);
  return row;
}

function isRow(value: unknown): value is Row {
  return isObject(value) && typeof value["id"] === "string";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function whole(message: object): Answer {
  const frame = jsonFrame(Buffer.from(JSON.stringify(message)), message);
  return { status: 200, headers: { "content-type": "application/json" }, body: { type: "whole", frame } };
}
