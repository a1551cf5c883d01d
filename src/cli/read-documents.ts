import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments } from "yaml";
import type { FieldIssue } from "../kernel/errors.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Shell } from "./shell.ts";

/** A document of a resource file. */
export interface FileDocument {
  /** The file as it was named, for messages. */
  readonly source: string;
  /** Where the document begins, counted from 1. */
  readonly line: number;
  readonly value: unknown;
  /** Lines by field: `spec.upstream.production.targets[0].provider`. */
  readonly lines: Readonly<Record<string, number>>;
}

/**
 * The documents of YAML and JSON files, in the order of the paths. A directory stands for all such files in it and
 * below, by name; `-` is the standard input. Throws `resource.invalid` that names every syntax error with file and
 * line, and `resource.not_found` for a path that leads nowhere or to no document.
 */
export async function readDocuments(paths: readonly string[], shell: Shell): Promise<readonly FileDocument[]> {
  const issues: FieldIssue[] = [];
  const documents: FileDocument[] = [];
  for (const path of paths) {
    for (const file of await filesAt(path, shell)) {
      const text = file === "-" ? await shell.readInput() : await readFile(resolve(shell.cwd, file), "utf8");
      documents.push(...parse(text, file, issues));
    }
  }
  if (issues.length > 0) throw new GatewayError("resource.invalid", "These files cannot be read.", { issues });
  if (documents.length === 0)
    throw new GatewayError("resource.not_found", `There is no document in ${paths.join(", ")}.`);
  return documents;
}

async function filesAt(path: string, shell: Shell): Promise<readonly string[]> {
  if (path === "-") return [path];
  const found = await stat(resolve(shell.cwd, path)).catch((cause: unknown) => {
    throw new GatewayError("resource.not_found", `There is no file or directory ${path}.`, { cause });
  });
  if (!found.isDirectory()) return [path];
  const entries = await readdir(resolve(shell.cwd, path), { recursive: true });
  return entries
    .filter((name) => /\.(ya?ml|json)$/i.test(name) && !/(^|[\\/])\./.test(name))
    .toSorted()
    .map((name) => join(path, name));
}

function parse(text: string, source: string, issues: FieldIssue[]): readonly FileDocument[] {
  const counter = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: counter, prettyErrors: false });
  if ("empty" in parsed) return [];
  const lineAt = (offset: number): number => counter.linePos(offset).line;
  return parsed.flatMap((document) => {
    for (const { pos, message } of document.errors) issues.push({ path: `${source}:${lineAt(pos[0])}`, message });
    if (document.errors.length > 0 || document.contents === null) return [];
    const lines: Record<string, number> = {};
    noteLines(document.contents, "", (path, offset) => {
      lines[path] = lineAt(offset);
    });
    const line = lineAt(document.contents.range[0]);
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return value === null ? [] : [{ source, line, value, lines }];
  });
}

/** Longer paths than the control API takes are left out: their document's line stands for them. */
const longestPath = 1_000;

function noteLines(node: unknown, path: string, note: (path: string, offset: number) => void): void {
  if (path.length > longestPath) return;
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : String(key);
      const inner = path === "" ? name : `${path}.${name}`;
      if (isNode(key) && key.range) note(inner, key.range[0]);
      noteLines(value, inner, note);
    }
  }
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      const inner = `${path}[${index}]`;
      if (isNode(item) && item.range) note(inner, item.range[0]);
      noteLines(item, inner, note);
    }
  }
}
