import { z } from "zod";
import { parseJson } from "../kernel/parse-json.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { ForgottenUse } from "./plane-message.ts";
import type { Write } from "./write.ts";

/** Requests to forget that are kept for gateways which are away; of more, the oldest are given up. */
const keptRequests = 1_000;

const setting = "uses.forgotten";

const rows = z.array(
  z.strictObject({
    number: z.int().min(1),
    apiId: z.string().nullable(),
    applicationId: z.string().nullable(),
    entry: z.string().nullable(),
  }),
);

/**
 * Has all gateways forget what they have learnt from use until they hear of it, as a part of a write; those that are away
 * hear of it when they come back.
 */
export async function tellForgotten(
  { transaction, messages }: Write,
  what: Omit<ForgottenUse, "number">,
): Promise<void> {
  const kept = await forgottenUses(transaction);
  const forgotten = { number: (kept.at(-1)?.number ?? 0) + 1, ...what };
  await transaction.settings.set(setting, JSON.stringify([...kept, forgotten].slice(-keptRequests)));
  messages.push({ type: "uses.forgotten", forgotten: [forgotten] });
}

/** What gateways were told to forget, oldest first. */
export async function forgottenUses({
  settings,
}: Pick<CatalogTransaction, "settings">): Promise<readonly ForgottenUse[]> {
  const stored = await settings.get(setting);
  return stored === undefined ? [] : rows.parse(parseJson(stored));
}
