import type { BodyInput } from "./body-inputs.ts";
import type { EncodedBody } from "./encode-multipart.ts";
import { encodeFile, encodeMultipart } from "./encode-multipart.ts";
import { queryPairs } from "./encode-parameter.ts";
import { isJsonObject } from "./json-object.ts";
import type { ParameterStyle } from "./parameter-style.ts";
import type { SchemaFault } from "./schema-check.ts";

const openStyle: ParameterStyle = { style: "form", explode: true, allowReserved: false, isJson: false };

/**
 * The body that these arguments make; undefined where it may be left out and nothing was given for it. Arguments fit
 * the tool's schema; what no schema could say is added to `faults`.
 */
export function encodeBody(
  body: BodyInput,
  args: Readonly<Record<string, unknown>>,
  faults: SchemaFault[],
): EncodedBody | undefined {
  if (body.whole !== undefined) {
    return Object.hasOwn(args, body.whole) ? encodeWhole(body, body.whole, args[body.whole], faults) : undefined;
  }
  const given = body.members.filter(({ argument }) => Object.hasOwn(args, argument));
  if (given.length === 0 && !body.required) return undefined;
  const members = given.map(({ argument, name }): [string, unknown] => [name, args[argument]]);
  return encodeMembers(body, members, faults);
}

function encodeWhole(
  body: BodyInput,
  argument: string,
  value: unknown,
  faults: SchemaFault[],
): EncodedBody | undefined {
  const { mediaType } = body;
  switch (body.encoding) {
    case "json":
      return { mediaType, bytes: Buffer.from(JSON.stringify(value)) };
    case "text":
      return { mediaType, bytes: Buffer.from(typeof value === "string" ? value : JSON.stringify(value)) };
    case "binary": {
      const file = encodeFile(value, argument, faults);
      return { mediaType: file.mediaType ?? mediaType, bytes: file.bytes };
    }
    case "form":
    case "multipart":
      return encodeMembers(body, isJsonObject(value) ? Object.entries(value) : [], faults);
  }
}

function encodeMembers(
  body: BodyInput,
  members: readonly (readonly [name: string, value: unknown])[],
  faults: SchemaFault[],
): EncodedBody {
  const { mediaType } = body;
  if (body.encoding === "multipart") return encodeMultipart(body, members, faults);
  if (body.encoding !== "form") return { mediaType, bytes: Buffer.from(JSON.stringify(Object.fromEntries(members))) };
  const pairs = members.flatMap(([name, value]) => {
    const told = body.encodings.get(name);
    // Without a style, an object is JSON text (OpenAPI 3.1.1, section 4.8.15.1.1).
    const isJson = told?.style === undefined && (isJsonObject(value) || told?.contentType?.endsWith("json") === true);
    return queryPairs(name, value, told?.style ?? { ...openStyle, isJson });
  });
  return { mediaType, bytes: Buffer.from(pairs.join("&")) };
}
