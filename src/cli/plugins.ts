import { embedders } from "../embedding/index.ts";
import { guardrails } from "../guardrails/index.ts";
import { keyManagers } from "../identity/index.ts";
import { policies } from "../policies/index.ts";
import { providers } from "../routing/providers/index.ts";
import { strategies } from "../routing/strategies/index.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

/** Prints the plug-ins of this build: what may stand in `use`. */
export async function plugins(options: { readonly json?: boolean }, shell: Shell): Promise<void> {
  const found = listPlugins();
  if (options.json === true) return shell.out(JSON.stringify(found, undefined, 2));
  const rows = found.map(({ kind, id, summary }) => [kind, id, summary]);
  for (const line of printTable(["KIND", "USE", "SUMMARY"], rows)) shell.out(line);
}

/** All plug-ins, by kind and in the order of their lists. */
export function listPlugins(): readonly { readonly kind: string; readonly id: string; readonly summary: string }[] {
  return [...policies, ...guardrails, ...providers, ...strategies, ...keyManagers, ...embedders].map(
    ({ kind, id, summary }) => ({
      kind,
      id,
      summary,
    }),
  );
}
