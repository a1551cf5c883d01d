import type { ASTNode } from "@marcbachmann/cel-js";
import { Environment } from "@marcbachmann/cel-js";
import { GatewayError } from "../kernel/errors.ts";
import type { Exchange, Operation } from "./exchange.ts";

/** What a `when` expression may name; each is a map. */
const conditionVariables = ["request", "operation", "principal", "api"];

export type Condition = (exchange: Exchange, operation: Operation) => boolean;

/**
 * Compiles a CEL expression over `request`, `operation`, `principal` and `api` (absent ids are empty strings, absent lists and claims empty).
 * Throws `resource.invalid` for a fault in it, a result that is no boolean, or a use of `matches`: CEL promises linear
 * time for it, and the library's engine backtracks.
 * An evaluation that fails (a header that is not there) counts as true, so that the policy applies.
 * @see https://github.com/google/cel-spec/blob/master/doc/langdef.md
 */
export function compileCondition(expression: string): Condition {
  const parsed = compile(expression, conditionVariables);
  return (exchange, operation) => {
    try {
      return parsed(conditionContext(exchange, operation)) !== false;
    } catch {
      return true;
    }
  };
}

/** A condition that must hold: it grants something, so what cannot be evaluated does not hold. */
export interface Requirement {
  /** Whether it reads `arguments`: then it can be judged at the call only. */
  readonly readsArguments: boolean;
  holds(
    exchange: Exchange,
    operation: Pick<Operation, "kind" | "name" | "stream">,
    given: Readonly<Record<string, unknown>>,
  ): boolean;
}

/**
 * Compiles a CEL expression over the same variables and `arguments`, the arguments of the call. Throws as
 * `compileCondition` does. An evaluation that fails, or gives anything but `true`, counts as false.
 */
export function compileRequirement(expression: string): Requirement {
  const parsed = compile(expression, [...conditionVariables, "arguments"]);
  return {
    readsArguments: names(parsed.ast, "arguments"),
    holds: (exchange, operation, given) => isTrue(parsed, exchange, operation, { arguments: given }),
  };
}

/** A condition under which care is taken: what cannot be evaluated counts as true. */
export type CarefulCondition = (
  exchange: Exchange,
  operation: Operation,
  given: Readonly<Record<string, unknown>>,
) => boolean;

/** As `compileCondition`, over the arguments of the call too. */
export function compileCarefulCondition(expression: string): CarefulCondition {
  const parsed = compile(expression, [...conditionVariables, "arguments"]);
  return (exchange, operation, given) => {
    try {
      return parsed({ ...conditionContext(exchange, operation), arguments: given }) !== false;
    } catch {
      return true;
    }
  };
}

/** Whether a rule fits; told what it may name beside the variables of a condition. */
export type Rule = (
  exchange: Exchange,
  operation: Pick<Operation, "kind" | "name" | "stream">,
  given: Readonly<Record<string, unknown>>,
) => boolean;

/**
 * Compiles a CEL expression that chooses among ways: over the variables of a condition and those of `more`, each a map.
 * Throws as `compileCondition` does. An evaluation that fails, or gives anything but `true`, does not fit.
 */
export function compileRule(expression: string, more: readonly string[]): Rule {
  const parsed = compile(expression, [...conditionVariables, ...more]);
  return (exchange, operation, given) => isTrue(parsed, exchange, operation, given);
}

function isTrue(parsed: ReturnType<Environment["parse"]>, ...[exchange, operation, given]: Parameters<Rule>): boolean {
  try {
    return parsed({ ...conditionContext(exchange, operation), ...given }) === true;
  } catch {
    return false;
  }
}

function compile(expression: string, variables: readonly string[]): ReturnType<Environment["parse"]> {
  const environment = new Environment({ limits: { maxAstNodes: 500, maxDepth: 50 } });
  for (const name of variables) environment.registerVariable(name, "map<string, dyn>");
  const parsed = parse(environment, expression);
  if (!callsMatches(parsed.ast)) return parsed;
  throw new GatewayError(
    "resource.invalid",
    "The condition uses `matches`, which may not end in linear time; use startsWith, endsWith or contains.",
  );
}

function parse(environment: Environment, expression: string): ReturnType<Environment["parse"]> {
  try {
    const parsed = environment.parse(expression);
    const checked = parsed.check();
    if (!checked.valid) throw checked.error ?? new Error("it does not type-check");
    if (checked.type !== "bool" && checked.type !== "dyn") throw new Error(`it gives ${checked.type}, not a boolean`);
    return parsed;
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    throw new GatewayError("resource.invalid", `The condition is not valid CEL: ${reason}`, { cause });
  }
}

function conditionContext(
  exchange: Exchange,
  operation: Pick<Operation, "kind" | "name" | "stream">,
): Record<string, unknown> {
  const { inbound, principal, api } = exchange;
  return {
    request: {
      method: inbound.method,
      path: inbound.path,
      query: inbound.query,
      clientIp: inbound.clientIp,
      headers: inbound.headers,
    },
    operation: { kind: operation.kind, name: operation.name, stream: operation.stream },
    principal: {
      type: principal?.type ?? "",
      keyId: principal?.keyId ?? "",
      applicationId: principal?.applicationId ?? "",
      planId: principal?.planId ?? "",
      environment: principal?.environment ?? "",
      clientId: principal?.clientId ?? "",
      subject: principal?.subject ?? "",
      scopes: principal?.scopes ?? [],
      claims: principal?.claims ?? {},
    },
    api: { id: api.id, name: api.name, kind: api.kind, context: api.context },
  };
}

function callsMatches(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(callsMatches);
  if (node === null || typeof node !== "object" || !("op" in node) || !("args" in node)) return false;
  const { op, args } = node as ASTNode; // op and args make it one
  if ((op === "call" || op === "rcall") && Array.isArray(args) && args[0] === "matches") return true;
  return callsMatches(args);
}

function names(node: unknown, variable: string): boolean {
  if (Array.isArray(node)) return node.some((each) => names(each, variable));
  if (node === null || typeof node !== "object" || !("op" in node) || !("args" in node)) return false;
  return (node.op === "id" && node.args === variable) || names(node.args, variable);
}
