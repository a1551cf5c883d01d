import { z } from "zod";
import type { FieldIssue } from "../kernel/errors.ts";
import { GatewayError, toGatewayError } from "../kernel/errors.ts";
import type { CoreContext } from "./core-context.ts";
import { findKind, resourceKinds } from "./kinds.ts";
import { invalid, parseDocument } from "./parse-document.ts";
import type { ResourceKind } from "./resource.ts";
import { apiVersion } from "./resource.ts";
import type { ResourceDocument } from "./resource-document.ts";
import { parseResourceDocument } from "./resource-document.ts";

type DocumentContext = Pick<CoreContext, "vaultKeys" | "plugins">;

/** One document of a file, as read. */
export interface SourceDocument {
  /** The file, for messages. */
  readonly source: string;
  /** Where the document begins in it, from 1. */
  readonly line: number;
  readonly value: unknown;
  /** The line of a field such as `spec.context`; undefined for one that is not in the file. */
  lineOf?(path: string): number | undefined;
}

/** A document of a known kind that its kind's schema accepts. */
export interface ReadDocument {
  readonly source: SourceDocument;
  readonly kind: ResourceKind;
  readonly document: ResourceDocument;
}

/**
 * The documents in the order in which they can be applied: each kind before those that may refer to it. Throws
 * `resource.invalid` with the faults of all documents, each as `file:line field`.
 */
export function readDocuments(context: DocumentContext, sources: readonly SourceDocument[]): readonly ReadDocument[] {
  const issues: FieldIssue[] = [];
  const read: ReadDocument[] = [];
  const seen = new Map<string, SourceDocument>();
  for (const source of sources) {
    try {
      const { kind, document } = readDocument(context, source.value);
      const other = seen.get(`${kind.kind}/${document.name}`);
      if (other !== undefined) {
        const message = `${kind.kind}/${document.name} stands at ${other.source}:${other.line} already`;
        throw invalid([{ path: "metadata.name", message }]);
      }
      seen.set(`${kind.kind}/${document.name}`, source);
      read.push({ source, kind, document });
    } catch (error) {
      issues.push(...locatedIssues(source, toGatewayError(error)));
    }
  }
  if (issues.length > 0) throw invalid(issues);
  return read.toSorted((left, right) => resourceKinds.indexOf(left.kind) - resourceKinds.indexOf(right.kind));
}

/** Runs `work` for a document; what it throws comes out with `file:line field` for each fault. */
export async function atDocument<Result>(source: SourceDocument, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const cause = toGatewayError(error);
    // Our own faults are not the document's.
    if (cause.status >= 500) throw cause;
    throw new GatewayError(cause.code, `${source.source}:${source.line}: ${cause.message}`, {
      issues: locatedIssues(source, cause),
      cause,
    });
  }
}

/** `file:line field` for a field of a document; the line of the nearest field above it where it is not in the file. */
export function locate(source: SourceDocument, path: string): string {
  for (let at = path; at !== ""; at = parentPath(at)) {
    const line = source.lineOf?.(at);
    if (line !== undefined) return `${source.source}:${line} ${path}`;
  }
  return `${source.source}:${source.line} ${path}`.trimEnd();
}

/** What to do instead, for what must not stand in a file. */
const commandsInstead: Readonly<Record<string, string>> = {
  ApiKey: "a key is shown once and never written down: gatehouse keys generate",
  Secret: "a secret's value does not belong in a file: gatehouse secrets set",
};

const headSchema = z.looseObject({ apiVersion: z.literal(apiVersion), kind: z.string() });

function readDocument(context: DocumentContext, value: unknown): Pick<ReadDocument, "kind" | "document"> {
  const head = parseDocument(headSchema, value);
  const instead = Object.hasOwn(commandsInstead, head.kind) ? commandsInstead[head.kind] : undefined;
  if (instead !== undefined) throw invalid([{ path: "kind", message: instead }]);
  const kind = findKind(head.kind);
  if (kind === undefined) {
    const known = resourceKinds.map((each) => each.kind).join(", ");
    throw invalid([{ path: "kind", message: `there is no such kind; known are ${known}` }]);
  }
  return { kind, document: parseResourceDocument(context, kind, value) };
}

function locatedIssues(source: SourceDocument, error: GatewayError): readonly FieldIssue[] {
  const issues = error.issues.length > 0 ? error.issues : [{ path: "", message: error.message }];
  return issues.map(({ path, message }) => ({ path: locate(source, path), message }));
}

function parentPath(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("."), path.lastIndexOf("["), 0));
}
