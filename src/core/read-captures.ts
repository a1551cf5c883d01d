import type { Actor, CoreContext } from "./core-context.ts";
import { audit, inWrite } from "./write.ts";

/** Texts that somebody is about to read. */
export interface CaptureReading {
  readonly exchangeId: string;
  readonly api: { readonly id: string; readonly name: string; readonly teamId: string };
}

/** Notes in the audit who reads captured texts. Call it before they are shown: what cannot be noted is not shown. */
export async function readCaptures(
  context: CoreContext,
  actor: Actor,
  { exchangeId, api }: CaptureReading,
): Promise<void> {
  await inWrite(context, actor, (write) =>
    audit(write, "analytics.texts-read", { kind: "Capture", ...api }, { exchangeId }),
  );
}
