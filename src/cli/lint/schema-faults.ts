import type { z } from "zod";
import { fieldIssues } from "../../core/parse-document.ts";

/** What of a value its schema does not take. Messages never repeat the value. */
export function schemaFaults(
  schema: z.ZodType,
  value: unknown,
): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  const parsed = schema.safeParse(value);
  return parsed.success
    ? []
    : fieldIssues(parsed.error.issues).map(({ path, message }) => ({ path: stepsOf(path), message }));
}

/** `spec.targets[0].provider` as its steps; a name with a dot in it is taken for two, and its place is then near. */
function stepsOf(path: string): readonly (string | number)[] {
  const steps = path.match(/[^.[\]]+/g) ?? [];
  return steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}
