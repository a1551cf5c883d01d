import { createRequire } from "node:module";
import type * as JsonPathPackage from "json-p3";
import { GatewayError } from "./errors.ts";
import { linearRegex } from "./safe-regex.ts";

/** A query that was compiled once. */
export interface JsonPath {
  /** Where the chosen values stand: member names and indexes from the root. Throws for a value nested a thousand deep. */
  locate(value: unknown): readonly (readonly (string | number)[])[];
}

type Query = JsonPathPackage.JSONPathQuery;
type Expression = JsonPathPackage.jsonpath.expressions.FilterExpression;

/**
 * Compiles a JSONPath query (RFC 9535) that somebody else has written. Patterns of `match` and `search` must be literals
 * and run on the linear engine. Refused are queries whose time grows faster than the value: with more than one `..`, with
 * lists of selectors in more than one place, or with a filter that looks through the whole value again for each member.
 *
 * Throws `resource.invalid` that says what is wrong.
 * @see https://www.rfc-editor.org/rfc/rfc9535
 */
export function compileJsonPath(text: string): JsonPath {
  const { JSONPathEnvironment, FunctionExpressionType: Type } = loadJsonPath();
  const environment = new JSONPathEnvironment({ maxRecursionDepth: deepest });
  const patterns: Patterns = new Map();
  for (const name of ["match", "search"]) {
    environment.functionRegister.set(name, {
      argTypes: [Type.ValueType, Type.ValueType],
      returnType: Type.LogicalType,
      call: (subject: unknown, pattern: unknown) =>
        typeof subject === "string" && patterns.get(`${name} ${String(pattern)}`)?.(subject) === true,
    });
  }
  const query = parse(text, environment);
  checkQuery(query, false, { descents: 0, lists: 0, patterns });
  return {
    // The value is JSON: whoever calls this has parsed it.
    locate: (value) => [...query.lazyQuery(value as JsonPathPackage.JSONValue)].map(({ location }) => location),
  };
}

/** Compiled patterns, by function and text. */
type Patterns = Map<string, (subject: string) => boolean>;

const deepest = 1_000;
const mostSelectors = 16;

/** Loaded at the first query: few gateways have one. */
function loadJsonPath(): typeof JsonPathPackage {
  return createRequire(import.meta.url)("json-p3") as typeof JsonPathPackage; // the package's own types; `require` knows none
}

function parse(text: string, environment: JsonPathPackage.JSONPathEnvironment): Query {
  try {
    return environment.compile(text);
  } catch (cause) {
    throw refused(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

interface Seen {
  descents: number;
  lists: number;
  readonly patterns: Patterns;
}

function checkQuery({ segments }: Query, isInFilter: boolean, seen: Seen): void {
  const { FilterSelector } = loadJsonPath().jsonpath.selectors;
  for (const segment of segments) {
    if (segment.toString().startsWith("..")) seen.descents += 1;
    if (segment.selectors.length > 1) seen.lists += 1;
    if (segment.selectors.length > mostSelectors) throw refused(`more than ${mostSelectors} selectors in one place`);
    if (seen.descents > 1 || (isInFilter && seen.descents > 0)) throw refused("`..` may stand once, and in no filter");
    if (seen.lists > 1) throw refused("a list of selectors may stand in one place only");
    for (const selector of segment.selectors) {
      if (selector instanceof FilterSelector) checkExpression(selector.expression, seen);
    }
  }
}

function checkExpression(expression: Expression, seen: Seen): void {
  const kinds = loadJsonPath().jsonpath.expressions;
  if (expression instanceof kinds.LogicalExpression) checkExpression(expression.expression, seen);
  else if (expression instanceof kinds.PrefixExpression) checkExpression(expression.right, seen);
  else if (expression instanceof kinds.InfixExpression) {
    checkExpression(expression.left, seen);
    checkExpression(expression.right, seen);
  } else if (expression instanceof kinds.FunctionExtension) {
    compilePattern(expression, seen.patterns);
    for (const each of expression.args) checkExpression(each, seen);
  } else if (expression instanceof kinds.FilterQuery) {
    const isWhole = expression instanceof kinds.RootQuery;
    if (isWhole && !expression.path.singularQuery())
      throw refused("in a filter, what begins with `$` must be one value");
    const inner = { ...seen, descents: 0 };
    checkQuery(expression.path, true, inner);
    seen.lists = inner.lists;
  }
}

function compilePattern(call: JsonPathPackage.jsonpath.expressions.FunctionExtension, patterns: Patterns): void {
  const [, pattern] = call.args;
  if (call.name !== "match" && call.name !== "search") return;
  if (!(pattern instanceof loadJsonPath().jsonpath.expressions.StringLiteral)) {
    throw refused(`the pattern of \`${call.name}\` must be written out`);
  }
  const { value } = pattern;
  const regex = linearRegex(call.name === "match" ? `^(?:${value})$` : value);
  patterns.set(`${call.name} ${value}`, (subject) => regex.test(subject));
}

function refused(reason: string, cause?: unknown): GatewayError {
  return new GatewayError("resource.invalid", `The JSONPath query is not taken: ${reason}.`, { cause });
}
