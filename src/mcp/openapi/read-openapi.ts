import { invalid, refuseTooDeep } from "../../core/parse-document.ts";
import { loadYaml } from "../../kernel/load-yaml.ts";
import { parseStrictJson } from "../../kernel/strict-json.ts";
import { bundleDocuments } from "./bundle-documents.ts";
import type { JsonObject } from "./json-object.ts";
import { isJsonObject, ownMember } from "./json-object.ts";
import type { OpenApiDocument } from "./openapi-document.ts";

export interface ReadOptions {
  /** Where the description came from: an absolute URL. Relative servers and references are relative to it. */
  readonly address?: string;
  /** Descriptions that `$ref` may lead to, by absolute address; without it, references stay inside the document. */
  readonly others?: ReadonlyMap<string, string | JsonObject>;
  /** Bytes of text that are read at most, of each document; 32 MiB when absent. */
  readonly limitBytes?: number;
}

const defaultLimitBytes = 32 * 1024 * 1024;
const depthLimit = 200;
/** How often YAML may say "the same again": each is a copy, and a few lines can ask for billions. */
const aliasLimit = 100;

/**
 * An OpenAPI description of 3.0, 3.1 or 3.2 (which is read as 3.1), from JSON, YAML or what a parser made of them.
 * Nothing is fetched. Throws `resource.invalid` for text that is neither, a member that occurs twice, nesting beyond
 * 200 levels, more than `limitBytes`, and for Swagger 2.0.
 */
export function readOpenApi(source: string | JsonObject, options: ReadOptions = {}): OpenApiDocument {
  const limitBytes = options.limitBytes ?? defaultLimitBytes;
  const root = readObject(source, limitBytes);
  const version = versionOf(root);
  const others = new Map(
    Array.from(options.others ?? [], ([address, text]) => [address, readObject(text, limitBytes)]),
  );
  return { version, root, address: options.address, others: bundleDocuments(others) };
}

function readObject(source: string | JsonObject, limitBytes: number): JsonObject {
  const value = typeof source === "string" ? readText(source, limitBytes) : source;
  if (!isJsonObject(value)) throw refused("it is no object");
  refuseTooDeep(value);
  return value;
}

function readText(source: string, limitBytes: number): unknown {
  const text = source.replace(/^\uFEFF/, "");
  const bytes = Buffer.from(text);
  if (bytes.byteLength > limitBytes) throw refused(`it is larger than ${limitBytes} bytes`);
  if (!/^\s*[{[]/.test(text)) return readYaml(text);
  const parsed = parseStrictJson(bytes, depthLimit);
  if ("value" in parsed) return parsed.value;
  // A brace begins flow style of YAML too; what is JSON with a fault is told as JSON.
  if (parsed.fault.type !== "syntax" || text.trimEnd().endsWith("}")) throw refused(parsed.fault.message);
  return readYaml(text);
}

function readYaml(text: string): unknown {
  try {
    return loadYaml().parse(text, { maxAliasCount: aliasLimit, uniqueKeys: true, logLevel: "error", schema: "core" });
  } catch (cause) {
    const [reason = ""] = (cause instanceof Error ? cause.message : String(cause)).split("\n", 1);
    throw refused(`it is neither JSON nor YAML that can be read: ${reason}`);
  }
}

function versionOf(root: JsonObject): OpenApiDocument["version"] {
  const version = ownMember(root, "openapi");
  if (ownMember(root, "swagger") !== undefined) {
    throw refused("it is Swagger 2.0; convert it to OpenAPI 3 first, for example with: npx swagger2openapi FILE");
  }
  // YAML reads `openapi: 3.1` as a number.
  const text = typeof version === "number" ? String(version) : version;
  if (typeof text !== "string") throw refused("it has no member openapi, so it is no OpenAPI description");
  if (/^3\.0(\.|$)/.test(text)) return "3.0";
  if (/^3\.[12](\.|$)/.test(text)) return "3.1";
  throw refused(`version ${text.slice(0, 20)} is not known; 3.0, 3.1 and 3.2 are`);
}

function refused(reason: string): Error {
  return invalid([{ path: "", message: `the OpenAPI description cannot be used: ${reason}` }]);
}
