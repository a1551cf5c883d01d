import { toGatewayError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { Answer, Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import type { LlmCallTools } from "./call-llm.ts";
import { sendToProvider } from "./call-llm.ts";
import { endpointOf, llmTables } from "./compile-llm.ts";
import { llmRequest } from "./llm-request.ts";
import type { ModelRow } from "./model-rows.ts";
import { anthropicRow, modelRows } from "./model-rows.ts";
import { jsonFrame } from "./parsed-frame.ts";

/**
 * `/v1/models` and `/v1/models/{model}`: what this caller may ask for, never more. Models named by the API are listed
 * as they stand; where it offers globs, the providers are asked, all at once, and one that does not answer is left
 * out. A model that is not offered and one that the key may not call look alike.
 */
export async function answerModels(
  exchange: Exchange,
  operation: Operation,
  tools: LlmCallTools,
): Promise<Answer | Deny | undefined> {
  const { kind } = llmRequest(operation);
  if (kind === "models") return listAnswer(await visibleModels(exchange, tools), isAnthropic(exchange));
  if (kind !== "model") return undefined;
  const found = (await visibleModels(exchange, tools)).find(({ id }) => id === operation.name);
  return found === undefined
    ? notOffered(operation, exchange)
    : whole(isAnthropic(exchange) ? anthropicRow(found) : found);
}

/** Names that a refusal lists at most. */
const mostListed = 20;

/**
 * The refusal of a model, with those that this caller may ask for where the API names any: one text for a model that does
 * not exist and one that this caller may not see.
 */
export function notOffered(operation: Operation, exchange: Exchange): Deny {
  const named = namedModels(exchange);
  const more = named.length > mostListed ? ", …" : "";
  const list = named.slice(0, mostListed).map((name) => `\`${name}\``);
  const offer = named.length === 0 ? "" : ` You may ask for ${list.join(", ")}${more}.`;
  const message = `The model \`${operation.name}\` does not exist or you do not have access to it.${offer}`;
  return deny("request.not_offered", message, { param: "model" });
}

/** What the API names, some target serves and this caller may call. */
function namedModels({ api, principal }: Exchange): readonly string[] {
  const { targets } = api.protocol.upstreams[principal?.environment ?? "production"];
  const isServed = (name: string): boolean => targets.some((target) => target.serves(name));
  return llmTables(api).namedModels.filter((name) => principal?.mayCall?.(name) !== false && isServed(name));
}

async function visibleModels(exchange: Exchange, tools: LlmCallTools): Promise<readonly ModelRow[]> {
  const tables = llmTables(exchange.api);
  const mayCall = exchange.principal?.mayCall ?? (() => true);
  const { targets } = exchange.api.protocol.upstreams[exchange.principal?.environment ?? "production"];
  const named = tables.namedModels.map(
    (id): ModelRow => ({ id, object: "model", created: 0, owned_by: exchange.api.name }),
  );
  const listed = tables.hasGlobs ? await askProviders(exchange, targets, tools) : [];
  const rows = new Map<string, ModelRow>();
  for (const row of [...named, ...listed]) {
    const isServed = targets.some((target) => target.serves(row.id));
    if (!rows.has(row.id) && tables.offers(row.id) && isServed && mayCall(row.id)) rows.set(row.id, row);
  }
  return [...rows.values()];
}

async function askProviders(
  exchange: Exchange,
  targets: readonly CompiledTarget[],
  tools: LlmCallTools,
): Promise<readonly ModelRow[]> {
  const one = new Map(
    targets.filter((target) => target.model === undefined).map((target) => [target.endpoint, target]),
  );
  const lists = await Promise.allSettled([...one.values()].map((target) => listOf(exchange, target, tools)));
  const failures = lists.filter((list) => list.status === "rejected");
  if (failures.length > 0 && failures.length === lists.length) throw toGatewayError(failures[0]?.reason);
  return lists.flatMap((list) => (list.status === "fulfilled" ? list.value : []));
}

async function listOf(exchange: Exchange, target: CompiledTarget, tools: LlmCallTools): Promise<readonly ModelRow[]> {
  const endpoint = endpointOf(target);
  if (endpoint.provider.listsModels === false) return [];
  const request = await endpoint.provider.request({
    operation: "models",
    dialect: "openai-chat",
    model: "",
    stream: false,
    body: Buffer.alloc(0),
  });
  const { timeouts } = exchange.api.protocol.upstreams[exchange.principal?.environment ?? "production"];
  const response = await sendToProvider(exchange, endpoint, request, timeouts, tools.upstream);
  const bytes = await response.body.whole(exchange.api.limits.responseBytes);
  if (response.status !== 200) return [];
  const message: unknown = parseJson(bytes.toString("utf8"));
  return modelRows(message);
}

// Both lists stand at one address; only Anthropic's clients name a version.
function isAnthropic({ inbound }: Exchange): boolean {
  return inbound.headers["anthropic-version"] !== undefined;
}

function listAnswer(rows: readonly ModelRow[], isForAnthropic: boolean): Answer {
  if (!isForAnthropic) return whole({ object: "list", data: rows });
  const [first, last] = [rows[0]?.id ?? null, rows.at(-1)?.id ?? null];
  return whole({ data: rows.map(anthropicRow), has_more: false, first_id: first, last_id: last });
}

function whole(message: unknown): Answer {
  const bytes = Buffer.from(JSON.stringify(message));
  return {
    status: 200,
    headers: { "content-type": "application/json" },
    body: { type: "whole", frame: jsonFrame(bytes, message) },
  };
}
