import { fieldPath } from "../../core/parse-document.ts";

/** Where a value does not fit its schema. The message names no value, which may be large or a secret. */
export interface SchemaFault {
  /** Dotted with indexes, `filter.tags[2]`; empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

/** One keyword, or all of a schema: adds what is wrong to the run. */
export type SchemaCheck = (value: unknown, path: SchemaPath, run: CheckRun) => void;

/** The way down to a value; undefined is the value that the check began with. */
export type SchemaPath = { readonly above: SchemaPath; readonly part: string | number } | undefined;

/** What a run has found, and what it may still spend. */
export interface CheckRun {
  readonly faults: SchemaFault[];
  readonly budget: { steps: number };
  readonly depth: number;
}

/** Makes the check of a schema that stands inside another one. */
export type CheckCompiler = (schema: unknown) => SchemaCheck;

/** Faults that one check gives at most. */
export const faultLimit = 20;

/** Adds a fault, unless there are enough. */
export function addFault(run: CheckRun, path: SchemaPath, message: string): void {
  if (run.faults.length < faultLimit) run.faults.push({ path: textOf(path), message });
}

/** What a check finds, apart from the faults of the run; the budget is the same. */
export function faultsOf(check: SchemaCheck, value: unknown, path: SchemaPath, run: CheckRun): readonly SchemaFault[] {
  const inner: CheckRun = { faults: [], budget: run.budget, depth: run.depth };
  check(value, path, inner);
  return inner.faults;
}

function textOf(path: SchemaPath): string {
  const parts: (string | number)[] = [];
  for (let at = path; at !== undefined; at = at.above)
    parts.unshift(typeof at.part === "string" ? at.part.slice(0, 100) : at.part);
  return fieldPath(parts);
}
