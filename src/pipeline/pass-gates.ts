import type { ErrorCode } from "../kernel/error-codes.ts";
import type { Exchange, Operation } from "./exchange.ts";
import type { Deny } from "./outcome.ts";
import { deny } from "./outcome.ts";
import type { ClosedGate, GateName, RouteDecision } from "./route-decision.ts";
import type { CompiledTarget } from "./target.ts";

/** The targets that an operation may go to, and those that it may not. */
export interface PassedGates {
  readonly open: readonly CompiledTarget[];
  /** Undefined where all are open: then nobody has to be told. */
  readonly closed: readonly ClosedGate[] | undefined;
}

/**
 * Leaves out the targets that cannot or may not serve the operation, before any strategy sees them. `isResting` is asked
 * last: that a target could serve it is known by then.
 */
export function passGates(
  exchange: Exchange,
  operation: Operation,
  targets: readonly CompiledTarget[],
  isResting: (target: CompiledTarget) => boolean,
): PassedGates {
  const binding = exchange.api.adapter.bindingOf?.(operation);
  let closed: ClosedGate[] | undefined;
  for (const target of targets) {
    const isElsewhere = binding?.permits(target, targets) === false;
    const own = isElsewhere ? "affinity" : closedBy(exchange, operation, target);
    const gate = own ?? (isResting(target) ? "health" : undefined);
    if (gate === undefined) continue;
    closed ??= [];
    closed.push({ target: target.id, gate });
  }
  if (closed === undefined) return { open: targets, closed };
  const left = new Set(closed.map(({ target }) => target));
  return { open: targets.filter(({ id }) => !left.has(id)), closed };
}

function closedBy(exchange: Exchange, operation: Operation, target: CompiledTarget): GateName | undefined {
  if (!target.serves(operation.name)) return "allow-list";
  return target.closedBy?.(exchange, operation);
}

/** The decision with the closed gates in it. That a target serves other models is told only beside something else. */
export function withGates(
  route: RouteDecision | undefined,
  closed: readonly ClosedGate[] | undefined,
  strategy = "",
): RouteDecision | undefined {
  if (closed === undefined) return route;
  if (route === undefined && closed.every(({ gate }) => gate === "allow-list")) return undefined;
  return { ...(route ?? { strategy, route: undefined, reason: "gates", scores: [], tookMs: 0 }), gates: closed };
}

interface Refusal {
  readonly gate: GateName;
  readonly code: ErrorCode;
  readonly why: string;
}

/** What the caller can do most about comes first. */
const refusals: readonly Refusal[] = [
  { gate: "context-window", code: "request.too_long", why: "it is longer than their context windows" },
  { gate: "output", code: "request.invalid", why: "they do not write answers as long as it asks for" },
  { gate: "modality", code: "request.invalid", why: "they do not take the kinds of content in it" },
  { gate: "tools", code: "request.invalid", why: "they do not call tools" },
  { gate: "affinity", code: "resource.not_found", why: "what it refers to was made at a place that is not there" },
  { gate: "budget", code: "limit.budget", why: "too little is left of the caller's budget" },
  { gate: "region", code: "request.not_offered", why: "they are not in a permitted region" },
];

/** The refusal of an operation that no target is open to: it names every gate, and no target. */
export function allClosed(operation: Operation, closed: readonly ClosedGate[]): Deny {
  const shut = new Set(closed.map(({ gate }) => gate));
  const told = refusals.filter(({ gate }) => shut.has(gate));
  const reasons = told.map(({ gate, why }) => `${why} (${gate})`);
  const message = `No target of \`${operation.name}\` can serve this request: ${reasons.join("; ")}.`;
  const detail = closed.map(({ target, gate }) => `${target}: ${gate}`).join(", ");
  return deny(told[0]?.code ?? "request.not_offered", message, { param: "model", detail });
}
