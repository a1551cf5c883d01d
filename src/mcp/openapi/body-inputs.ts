import { invalid } from "../../core/parse-document.ts";
import { flatMembers } from "./flat-members.ts";
import type { JsonObject } from "./json-object.ts";
import { isJsonObject, objectMember, ownMember, sortedMembers, textMember } from "./json-object.ts";
import type { OpenApiOperation } from "./list-operations.ts";
import type { OpenApiDocument } from "./openapi-document.ts";
import { dereference } from "./openapi-document.ts";
import type { ParameterContext, ToolArgument } from "./parameter-inputs.ts";
import { toldSchema } from "./parameter-inputs.ts";
import type { ParameterStyle, StyleName } from "./parameter-style.ts";
import { styleNames } from "./parameter-style.ts";
import type { JsonSchema } from "./schema-values.ts";
import { typesOf } from "./schema-values.ts";

export type BodyEncoding = "json" | "form" | "multipart" | "text" | "binary";

/** The body of a request: one argument that is the whole of it, or its members one by one. */
export interface BodyInput {
  readonly encoding: BodyEncoding;
  readonly mediaType: string;
  readonly required: boolean;
  readonly whole: string | undefined;
  readonly members: readonly { readonly argument: string; readonly name: string }[];
  /** How members of a form are written where the description says so, by name. */
  readonly encodings: ReadonlyMap<string, MemberEncoding>;
}

/** One member of a form. */
export interface MemberEncoding {
  /** Undefined where the description leaves it open. */
  readonly style: ParameterStyle | undefined;
  readonly contentType: string | undefined;
  /** The argument is a file, or a list of files. */
  readonly isFile: boolean;
}

/** A file as an argument: its bytes in base64, or its text. */
export const fileSchema: JsonObject = {
  type: "object",
  description: "A file: its content as `text`, or any bytes as base64 in `data`.",
  properties: {
    data: { type: "string", contentEncoding: "base64" },
    filename: { type: "string", maxLength: 255 },
    mediaType: { type: "string", maxLength: 255, pattern: "^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$" },
    text: { type: "string" },
  },
  oneOf: [{ required: ["data"] }, { required: ["text"] }],
  additionalProperties: false,
};

/** The body's part of a tool; undefined where the operation has none. */
export interface BodyPart {
  readonly input: BodyInput;
  readonly arguments: readonly ToolArgument[];
  readonly notes: readonly string[];
}

/** Reads what the body of an operation takes. JSON is preferred to forms, forms to text and bytes. */
export function bodyInputs(operation: OpenApiOperation, context: ParameterContext): BodyPart | undefined {
  if (operation.method === "GET" || operation.method === "HEAD") return undefined; // it would mean nothing (RFC 9110, 9.3.1)
  const body = dereference(context.document, ownMember(operation.node, "requestBody")).value;
  if (!isJsonObject(body)) return undefined;
  const chosen = chooseMedia(objectMember(body, "content"));
  if (chosen === undefined) return undefined;
  const required = ownMember(body, "required") === true;
  const schema = ownMember(chosen.media, "schema") ?? {};
  const base = { encoding: chosen.encoding, mediaType: chosen.mediaType, required };
  const flat = chosen.encoding === "text" || chosen.encoding === "binary" ? undefined : membersOf(context, schema);
  if (flat === undefined) return wholeBody(base, body, schema, context);
  if (flat.properties.size === 0 && !required) return undefined;
  const encodings = memberEncodings(context.document, chosen, flat.properties);
  const members = Array.from(flat.properties.keys(), (name) => ({ name, argument: context.names.claim(name, "body") }));
  const all = members.map(({ name, argument }) => ({
    name: argument,
    required: flat.required.has(name),
    schema: toldSchema(
      memberSchema(flat.properties.get(name), encodings.get(name), context),
      undefined,
      name === argument ? undefined : `the member ${JSON.stringify(name)} of the body`,
    ),
  }));
  return { input: { ...base, whole: undefined, members, encodings }, arguments: all, notes: flat.notes };
}

function membersOf(context: ParameterContext, schema: unknown): ReturnType<typeof flatMembers> {
  const flat = flatMembers(context.document, schema);
  if (flat === undefined) return undefined;
  const isOurs = ([, property]: readonly [string, unknown]): boolean => {
    const { value } = dereference(context.document, property);
    return !(isJsonObject(value) && ownMember(value, "readOnly") === true) && !isReadOnly(property);
  };
  const properties = new Map(Array.from(flat.properties).filter(isOurs));
  // A member that is required and described nowhere still has to be sent.
  for (const name of flat.required) if (!flat.properties.has(name)) properties.set(name, {});
  return { ...flat, properties };
}

function isReadOnly(property: unknown): boolean {
  return isJsonObject(property) && ownMember(property, "readOnly") === true;
}

