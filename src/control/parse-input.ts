import type { z } from "zod";
import { fieldIssues } from "../core/parse-document.ts";
import type { ErrorCode } from "../kernel/error-codes.ts";
import { GatewayError } from "../kernel/errors.ts";

/**
 * The value as the schema has it. Throws `code` with every field at fault, its path led by `prefix` (`query.limit`).
 * For what this layer takes itself; documents are parsed by the domain. Never repeats the value.
 */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  { code, prefix }: { readonly code: ErrorCode; readonly prefix?: string },
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = fieldIssues(result.error.issues, prefix === undefined ? [] : [prefix]);
  const [first] = issues;
  const where = first === undefined || first.path === "" ? "" : `${first.path}: `;
  throw new GatewayError(code, `${where}${first?.message ?? "not valid"}`, { issues });
}
