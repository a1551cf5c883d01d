import type { z } from "zod";
import type { FieldIssue } from "../kernel/errors.ts";
import { GatewayError } from "../kernel/errors.ts";

/** Levels of nesting in a document of ours; what is deeper is refused before anything walks it. */
const depthLimit = 200;

/**
 * A document from outside, checked. Throws `resource.invalid` with every field at fault, unknown fields included.
 * The messages never repeat the value, which may be a secret in the wrong place.
 */
export function parseDocument<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  refuseTooDeep(input);
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw invalid(fieldIssues(parsed.error.issues));
}

/** Throws `resource.invalid` for what is nested too deeply to be walked. */
export function refuseTooDeep(input: unknown): void {
  if (!isDeeperThan(input, depthLimit)) return;
  throw invalid([{ path: "", message: `nested deeper than ${depthLimit} levels` }]);
}

/** The `resource.invalid` error for these fields; its message tells of the first. */
export function invalid(issues: readonly FieldIssue[]): GatewayError {
  return refusal("resource.invalid", "The document is not valid", issues);
}

/** An error of that code whose message begins with `lead` and tells of the first field at fault. */
export function refusal(
  code: "resource.invalid" | "publish.refused",
  lead: string,
  issues: readonly FieldIssue[],
): GatewayError {
  const [first] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  const where = first === undefined || first.path === "" ? "" : `${first.path}: `;
  return new GatewayError(code, `${lead}: ${where}${first?.message ?? "it was refused"}${more}`, { issues });
}

/**
 * Zod's issues as fields of ours: dotted paths with indexes, one issue for each unknown field, and for a union the
 * issues of the alternative that came nearest.
 */
export function fieldIssues(
  issues: readonly z.core.$ZodIssue[],
  prefix: readonly PropertyKey[] = [],
): readonly FieldIssue[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({ path: fieldPath([...path, key]), message: "there is no such field" }));
    }
    if (issue.code === "invalid_union" && issue.errors.length > 0) {
      const alternatives = issue.errors.map((errors) => fieldIssues(errors, path));
      return alternatives.toSorted(nearestFirst)[0] ?? [];
    }
    return [{ path: fieldPath(path), message: issue.message }];
  });
}

/** `["spec", "targets", 0, "provider"]` as `spec.targets[0].provider`. */
export function fieldPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}

// The alternative that got deepest is the one that was meant; of equals, the one with fewer faults.
function nearestFirst(left: readonly FieldIssue[], right: readonly FieldIssue[]): number {
  return deepest(right) - deepest(left) || left.length - right.length;
}

function deepest(issues: readonly FieldIssue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.split(/[.[]/).length));
}

// By a list of its own rather than by recursion: the depth of hostile input must not become the depth of our stack.
function isDeeperThan(input: unknown, levels: number): boolean {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: input, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (value === null || typeof value !== "object") continue;
    if (depth >= levels) return true;
    for (const child of Object.values(value)) open.push({ value: child, depth: depth + 1 });
  }
  return false;
}
