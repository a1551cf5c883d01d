import type { McpAuthorizationRule, McpAuthorizationSpec } from "../../core/mcp-authorization.ts";
import { ruleId } from "../../core/mcp-authorization.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { globMatcher } from "../../kernel/glob.ts";
import type { Requirement } from "../../pipeline/compile-condition.ts";
import { compileRequirement } from "../../pipeline/compile-condition.ts";
import type { Exchange, Principal } from "../../pipeline/exchange.ts";
import { isKnownMethod } from "../wire/message-target.ts";
import { standingOf } from "./standing.ts";

/** What can be listed and used. */
export type TargetType = "tool" | "prompt" | "resource";

/** One thing that a caller wants to do. */
export interface AuthorizationRequest {
  readonly method: string;
  /** Undefined with names: a method that nobody knows, which may act on any of the three. */
  readonly type: TargetType | undefined;
  /** All of them have to be permitted. */
  readonly names: readonly string[];
  readonly given: Readonly<Record<string, unknown>>;
}

/** What was decided, and the rule that decided against it. */
export type Verdict =
  | { readonly type: "allow" }
  /** To be refused like something that is not there. */
  | { readonly type: "hide"; readonly rule: string; readonly name: string }
  | { readonly type: "forbid"; readonly rule: string; readonly name: string }
  /** A token with these scopes could: all that the request needs, those that it has included. */
  | { readonly type: "step-up"; readonly rule: string; readonly name: string; readonly scopes: readonly string[] };

/** The rules as they hold for one caller. */
export interface CallerRights {
  /** Whether a list shows it: by all that is known before a call. */
  mayList(type: TargetType, name: string): boolean;
  /** Whether a call, or anything else that is done to it, may be made. */
  judge(request: AuthorizationRequest): Verdict;
}

/** `spec.authorization`, compiled. One decision for lists and calls. */
export interface McpAuthorization {
  /** Scopes that some rule asks for, sorted (RFC 9728, `scopes_supported`). */
  readonly scopes: readonly string[];
  /** What the caller of that exchange may do; cheap, for it looks at the principal only when it has to. */
  rightsOf(exchange: Exchange): CallerRights;
}

/**
 * Compiles the rules. Throws `resource.invalid` with the rule's place for a condition that is no CEL, or uses `matches`.
 * All rules that match must hold; a target that none is for follows `default`. What is done to a target beside its main
 * method (completion, subscription) needs what the main method needs.
 */
export function compileAuthorization(spec: McpAuthorizationSpec): McpAuthorization {
  const rules = spec.rules.map(compileRule);
  const scopes = [...new Set(rules.flatMap(({ needs }) => needs))].toSorted();
  return {
    scopes,
    rightsOf(exchange) {
      const standings = new Map<CompiledRule, ReturnType<typeof standingOf>>();
      const caller: Caller = {
        exchange,
        standing(rule) {
          const known = standings.get(rule);
          if (known !== undefined) return known;
          const found = standingOf(rule.own, rule.isApplication, exchange.principal);
          standings.set(rule, found);
          return found;
        },
      };
      return {
        mayList(type, name) {
          const verdict = judgeOne(rules, spec, caller, { method: mainMethods[type], type, name, given: undefined });
          return verdict.type === "allow" || verdict.type === "step-up";
        },
        judge: (request) => judgeAll(rules, spec, caller, request),
      };
    },
  };
}

const allow: Verdict = { type: "allow" };
const targetTypes: readonly TargetType[] = ["tool", "prompt", "resource"];
const mainMethods = { tool: "tools/call", prompt: "prompts/get", resource: "resources/read" } as const;

interface Caller {
  readonly exchange: Exchange;
  standing(rule: CompiledRule): ReturnType<typeof standingOf>;
}

interface CompiledRule {
  readonly id: string;
  readonly own: McpAuthorizationRule;
  /** Scopes to be asked for. */
  readonly needs: readonly string[];
  readonly when: Requirement | undefined;
  readonly isApplication: ((id: string) => boolean) | undefined;
  matches(single: Single): boolean;
}

