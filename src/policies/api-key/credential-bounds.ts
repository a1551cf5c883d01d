import type { CredentialRecord } from "../../core/plane-message.ts";
import { createCidrSet, isCidr } from "../../kernel/cidr-set.ts";
import { globMatcher } from "../../kernel/glob.ts";
import { createReferrerSet } from "../../kernel/referrer-set.ts";
import type { OwnBudget } from "../../pipeline/define-policy.ts";
import type { BudgetsOf } from "./key-budgets.ts";

/** From where a key may be used and for what, ready to be asked. */
export interface CredentialBounds {
  permitsIp(ip: string): boolean;
  permitsReferrer(referer: string | undefined): boolean;
  readonly mayCall: ((operation: string) => boolean) | undefined;
  readonly budgets: readonly OwnBudget[] | undefined;
}

/** Gives the bounds of a record; made at its first use and forgotten with the record. */
export function createBoundsCache(budgetsOf: BudgetsOf): (record: CredentialRecord) => CredentialBounds {
  const known = new WeakMap<CredentialRecord, CredentialBounds>();
  return (record) => {
    let bounds = known.get(record);
    if (bounds === undefined) {
      bounds = { ...compileBounds(record), budgets: budgetsOf(record) };
      known.set(record, bounds);
    }
    return bounds;
  };
}

// An entry that cannot be read permits nothing, so a list of only such entries closes the key.
function compileBounds({
  permittedIps,
  permittedReferrers,
  allow,
}: CredentialRecord): Omit<CredentialBounds, "budgets"> {
  const ips = permittedIps.length === 0 ? undefined : createCidrSet(permittedIps.filter(isCidr));
  const referrers = permittedReferrers.length === 0 ? undefined : createReferrerSet(permittedReferrers);
  return {
    permitsIp: (ip) => ips === undefined || ips.contains(ip),
    permitsReferrer: (referer) => referrers === undefined || referrers.permits(referer),
    mayCall: allow === null ? undefined : globMatcher(allow),
  };
}
