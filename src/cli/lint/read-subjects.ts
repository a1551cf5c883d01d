import type { Document, LineCounter } from "yaml";
import { loadYaml } from "../../kernel/load-yaml.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import { descriptionRulesets } from "./default-rules.ts";
import type { LintSubject, ReadSource } from "./lint-subject.ts";

/** A text and where it is from. */
export interface SourceText {
  readonly source: string;
  readonly isFile: boolean;
  readonly text: string;
}

export interface ReadSubjectsOptions {
  /** Take a document of no known kind too: there are rulesets that somebody has chosen for it. */
  readonly takesAny: boolean;
}

/** Whether a text may be one of the documents that are linted: by the names at its beginnings of lines, before it is parsed. */
export function maybeLinted(text: string): boolean {
  return /^[{\s]*["']?(?:openapi|swagger|asyncapi|arazzo|apiVersion)["']?\s*:/m.test(text);
}

/**
 * The documents in a text, by what they say they are: descriptions of APIs (OpenAPI, AsyncAPI, Arazzo) and resources, of
 * which one text may hold several. What cannot be read, or is neither, is a fault with its line.
 */
export async function readSubjects(
  from: SourceText,
  { takesAny }: ReadSubjectsOptions,
): Promise<readonly ReadSource[]> {
  const { text, source } = from;
  const fault = (message: string, line?: number): ReadSource => ({ ...from, fault: { message, line } });
  if (text.trim() === "") return [fault("it is empty")];
  const told = toldKind(text);
  if (told !== undefined) return [descriptionSubject(from, told)];
  const { LineCounter, parseAllDocuments } = loadYaml();
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, strict: true });
  if ("empty" in parsed) return [fault("there is no document in it")];
  const found: ReadSource[] = [];
  for (const document of parsed) found.push(...(await subjectOf(document, lines, from, takesAny)));
  return found.length > 0 ? found : [fault(`there is no document in ${source}`)];
}

async function subjectOf(
  document: Document.Parsed,
  lines: LineCounter,
  from: SourceText,
  takesAny: boolean,
): Promise<readonly ReadSource[]> {
  const [broken] = document.errors;
  if (broken !== undefined) {
    return [{ ...from, fault: { message: broken.message, line: lines.linePos(broken.pos[0]).line } }];
  }
  const line = document.contents === null ? undefined : lines.linePos(document.contents.range[0]).line;
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    return [{ ...from, fault: { message: "its aliases stand for too much", line } }];
  }
  if (value === null) return []; // nothing between two separators
  if (!isObject(value)) return [{ ...from, fault: { message: "it is no object", line, isUnknown: true } }];
  const title = descriptionTitle(value);
  if (typeof title === "object") {
    const text = textOf(document, lines, from.text);
    return [descriptionSubject({ ...from, text }, title)];
  }
  if (typeof title === "string") return [{ ...from, fault: { message: title, line } }];
  const { apiVersion } = value;
  if (typeof apiVersion === "string" && apiVersion.startsWith("gatehouse/")) {
    // Knows every kind and plug-in, which takes longer to load than most documents to evaluate.
    const { readResource } = await import("./read-resource.ts");
    return [await readResource({ source: from.source, isFile: from.isFile, document, lines, value })];
  }
  if (takesAny) return [anySubject({ ...from, text: textOf(document, lines, from.text) })];
  return [{ ...from, fault: { message: unknownKind, line, isUnknown: true } }];
}

const unknownKind =
  "it is neither OpenAPI, AsyncAPI, Arazzo nor a resource (apiVersion: gatehouse/v1); choose a ruleset for it with --ruleset";

interface Description {
  readonly format: keyof typeof descriptionRulesets;
  readonly title: string;
}

const descriptions = [
  { member: "openapi", format: "openapi", name: "OpenAPI", versions: /^3\.[01]\.\d+/ },
  { member: "swagger", format: "openapi", name: "OpenAPI", versions: /^2\.0$/ },
  { member: "asyncapi", format: "asyncapi", name: "AsyncAPI", versions: /^[23]\.\d+\.\d+/ },
  { member: "arazzo", format: "arazzo", name: "Arazzo", versions: /^1\.\d+\.\d+/ },
] as const;

/** What a document describes, or why it cannot be linted; undefined where it is no description. */
function descriptionTitle(value: Readonly<Record<string, unknown>>): Description | string | undefined {
  for (const { member, format, name, versions } of descriptions) {
    if (!Object.hasOwn(value, member)) continue;
    const version = value[member];
    if (typeof version !== "string") return `${member} is no text: put its version in quotes`;
    if (!versions.test(version)) return `there are no rules for ${name} ${version}`;
    return { format, title: `${name} ${version}` };
  }
  return undefined;
}

/**
 * What a text says that is JSON, or a single YAML document without aliases, at its left edge. A large description is parsed where it is
 * evaluated, and need not be here too.
 */
function toldKind(text: string): Description | undefined {
  if (/^\s*\{/.test(text)) {
    const value = jsonOf(text);
    const told = isObject(value) ? descriptionTitle(value) : undefined;
    return typeof told === "object" ? told : undefined;
  }
  if (/^---/m.test(text) || /[*&]/.test(text.replace(/"[^"\n]*"|'[^'\n]*'/g, ""))) return undefined;
  const heads = [...text.matchAll(/^(openapi|swagger|asyncapi|arazzo):[ \t]+["']?([\d.]+)["']?[ \t]*$/gm)];
  const [head, ...more] = heads;
  if (head === undefined || more.length > 0) return undefined;
  const found = descriptionTitle({ [head[1] ?? ""]: head[2] });
  return typeof found === "object" ? found : undefined;
}

function descriptionSubject({ source, isFile, text }: SourceText, { format, title }: Description): LintSubject {
  const parts = [{ of: "definition", rulesets: descriptionRulesets[format], text }] as const;
  return { source, isFile, title, parts, findings: [] };
}

function anySubject({ source, isFile, text }: SourceText): LintSubject {
  return { source, isFile, title: "a document", parts: [{ of: "definition", rulesets: [], text }], findings: [] };
}

/** One of several documents, at the lines where it stands. */
function textOf(document: Document.Parsed, lines: LineCounter, text: string): string {
  if (document.contents === null) return text;
  const { line } = lines.linePos(document.contents.range[0]);
  return `${"\n".repeat(line - 1)}${text.slice(lines.lineStarts[line - 1], document.range[1])}`;
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined; // told by whoever reads it as YAML, with its line
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
