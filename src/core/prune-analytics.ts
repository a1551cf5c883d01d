import type { Actor, CoreContext } from "./core-context.ts";
import { audit, inWrite } from "./write.ts";

/** What is about to be taken away. */
export interface AnalyticsPruning {
  readonly before: string;
  readonly months: readonly { readonly table: string; readonly month: string; readonly rows: number }[];
}

/** Notes in the audit that somebody takes recorded rows away. Call it before they go: what is gone cannot be told. */
export async function pruneAnalytics(context: CoreContext, actor: Actor, pruning: AnalyticsPruning): Promise<void> {
  await inWrite(context, actor, (write) =>
    audit(
      write,
      "analytics.pruned",
      { kind: "Analytics", id: "analytics", name: "analytics", teamId: "" },
      { ...pruning },
    ),
  );
}
