import { GatewayError } from "../kernel/errors.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import { holds, lacks, rightsOf } from "./rights.ts";
import type { WebhookDeliveryRow } from "./webhook-tables.ts";
import { audit, inWrite } from "./write.ts";

/**
 * Has a webhook told again, from now on as often as the first time, with the id that it knows. Audited. Throws
 * `resource.not_found`, `resource.conflict` for what was taken already, and `auth.forbidden` for who may not write alerts of
 * its team.
 */
export async function retryDelivery(context: CoreContext, actor: Actor, id: string): Promise<WebhookDeliveryRow> {
  const retried = await inWrite(context, actor, async (write) => {
    const { webhookDeliveries } = write.transaction;
    const row = await webhookDeliveries.find(id);
    if (row === undefined) throw new GatewayError("resource.not_found", `There is no delivery ${id}.`);
    if (!holds(rightsOf(actor), "alerts:write", row.teamId)) throw lacks("alerts:write");
    if (row.state === "delivered") throw new GatewayError("resource.conflict", `Delivery ${id} was taken already.`);
    const again = { ...row, state: "pending", attempts: 0, nextAtMs: write.nowMs, endedAtMs: null } as const;
    await webhookDeliveries.update(again);
    const subject = { kind: "WebhookDelivery", id: row.id, name: row.source, teamId: row.teamId };
    await audit(write, "webhook.retried", subject, { was: row.state, attempts: row.attempts });
    return again;
  });
  context.webhooks?.wake();
  return retried;
}
