import { z } from "zod";
import { application } from "./application.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { ResourceKind } from "./resource.ts";
import { requireResource } from "./resource-changes.ts";
import { holds, lacks, rightsOf } from "./rights.ts";
import { tellForgotten } from "./tell-forgotten.ts";
import { audit, inWrite } from "./write.ts";

/** What gateways are to forget of what they have learnt from use. */
export const forgetUsesInputSchema = z
  .strictObject({
    application: z.string().min(1).max(200).optional().describe("The name of an application: what it has taught."),
    tool: z.string().min(1).max(1_000).optional().describe("The name of a tool: what was learnt of it."),
  })
  .meta({ description: "What is to be forgotten: all that fits what is said, and everything where nothing is." });

export type ForgetUsesInput = z.output<typeof forgetUsesInputSchema>;

/**
 * Has gateways forget what they have learnt at an API, as `tellForgotten` does. Audited. Throws `resource.not_found`,
 * and `auth.forbidden` for who may not publish the API.
 */
export async function forgetUses(
  context: CoreContext,
  actor: Actor,
  kind: ResourceKind,
  name: string,
  { application: applicationName, tool }: ForgetUsesInput,
): Promise<void> {
  await inWrite(context, actor, async (write) => {
    const api = await requireResource(write.transaction, kind, name);
    if (!holds(rightsOf(actor), "apis:publish", api.teamId)) throw lacks("apis:publish");
    const taught = applicationName && (await requireResource(write.transaction, application, applicationName)).id;
    await tellForgotten(write, { apiId: api.id, applicationId: taught ?? null, entry: tool ?? null });
    await audit(write, "uses.forgotten", api, { application: taught, tool });
  });
}
