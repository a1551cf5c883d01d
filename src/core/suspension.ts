import { sendArtifacts } from "./artifact-set.ts";
import type { ComplianceRow, Suspension } from "./compliance-tables.ts";
import { contentHash } from "./content-hash.ts";
import type { Write } from "./write.ts";
import { audit } from "./write.ts";

/**
 * Tells gateways that an API is to answer no more, or again, within the write that has kept the verdict: nothing where it
 * stays as it was. Has an audit row.
 */
export async function settleSuspension(
  write: Write,
  { artifactId: id, kind, name, teamId, suspension: before }: ComplianceRow,
  now: Suspension | null,
): Promise<void> {
  if (contentHash(before) === contentHash(now)) return;
  const subject = { kind, id, name, teamId };
  if (now !== null) await audit(write, "api.suspended", subject, { ...now });
  else await audit(write, "api.resumed", subject, {});
  await sendArtifacts(write);
}