function wholeBody(
  base: Pick<BodyInput, "encoding" | "mediaType" | "required">,
  body: JsonObject,
  schema: unknown,
  context: ParameterContext,
): BodyPart {
  const argument = context.names.claim("body", "content");
  const told = toldSchema(wholeSchema(base.encoding, schema, context), textMember(body, "description"), undefined);
  const text = { ...(typeof told === "object" ? told : {}) };
  if (text["description"] === undefined) text["description"] = `The body of the request, ${base.mediaType}.`;
  const input = { ...base, whole: argument, members: [], encodings: new Map() };
  return { input, arguments: [{ name: argument, required: base.required, schema: text }], notes: [] };
}

function wholeSchema(encoding: BodyEncoding, schema: unknown, context: ParameterContext): JsonSchema {
  if (encoding === "binary") return fileSchema;
  if (encoding === "json") return context.writer.write(schema);
  if (encoding === "text") return { type: "string" };
  const written = context.writer.write(schema);
  const isObject = typeof written === "object" && written["type"] === "object";
  return isObject ? written : { type: "object", ...(typeof written === "object" ? { allOf: [written] } : {}) };
}

function memberSchema(property: unknown, encoding: MemberEncoding | undefined, context: ParameterContext): JsonSchema {
  if (encoding?.isFile !== true) return context.writer.write(property);
  const { value } = dereference(context.document, property);
  const description = isJsonObject(value) ? textMember(value, "description") : undefined;
  const isList = isJsonObject(value) && typesOf(value).includes("array");
  return toldSchema(isList ? { type: "array", items: fileSchema } : fileSchema, description, undefined);
}

interface ChosenMedia {
  readonly mediaType: string;
  readonly media: JsonObject;
  readonly encoding: BodyEncoding;
}

const preference: readonly BodyEncoding[] = ["json", "form", "multipart", "text", "binary"];

function chooseMedia(content: JsonObject): ChosenMedia | undefined {
  const all = sortedMembers(content).map(([name, value]): ChosenMedia => {
    const mediaType = name.trim().toLowerCase();
    return { mediaType: sentType(mediaType), media: isJsonObject(value) ? value : {}, encoding: encodingOf(mediaType) };
  });
  const rank = ({ mediaType, encoding }: ChosenMedia): number =>
    preference.indexOf(encoding) * 2 + (mediaType === "application/json" ? 0 : 1);
  const [best] = all.toSorted((left, right) => rank(left) - rank(right));
  if (best !== undefined && !/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;[ -~]*)?$/.test(best.mediaType)) {
    throw invalid([{ path: "", message: `the media type of its body, ${best.mediaType.slice(0, 100)}, is not one` }]);
  }
  return best;
}

function encodingOf(mediaType: string): BodyEncoding {
  const [essence = ""] = mediaType.split(";", 1);
  if (/^(application|text)\/json$|\+json$|^\*\/\*$|^application\/\*$/.test(essence.trim())) return "json";
  if (essence.trim() === "application/x-www-form-urlencoded") return "form";
  if (essence.startsWith("multipart/")) return "multipart";
  return /^text\/|\/xml$|\+xml$|yaml|graphql|javascript|ndjson|jsonl/.test(essence) ? "text" : "binary";
}

function sentType(mediaType: string): string {
  if (mediaType === "*/*" || mediaType === "application/*") return "application/json";
  return mediaType.replace("/*", mediaType.startsWith("text/") ? "/plain" : "/octet-stream");
}

function memberEncodings(
  document: OpenApiDocument,
  { media, encoding }: ChosenMedia,
  properties: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, MemberEncoding> {
  if (encoding === "json") return new Map();
  const told = objectMember(media, "encoding");
  return new Map(
    Array.from(properties, ([name, property]) => {
      const own = objectMember(told, name);
      const contentType = textMember(own, "contentType")?.split(",", 1)[0]?.trim();
      const isFile = encoding === "multipart" && isFileSchema(document, property);
      return [name, { style: formStyle(own), contentType: isMedia(contentType) ? contentType : undefined, isFile }];
    }),
  );
}

function isMedia(text: string | undefined): boolean {
  return text !== undefined && /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;[ -~]*)?$/.test(text);
}

function formStyle(encoding: JsonObject): ParameterStyle | undefined {
  const asked = textMember(encoding, "style");
  const explode = ownMember(encoding, "explode");
  if (asked === undefined && explode === undefined) return undefined;
  const style: StyleName = styleNames.query.find((name) => name === asked) ?? "form";
  const allowReserved = ownMember(encoding, "allowReserved") === true;
  return { style, explode: typeof explode === "boolean" ? explode : style === "form", allowReserved, isJson: false };
}

function isFileSchema(document: OpenApiDocument, property: unknown, isItem = false): boolean {
  const { value } = dereference(document, property);
  if (!isJsonObject(value)) return false;
  if (typesOf(value).includes("array")) return !isItem && isFileSchema(document, ownMember(value, "items"), true);
  const media = textMember(value, "contentMediaType");
  const isEncoded = ownMember(value, "contentEncoding") !== undefined;
  return ownMember(value, "format") === "binary" || (media !== undefined && !isEncoded && !/^text\/|json$/.test(media));
}
