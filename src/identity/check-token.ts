import { GatewayError } from "../kernel/errors.ts";
import type { KeyManagerTools } from "../pipeline/define-key-manager.ts";
import type { TokenCheck, TokenPlace } from "../pipeline/token-verifier.ts";
import type { IdentityState } from "./identity-state.ts";
import type { CheckedToken, TokenSituation } from "./judge-token.ts";
import { readCheckedToken } from "./judge-token.ts";
import type { ReadJwt } from "./jwt-check.ts";
import { readJwt, signatureFault, timeFault, unknownKey } from "./jwt-check.ts";
import type { LiveKeyManager } from "./live-key-manager.ts";
import type { OpaqueTokens } from "./opaque-tokens.ts";

/** Whether what was found out of a token is still so: its key manager and keys are as they were then. */
export function isStillChecked(checked: CheckedToken, state: IdentityState, nowMs: number): boolean {
  const { manager } = checked;
  return state.keyManager(manager.id) === manager && checked.epoch === manager.keys.epoch && nowMs < checked.untilMs;
}

export interface CheckParts extends Pick<KeyManagerTools, "clock"> {
  readonly opaque: OpaqueTokens;
  /** What the control plane told before this moment is known here, milliseconds since the epoch; all is when absent. */
  readonly heardAtMs?: (() => number) | undefined;
}

/**
 * Checks a token that nobody has checked yet: it must be of one of the accepted key managers, by its issuer, and signed
 * by a key and an algorithm of that one. Rejects with `auth.unavailable` or `upstream.…` when nobody can tell now.
 */
export async function checkToken(
  token: string,
  situation: TokenSituation,
  state: IdentityState,
  { clock, opaque, heardAtMs }: CheckParts,
): Promise<CheckedToken | TokenCheck> {
  const accepted = state.accepted(situation.demand.keyManagers).filter((manager) => mayStand(manager, situation.place));
  const jwt = readJwt(token);
  if (typeof jwt === "string") return (await opaque.check(token, accepted, situation.inbound.clientIp)) ?? refused(jwt);
  const manager = accepted.find(({ compiled }) =>
    compiled.rules.issuers.some((issuer) => issuer === jwt.claims["iss"]),
  );
  if (manager === undefined) return refused("its issuer is none of the key managers that this API accepts");
  const { rules } = manager.compiled;
  const fault =
    headerFault(jwt, manager) ?? rules.kindFault?.(jwt.claims) ?? timeFault(jwt.claims, clock.now(), rules.clockSkewMs);
  if (fault !== undefined) return refused(fault);
  const epoch = manager.keys.epoch;
  const forged = await signatureFault(token, jwt, rules, manager.keys, clock.now());
  if (forged === unknownKey && mayBeTold(jwt, manager, heardAtMs)) {
    throw new GatewayError("auth.unavailable", "The token's key is not known yet.", { detail: manager.record.name });
  }
  if (forged !== undefined) return refused(forged);
  // Keys that went while the signature was being checked make it be checked anew the next time.
  return { ...readCheckedToken(jwt.claims, manager), epoch };
}

function mayStand({ compiled }: LiveKeyManager, place: TokenPlace): boolean {
  return place === "bearer" || compiled.rules.inKeyHeader;
}

function headerFault({ header }: ReadJwt, { compiled: { rules } }: LiveKeyManager): string | undefined {
  if (!rules.algorithms.includes(header.alg)) return `its algorithm ${header.alg.slice(0, 20)} is not permitted`;
  if (rules.types === undefined || (header.typ !== undefined && rules.types.includes(header.typ))) return undefined;
  return `its type is not ${rules.types.join(" or ")}`;
}

/** How far clocks may be apart, and news be on its way. */
const delayMs = 5_000;

/**
 * Whether the key of a token may be one of which this gateway has not been told yet: only of those that the control plane
 * tells, and of a token that is younger than its last word. Any other will never be known.
 */
function mayBeTold({ claims }: ReadJwt, { compiled }: LiveKeyManager, heardAtMs: CheckParts["heardAtMs"]): boolean {
  if (heardAtMs === undefined || compiled.keys.type !== "local") return false;
  const issuedAt = claims["iat"];
  return typeof issuedAt === "number" && issuedAt * 1_000 + delayMs >= heardAtMs();
}

function refused(detail: string): TokenCheck {
  return { type: "refused", detail };
}
