import { invalid } from "../../core/parse-document.ts";
import type { JsonObject } from "./json-object.ts";
import { isJsonObject, listMember, objectMember, ownMember, sortedMembers } from "./json-object.ts";
import type { OpenApiDocument } from "./openapi-document.ts";
import { dereference, referenceOf } from "./openapi-document.ts";
import type { ReferenceSizes } from "./reference-sizes.ts";
import { definitionName } from "./reference-sizes.ts";
import type { JsonSchema, SchemaValues } from "./schema-values.ts";
import { isNullable, schemaValues, typesOf } from "./schema-values.ts";

/** Who reads the schema: a caller of what may be sent (`input`), or of what comes back (`output`). */
export type SchemaDirection = "input" | "output";

/** Writes the schemas of one tool. */
export interface SchemaWriter {
  /**
   * A schema of the description as JSON Schema 2020-12. Small ones that it refers to stand inside it; large and cyclic
   * ones become `{ $ref: "#/$defs/…" }`. Members that are not for the reader (`readOnly`, `writeOnly`) are left out.
   * Throws `resource.invalid` for a reference that leads nowhere, and when the schemas of a tool grow too large.
   */
  write(schema: unknown): JsonSchema;
  /** What `$defs` must hold for all that was written; undefined where nothing refers to it. Asked for last. */
  definitions(): JsonObject | undefined;
}

const single = ["items", "not", "if", "then", "else", "contains", "propertyNames", "additionalProperties"] as const;
const lists = ["allOf", "anyOf", "oneOf", "prefixItems"] as const;
const maps = ["patternProperties", "dependentSchemas"] as const;

/** A writer for one tool of a document. `nodeLimit` bounds the schemas that it writes, all together. */
export function schemaWriter(
  document: OpenApiDocument,
  direction: SchemaDirection,
  sizes: ReferenceSizes,
  nodeLimit: number,
): SchemaWriter {
  const job: WriterJob = {
    document,
    sizes,
    nodeLimit,
    hiddenMark: direction === "input" ? "readOnly" : "writeOnly",
    nodes: 0,
    waiting: [],
    written: new Map(),
  };
  return {
    write: (schema) => write(job, schema, nothing),
    definitions() {
      for (let reference = job.waiting.shift(); reference !== undefined; reference = job.waiting.shift()) {
        const target = dereference(document, { $ref: reference }).value;
        job.written.set(definitionName(reference), write(job, target, nothing));
      }
      return job.written.size === 0 ? undefined : Object.fromEntries(sortedMembers(Object.fromEntries(job.written)));
    },
  };
}

interface WriterJob {
  readonly document: OpenApiDocument;
  readonly sizes: ReferenceSizes;
  readonly nodeLimit: number;
  readonly hiddenMark: "readOnly" | "writeOnly";
  nodes: number;
  /** References whose definitions are still to be written: a list, so that no depth of references is a depth of calls. */
  readonly waiting: string[];
  readonly written: Map<string, JsonSchema>;
}

const nothing: ReadonlySet<string> = new Set();

function write(job: WriterJob, schema: unknown, hidden: ReadonlySet<string>): JsonSchema {
  // Values count too, up to where there are so many that they are left out.
  job.nodes += 1 + Math.min(listMember(isJsonObject(schema) ? schema : {}, "enum").length, 1_000) / 10;
  if (job.nodes > job.nodeLimit) {
    throw invalid([{ path: "", message: `its schemas are larger than ${job.nodeLimit} parts` }]);
  }
  if (typeof schema === "boolean") return schema;
  if (!isJsonObject(schema)) return {};
  return referenceOf(schema) === undefined ? writeObject(job, schema, hidden) : writeReference(job, schema, hidden);
}

function writeReference(job: WriterJob, schema: JsonObject, hidden: ReadonlySet<string>): JsonSchema {
  const { value, reference } = dereference(job.document, schema);
  const isInline = reference === undefined || job.sizes.isSmall(reference);
  const target = isInline ? write(job, value, hidden) : { $ref: `#/$defs/${definition(job, reference)}` };
  const { $ref: _, ...beside } = schema;
  const besides = job.document.version === "3.0" ? describedOnly(beside) : writeObject(job, beside, hidden);
  if (Object.keys(besides).length === 0) return target;
  if (typeof target === "object" && isAnnotation(besides)) return { ...target, ...besides };
  return { ...besides, allOf: [target, ...listMember(besides, "allOf")] };
}

