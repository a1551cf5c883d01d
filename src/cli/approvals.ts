import { z } from "zod";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

/** Prints the calls that wait for somebody's approval; with `all`, those of the last week. */
export async function listApprovals(
  options: ControlOptions & { readonly server?: string; readonly all?: boolean; readonly json?: boolean },
  shell: Shell,
): Promise<void> {
  await using control = await openControlClient(options, shell);
  const { server, all = false } = options;
  const query = { ...(server !== undefined && { server }), state: all ? "all" : "open" };
  const views = await Array.fromAsync(control.list(collection, query));
  if (options.json === true) return shell.out(JSON.stringify(views, undefined, 2));
  const rows = views.map((view) => {
    const { id, server: name, environment, tool, state, caller, arguments: shown, expiresAt } = viewSchema.parse(view);
    const who = caller.subject ?? caller.applicationId ?? caller.clientId ?? caller.keyId ?? caller.type;
    const text = shown === null ? "" : JSON.stringify(shown);
    return [id, name, environment, tool, state, who, expiresAt, text.length > 80 ? `${text.slice(0, 79)}…` : text];
  });
  const heads = ["ID", "SERVER", "ENVIRONMENT", "TOOL", "STATE", "CALLER", "EXPIRES", "ARGUMENTS"];
  for (const line of printTable(heads, rows)) shell.out(line);
}

/** Approves or refuses a call that waits. */
export async function decideApproval(
  id: string,
  decision: "approve" | "deny",
  options: ControlOptions & { readonly reason?: string },
  shell: Shell,
): Promise<void> {
  await using control = await openControlClient(options, shell);
  const { reason } = options;
  const body = { decision, ...(reason !== undefined && { reason }) };
  const view = await control.call("POST", `${collection}/${encodeURIComponent(id)}/decision`, body);
  const { server, tool, state } = viewSchema.parse(view);
  shell.out(`${state} Approval ${id}: ${tool} of ${server}`);
}

const collection = "/api/v1/approvals";

const viewSchema = z.looseObject({
  id: z.string(),
  server: z.string(),
  environment: z.string(),
  tool: z.string(),
  state: z.string(),
  caller: z.looseObject({
    type: z.string(),
    applicationId: z.string().optional(),
    keyId: z.string().optional(),
    clientId: z.string().optional(),
    subject: z.string().optional(),
  }),
  arguments: z.record(z.string(), z.unknown()).nullable(),
  expiresAt: z.string(),
});
