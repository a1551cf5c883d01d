import { canonicalJson } from "../../kernel/canonical-json.ts";
import type { JsonObject } from "./json-object.ts";
import { isJsonObject, listMember, objectMember, ownMember } from "./json-object.ts";
import type { CheckCompiler, SchemaCheck } from "./schema-check.ts";
import { addFault, faultsOf } from "./schema-check.ts";
import { patternOf } from "./schema-value-checks.ts";
import { requiredNames } from "./schema-writer.ts";

const namesShown = 50;

/** Checks of the keywords about objects. A member that is not allowed is told with the names that are. */
export function objectChecks(schema: JsonObject, compile: CheckCompiler): readonly SchemaCheck[] {
  const required = requiredNames(schema);
  const checks: SchemaCheck[] = [];
  if (required.length > 0) {
    checks.push((value, path, run) => {
      if (!isJsonObject(value)) return;
      for (const name of required) {
        if (!Object.hasOwn(value, name)) addFault(run, { above: path, part: name }, "is required");
      }
    });
  }
  const members = memberCheck(schema, compile);
  if (members !== undefined) checks.push(members);
  checks.push(...sizeChecks(schema));
  const names = ownMember(schema, "propertyNames");
  if (names !== undefined) {
    const check = compile(names);
    checks.push((value, path, run) => {
      for (const name of isJsonObject(value) ? Object.keys(value) : []) check(name, { above: path, part: name }, run);
    });
  }
  for (const [name, part] of Object.entries(objectMember(schema, "dependentSchemas"))) {
    const check = compile(part);
    checks.push((value, path, run) => {
      if (isJsonObject(value) && Object.hasOwn(value, name)) check(value, path, run);
    });
  }
  return checks;
}

function memberCheck(schema: JsonObject, compile: CheckCompiler): SchemaCheck | undefined {
  const properties = new Map(
    Object.entries(objectMember(schema, "properties")).map(([name, part]) => [name, compile(part)]),
  );
  const patterns = Object.entries(objectMember(schema, "patternProperties")).map(([pattern, part]) => ({
    regex: patternOf(pattern),
    check: compile(part),
  }));
  const more = ownMember(schema, "additionalProperties");
  const rest = more === undefined || more === true ? undefined : compile(more);
  if (properties.size === 0 && patterns.length === 0 && rest === undefined) return undefined;
  // A pattern that cannot be told stands for any name: nothing is refused for not being understood.
  const isOpen = patterns.some(({ regex }) => regex === undefined);
  const allowed = allowedNames(Array.from(properties.keys()));
  return (value, path, run) => {
    if (!isJsonObject(value)) return;
    for (const [name, member] of Object.entries(value)) {
      const at = { above: path, part: name };
      const own = properties.get(name);
      own?.(member, at, run);
      const matching = patterns.filter(({ regex }) => regex?.test(name) === true);
      for (const { check } of matching) check(member, at, run);
      if (own !== undefined || matching.length > 0 || isOpen || rest === undefined) continue;
      if (more === false) addFault(run, at, `is not known here; ${allowed}`);
      else rest(member, at, run);
    }
  };
}

function allowedNames(names: readonly string[]): string {
  if (names.length === 0) return "nothing is taken";
  return `allowed: ${names.slice(0, namesShown).join(", ")}${names.length > namesShown ? ", …" : ""}`;
}

function sizeChecks(schema: JsonObject): readonly SchemaCheck[] {
  const least = ownMember(schema, "minProperties");
  const most = ownMember(schema, "maxProperties");
  if (typeof least !== "number" && typeof most !== "number") return [];
  return [
    (value, path, run) => {
      const size = isJsonObject(value) ? Object.keys(value).length : undefined;
      if (size === undefined) return;
      if (typeof least === "number" && size < least) addFault(run, path, `must have at least ${least} members`);
      if (typeof most === "number" && size > most) addFault(run, path, `must have at most ${most} members`);
    },
  ];
}

/** Checks of the keywords about lists. */
export function arrayChecks(schema: JsonObject, compile: CheckCompiler): readonly SchemaCheck[] {
  const first = listMember(schema, "prefixItems").map(compile);
  const items = ownMember(schema, "items");
  const rest = items === undefined ? undefined : compile(items);
  const contained = ownMember(schema, "contains");
  const contains = contained === undefined ? undefined : compile(contained);
  const least = ownMember(schema, "minItems");
  const most = ownMember(schema, "maxItems");
  const isUnique = ownMember(schema, "uniqueItems") === true;
  return [
    (value, path, run) => {
      if (!Array.isArray(value)) return;
      if (typeof least === "number" && value.length < least) addFault(run, path, `must have at least ${least} items`);
      if (typeof most === "number" && value.length > most) {
        addFault(run, path, `must have at most ${most} items`);
        return;
      }
      if (isUnique && new Set(value.map(canonicalJson)).size < value.length)
        addFault(run, path, "must not repeat items");
      if (contains !== undefined && !value.some((item) => faultsOf(contains, item, path, run).length === 0)) {
        addFault(run, path, "lacks an item that it must have");
      }
      if (first.length === 0 && rest === undefined) return;
      for (const [index, item] of value.entries()) {
        const check = first[index] ?? rest;
        check?.(item, { above: path, part: index }, run);
      }
    },
  ];
}