function definition(job: WriterJob, reference: string): string {
  const name = definitionName(reference);
  if (!job.written.has(name)) {
    job.written.set(name, true); // its place is taken before it is written, which is what ends a circle
    job.waiting.push(reference);
  }
  return name;
}

function writeObject(job: WriterJob, schema: JsonObject, outer: ReadonlySet<string>): JsonObject {
  const own = hiddenNames(job, schema);
  const hidden = own.length === 0 ? outer : new Set([...outer, ...own]);
  const isUnion = isNullable(schema) && lists.some((name) => listMember(schema, name).length > 0);
  const values = schemaValues(schema, isNullable(schema) && typesOf(schema).length > 0 && !isUnion);
  addMembers(job, values, schema, hidden);
  addParts(job, values, schema, hidden);
  if (!isUnion) return values;
  const { title, description, ...rest } = values;
  const told = { ...(title === undefined ? {} : { title }), ...(description === undefined ? {} : { description }) };
  return { ...told, anyOf: [rest, { type: "null" }] };
}

function addMembers(job: WriterJob, result: SchemaValues, schema: JsonObject, hidden: ReadonlySet<string>): void {
  const properties = sortedMembers(objectMember(schema, "properties")).filter(([name]) => !hidden.has(name));
  if (properties.length > 0) result["properties"] = writeAll(job, properties);
  const required = requiredNames(schema).filter((name) => !hidden.has(name));
  if (required.length > 0) result["required"] = required;
  for (const name of maps) {
    const members = sortedMembers(objectMember(schema, name));
    if (members.length > 0) result[name] = writeAll(job, members);
  }
}

function addParts(job: WriterJob, result: SchemaValues, schema: JsonObject, hidden: ReadonlySet<string>): void {
  for (const name of single) {
    const part = ownMember(schema, name);
    if (isJsonObject(part) || typeof part === "boolean") result[name] = write(job, part, nothing);
  }
  for (const name of lists) {
    const parts = listMember(schema, name);
    const inner = name === "prefixItems" ? nothing : hidden; // the other lists are about the same value
    if (parts.length > 0) result[name] = parts.map((part) => write(job, part, inner));
  }
  // Lists by place were written so before 2020-12.
  const byPlace = listMember(schema, "items");
  if (byPlace.length > 0) result["prefixItems"] = byPlace.map((part) => write(job, part, nothing));
}

function writeAll(job: WriterJob, members: readonly (readonly [name: string, schema: unknown])[]): JsonObject {
  return Object.fromEntries(members.map(([name, schema]) => [name, write(job, schema, nothing)]));
}

/** Names that a schema requires, each once and sorted. */
export function requiredNames(schema: JsonObject): readonly string[] {
  const names = listMember(schema, "required").filter((name): name is string => typeof name === "string");
  return Array.from(new Set(names)).toSorted();
}

/** Names of members that are not for this reader; those of `allOf` count for the whole, as their `required` may stand apart. */
function hiddenNames(job: WriterJob, schema: JsonObject): readonly string[] {
  const branches = [schema, ...listMember(schema, "allOf").map((branch) => dereference(job.document, branch).value)];
  return branches.flatMap((branch) =>
    Object.entries(isJsonObject(branch) ? objectMember(branch, "properties") : {})
      .filter(([, property]) => isMarked(job, property))
      .map(([name]) => name),
  );
}

function isMarked({ document, hiddenMark }: WriterJob, property: unknown): boolean {
  if (!isJsonObject(property)) return false;
  if (ownMember(property, hiddenMark) === true) return true;
  if (referenceOf(property) === undefined) return false;
  const { value } = dereference(document, property);
  return isJsonObject(value) && ownMember(value, hiddenMark) === true;
}

function describedOnly(beside: JsonObject): JsonObject {
  const { description } = schemaValues(beside, false);
  return description === undefined ? {} : { description };
}

function isAnnotation(schema: JsonObject): boolean {
  const annotations = ["title", "description", "deprecated", "default", "examples"];
  return Object.keys(schema).every((name) => annotations.includes(name));
}
