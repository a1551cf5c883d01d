import { fieldPath } from "../../core/parse-document.ts";
import type { LintFinding } from "./lint-result.ts";

/** Where a finding is, in words: `tool get-sum, tools[3].description`. */
export function findingPlace({ about, path }: LintFinding): string {
  const place = fieldPath(path);
  return [about, place].filter((part) => part !== undefined && part !== "").join(", ");
}
