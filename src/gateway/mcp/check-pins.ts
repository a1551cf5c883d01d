import type { PinKind } from "../../core/mcp-definition.ts";
import type { PinBoard, PinPlace } from "../../mcp/pins/pin-board.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { mcpPins } from "./compile-mcp.ts";
import { notOffered } from "./decode-message.ts";
import { mcpRequest } from "./mcp-request.ts";

/** Looks at a list that the server gave; which entries are held back. Undefined where the API has no pins. */
export function heldBack(
  exchange: Exchange,
  kind: PinKind,
  entries: readonly unknown[],
): ReadonlySet<unknown> | undefined {
  const found = pinsOf(exchange);
  if (found === undefined) return undefined;
  const objects = entries.filter(isObject);
  const shown = found.board.look(found.place, kind, objects);
  return new Set(objects.filter((_, at) => shown[at] === false));
}

/** The refusal of what waits for an approval, or is in quarantine: that of something that is not there. Noted for the row. */
export function refusePinned(exchange: Exchange, operation: Operation): Deny | undefined {
  const found = pinsOf(exchange);
  const { target } = mcpRequest(operation);
  if (found === undefined || target.type === undefined) return undefined;
  const { type } = target;
  const held = target.names.find((name) => !found.board.mayUse(found.place, type, name));
  if (held === undefined) return undefined;
  const isRuled = found.board.isHeld(found.place, type, held);
  const detail = isRuled ? "rules keep it in quarantine" : "its definition waits for an approval";
  const refusal = { ...notOffered(target, held), detail };
  const policy = isRuled ? "governance" : "pins";
  exchange.decisions.push({
    policy,
    place: `${exchange.api.id}/${policy}`,
    step: "authz",
    action: "deny",
    mode: "enforce",
    code: refusal.code,
    detail: refusal.detail,
  });
  return refusal;
}

/** Whether the server's own words on how it is to be used are held back. */
export function areInstructionsHeld(exchange: Exchange, instructions: string): boolean {
  const found = pinsOf(exchange);
  return found?.board.look(found.place, "instructions", [{ kind: "instructions", instructions }])[0] === false;
}

/** By which definition a call was made, for its row; undefined where the server has no pins or it was never listed. */
export function definitionHashFor(exchange: Exchange, operation: Operation): string | undefined {
  const { type, names } = mcpRequest(operation).target;
  const found = type && pinsOf(exchange);
  return type === undefined || names[0] === undefined ? undefined : found?.board.hashOf(found.place, type, names[0]);
}

/** Whether lists of this exchange are looked at. */
export function hasPins({ api }: Exchange): boolean {
  return mcpPins(api) !== undefined;
}

function pinsOf({ api, principal }: Exchange): { readonly board: PinBoard; readonly place: PinPlace } | undefined {
  const pins = mcpPins(api);
  if (pins === undefined) return undefined;
  const { board, settings } = pins;
  return { board, place: { apiId: api.id, environment: principal?.environment ?? "production", settings } };
}