interface Single {
  readonly method: string;
  readonly type: TargetType | undefined;
  readonly name: string;
  /** Undefined in a list, where there are none yet. */
  readonly given: Readonly<Record<string, unknown>> | undefined;
}

function compileRule(own: McpAuthorizationRule, index: number): CompiledRule {
  const { on, when, scopes = [], anyScopes = [], applications } = own;
  const named = on && (on.tools ?? on.prompts ?? on.resources) !== undefined;
  const byType = {
    tool: globMatcher(on?.tools ?? []),
    prompt: globMatcher(on?.prompts ?? []),
    resource: globMatcher(on?.resources ?? []),
  };
  const isMethod = on?.methods && globMatcher(on.methods);
  return {
    id: ruleId(own, index),
    own,
    needs: [...scopes, ...anyScopes.slice(0, 1)],
    when: when === undefined ? undefined : requirement(when, index),
    isApplication: applications && globMatcher(applications),
    matches({ method, type, name }) {
      if (on === undefined) return type !== undefined;
      if (isMethod !== undefined && !isMethod(method) && !(type && isMethod(mainMethods[type]))) return false;
      return named === true ? type !== undefined && byType[type](name) : true;
    },
  };
}

function requirement(expression: string, index: number): Requirement {
  try {
    return compileRequirement(expression);
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause;
    throw new GatewayError("resource.invalid", `rules[${index}].when: ${cause.message}`, { cause });
  }
}

function judgeAll(
  rules: readonly CompiledRule[],
  spec: McpAuthorizationSpec,
  caller: Caller,
  { method, type, names, given }: AuthorizationRequest,
): Verdict {
  const types = names.length === 0 ? [undefined] : type === undefined ? targetTypes : [type];
  const scopes = new Set<string>();
  let asked: Verdict = allow;
  for (const name of names.length === 0 ? [""] : names) {
    for (const each of types) {
      const verdict = judgeOne(rules, spec, caller, { method, type: each, name, given });
      if (verdict.type === "hide" || verdict.type === "forbid") return verdict;
      if (verdict.type !== "step-up") continue;
      for (const scope of verdict.scopes) scopes.add(scope);
      if (asked.type === "allow") asked = verdict;
    }
  }
  return asked.type === "step-up" ? { ...asked, scopes: [...scopes].toSorted() } : asked;
}

function judgeOne(
  rules: readonly CompiledRule[],
  { default: byDefault, hidden }: McpAuthorizationSpec,
  caller: Caller,
  single: Single,
): Verdict {
  const { name } = single;
  const matching = rules.filter((rule) => rule.matches(single));
  if (matching.length === 0) {
    const isOpen = byDefault === "allow" || (single.type === undefined && isKnownMethod(single.method));
    return isOpen ? allow : { type: hidden ? "hide" : "forbid", rule: "default", name };
  }
  let lacking: CompiledRule | undefined;
  for (const rule of matching) {
    const standing = caller.standing(rule);
    const isMet = rule.when === undefined || meets(rule.when, caller.exchange, single);
    if (standing === "fails" || !isMet || (standing === "lacks" && !mayStepUp(caller.exchange.principal, hidden)))
      return { type: hidden ? "hide" : "forbid", rule: rule.id, name };
    if (standing === "lacks") lacking ??= rule;
  }
  if (lacking === undefined) return allow;
  return { type: "step-up", rule: lacking.id, name, scopes: matching.flatMap(({ needs }) => needs) };
}

function meets(when: Requirement, exchange: Exchange, { method, name, given }: Single): boolean {
  if (given === undefined && when.readsArguments) return true;
  return when.holds(exchange, { kind: method, name, stream: false }, given ?? {});
}

/** Only a token can be got anew with more. */
function mayStepUp(principal: Principal | undefined, hidden: boolean): boolean {
  return !hidden && principal?.type === "token";
}
