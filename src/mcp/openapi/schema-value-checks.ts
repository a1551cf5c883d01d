import { canonicalJson } from "../../kernel/canonical-json.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { LinearRegex } from "../../kernel/safe-regex.ts";
import { linearRegex } from "../../kernel/safe-regex.ts";
import type { JsonObject } from "./json-object.ts";
import { listMember, ownMember } from "./json-object.ts";
import type { SchemaCheck } from "./schema-check.ts";
import { addFault } from "./schema-check.ts";

/** Longer texts are not matched against patterns: linear time is still time, half a second for a megabyte. */
const matchedCharacters = 20_000;

/** Checks of the keywords about values that hold no others: texts, numbers, and values that are listed. */
export function valueChecks(schema: JsonObject): readonly SchemaCheck[] {
  return [...choiceChecks(schema), ...textChecks(schema), ...numberChecks(schema)];
}

/** A pattern of the description on the linear engine; undefined where that has no words for it. */
export function patternOf(pattern: unknown): LinearRegex | undefined {
  if (typeof pattern !== "string" || pattern.length > 1_000) return undefined;
  try {
    return linearRegex(pattern);
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

function choiceChecks(schema: JsonObject): readonly SchemaCheck[] {
  const checks: SchemaCheck[] = [];
  const choices = listMember(schema, "enum");
  if (choices.length > 0) {
    const known = new Set(choices.map(canonicalJson));
    const shown = choices.slice(0, 30).map((choice) => JSON.stringify(choice));
    const message = `must be one of ${shown.join(", ")}${choices.length > 30 ? ", …" : ""}`;
    checks.push((value, path, run) => {
      if (!known.has(canonicalJson(value))) addFault(run, path, message);
    });
  }
  if (Object.hasOwn(schema, "const")) {
    const only = canonicalJson(schema["const"]);
    checks.push((value, path, run) => {
      if (canonicalJson(value) !== only) addFault(run, path, `must be ${only.slice(0, 200)}`);
    });
  }
  return checks;
}

function textChecks(schema: JsonObject): readonly SchemaCheck[] {
  const checks: SchemaCheck[] = [];
  const least = count(schema, "minLength");
  const most = count(schema, "maxLength");
  if (least !== undefined || most !== undefined) {
    checks.push((value, path, run) => {
      if (typeof value !== "string") return;
      const length = lengthOf(value);
      if (least !== undefined && length < least) addFault(run, path, `must have at least ${least} characters`);
      if (most !== undefined && length > most) addFault(run, path, `must have at most ${most} characters`);
    });
  }
  const pattern = patternOf(ownMember(schema, "pattern"));
  if (pattern !== undefined) {
    checks.push((value, path, run) => {
      if (typeof value === "string" && value.length <= matchedCharacters && !pattern.test(value)) {
        addFault(run, path, `must match the pattern ${pattern.pattern.slice(0, 200)}`);
      }
    });
  }
  return checks;
}

function numberChecks(schema: JsonObject): readonly SchemaCheck[] {
  const rules: readonly (readonly [name: string, words: string, holds: (value: number, bound: number) => boolean])[] = [
    ["minimum", "at least", (value, bound) => value >= bound],
    ["maximum", "at most", (value, bound) => value <= bound],
    ["exclusiveMinimum", "more than", (value, bound) => value > bound],
    ["exclusiveMaximum", "less than", (value, bound) => value < bound],
    ["multipleOf", "a multiple of", isMultiple],
  ];
  return rules.flatMap(([name, words, holds]) => {
    const bound = ownMember(schema, name);
    if (typeof bound !== "number") return [];
    const check: SchemaCheck = (value, path, run) => {
      if (typeof value === "number" && !holds(value, bound)) addFault(run, path, `must be ${words} ${bound}`);
    };
    return [check];
  });
}

// 0.3 is a multiple of 0.1 to everybody but a binary fraction.
function isMultiple(value: number, step: number): boolean {
  const times = value / step;
  return Math.abs(times - Math.round(times)) <= Number.EPSILON * Math.max(1, Math.abs(times)) * 4;
}

/** Code points, which is what JSON Schema counts. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

function count(schema: JsonObject, name: string): number | undefined {
  const value = ownMember(schema, name);
  return typeof value === "number" ? value : undefined;
}
