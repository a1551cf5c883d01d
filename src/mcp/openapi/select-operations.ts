import { globMatcher } from "../../kernel/glob.ts";
import type { OpenApiOperation } from "./list-operations.ts";

/**
 * Which operations become tools. Each line is one of: an operationId or generated name (`listPets`, `list*`), a method
 * and a path (`GET /pets/*`, `* /pets`), or a tag (`tag:pets`). `*` stands for any run of characters, slashes included.
 */
export interface OperationSelection {
  readonly include: readonly string[];
  /** Takes away from what is included. */
  readonly exclude?: readonly string[];
}

/** Whether an operation is selected; `name` is the one that its tool would have. No line selects nothing. */
export function operationSelector(
  selection: OperationSelection,
): (operation: OpenApiOperation, name: string) => boolean {
  const isIncluded = anyOfLines(selection.include);
  const isExcluded = anyOfLines(selection.exclude ?? []);
  return (operation, name) => isIncluded(operation, name) && !isExcluded(operation, name);
}

function anyOfLines(lines: readonly string[]): (operation: OpenApiOperation, name: string) => boolean {
  const all = lines.map((line) => line.trim());
  const tags = globMatcher(all.filter((line) => line.startsWith("tag:")).map((line) => line.slice(4)));
  const places = globMatcher(all.filter(isPlace).map(normalPlace));
  const names = globMatcher(all.filter((line) => !line.startsWith("tag:") && !isPlace(line)));
  return (operation, name) =>
    names(name) ||
    (operation.operationId !== undefined && names(operation.operationId)) ||
    places(`${operation.method} ${operation.path}`) ||
    operation.tags.some((tag) => tags(tag));
}

function isPlace(line: string): boolean {
  return /^[A-Za-z*]+\s+\//.test(line);
}

function normalPlace(line: string): string {
  const [method = "", path = ""] = line.split(/\s+/, 2);
  return `${method.toUpperCase()} ${path}`;
}
