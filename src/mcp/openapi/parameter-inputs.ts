import { invalid } from "../../core/parse-document.ts";
import type { ArgumentNames } from "./argument-names.ts";
import type { JsonObject } from "./json-object.ts";
import { isJsonObject, listMember, objectMember, ownMember, sortedMembers, textMember } from "./json-object.ts";
import type { OpenApiOperation } from "./list-operations.ts";
import type { OpenApiDocument } from "./openapi-document.ts";
import { dereference } from "./openapi-document.ts";
import type { ParameterStyle, StyleName } from "./parameter-style.ts";
import { defaultStyles, styleNames } from "./parameter-style.ts";
import type { JsonSchema } from "./schema-values.ts";
import { plainText } from "./schema-values.ts";
import type { SchemaWriter } from "./schema-writer.ts";
import type { WithheldReason } from "./withheld-parameters.ts";

/** A parameter of a request's path, query or headers. */
export interface ParameterInput {
  readonly location: "path" | "query" | "header";
  readonly name: string;
  readonly style: ParameterStyle;
  /** The argument that gives its value, or the value itself where the administrator has fixed it. */
  readonly from: { readonly argument: string } | { readonly fixed: unknown };
}

/** An argument of a tool as its schema tells it. */
export interface ToolArgument {
  readonly name: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
}

export interface ParameterContext {
  readonly document: OpenApiDocument;
  readonly names: ArgumentNames;
  readonly writer: SchemaWriter;
  readonly withheld: WithheldReason;
  /** Values of parameters that no caller chooses, by name. */
  readonly fixed: ReadonlyMap<string, unknown>;
}

const locations = ["path", "query", "header"] as const;

/**
 * The parameters of an operation, path first, then query, then headers, each in the order of the description. Throws
 * `resource.invalid` for an operation that cannot be called with what a tool may send.
 */
export function parameterInputs(
  operation: OpenApiOperation,
  context: ParameterContext,
): { readonly inputs: readonly ParameterInput[]; readonly arguments: readonly ToolArgument[] } {
  const inputs: ParameterInput[] = [];
  const all: ToolArgument[] = [];
  const parameters = parametersOf(operation, context.document);
  for (const location of locations) {
    for (const parameter of parameters.filter((one) => textMember(one, "in") === location)) {
      const name = nameOf(parameter);
      if (location === "path" && !operation.path.includes(`{${name}}`)) continue;
      if (context.withheld(location, name) !== undefined && !context.fixed.has(name)) continue;
      if (location === "header" && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
        throw refused(`no header can be called ${name}`);
      const style = styleOf(parameter, location);
      if (context.fixed.has(name)) {
        inputs.push({ location, name, style, from: { fixed: context.fixed.get(name) } });
        continue;
      }
      const argument = context.names.claim(name, location);
      inputs.push({ location, name, style, from: { argument } });
      const schema = argumentSchema(parameter, { location, name, argument }, context.writer);
      all.push({ name: argument, required: location === "path" || ownMember(parameter, "required") === true, schema });
    }
  }
  return { inputs, arguments: all };
}

/** The schema of an argument: the description's own words come first, and where it is sent is told where its name differs. */
export function toldSchema(schema: JsonSchema, description: string | undefined, sent: string | undefined): JsonSchema {
  const base: JsonObject = typeof schema === "object" ? schema : schema ? {} : { not: {} };
  const own = description === undefined ? textMember(base, "description") : plainText(description, 1_000);
  const text = `${own ?? ""}${sent === undefined ? "" : ` (Sent as ${sent}.)`}`.trim();
  return text === "" ? base : { ...base, description: text };
}

function argumentSchema(
  parameter: JsonObject,
  { location, name, argument }: { readonly location: string; readonly name: string; readonly argument: string },
  writer: SchemaWriter,
): JsonSchema {
  const schema = writer.write(ownMember(mediaTypeOf(parameter)?.[1] ?? parameter, "schema") ?? {});
  const sent = argument === name ? undefined : `the ${location} parameter ${JSON.stringify(name)}`;
  const told = toldSchema(schema, textMember(parameter, "description"), sent);
  const isDeprecated = ownMember(parameter, "deprecated") === true;
  return typeof told === "object" && isDeprecated ? { ...told, deprecated: true } : told;
}

// What stands at the operation counts more than what stands at its path (section 4.7.9, Path Item Object).
function parametersOf(operation: OpenApiOperation, document: OpenApiDocument): readonly JsonObject[] {
  const byPlace = new Map<string, JsonObject>();
  for (const item of [...listMember(operation.pathItem, "parameters"), ...listMember(operation.node, "parameters")]) {
    const parameter = dereference(document, item).value;
    if (!isJsonObject(parameter)) continue;
    const location = textMember(parameter, "in");
    if (location === "querystring") throw refused("its whole query is one parameter, which is not supported");
    if (location === "cookie" && ownMember(parameter, "required") === true && !isCredential(document, parameter)) {
      throw refused(`it needs the cookie ${nameOf(parameter)}, and cookies are no arguments`);
    }
    byPlace.set(`${location} ${nameOf(parameter)}`, parameter);
  }
  for (const [, name = ""] of operation.path.matchAll(/\{([^{}]+)\}/g)) {
    if (byPlace.has(`path ${name}`)) continue;
    byPlace.set(`path ${name}`, { name, in: "path", required: true, schema: { type: "string" } });
  }
  return Array.from(byPlace.values());
}

function isCredential(document: OpenApiDocument, parameter: JsonObject): boolean {
  const schemes = Object.values(objectMember(objectMember(document.root, "components"), "securitySchemes"));
  return schemes.some((scheme) => isJsonObject(scheme) && textMember(scheme, "name") === nameOf(parameter));
}

function styleOf(parameter: JsonObject, location: ParameterInput["location"]): ParameterStyle {
  const content = mediaTypeOf(parameter)?.[0];
  const asked = textMember(parameter, "style");
  const style: StyleName = styleNames[location].find((name) => name === asked) ?? defaultStyles[location];
  const explode = ownMember(parameter, "explode");
  return {
    style,
    explode: typeof explode === "boolean" ? explode : style === "form",
    allowReserved: ownMember(parameter, "allowReserved") === true,
    isJson: content !== undefined && /[/+]json\b/i.test(content),
  };
}

/** The one media type of a parameter that is described by `content` in place of `schema`. */
function mediaTypeOf(parameter: JsonObject): readonly [string, JsonObject] | undefined {
  const [first] = sortedMembers(objectMember(parameter, "content"));
  return first !== undefined && isJsonObject(first[1]) ? [first[0], first[1]] : undefined;
}

function nameOf(parameter: JsonObject): string {
  const name = ownMember(parameter, "name");
  if (typeof name === "string" && name !== "") return name;
  throw refused("a parameter has no name");
}

function refused(message: string): Error {
  return invalid([{ path: "", message }]);
}
