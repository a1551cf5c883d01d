import type { Actor } from "./core-context.ts";
import { holds, lacks, rightsOf } from "./rights.ts";

/**
 * What reaches beyond the own team is for who may change key managers: to act in the name of people (token exchange), and
 * to say of an id at a key manager elsewhere whose it is. Throws `auth.forbidden`.
 */
export function requireClientTrust(
  actor: Actor,
  spec: { readonly grantTypes: readonly string[]; readonly clientId?: string | undefined },
  before?: readonly string[],
): void {
  const asks = spec.grantTypes.includes(exchangeGrant) && before?.includes(exchangeGrant) !== true;
  const notes = before === undefined && spec.clientId !== undefined;
  if ((asks || notes) && !holds(rightsOf(actor), "key-managers:write")) throw lacks("key-managers:write");
}

const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";
