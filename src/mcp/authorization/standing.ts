import type { McpAuthorizationRule } from "../../core/mcp-authorization.ts";
import type { Principal } from "../../pipeline/exchange.ts";

/** How a caller stands to a rule before any call: `lacks` is a lack of scopes and of nothing else. */
export type Standing = "holds" | "lacks" | "fails";

/** What the principal alone says to a rule. Nobody in particular has no scopes, claims or application. */
export function standingOf(
  { scopes = [], anyScopes = [], claims = {}, keyTypes }: McpAuthorizationRule,
  isApplication: ((id: string) => boolean) | undefined,
  principal: Principal | undefined,
): Standing {
  const { applicationId, environment = "production", claims: own = {}, scopes: granted = [] } = principal ?? {};
  if (keyTypes !== undefined && !keyTypes.includes(environment)) return "fails";
  if (isApplication !== undefined && (applicationId === undefined || !isApplication(applicationId))) return "fails";
  const hasClaims = Object.entries(claims).every(([name, wanted]) => {
    const has: unknown = Object.hasOwn(own, name) ? own[name] : undefined;
    const values: readonly unknown[] = Array.isArray(has) ? has : [has];
    return [wanted].flat().some((value) => values.includes(value));
  });
  if (!hasClaims) return "fails";
  const hasAll = scopes.every((scope) => granted.includes(scope));
  const hasAny = anyScopes.length === 0 || anyScopes.some((scope) => granted.includes(scope));
  return hasAll && hasAny ? "holds" : "lacks";
}
