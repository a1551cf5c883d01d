import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { AffinityOwner, AffinityStore } from "../../pipeline/affinity-store.ts";
import type { ProviderRequest } from "../../pipeline/define-provider.ts";
import type { Answer, Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import { callerOf, notKept, stateKey } from "./affinity.ts";
import type { LlmCallTools } from "./call-llm.ts";
import { readAnswer, sendToProvider } from "./call-llm.ts";
import { endpointOf } from "./compile-llm.ts";
import type { StateRequest } from "./llm-request.ts";
import { llmRequest } from "./llm-request.ts";
import { claimOwed } from "./owed-usage.ts";

/** The path below `/v1/responses/`; undefined where the id has characters that no provider gives. */
const form = /^([A-Za-z0-9_-]{1,200})(\/cancel|\/input_items)?$/;

/** Finds out whose response a path names: the caller's own, or none that is there. */
export function findState(
  exchange: Exchange,
  path: string,
  store: AffinityStore | undefined,
): MaybePromise<StateRequest | Deny> {
  const [, id, below = ""] = form.exec(path) ?? [];
  if (id === undefined || store === undefined) return notKept(path);
  const settle = (owner: AffinityOwner | undefined): StateRequest | Deny => {
    if (owner === undefined || owner.caller !== callerOf(exchange)) return notKept(id);
    const { method } = exchange.inbound;
    return { id, below, owner, method: method === "DELETE" || method === "POST" ? method : "GET" };
  };
  const found = store.find(stateKey(exchange, id));
  return found instanceof Promise ? found.then(settle) : settle(found);
}

/** Asks the provider account that made the response; no other one knows it. */
export async function forwardState(
  exchange: Exchange,
  operation: Operation,
  tools: LlmCallTools,
): Promise<Answer | Deny> {
  const { state } = llmRequest(operation);
  if (state === undefined) return notKept("");
  const { upstreams } = exchange.api.protocol;
  const { targets, timeouts } = upstreams[exchange.principal?.environment ?? "production"];
  const target = ownerAmong(targets, state.owner);
  if (target === undefined) return notKept(state.id);
  const endpoint = endpointOf(target);
  const model = target.model ?? operation.name;
  const request = { operation: "chat", dialect: "openai-responses", model, stream: operation.stream } as const;
  const created = await endpoint.provider.request({ ...request, body: Buffer.from("{}") });
  const sent = stateRequest(created, state, exchange.inbound.query);
  const response = await sendToProvider(exchange, endpoint, sent, timeouts, tools.upstream);
  const call = {
    provider: endpoint.provider,
    request: { ...request, body: Buffer.alloc(0) },
    isTranslated: false,
    stripUsage: false,
  };
  const { affinity, clock } = tools;
  const heard = (message: unknown): void => {
    if (affinity === undefined || operation.laterUsage !== undefined) return;
    const owed = claimOwed(exchange, operation, target, message, {
      key: stateKey(exchange, state.id),
      store: affinity,
      clock,
    });
    if (owed !== undefined) operation.laterUsage = owed;
  };
  const answer = await readAnswer(exchange, operation, call, response, clock, heard);
  const isGone = state.method === "DELETE" && answer.status < 300;
  if (isGone) tools.affinity?.forget(stateKey(exchange, state.id));
  return answer;
}

function ownerAmong(targets: readonly CompiledTarget[], owner: AffinityOwner): CompiledTarget | undefined {
  return (
    targets.find(({ id }) => id === owner.target) ?? targets.find(({ providerName }) => providerName === owner.provider)
  );
}

/** What of a query may go along; whatever else stands in one, a key perhaps, is nobody's business. */
const queryNames: ReadonlySet<string> = new Set([
  "after",
  "before",
  "include",
  "include[]",
  "include_obfuscation",
  "limit",
  "order",
  "starting_after",
  "stream",
]);

/** A response stands below the address where it was created. */
function stateRequest(created: ProviderRequest, state: StateRequest, query: string): ProviderRequest {
  const [path = "", own] = created.path.split("?", 2);
  const kept = new URLSearchParams([...new URLSearchParams(query)].filter(([name]) => queryNames.has(name)));
  const all = [own, kept.toString()].filter((part) => part !== undefined && part !== "").join("&");
  const { "content-type": _, ...headers } = created.headers;
  return {
    method: state.method,
    path: `${path}/${state.id}${state.below}${all === "" ? "" : `?${all}`}`,
    headers,
    body: undefined,
  };
}
