import type { AlertSpec } from "./alert.ts";
import { alert } from "./alert.ts";
import type { CoreContext } from "./core-context.ts";
import type { PendingRule } from "./governance-gate.ts";
import { invalid } from "./parse-document.ts";
import type { ResourceKind } from "./resource.ts";
import type { ResourceDocument } from "./resource-document.ts";
import { ruleset } from "./ruleset.ts";

/**
 * Refuses of a document what its schema alone cannot: rules that do not run, and an alert that asks what its question does
 * not answer. `pending` are the rules that are written together with it.
 */
export async function checkDocument(
  context: Pick<CoreContext, "governance" | "checkAlert">,
  { kind }: Pick<ResourceKind, "kind">,
  document: ResourceDocument,
  pending: readonly PendingRule[] = [{ ...document, kind }],
): Promise<void> {
  if (kind === ruleset.kind) await context.governance?.checkRuleset(document.name, pending);
  if (kind !== alert.kind || context.checkAlert === undefined) return;
  const issues = await context.checkAlert(document.spec as AlertSpec); // of that kind, and parsed
  if (issues.length > 0) throw invalid(issues);
}
