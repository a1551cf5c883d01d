import { auditActions, resourceAction, resourceChanges } from "../core/audit-actions.ts";
import { resourceKinds } from "../core/kinds.ts";

/** The page of all that the audit may say was done, in Markdown, made from the table that the compiler holds everybody to. */
export function printAuditActions(): string {
  const ofResources = resourceKinds.flatMap((kind) =>
    resourceChanges.map((change) => row(resourceAction(kind, change), `A ${kind.kind} was ${change}.`)),
  );
  const others = Object.entries(auditActions).map(([action, meaning]) => row(action, meaning));
  return `${intro.trim()}

| action | meaning |
|---|---|
${[...ofResources, ...others].toSorted().join("\n")}
`;
}

const intro = `
# Audit actions

Printed by \`gatehouse audit actions\`; a test keeps this page equal to the code, in which an action that is not listed
does not compile. [The guide](../guides/audit.md) says what else a row holds.
`;

function row(action: string, meaning: string): string {
  return `| \`${action}\` | ${meaning.replaceAll("|", "\\|")} |`;
}
