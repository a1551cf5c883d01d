import { governedKinds, isGoverned, isGoverning } from "./governed-kinds.ts";
import type { Resource } from "./resource.ts";
import type { Write } from "./write.ts";

/** Has a resource looked at by governance, or all of them where it is the rules that have changed. */
export async function askGovernance(write: Write, { kind, id }: Pick<Resource, "kind" | "id">): Promise<void> {
  const { transaction, nowMs } = write;
  if (isGoverning(kind)) await transaction.compliance.enqueue({ kinds: governedKinds }, nowMs);
  else if (isGoverned(kind)) await transaction.compliance.enqueue({ ids: [id] }, nowMs);
  else return;
  write.governanceAsked = true;
}
