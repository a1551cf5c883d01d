import type {
  CallerRights,
  McpAuthorization,
  TargetType,
  Verdict,
} from "../../mcp/authorization/compile-authorization.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import { mcpAuthorization } from "./compile-mcp.ts";
import { notOffered } from "./decode-message.ts";
import { mcpRequest } from "./mcp-request.ts";

/**
 * The refusal of a message by `spec.authorization`, with the decision noted for its row; undefined where it may go on.
 * What the client answers, tells and does to its own session is not asked for by name and always may.
 */
export function authorizeMcp(exchange: Exchange, operation: Operation): Deny | undefined {
  const rights = rightsOf(exchange);
  const { message, target, isSearch } = mcpRequest(operation);
  // A search shows what this caller may call, and no more.
  if (rights === undefined || message?.type !== "request" || isSearch === true) return undefined;
  const args = message.params["arguments"];
  const verdict = rights.judge({
    method: message.method,
    type: target.type,
    names: target.names,
    given: isObject(args) ? args : {},
  });
  if (verdict.type === "allow") return undefined;
  const refusal = refusalOf(operation, verdict);
  const { code, detail } = refusal;
  exchange.decisions.push({
    policy: "authorization",
    place: `${exchange.api.id}/authorization/${verdict.rule}`,
    step: "authz",
    action: "deny",
    mode: "enforce",
    code,
    ...(detail !== undefined && { detail }),
  });
  return refusal;
}

/** Which targets this caller may be shown; undefined where everything may be. */
export function listRights(exchange: Exchange): ((type: TargetType, name: string) => boolean) | undefined {
  const mayCall = exchange.principal?.mayCall;
  const rights = rightsOf(exchange);
  if (rights === undefined) return mayCall && ((_, name) => mayCall(name));
  return (type, name) => mayCall?.(name) !== false && rights.mayList(type, name);
}

const known = new WeakMap<Exchange, CallerRights>();

function rightsOf(exchange: Exchange): CallerRights | undefined {
  const authorization: McpAuthorization | undefined = mcpAuthorization(exchange.api);
  if (authorization === undefined) return undefined;
  const found = known.get(exchange) ?? authorization.rightsOf(exchange);
  known.set(exchange, found);
  return found;
}

function refusalOf(operation: Operation, verdict: Exclude<Verdict, { type: "allow" }>): Deny {
  const { target } = mcpRequest(operation);
  const detail = `by ${verdict.rule}`;
  switch (verdict.type) {
    case "hide":
      if (verdict.name !== "") return { ...notOffered(target, verdict.name), detail };
      return deny("mcp.method_not_found", "Method not found", { detail });
    case "forbid":
      return deny("auth.forbidden", "This caller may not do this.", { detail });
    case "step-up":
      return deny("auth.insufficient_scope", "The access token lacks a scope that this asks for.", {
        detail,
        scopes: verdict.scopes,
        data: { scopes: verdict.scopes },
      });
  }
}
