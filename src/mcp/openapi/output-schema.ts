import { GatewayError } from "../../kernel/errors.ts";
import type { JsonObject } from "./json-object.ts";
import { isJsonObject, objectMember, ownMember, sortedMembers } from "./json-object.ts";
import type { OpenApiOperation } from "./list-operations.ts";
import type { OpenApiDocument } from "./openapi-document.ts";
import { dereference } from "./openapi-document.ts";
import type { ReferenceSizes } from "./reference-sizes.ts";
import { typesOf } from "./schema-values.ts";
import { schemaWriter } from "./schema-writer.ts";

/** Parts of an answer's schema; a larger one is not told, as every client would have to carry it. */
const nodeLimit = 500;

/** What an operation answers, as far as a tool tells it. */
export interface OperationAnswers {
  /** The schema of its answer; undefined unless each answer of success is a JSON object of one schema. */
  readonly schema: JsonObject | undefined;
  /** The media types of its answers of success, sorted. */
  readonly mediaTypes: readonly string[];
}

/** Reads the answers of success. What is broken in them is left out: it keeps nobody from calling. */
export function operationAnswers(
  document: OpenApiDocument,
  operation: OpenApiOperation,
  sizes: ReferenceSizes,
): OperationAnswers {
  try {
    const successes = successesOf(document, operation);
    const mediaTypes = new Set(successes.flatMap((content) => Object.keys(content).filter(isMediaType)));
    return { schema: schemaOf(document, successes, sizes), mediaTypes: Array.from(mediaTypes).toSorted() };
  } catch (error) {
    if (error instanceof GatewayError) return { schema: undefined, mediaTypes: [] };
    throw error;
  }
}

function successesOf(document: OpenApiDocument, operation: OpenApiOperation): readonly JsonObject[] {
  const responses = sortedMembers(objectMember(operation.node, "responses"));
  const successes = responses.filter(([status]) => /^2(\d\d|XX)$/i.test(status));
  const meant = successes.length > 0 ? successes : responses.filter(([status]) => status === "default");
  return meant.map(([, response]) => {
    const { value } = dereference(document, response);
    return isJsonObject(value) ? objectMember(value, "content") : {};
  });
}

// A client refuses an answer that has no structured content where a schema was told, so the schema must hold for all.
function schemaOf(
  document: OpenApiDocument,
  successes: readonly JsonObject[],
  sizes: ReferenceSizes,
): JsonObject | undefined {
  const [first, ...others] = successes.map((content) => {
    const types = Object.keys(content);
    const [json] = types.filter((type) => /^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(type)).toSorted();
    const media = json === undefined || types.some((type) => !/json/i.test(type)) ? {} : objectMember(content, json);
    return ownMember(media, "schema");
  });
  if (!isJsonObject(first) || others.some((other) => JSON.stringify(other) !== JSON.stringify(first))) return undefined;
  const root = dereference(document, first).value;
  if (!isJsonObject(root) || !isObjectSchema(root)) return undefined;
  const writer = schemaWriter(document, "output", sizes, nodeLimit);
  const written = writer.write(root);
  const definitions = writer.definitions();
  if (typeof written === "boolean") return undefined;
  return { ...written, type: "object", ...(definitions === undefined ? {} : { $defs: definitions }) };
}

function isObjectSchema(schema: JsonObject): boolean {
  const types = typesOf(schema);
  return types.length === 1 ? types[0] === "object" : types.length === 0 && Object.hasOwn(schema, "properties");
}

function isMediaType(text: string): boolean {
  return /^[\w!#$&^.+*-]+\/[\w!#$&^.+*-]+$/.test(text);
}
