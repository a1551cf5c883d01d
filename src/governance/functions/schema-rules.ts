import type { PlainObject, RuleFunction, RuleResult } from "./rule-function.ts";
import { isObject, numberOption } from "./rule-function.ts";

/** Functions that look at a JSON Schema, such as the one of a tool's arguments, with all schemas in it. */
export const schemaRules: Readonly<Record<string, RuleFunction>> = {
  /** Every property says what it is. */
  describedProperties: everyProperty(({ description, $ref }) =>
    (typeof description === "string" && description.trim() !== "") || $ref !== undefined
      ? undefined
      : "says nothing of itself",
  ),

  /** Every property says what it takes. */
  typedProperties: everyProperty((schema) =>
    typing.some((word) => Object.hasOwn(schema, word)) ? undefined : "takes anything: it has no type",
  ),

  /** Texts, lists and numbers have bounds. */
  boundedProperties: everyProperty(unbounded),

  /** What is required is there. */
  requiredDeclared(value, _, { path }) {
    return schemasIn(value).flatMap(({ schema, path: below }): RuleResult[] => {
      const { required, properties, patternProperties } = schema;
      if (!Array.isArray(required) || !isObject(properties) || patternProperties !== undefined) return [];
      return required.flatMap((name: unknown, index): RuleResult[] =>
        typeof name !== "string" || Object.hasOwn(properties, name)
          ? []
          : [
              {
                message: `requires ${name}, which is not among the properties`,
                path: [...path, ...below, "required", index],
              },
            ],
      );
    });
  },

  /** References lead to somewhere in the schema, and nowhere else. */
  referencesResolve(value, _, { path }) {
    return schemasIn(value).flatMap(({ schema: { $ref }, path: below }): RuleResult[] => {
      if (typeof $ref !== "string" || !/^#(?:\/|$)/.test($ref) || leadsSomewhere(value, $ref)) return [];
      return [{ message: `${$ref} leads nowhere`, path: [...path, ...below, "$ref"] }];
    });
  },

  /** Schemas stand at most so deep in each other. Option: `max`. */
  schemaDepth(value, options, { path }) {
    const max = numberOption(options, "max", 8);
    const deepest = Math.max(0, ...schemasIn(value).map(({ depth }) => depth));
    return deepest > max ? [{ message: `is ${deepest} levels deep, more than ${max}`, path }] : [];
  },
};

const typing = ["type", "enum", "const", "$ref", "$dynamicRef", "anyOf", "oneOf", "allOf", "not", "if"];

function unbounded(schema: PlainObject): string | undefined {
  const types = [schema["type"]].flat();
  const lacks = (type: string, ...words: readonly string[]) =>
    types.includes(type) && !["enum", "const", ...words].some((word) => Object.hasOwn(schema, word));
  if (lacks("string", "maxLength", "format", "pattern")) return "is a text of any length (`maxLength`)";
  if (lacks("array", "maxItems")) return "is a list of any length (`maxItems`)";
  if (lacks("number", "maximum", "exclusiveMaximum") || lacks("integer", "maximum", "exclusiveMaximum"))
    return "is a number of any size (`maximum`)";
  return undefined;
}

function everyProperty(check: (schema: PlainObject) => string | undefined): RuleFunction {
  return (value, _, { path }) =>
    schemasIn(value).flatMap(({ schema, path: below, isProperty }): RuleResult[] => {
      const message = isProperty ? check(schema) : undefined;
      return message === undefined
        ? []
        : [{ message: `${String(below.at(-1))} ${message}`, path: [...path, ...below] }];
    });
}

interface PlacedSchema {
  readonly schema: PlainObject;
  readonly path: readonly (string | number)[];
  readonly depth: number;
  readonly isProperty: boolean;
}

/** Deeper than any document that is read at all. */
const deepestLevel = 100;

/** A schema and all in it, each before those in it. */
function schemasIn(
  value: unknown,
  path: PlacedSchema["path"] = [],
  depth = 0,
  isProperty = false,
): readonly PlacedSchema[] {
  if (!isObject(value) || depth > deepestLevel) return [];
  const named = namedSchemas.flatMap((word) =>
    Object.entries(isObject(value[word]) ? value[word] : {}).flatMap(([name, each]) =>
      schemasIn(each, [...path, word, name], depth + 1, word === "properties"),
    ),
  );
  const listed = listedSchemas.flatMap((word) =>
    (Array.isArray(value[word]) ? value[word] : []).flatMap((each: unknown, index) =>
      schemasIn(each, [...path, word, index], depth + 1),
    ),
  );
  const single = singleSchemas.flatMap((word) => schemasIn(value[word], [...path, word], depth + 1));
  return [{ schema: value, path, depth, isProperty }, ...named, ...listed, ...single];
}

const namedSchemas = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];
const listedSchemas = ["allOf", "anyOf", "oneOf", "prefixItems"];
const singleSchemas = ["items", "additionalProperties", "contains", "not", "if", "then", "else", "propertyNames"];

function leadsSomewhere(root: unknown, reference: string): boolean {
  const steps = reference
    .slice(1)
    .split("/")
    .slice(1)
    .map((step) => decoded(step).replaceAll("~1", "/").replaceAll("~0", "~"));
  let at: unknown = root;
  for (const step of steps) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return false;
    at = Reflect.get(at, step);
  }
  return true;
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}
