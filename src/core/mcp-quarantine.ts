import type { CatalogTransaction } from "./catalog.ts";
import type { ComplianceRow, McpEntry } from "./compliance-tables.ts";
import type { McpHeldRecord } from "./plane-message.ts";
import type { Write } from "./write.ts";
import { audit } from "./write.ts";

/** What rules keep in quarantine of one MCP server, and by which policies and rules. */
export interface HeldEntry extends McpEntry {
  readonly policies: readonly string[];
  readonly rules: readonly string[];
}

/** What the last verdict on a resource keeps in quarantine; a resource that waits to be looked at again keeps it meanwhile. */
export function heldEntries({ policies }: Pick<ComplianceRow, "policies">): readonly HeldEntry[] {
  const found = new Map<string, { entry: McpEntry; policies: Set<string>; rules: Set<string> }>();
  for (const { policy, rulesets } of policies) {
    for (const { rule, entry, isHeld = false } of rulesets.flatMap(({ findings }) => findings)) {
      if (!isHeld || entry === undefined) continue;
      const key = keyOf(entry);
      const held = found.get(key) ?? { entry, policies: new Set(), rules: new Set() };
      found.set(key, held);
      held.policies.add(policy);
      held.rules.add(rule);
    }
  }
  return [...found.values()].map(({ entry, ...more }) => ({
    ...entry,
    policies: [...more.policies],
    rules: [...more.rules],
  }));
}

/**
 * Tells gateways what of a server is in quarantine now, where that differs from before, within the write that keeps the
 * verdict. Each entry that comes or goes has an audit row.
 */
export async function settleQuarantine(
  write: Write,
  row: Pick<ComplianceRow, "artifactId" | "kind" | "name" | "teamId" | "policies">,
  before: readonly HeldEntry[],
): Promise<void> {
  if (row.kind !== "McpServer") return;
  const now = heldEntries(row);
  const [old, fresh] = [new Set(before.map(keyOf)), new Set(now.map(keyOf))];
  const come = now.filter((each) => !old.has(keyOf(each)));
  const gone = before.filter((each) => !fresh.has(keyOf(each)));
  if (come.length + gone.length === 0) return;
  const subject = { kind: row.kind, id: row.artifactId, name: row.name, teamId: row.teamId };
  for (const each of come) await audit(write, "mcp-entry.quarantined", subject, { ...each });
  for (const { kind, name } of gone) await audit(write, "mcp-entry.released", subject, { kind, name });
  write.messages.push({ type: "mcp-held.put", held: recordOf(row.artifactId, now) });
}

/** What is in quarantine of all servers, as gateways hear it when they connect. */
export async function allHeld(transaction: CatalogTransaction): Promise<readonly McpHeldRecord[]> {
  const found: McpHeldRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await transaction.compliance.list({ kind: "McpServer" }, { limit: pageRows, cursor });
    for (const row of page.rows) {
      const held = heldEntries(row);
      if (held.length > 0) found.push(recordOf(row.artifactId, held));
    }
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}

const pageRows = 200;

function recordOf(apiId: string, held: readonly HeldEntry[]): McpHeldRecord {
  return { apiId, entries: held.map(({ kind, name }) => ({ kind, name })) };
}

function keyOf({ kind, name }: McpEntry): string {
  return `${kind}\n${name}`;
}
