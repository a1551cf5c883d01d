import { z } from "zod";
import { parseJson } from "../kernel/parse-json.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { AnswerPurge } from "./plane-message.ts";
import type { ResourceKind } from "./resource.ts";
import { requireResource } from "./resource-changes.ts";
import { holds, lacks, rightsOf } from "./rights.ts";
import { audit, inWrite } from "./write.ts";

/** APIs whose last purge is kept for gateways that are away; of more, the oldest are given up. */
const keptPurges = 1_000;

const setting = "answers.purged";

const rows = z.array(z.strictObject({ apiId: z.string(), number: z.int().min(1) }));

/**
 * Has gateways drop all answers that they keep of an API; those that are away do so when they come back. Audited. Throws
 * `resource.not_found`, and `auth.forbidden` for who may not publish the API.
 */
export async function purgeAnswers(
  context: CoreContext,
  actor: Actor,
  kind: ResourceKind,
  name: string,
): Promise<void> {
  await inWrite(context, actor, async (write) => {
    const api = await requireResource(write.transaction, kind, name);
    if (!holds(rightsOf(actor), "apis:publish", api.teamId)) throw lacks("apis:publish");
    const known = await answerPurges(write.transaction);
    const purge: AnswerPurge = { apiId: api.id, number: (known.at(-1)?.number ?? 0) + 1 };
    const kept = [...known.filter(({ apiId }) => apiId !== api.id), purge].slice(-keptPurges);
    await write.transaction.settings.set(setting, JSON.stringify(kept));
    write.messages.push({ type: "answers.purged", purges: [purge] });
    await audit(write, "answers.purged", api);
  });
}

/** The last purge of each API, oldest first. */
export async function answerPurges({
  settings,
}: Pick<CatalogTransaction, "settings">): Promise<readonly AnswerPurge[]> {
  const stored = await settings.get(setting);
  return stored === undefined ? [] : rows.parse(parseJson(stored));
}
