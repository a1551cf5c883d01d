import type { z } from "zod";

/** What a plug-in is, where a schema says whose configuration stands somewhere: `.meta({ plugin: ["policy"] })`. */
export type PluginRole = "provider" | "strategy" | "policy" | "guardrail" | "key-manager";

/** The configuration schema of the plug-in with that id among those roles; undefined when there is none. */
export type PluginSchemas = (roles: readonly PluginRole[], use: string) => z.ZodType | undefined;

/** Where a value stands in a document. */
export type ValuePath = readonly (string | number)[];

/**
 * Replaces every text that stands where a schema says `secret: true`, in what is still to be checked: unions, lists,
 * records and the configurations of plug-ins included. Of a union every alternative counts, and below a secret member all
 * is secret. What does not fit the schema stays as it is. The value's depth must have been bounded.
 */
export function mapSecrets(
  schema: z.ZodType,
  value: unknown,
  plugins: PluginSchemas,
  replace: (text: string, path: ValuePath) => string,
): unknown {
  const found = new Set<string>();
  collect({ plugins, found }, schema, value, []);
  return found.size === 0
    ? value
    : mapTexts(value, [], (text, path) => (found.has(keyOf(path)) ? replace(text, path) : text));
}

/** The same value with every text in it replaced; parts in which nothing changes are the same objects. */
export function mapTexts(value: unknown, path: ValuePath, replace: (text: string, path: ValuePath) => string): unknown {
  return mapBelow(value, [...path], replace); // one list of parts for all: a description has a hundred thousand texts
}

function mapBelow(
  value: unknown,
  trail: (string | number)[],
  replace: (text: string, path: ValuePath) => string,
): unknown {
  if (typeof value === "string") return replace(value, [...trail]);
  if (typeof value !== "object" || value === null) return value;
  const mapMember = (member: unknown, part: string | number): unknown => {
    if (typeof member !== "string" && (typeof member !== "object" || member === null)) return member;
    trail.push(part);
    const mapped = mapBelow(member, trail, replace);
    trail.pop();
    return mapped;
  };
  if (Array.isArray(value)) {
    const before: readonly unknown[] = value;
    let after: unknown[] | undefined;
    for (const [index, item] of before.entries()) {
      const mapped = mapMember(item, index);
      if (mapped !== item) (after ??= [...before])[index] = mapped;
    }
    return after ?? value;
  }
  let after: Map<string, unknown> | undefined;
  for (const name of Object.keys(value)) {
    const member: unknown = Reflect.get(value, name);
    const mapped = mapMember(member, name);
    if (mapped !== member) (after ??= new Map<string, unknown>(Object.entries(value))).set(name, mapped);
  }
  return after === undefined ? value : Object.fromEntries(after);
}

interface Search {
  readonly plugins: PluginSchemas;
  readonly found: Set<string>;
}

function collect(search: Search, schema: z.core.$ZodType, value: unknown, path: ValuePath): void {
  if (value === undefined || value === null) return;
  if (metaOf(schema)["secret"] === true) {
    mapTexts(value, path, (text, at) => {
      search.found.add(keyOf(at));
      return text;
    });
    return;
  }
  const { def } = (schema as z.core.$ZodTypes)._zod; // every schema of zod's is one of these
  switch (def.type) {
    case "object":
      return collectMembers(search, def, value, path);
    case "record":
      return each(value, (key, member) => collect(search, def.valueType, member, [...path, key]));
    case "array":
      return eachItem(value, (index, item) => collect(search, def.element, item, [...path, index]));
    case "tuple":
      return eachItem(value, (index, item) => {
        const schemaOfItem = def.items[index] ?? def.rest;
        if (schemaOfItem !== null && schemaOfItem !== undefined) collect(search, schemaOfItem, item, [...path, index]);
      });
    case "union":
      return def.options.forEach((option) => collect(search, option, value, path));
    case "intersection":
      return [def.left, def.right].forEach((side) => collect(search, side, value, path));
    case "pipe":
      return [def.in, def.out].forEach((side) => collect(search, side, value, path));
    case "lazy":
      return collect(search, def.getter(), value, path);
    case "optional":
    case "nullable":
    case "nonoptional":
    case "default":
    case "prefault":
    case "catch":
    case "readonly":
      return collect(search, def.innerType, value, path);
    default:
      return;
  }
}

function collectMembers(search: Search, def: z.core.$ZodObjectDef, value: unknown, path: ValuePath): void {
  each(value, (key, member, whole) => {
    const schema = Object.hasOwn(def.shape, key) ? def.shape[key] : def.catchall;
    if (schema === undefined) return;
    const { plugin } = metaOf(schema);
    const use: unknown = Reflect.get(whole, "use");
    const config = Array.isArray(plugin) && typeof use === "string" ? search.plugins(plugin, use) : undefined;
    collect(search, config ?? schema, member, [...path, key]);
  });
}

function each(value: unknown, call: (key: string, member: unknown, whole: object) => void): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return;
  for (const [key, member] of Object.entries(value)) call(key, member, value);
}

function eachItem(value: unknown, call: (index: number, item: unknown) => void): void {
  if (Array.isArray(value)) value.forEach((item, index) => call(index, item));
}

function metaOf(schema: z.core.$ZodType): Readonly<Record<string, unknown>> {
  return (schema as z.ZodType).meta() ?? {}; // the classes of "zod", whose methods these are, are the only ones used here
}

function keyOf(path: ValuePath): string {
  return JSON.stringify(path);
}
