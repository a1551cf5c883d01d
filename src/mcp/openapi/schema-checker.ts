import type { JsonObject } from "./json-object.ts";
import { isJsonObject, listMember, ownMember } from "./json-object.ts";
import type { CheckCompiler, CheckRun, SchemaCheck, SchemaFault, SchemaPath } from "./schema-check.ts";
import { addFault, faultLimit, faultsOf } from "./schema-check.ts";
import { arrayChecks, objectChecks } from "./schema-container-checks.ts";
import { valueChecks } from "./schema-value-checks.ts";
import type { JsonSchema } from "./schema-values.ts";
import { typesOf } from "./schema-values.ts";

const usualSteps = 500_000;
const depthLimit = 400;

/**
 * A check of values against a JSON Schema of 2020-12, compiled once, interpreted without generated code, and in linear
 * time for patterns. Knows what `schemaWriter` writes: `$ref` to `#/$defs/…` only, no `unevaluated…`, no `$dynamicRef`;
 * `format` is a note, no rule, and so is a pattern that RE2 has no words for, or that a text of more than 20,000
 * characters is to match. Gives at most 20 faults. A value that
 * takes more than `stepLimit` steps to check, half a million where nothing is said, is a fault of its own.
 */
export function schemaChecker(schema: JsonSchema, stepLimit = usualSteps): (value: unknown) => readonly SchemaFault[] {
  const definitions = isJsonObject(schema) ? ownMember(schema, "$defs") : undefined;
  const known = new Map<unknown, SchemaCheck>();
  const compile: CheckCompiler = (part) => {
    const before = known.get(part);
    if (before !== undefined) return before;
    const check = compileSchema(part, isJsonObject(definitions) ? definitions : {}, compile);
    if (typeof part === "object") known.set(part, check);
    return check;
  };
  const check = compile(schema);
  return (value) => {
    const run: CheckRun = { faults: [], budget: { steps: stepLimit }, depth: 0 };
    check(value, undefined, run);
    if (run.budget.steps < 0) addFault(run, undefined, "is too large to be checked");
    return run.faults.slice(0, faultLimit);
  };
}

function compileSchema(schema: unknown, definitions: JsonObject, compile: CheckCompiler): SchemaCheck {
  if (schema === false) return (_value, path, run) => addFault(run, path, "must not be given");
  if (!isJsonObject(schema)) return () => {};
  const checks = [
    ...referenceCheck(schema, definitions, compile),
    ...valueChecks(schema),
    ...objectChecks(schema, compile),
    ...arrayChecks(schema, compile),
    ...combinedChecks(schema, compile),
  ];
  const types = typesOf(schema);
  const isType = typeTest(types);
  return (value, path, run) => {
    run.budget.steps -= 1;
    if (run.budget.steps < 0 || run.depth > depthLimit || run.faults.length >= faultLimit) {
      if (run.faults.length === 0) addFault(run, path, "is too large or too deep to be checked");
      return;
    }
    if (!isType(value)) {
      addFault(run, path, `must be ${types.join(" or ")}, not ${typeName(value)}`);
      return;
    }
    const inner = { ...run, depth: run.depth + 1 };
    for (const check of checks) check(value, path, inner);
  };
}

function referenceCheck(schema: JsonObject, definitions: JsonObject, compile: CheckCompiler): readonly SchemaCheck[] {
  const reference = ownMember(schema, "$ref");
  if (typeof reference !== "string") return [];
  const target = ownMember(definitions, reference.replace("#/$defs/", ""));
  if (target === undefined) return [];
  // Compiled when it is first needed: a circle of definitions has no end.
  let check: SchemaCheck | undefined;
  return [
    (value, path, run) => {
      check ??= compile(target);
      check(value, path, run);
    },
  ];
}

function combinedChecks(schema: JsonObject, compile: CheckCompiler): readonly SchemaCheck[] {
  const checks: SchemaCheck[] = listMember(schema, "allOf").map(compile);
  const some = listMember(schema, "anyOf").map(compile);
  if (some.length > 0) checks.push((value, path, run) => checkChoice(some, value, path, run, false));
  const one = listMember(schema, "oneOf").map(compile);
  if (one.length > 0) checks.push((value, path, run) => checkChoice(one, value, path, run, true));
  const none = ownMember(schema, "not");
  if (none !== undefined) checks.push(notCheck(compile(none)));
  const condition = ownMember(schema, "if");
  if (condition !== undefined) {
    const [when, then, otherwise] = [
      compile(condition),
      ...["then", "else"].map((name) => compile(ownMember(schema, name))),
    ];
    checks.push((value, path, run) => {
      const fits = faultsOf(when, value, path, run).length === 0;
      (fits ? then : otherwise)?.(value, path, run);
    });
  }
  return checks;
}

function notCheck(check: SchemaCheck): SchemaCheck {
  return (value, path, run) => {
    if (faultsOf(check, value, path, run).length === 0) addFault(run, path, "has a form that is excluded");
  };
}

function checkChoice(
  choices: readonly SchemaCheck[],
  value: unknown,
  path: SchemaPath,
  run: CheckRun,
  isExclusive: boolean,
): void {
  let fitting = 0;
  let nearest: readonly SchemaFault[] | undefined;
  for (const choice of choices) {
    const faults = faultsOf(choice, value, path, run);
    if (faults.length === 0) fitting += 1;
    else if (nearest === undefined || depthOf(faults) > depthOf(nearest)) nearest = faults;
    if (fitting > 0 && !isExclusive) return;
  }
  if (fitting > 1) addFault(run, path, "fits several forms of which it must have exactly one");
  if (fitting > 0) return;
  addFault(run, path, `fits none of ${choices.length} forms`);
  // The form that got deepest is the one that was meant.
  for (const fault of nearest ?? []) if (run.faults.length < faultLimit) run.faults.push(fault);
}

function depthOf(faults: readonly SchemaFault[]): number {
  return Math.max(...faults.map((fault) => fault.path.split(/[.[]/).length), 0);
}

function typeTest(types: readonly string[]): (value: unknown) => boolean {
  if (types.length === 0) return () => true;
  return (value) => {
    const name = typeName(value);
    return types.includes(name) || (name === "integer" && types.includes("number"));
  };
}

/** The narrowest of JSON Schema's types that a value has. */
function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
